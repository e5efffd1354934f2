// One WebSocket of a client of whom there are thousands: it keeps nothing of what it was told.
import { randomBytes } from 'node:crypto'
import net from 'node:net'
import { handshake, parseHead } from '../../protocol/lib/peer.mjs'
import { deferred } from '../../protocol/lib/wait.mjs'
import { FrameReader, OP, encodeFrame } from '../../protocol/lib/wire.mjs'

/** What ends an attempt: the link is gone, or the server wants to be asked again later. */
export class Down extends Error {
  constructor(what, retryMs = 0) {
    super(what)
    this.retryMs = retryMs
  }
}

export class Link {
  #opened = deferred()
  #ended = deferred()
  #replies = new Map()
  #head = Buffer.alloc(0)
  #reader = new FrameReader()
  #nextId = 1
  #isOpen = false
  #why = null // it ended

  /** Connects at once; `onEvent` takes what the server says unasked. */
  constructor({ host, port, localAddress, onEvent }) {
    this.onEvent = onEvent
    this.socket = net.connect({ host, port, localAddress, noDelay: true })
    this.socket.write(handshake(`${host}:${port}`, randomBytes(16).toString('base64')))
    this.socket.on('data', (bytes) => {
      try {
        this.#onBytes(bytes)
      } catch (err) {
        this.#end(err)
      }
    })
    this.socket.on('error', (err) => this.#end(new Down(err.code)))
    this.socket.on('close', () => this.#end(new Down('closed')))
  }

  /** The handshake is done.  Rejects where it fails. */
  get opened() {
    return this.#opened.promise
  }

  /** Resolves with why, an Error: a Down, or a fault of the server. */
  get ended() {
    return this.#ended.promise
  }

  #onBytes(bytes) {
    if (!this.#isOpen) {
      this.#head = Buffer.concat([this.#head, bytes])
      const end = this.#head.indexOf('\r\n\r\n')
      if (end < 0) return
      const { status, headers } = parseHead(this.#head.subarray(0, end).toString('latin1'))
      if (status !== 101) throw new Down(`HTTP ${status}`, Number(headers['retry-after'] ?? 0) * 1000)
      bytes = this.#head.subarray(end + 4)
      this.#head = null
      this.#isOpen = true
      this.#opened.resolve()
    }
    for (const frame of this.#reader.push(bytes)) this.#onFrame(frame)
  }

  #onFrame({ op, fin, payload }) {
    if (op === OP.ping) return this.socket.write(encodeFrame({ op: OP.pong, payload }))
    if (op === OP.close) {
      this.socket.end(encodeFrame({ op: OP.close, payload }))
      return this.#end(new Down(`close ${payload.length >= 2 ? payload.readUInt16BE(0) : 1005}`))
    }
    if (op !== OP.text || !fin) throw new Error('the server sent a message that is no whole text')
    const message = JSON.parse(payload.toString())
    if (message.ev === 'ping') return this.#send({ op: 'pong' })
    if (message.ev !== undefined) return this.#why === null && this.onEvent(message)
    const waiting = this.#replies.get(message.re)
    this.#replies.delete(message.re)
    if (message.ok) return waiting?.resolve(message)
    const { code, retry_ms: retryMs } = message.err
    const passes = retryMs !== undefined || code === 'unavailable'
    return waiting?.reject(passes ? new Down(code, retryMs) : new Error(`refused: ${JSON.stringify(message)}`))
  }

  #send(object) {
    this.socket.write(encodeFrame({ payload: JSON.stringify(object) }))
  }

  /** The reply to a request; rejects where it is refused or the link ends before. */
  ok(fields) {
    const waiting = deferred()
    if (this.#why !== null) waiting.reject(this.#why)
    else {
      const id = this.#nextId++
      this.#replies.set(id, waiting)
      this.#send({ id, ...fields })
    }
    return waiting.promise
  }

  #end(err) {
    if (this.#why !== null) return
    this.#why = err
    this.#opened.reject(err)
    for (const waiting of this.#replies.values()) waiting.reject(err)
    this.#replies.clear()
    this.#ended.resolve(err)
  }

  drop(why = 'dropped') {
    this.#end(new Down(why))
    this.socket.destroy()
  }
}
