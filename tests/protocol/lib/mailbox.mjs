// A mail server on loopback that takes what comes (RFC 5321), and keeps it for the test to read.
import net from 'node:net'
import { deferred, within } from './wait.mjs'

export class Mailbox {
  #mails = []
  #waiting = []
  /** What is answered to RCPT TO. */
  refuses = false

  static async start(t) {
    const box = new Mailbox()
    const sockets = new Set()
    const server = net.createServer((socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket)).on('error', () => {})
      box.#serve(socket)
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(resolve))
    })
    box.url = `smtp://127.0.0.1:${server.address().port}`
    return box
  }

  #serve(socket) {
    let text = ''
    let mail
    const say = (line) => socket.write(`${line}\r\n`)
    say('220 mailbox')
    socket.setEncoding('utf8').on('data', (bytes) => {
      text += bytes
      for (;;) {
        if (mail?.isText) {
          const end = text.indexOf('\r\n.\r\n')
          if (end < 0) return
          this.#put({ from: mail.from, to: mail.to, text: text.slice(0, end) })
          text = text.slice(end + 5)
          mail = undefined
          say('250 taken')
          continue
        }
        const end = text.indexOf('\r\n')
        if (end < 0) return
        const line = text.slice(0, end)
        text = text.slice(end + 2)
        const [, address] = /<(.*)>/.exec(line) ?? []
        if (/^(EHLO|HELO)/.test(line)) say('250 mailbox')
        else if (line.startsWith('MAIL')) {
          mail = { from: address }
          say('250 ok')
        } else if (line.startsWith('RCPT') && this.refuses) say('550 nobody here')
        else if (line.startsWith('RCPT')) {
          mail.to = address
          say('250 ok')
        } else if (line === 'DATA') {
          mail.isText = true
          say('354 go on')
        } else if (line === 'QUIT') socket.end('221 bye\r\n')
        else say('250 ok')
      }
    })
  }

  #put(mail) {
    const waiting = this.#waiting.shift()
    if (waiting) waiting.resolve(mail)
    else this.#mails.push(mail)
  }

  /** The next mail. */
  next() {
    if (this.#mails.length > 0) return Promise.resolve(this.#mails.shift())
    const waiting = deferred()
    this.#waiting.push(waiting)
    return within(waiting.promise, 'a mail')
  }

  get unread() {
    return this.#mails.length
  }
}
