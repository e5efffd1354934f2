// HTTP/1.1 on a bare socket: what is sent is exactly what a test says.
import { parseHead } from './peer.mjs'
import { connectTo } from './socket.mjs'
import { deferred, within } from './wait.mjs'

export class HttpPeer {
  #held = Buffer.alloc(0)
  #waiting = null
  #closed = deferred()

  constructor(server, { localAddress } = {}) {
    this.server = server
    this.socket = connectTo(server, { localAddress })
    this.socket.on('data', (b) => {
      this.#held = Buffer.concat([this.#held, b])
      this.#waiting?.()
    })
    this.socket.on('error', (err) => (this.error = err))
    this.socket.on('close', () => {
      this.isClosed = true
      this.#closed.resolve(this.error)
      this.#waiting?.()
    })
  }

  write(bytes) {
    this.socket.write(bytes, 'latin1')
    return this
  }

  /** What came so far and was taken by nobody. */
  get held() {
    return this.#held
  }

  /** The next response; `head` says that it answers HEAD, whose length tells of no body here. */
  async response({ head = false, ms } = {}) {
    const found = deferred()
    const look = () => {
      const r = this.#parse(head)
      if (r !== null) found.resolve(r)
      else if (this.isClosed) found.reject(new Error(`closed without a response; held ${JSON.stringify(this.#held.toString('latin1').slice(0, 300))}`))
    }
    this.#waiting = look
    look()
    return within(found.promise, 'a response', ms)
  }

  #parse(isHead) {
    const end = this.#held.indexOf('\r\n\r\n')
    if (end < 0) return null
    const r = parseHead(this.#held.subarray(0, end).toString('latin1'))
    const len = isHead || r.status === 304 || r.status < 200 ? 0 : Number(r.headers['content-length'] ?? 0)
    if (this.#held.length < end + 4 + len) return null
    r.body = this.#held.subarray(end + 4, end + 4 + len)
    this.#held = this.#held.subarray(end + 4 + len)
    this.#waiting = null
    return r
  }

  closed(ms) {
    return within(this.#closed.promise, 'the connection to be closed', ms)
  }

  destroy() {
    this.socket.destroy()
  }
}

/** One request on its own connection. */
export async function fetchRaw(server, path, { method = 'GET', headers = {}, body } = {}) {
  const peer = new HttpPeer(server)
  const all = { Host: `${server.host}:${server.port}`, Connection: 'close', ...headers }
  if (body !== undefined) all['Content-Length'] ??= String(Buffer.byteLength(body))
  const lines = Object.entries(all).filter(([, v]) => v !== undefined).map(([k, v]) => `${k}: ${v}\r\n`)
  peer.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`)
  try {
    return await peer.response({ head: method === 'HEAD' })
  } finally {
    peer.destroy()
  }
}

/** Send bytes on a connection of their own, give the first response. */
export async function exchange(server, bytes, { ms, head } = {}) {
  const peer = new HttpPeer(server)
  peer.write(bytes)
  try {
    return await peer.response({ ms, head })
  } finally {
    peer.destroy()
  }
}
