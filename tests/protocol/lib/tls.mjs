// TLS seen from below: the bytes of a connection in a test's own hands.
import net from 'node:net'
import { Duplex } from 'node:stream'
import tls from 'node:tls'
import { deferred, within } from './wait.mjs'

/** What carries a TLS client's records: `cut` bytes of them to a segment; `held` keeps them back. */
export class Wire extends Duplex {
  held = null

  constructor(server, { cut = Infinity } = {}) {
    super({ allowHalfOpen: true })
    this.cut = cut
    this.socket = net.connect({ host: server.host, port: server.port, noDelay: true, allowHalfOpen: true })
    this.socket.on('data', (b) => this.push(b))
    this.socket.on('end', () => this.push(null))
    this.socket.on('error', (err) => this.destroy(err))
    this.socket.on('close', () => this.destroy())
  }

  /** From here on what the client says is gathered in `held` and goes nowhere. */
  hold() {
    this.held = Buffer.alloc(0)
  }

  async #pieces(bytes) {
    for (let at = 0; at < bytes.length; at += this.cut) {
      await new Promise((resolve) => this.socket.write(bytes.subarray(at, at + this.cut), resolve))
    }
  }

  _write(bytes, _encoding, done) {
    if (this.held !== null) {
      this.held = Buffer.concat([this.held, bytes])
      done()
    } else if (this.cut >= bytes.length) {
      this.socket.write(bytes, done)
    } else {
      this.#pieces(bytes).then(() => done(), done)
    }
  }

  _read() {}

  _final(done) {
    this.socket.end(done)
  }

  _destroy(err, done) {
    this.socket.destroy()
    done(err)
  }
}

/** A client's socket on its `wire`; resolves when the handshake is done. */
export async function shakeHands(server, wire, options = {}) {
  const client = tls.connect({ socket: wire, host: server.host, ...server.tls, ...options })
  const done = deferred()
  client.on('error', done.reject)
  client.on('close', () => done.reject(new Error('closed in the handshake')))
  client.on('secureConnect', done.resolve)
  client.on('end', () => {})
  await within(done.promise, 'the handshake')
  return client
}

/** All that comes until the other side ends. */
export function readAll(socket, ms) {
  let all = ''
  socket.on('data', (b) => (all += b))
  const ended = new Promise((resolve) => {
    for (const event of ['end', 'close']) socket.on(event, () => resolve(all))
  })
  return within(ended, 'the end of the connection', ms)
}
