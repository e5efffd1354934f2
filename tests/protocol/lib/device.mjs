// Somebody's browser: a cookie, requests of the HTTP API, and WebSockets by that cookie.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { Server } from './server.mjs'

export const OWNER = { team: 'The Team', name: 'Olga', login: 'olga@example.org', password: 'correct horse' }

export class Device {
  cookie = undefined

  constructor(server, agent = 'Test/1.0') {
    Object.assign(this, { server, agent })
  }

  /** Gives {status, json, headers}; `json` is undefined where there is no body. */
  async ask(method, path, body, headers = {}) {
    const all = { 'User-Agent': this.agent, ...(this.cookie && { Cookie: this.cookie }), ...headers }
    if (body !== undefined) all['Content-Type'] ??= 'application/json'
    const response = await fetch(`http://${this.server.host}:${this.server.port}/api/v1${path}`, {
      method, headers: all, body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    })
    const [set] = response.headers.getSetCookie()
    if (set !== undefined) this.cookie = /Max-Age=0/.test(set) ? undefined : set.split(';')[0]
    const text = await response.text()
    return { status: response.status, json: text === '' ? undefined : JSON.parse(text), headers: response.headers, set }
  }

  async ok(method, path, body, status) {
    const r = await this.ask(method, path, body)
    assert.ok(status === undefined ? r.status < 300 : r.status === status, `${method} ${path}: ${r.status} ${JSON.stringify(r.json)}`)
    return r.json
  }

  async refused(method, path, body, code) {
    const r = await this.ask(method, path, body)
    assert.equal(r.json?.err?.code, code, `${method} ${path}: ${r.status} ${JSON.stringify(r.json)}`)
    return r
  }

  /** A WebSocket that has said hello. */
  async socket() {
    const peer = await this.server.connect({ headers: { Cookie: this.cookie } })
    peer.me = await peer.ok({ op: 'hello' })
    return peer
  }

  signIn(login, password, code) {
    return this.ok('POST', '/session', { login, password, code })
  }
}

/** A server with accounts, and its owner's device. */
export async function startTeam(t, options = {}) {
  const server = await Server.start(t, { open: false, ...options })
  const owner = new Device(server)
  await owner.ok('POST', '/setup', OWNER, 201)
  return { server, owner }
}

/** Somebody invited by `by`. */
export async function invite(by, role, name) {
  const { token } = await by.ok('POST', '/invites', { role }, 201)
  const device = new Device(by.server)
  await device.ok('POST', '/invites/accept', { token, name, login: `${name}@example.org`, password: `${name}'s password` }, 201)
  return device
}

/** RFC 6238 by the secret in base32. */
export function totp(secret, ms = Date.now()) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret].map((c) => letters.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(ms / 30000)))
  const mac = createHmac('sha1', key).update(step).digest()
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0')
}
