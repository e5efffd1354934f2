// A client that sends what a case says and notes what comes, frame by frame.
import { randomBytes } from 'node:crypto'
import net from 'node:net'
import { handshake, parseHead } from '../../protocol/lib/peer.mjs'
import { FrameReader } from '../../protocol/lib/wire.mjs'
import { deferred, within } from '../../protocol/lib/wait.mjs'

export class RawPeer {
  frames = [] // every frame that came
  #look = () => {}
  #ended = deferred()

  static async open(server, { offer } = {}) {
    const peer = new RawPeer()
    const headers = offer === undefined ? {} : { 'Sec-WebSocket-Extensions': offer }
    const answer = deferred()
    let head = Buffer.alloc(0)
    const reader = new FrameReader()
    peer.socket = net.connect({ host: server.host, port: server.port, noDelay: true, allowHalfOpen: true })
    peer.socket.on('data', (bytes) => {
      if (peer.response === undefined) {
        head = Buffer.concat([head, bytes])
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        peer.response = parseHead(head.subarray(0, end).toString('latin1'))
        answer.resolve()
        bytes = head.subarray(end + 4)
      }
      try {
        peer.frames.push(...reader.push(bytes))
      } catch (err) {
        peer.fault = err
      }
      peer.#look()
    })
    peer.socket.on('end', () => peer.#end('end'))
    peer.socket.on('error', (err) => peer.#end(err.code))
    peer.socket.on('close', () => peer.#end('close'))
    peer.socket.write(handshake(`${server.host}:${server.port}`, randomBytes(16).toString('base64'), headers))
    await within(answer.promise, 'the handshake')
    if (peer.response.status !== 101) throw new Error(`the handshake was answered with ${peer.response.head}`)
    return peer
  }

  #end(how) {
    this.how ??= how
    this.#ended.resolve(this.how)
    this.#look()
  }

  /** Until `n` frames came, or the server's side has ended. */
  async until(n, ms) {
    const there = deferred()
    this.#look = () => {
      if (this.frames.length >= n || this.how !== undefined || this.fault !== undefined) there.resolve()
    }
    this.#look()
    await within(there.promise, () => `${n} frames, of which ${this.frames.length} came: ${this.frames.map((f) => `${f.op}:${f.payload.length}`).slice(-5)}`, ms)
  }

  /** How the server's side ended: 'end' is a FIN behind all that was sent. */
  ended(ms) {
    return within(this.#ended.promise, 'the server to end the connection', ms)
  }

  /** Write bytes in pieces of `chop`, each handed to the kernel before the next. */
  async write(bytes, chop) {
    const step = chop ?? bytes.length
    for (let at = 0; at < bytes.length || at === 0; at += step) {
      const piece = bytes.subarray(at, at + step)
      await new Promise((resolve) => this.socket.write(piece, () => resolve()))
      if (this.how !== undefined) return
    }
  }

  destroy() {
    this.socket.destroy()
  }
}
