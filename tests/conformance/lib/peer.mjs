// A client that sends what a case says and notes what comes, frame by frame.
import { createHash, randomBytes } from 'node:crypto'
import { handshake, parseHead } from '../../protocol/lib/peer.mjs'
import { connectTo } from '../../protocol/lib/socket.mjs'
import { FrameReader } from '../../protocol/lib/wire.mjs'
import { deferred, within } from '../../protocol/lib/wait.mjs'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

export class RawPeer {
  frames = [] // every frame that came
  #look = () => {}
  #ended = deferred()

  /** Connect and shake hands; `prelude` goes out in the same write as the request. */
  static async open(server, { offer, prelude = Buffer.alloc(0) } = {}) {
    const peer = new RawPeer()
    const headers = offer === undefined ? {} : { 'Sec-WebSocket-Extensions': offer }
    const key = randomBytes(16).toString('base64')
    const answer = deferred()
    peer.#listen(server, answer)
    peer.socket.write(Buffer.concat([Buffer.from(handshake(`${server.host}:${server.port}`, key, headers)), prelude]))
    await within(answer.promise, 'the handshake')
    const { status, headers: said, head } = peer.response
    if (status !== 101) throw new Error(`the handshake was answered with ${head}`)
    const accept = createHash('sha1').update(key + GUID).digest('base64')
    if (said['sec-websocket-accept'] !== accept) throw new Error('the handshake was answered with another key')
    return peer
  }

  #listen(server, answer) {
    let head = Buffer.alloc(0)
    const reader = new FrameReader()
    // What the server does first must be seen, so this side stays open when the other ends.
    this.socket = connectTo(server, { allowHalfOpen: true })
    this.socket.on('data', (bytes) => {
      if (this.response === undefined) {
        head = Buffer.concat([head, bytes])
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        this.response = parseHead(head.subarray(0, end).toString('latin1'))
        answer.resolve()
        bytes = head.subarray(end + 4)
      }
      try {
        this.frames.push(...reader.push(bytes))
      } catch (err) {
        this.fault = err
      }
      this.#look()
    })
    this.socket.on('end', () => this.#end('end'))
    this.socket.on('error', (err) => {
      answer.reject(err)
      this.#end(err.code)
    })
    this.socket.on('close', () => {
      answer.reject(new Error('closed without an answer'))
      this.#end('close')
    })
  }

  #end(how) {
    this.how ??= how
    this.#ended.resolve(this.how)
    this.#look()
  }

  /** Until `n` frames came, or the server's side has ended. */
  async until(n, ms) {
    const isThere = () => this.frames.length >= n || this.how !== undefined || this.fault !== undefined
    if (isThere()) return
    const there = deferred()
    this.#look = () => isThere() && there.resolve()
    await within(there.promise, () => `${n} frames, of which ${this.frames.length} came: ${this.frames.map((f) => `${f.op}:${f.payload.length}`).slice(-5)}`, ms)
  }

  /** How the server's side ended: 'end' is a FIN behind all that was sent. */
  ended(ms) {
    return within(this.#ended.promise, 'the server to end the connection', ms)
  }

  /** Write bytes in pieces of `chop`, each handed to the kernel before the next. */
  async write(bytes, chop = bytes.length) {
    for (let at = 0; at < bytes.length; at += chop) {
      if (this.how !== undefined) return
      await new Promise((resolve) => this.socket.write(bytes.subarray(at, at + chop), () => resolve()))
    }
  }

  destroy() {
    this.socket.destroy()
  }
}
