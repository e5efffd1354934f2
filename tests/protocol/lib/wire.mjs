// WebSocket frames (RFC 6455, 5.2), written so that every field can also be wrong.
import { randomBytes } from 'node:crypto'

export const OP = { cont: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 }

/**
 * Encode one frame as a client sends it.
 *
 * `mask` false leaves the mask out; `size` is 7, 16 or 64 to force a length's form; `claim` is a
 * length other than the true one; `rsv` holds the three bits (4 is RSV1).
 */
export function encodeFrame({ op = OP.text, payload = '', fin = true, rsv = 0, mask = true, size, claim }) {
  const body = Buffer.from(payload)
  const len = BigInt(claim ?? body.length)
  const form = size ?? (len < 126n ? 7 : len < 65536n ? 16 : 64)
  const head = Buffer.alloc(form === 7 ? 2 : form === 16 ? 4 : 10)
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | op
  head[1] = (mask ? 0x80 : 0) | (form === 7 ? Number(len) : form === 16 ? 126 : 127)
  if (form === 16) head.writeUInt16BE(Number(len), 2)
  if (form === 64) head.writeBigUInt64BE(len, 2)
  if (!mask) return Buffer.concat([head, body])
  const key = mask === true ? randomBytes(4) : Buffer.from(mask)
  for (let i = 0; i < body.length; i++) body[i] ^= key[i & 3]
  return Buffer.concat([head, key, body])
}

/** A close frame's payload. */
export function closeBody(code, reason = '') {
  const body = Buffer.alloc(2 + Buffer.byteLength(reason))
  body.writeUInt16BE(code)
  body.write(reason, 2)
  return body
}

/**
 * Split what a server sends into frames.  It is strict: a mask, a length not in its shortest form,
 * RSV2 or RSV3, an unknown opcode, a control frame that is long or fragmented all throw.
 */
export class FrameReader {
  #parts = []
  #held = 0

  /** Take bytes in, give the whole frames out. */
  push(bytes) {
    this.#parts.push(bytes)
    this.#held += bytes.length
    const frames = []
    let buf = null
    for (;;) {
      // Joining is put off until a frame is whole: a large one comes in many reads.
      if (this.#held < (this.wanted ?? 2)) break
      buf = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts)
      const frame = this.#parse(buf)
      this.#parts = [frame === null ? buf : buf.subarray(frame.size)]
      this.#held = this.#parts[0].length
      if (frame === null) break
      this.wanted = 2
      frames.push(frame)
    }
    return frames
  }

  #parse(b) {
    const need = (n) => b.length < n && ((this.wanted = n), true)
    if (need(2)) return null
    const op = b[0] & 15, fin = b[0] >= 128, rsv = (b[0] >> 4) & 7
    if (b[1] & 0x80) throw new Error('the server masked a frame')
    if (rsv & 3) throw new Error('the server set RSV2 or RSV3')
    if (!Object.values(OP).includes(op)) throw new Error(`the server used opcode ${op}`)
    let len = b[1] & 127, at = 2
    if (len === 126) {
      if (need(4)) return null
      len = b.readUInt16BE(2)
      at = 4
      if (len < 126) throw new Error('the server wrote a length not in its shortest form')
    } else if (len === 127) {
      if (need(10)) return null
      len = Number(b.readBigUInt64BE(2))
      at = 10
      if (len < 65536) throw new Error('the server wrote a length not in its shortest form')
    }
    if (op >= 8 && (!fin || len > 125 || rsv)) throw new Error('the server broke a control frame')
    if (need(at + len)) return null
    return { op, fin, rsv, payload: b.subarray(at, at + len), size: at + len }
  }
}
