// permessage-deflate (RFC 7692) for one end, with synchronous zlib: a context that is kept from
// message to message is a dictionary of the last 32 KiB.
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'

const TAIL = Buffer.from([0, 0, 0xff, 0xff])
const FLUSH = { finishFlush: constants.Z_SYNC_FLUSH }

const keep = (window, data, bits) => Buffer.concat([window, data]).subarray(-(1 << bits))
const withWindow = (window) => (window.length > 0 ? { ...FLUSH, dictionary: window } : FLUSH)

/** What a Sec-WebSocket-Extensions header says of permessage-deflate, null where it does not. */
export function parseExtension(header) {
  if (header === undefined) return null
  const [name, ...params] = header.split(';').map((s) => s.trim())
  if (name !== 'permessage-deflate') throw new Error(`the server agreed to "${header}"`)
  return Object.fromEntries(params.map((p) => {
    const [k, v] = p.split('=')
    return [k.trim(), v === undefined ? true : Number(v.trim().replaceAll('"', ''))]
  }))
}

export class Deflate {
  #out = Buffer.alloc(0)
  #in = Buffer.alloc(0)

  /** `agreed` is what parseExtension() gave for the server's answer. */
  constructor(agreed) {
    this.agreed = agreed
    this.outBits = agreed.client_max_window_bits ?? 15
    this.inBits = agreed.server_max_window_bits ?? 15
  }

  compress(data, options = {}) {
    const bytes = Buffer.from(data)
    const window = this.agreed.client_no_context_takeover ? Buffer.alloc(0) : this.#out
    const z = deflateRawSync(bytes, { ...withWindow(window), windowBits: this.outBits, ...options })
    this.#out = keep(this.#out, bytes, this.outBits)
    return z.subarray(-4).equals(TAIL) ? z.subarray(0, -4) : z
  }

  inflate(data) {
    const window = this.agreed.server_no_context_takeover ? Buffer.alloc(0) : this.#in
    const bytes = inflateRawSync(Buffer.concat([data, TAIL]), { ...withWindow(window), windowBits: this.inBits })
    this.#in = keep(this.#in, bytes, this.inBits)
    return bytes
  }
}
