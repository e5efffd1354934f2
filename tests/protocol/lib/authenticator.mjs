// A passkey in software: what a browser and an authenticator make of a challenge (WebAuthn, 6.1).
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const sha256 = (bytes) => createHash('sha256').update(bytes).digest()
const b64 = (bytes) => Buffer.from(bytes).toString('base64url')

/** CBOR of integers, byte strings and maps from integers (RFC 8949): all that a COSE key is. */
function cbor(v) {
  const head = (major, n) => (n < 24 ? Buffer.from([(major << 5) | n]) : n < 256 ? Buffer.from([(major << 5) | 24, n]) : Buffer.from([(major << 5) | 25, n >> 8, n & 255]))
  if (typeof v === 'number') return v >= 0 ? head(0, v) : head(1, -1 - v)
  if (Buffer.isBuffer(v)) return Buffer.concat([head(2, v.length), v])
  return Buffer.concat([head(5, v.length), ...v.flatMap(([key, value]) => [cbor(key), cbor(value)])])
}

export class Passkey {
  id = randomBytes(32)
  count = 0
  /** Present, verified. */
  flags = 0x05

  constructor({ alg = 'ES256' } = {}) {
    this.alg = alg
    const { privateKey, publicKey } = alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.privateKey = privateKey
    const jwk = publicKey.export({ format: 'jwk' })
    const raw = (name) => Buffer.from(jwk[name], 'base64url')
    this.cose = alg === 'ES256'
      ? cbor([[1, 2], [3, -7], [-1, 1], [-2, raw('x')], [-3, raw('y')]])
      : cbor([[1, 3], [3, -257], [-1, raw('n')], [-2, raw('e')]])
  }

  #data(rpId, more = Buffer.alloc(0)) {
    const head = Buffer.alloc(5)
    head[0] = this.flags | (more.length > 0 ? 0x40 : 0)
    head.writeUInt32BE(this.count, 1)
    return Buffer.concat([sha256(rpId), head, more])
  }

  #client(type, challenge, origin) {
    return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }))
  }

  create({ challenge, rp_id }, origin, type = 'webauthn.create') {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(this.id.length)
    const data = this.#data(rp_id, Buffer.concat([Buffer.alloc(16), length, this.id, this.cose]))
    return { client_data: b64(this.#client(type, challenge, origin)), authenticator_data: b64(data) }
  }

  get({ challenge, rp_id }, origin, type = 'webauthn.get') {
    const client = this.#client(type, challenge, origin)
    const data = this.#data(rp_id)
    const signature = sign('sha256', Buffer.concat([data, sha256(client)]), this.privateKey)
    return { id: b64(this.id), client_data: b64(client), authenticator_data: b64(data), signature: b64(signature) }
  }
}
