// A WebSocket peer on a bare socket: it speaks the protocol well when asked to, and breaks it in any
// way that a test wants.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Deflate, parseExtension } from './deflate.mjs'
import { connectTo } from './socket.mjs'
import { OP, FrameReader, closeBody, encodeFrame } from './wire.mjs'
import { deferred, within } from './wait.mjs'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** The handshake's request; `headers` replaces or (with undefined) drops the usual ones. */
export function handshake(host, key, headers = {}) {
  const all = {
    Host: host, Upgrade: 'websocket', Connection: 'Upgrade',
    'Sec-WebSocket-Key': key, 'Sec-WebSocket-Version': '13', ...headers,
  }
  const lines = Object.entries(all).filter(([, v]) => v !== undefined).map(([k, v]) => `${k}: ${v}`)
  return `GET /ws HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}

export class Peer {
  seen = []        // every message in the order of its coming, {re…} and {ev…} alike
  raw = []         // their texts
  frames = []      // every data frame, {op, fin, rsv, size}
  pongs = []       // payloads of pong frames
  onMessage = null // takes all messages that no request waits for, instead of the queue
  autoPong = true  // answer {"ev":"ping"}
  #queue = []
  #takers = []
  #replies = new Map()
  #parts = []
  #nextId = 1
  #closed = deferred()

  /** Connect, shake hands, and check the answer.  `server` has host and port. */
  static async open(server, { headers = {}, offer, subprotocol, localAddress, prelude, cut } = {}) {
    const peer = new Peer()
    const key = randomBytes(16).toString('base64')
    if (offer !== undefined) headers = { 'Sec-WebSocket-Extensions': offer, ...headers }
    if (subprotocol !== undefined) headers = { 'Sec-WebSocket-Protocol': subprotocol, ...headers }
    const request = Buffer.from(handshake(`${server.host}:${server.port}`, key, headers))
    peer.socket = connectTo(server, { localAddress })
    const answer = deferred()
    peer.#listen(answer)
    const bytes = prelude === undefined ? request : Buffer.concat([request, prelude])
    if (cut === undefined) peer.socket.write(bytes)
    else await peer.write(bytes, cut)
    peer.response = await within(answer.promise, 'the answer to the handshake')
    assert.equal(peer.response.status, 101, `the handshake was answered with ${peer.response.head}`)
    const accept = createHash('sha1').update(key + GUID).digest('base64')
    assert.equal(peer.response.headers['sec-websocket-accept'], accept)
    return peer
  }

  #listen(answer) {
    let head = Buffer.alloc(0)
    const reader = new FrameReader()
    this.socket.on('data', (bytes) => {
      try {
        if (this.response === undefined) {
          head = Buffer.concat([head, bytes])
          const end = head.indexOf('\r\n\r\n')
          if (end < 0) return
          this.response = parseHead(head.subarray(0, end).toString('latin1'))
          const agreed = parseExtension(this.response.headers['sec-websocket-extensions'])
          this.deflate = agreed && new Deflate(agreed)
          answer.resolve(this.response)
          bytes = head.subarray(end + 4)
          if (this.response.status !== 101) return
        }
        for (const frame of reader.push(bytes)) this.#onFrame(frame)
      } catch (err) {
        this.#end({ code: 1006, fault: err })
      }
    })
    this.socket.on('error', (err) => {
      this.error = err
      answer.reject(err)
    })
    this.socket.on('close', () => {
      answer.reject(new Error('the connection was closed before the handshake was answered'))
      this.#end({ code: 1006, error: this.error })
    })
  }

  #onFrame(frame) {
    if (frame.op === OP.ping) return this.socket.write(encodeFrame({ op: OP.pong, payload: frame.payload }))
    if (frame.op === OP.pong) return this.#put({ pong: frame.payload.toString('latin1') }, this.pongs)
    if (frame.op === OP.close) {
      const code = frame.payload.length >= 2 ? frame.payload.readUInt16BE(0) : 1005
      if (!this.socket.writableEnded && !this.keepOpen) {
        this.socket.end(this.sentClose ? undefined : encodeFrame({ op: OP.close, payload: frame.payload }))
      }
      return this.#end({ code, reason: frame.payload.subarray(2).toString() })
    }
    this.frames.push({ op: frame.op, fin: frame.fin, rsv: frame.rsv, size: frame.size })
    this.#parts.push(frame)
    if (!frame.fin) return
    const [first] = this.#parts
    let data = Buffer.concat(this.#parts.map((f) => f.payload))
    this.#parts = []
    assert.equal(first.op, OP.text, 'the server sent a message that is no text')
    if (first.rsv & 4) {
      assert.ok(this.deflate, 'the server compressed without an agreement')
      data = this.deflate.inflate(data)
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(data)
    this.raw.push(text)
    this.#put(JSON.parse(text), this.seen)
  }

  #put(message, log) {
    log.push(message)
    if (message.ev === 'ping' && this.autoPong) this.send({ op: 'pong' })
    const waiting = message.re !== undefined && this.#replies.get(message.re)
    if (waiting) {
      this.#replies.delete(message.re)
      return waiting.resolve(message)
    }
    if (this.onMessage !== null && message.pong === undefined) return this.onMessage(message)
    const i = this.#takers.findIndex((t) => t.wants(message))
    if (i >= 0) this.#takers.splice(i, 1)[0].resolve(message)
    else this.#queue.push(message)
  }

  #end(how) {
    if (this.ended !== undefined) return
    this.ended = how
    this.#closed.resolve(how)
    const err = how.fault ?? new Error(`the connection ended with ${how.code} ${how.reason ?? how.error ?? ''}`)
    for (const w of [...this.#takers, ...this.#replies.values()]) w.reject(err)
    this.#takers = []
    this.#replies.clear()
  }

  /** How the connection ended: a close code, or 1006 where the socket went without one. */
  async closed(ms) {
    const how = await within(this.#closed.promise, 'the connection to end', ms)
    if (how.fault) throw how.fault
    return how.code
  }

  /** Write bytes in pieces of `cut` (one number, or a list of places), each its own segment. */
  async write(bytes, cut) {
    const places = typeof cut === 'number' ? Array.from({ length: Math.ceil(bytes.length / cut) }, (_, i) => i * cut) : [0, ...cut]
    for (let i = 0; i < places.length; i++) {
      const piece = bytes.subarray(places[i], places[i + 1] ?? bytes.length)
      await new Promise((resolve) => this.socket.write(piece, resolve))
    }
  }

  frame(fields) {
    this.socket.write(encodeFrame(fields))
  }

  /** Send a text, compressed where that was agreed and `z` is not false. */
  text(text, { z = true } = {}) {
    if (this.deflate && z) this.frame({ rsv: 4, payload: this.deflate.compress(text) })
    else this.frame({ payload: text })
  }

  send(object) {
    this.text(JSON.stringify(object))
  }

  /** Begin the closing handshake. */
  close(code = 1000, reason = '') {
    this.sentClose = true
    this.frame({ op: OP.close, payload: closeBody(code, reason) })
    return this.closed()
  }

  /** Vanish without a word. */
  async drop() {
    this.socket.destroy()
    await within(this.#closed.promise, 'the socket to close')
  }

  /** The next message (reply or event) that no request waits for and that `wants` accepts. */
  take(wants, what = 'a message', ms) {
    const i = this.#queue.findIndex(wants)
    if (i >= 0) return Promise.resolve(this.#queue.splice(i, 1)[0])
    const taker = { wants, ...deferred() }
    if (this.ended !== undefined) taker.reject(new Error(`no ${what}: the connection had ended with ${this.ended.code}`))
    else this.#takers.push(taker)
    const latest = () => `${what}; the last that came: ${this.raw.slice(-3).join(' ').slice(0, 1000)}`
    return within(taker.promise, latest, ms).finally(() => {
      this.#takers = this.#takers.filter((t) => t !== taker)
    })
  }

  /** The next event with these fields; `fields.ev` may be a name alone. */
  event(fields, ms) {
    const want = typeof fields === 'string' ? { ev: fields } : fields
    return this.take((m) => m.ev !== undefined && Object.entries(want).every(([k, v]) => m[k] === v),
      `the event ${JSON.stringify(want)}`, ms)
  }

  /** Send a request (its id is filled in) and await its reply, whatever it says. */
  request(fields, ms) {
    const request = { id: this.#nextId++, ...fields }
    const waiting = deferred()
    if (this.ended !== undefined) waiting.reject(new Error(`the connection had ended with ${this.ended.code}`))
    this.#replies.set(request.id, waiting)
    this.send(request)
    return within(waiting.promise, () => `the reply to ${JSON.stringify(request).slice(0, 300)}; the last that came: ${this.raw.slice(-3).join(' ').slice(0, 600)}`, ms)
  }

  /** The same, which must succeed. */
  async ok(fields, ms) {
    const reply = await this.request(fields, ms)
    assert.equal(reply.ok, true, `${JSON.stringify(fields).slice(0, 300)} got ${JSON.stringify(reply).slice(0, 500)}`)
    return reply
  }

  /** The same, which must be refused with `code`; gives the error. */
  async refused(fields, code, ms) {
    const reply = await this.request(fields, ms)
    assertRefusal(reply, code, JSON.stringify(fields))
    return reply.err
  }

  /** A round trip: what was sent to this peer by its worker before is here after it. */
  async settle() {
    const mark = randomBytes(8).toString('hex')
    this.frame({ op: OP.ping, payload: mark })
    await this.take((m) => m.pong === mark, 'the pong')
  }

  /** Events that came and that nobody took. */
  untaken(ev) {
    return this.#queue.filter((m) => m.ev === ev)
  }
}

export function assertRefusal(reply, code, request) {
  const said = `${request.slice(0, 300)} got ${JSON.stringify(reply).slice(0, 500)}`
  assert.equal(reply.ok, false, said)
  assert.equal(reply.err?.code, code, said)
  assert.equal(typeof reply.err.msg, 'string', said)
  assert.ok(reply.err.msg.length > 0, said)
}

export function parseHead(head) {
  const [first, ...lines] = head.split('\r\n')
  const headers = {}
  for (const line of lines) {
    const [, name, value] = /^([^:]+):\s*(.*?)\s*$/.exec(line) ?? assert.fail(`no header field: ${line}`)
    const key = name.toLowerCase()
    headers[key] = key in headers ? `${headers[key]}, ${value}` : value
  }
  return { head: first, status: Number(first.split(' ')[1]), headers }
}
