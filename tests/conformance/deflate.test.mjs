// Groups 12 and 13: permessage-deflate (RFC 7692), messages of five kinds and seven offers.
//
// The suite sends a thousand messages of each size; here as many as make 512 KiB, a thousand at most.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { Deflate, parseExtension } from '../protocol/lib/deflate.mjs'
import { OP, closeBody, encodeFrame } from '../protocol/lib/wire.mjs'
import { SLOW } from '../protocol/lib/wait.mjs'
import { RawPeer } from './lib/peer.mjs'
import { echo } from './lib/run.mjs'

const MASK = [0, 0, 0, 0]
const TOTAL = (512 * 1024) / (SLOW > 1 ? 8 : 1)

/** Bytes that look random and are the same in each run. */
function noise(n, seed) {
  const blocks = []
  for (let i = 0; i * 32 < n; i++) blocks.push(createHash('sha256').update(`${seed}-${i}`).digest())
  return Buffer.concat(blocks).subarray(0, n)
}

const WORDS = 'Habe nun ach Philosophie Juristerei und Medizin und leider auch Theologie durchaus studiert mit heißem Bemühn'.split(' ')
const prose = (n, seed) => [...noise(Math.ceil(n / 4), seed)].map((b) => WORDS[b % WORDS.length]).join(' ')
const KINDS = {
  1: { what: 'JSON', op: OP.text, make: (n, s) => JSON.stringify([...noise(Math.ceil(n / 16), s)].map((b, i) => ({ id: i, value: b, name: WORDS[b % 7] }))) },
  2: { what: 'a picture', op: OP.binary, make: (n, s) => Buffer.from(noise(n, s).map((b, i) => ((i * i) >> 7) + (b & 3))) },
  3: { what: 'prose', op: OP.text, make: prose },
  4: { what: 'HTML', op: OP.text, make: (n, s) => `<html><body>${prose(n, s).split(' und ').map((p) => `<p class="verse">${p}</p>`).join('\n')}` },
  5: { what: 'JSON in fragments', op: OP.text, fragmented: true, make: (n, s) => KINDS[1].make(n, s) },
}
/** The largest beginning of at most @n bytes that ends with a whole character. */
function cut(data, n) {
  const bytes = Buffer.from(data).subarray(0, n)
  let end = bytes.length
  if (typeof data === 'string') while (end > 0 && end < Buffer.byteLength(data) && (Buffer.from(data)[end] & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}

const SIZES = [16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072]
const FRAGMENTS = [256, 1024, 4096, 32768]
const OFFERS = {
  1: 'permessage-deflate',
  2: 'permessage-deflate; server_no_context_takeover',
  3: 'permessage-deflate; server_max_window_bits=9',
  4: 'permessage-deflate; server_max_window_bits=15',
  5: 'permessage-deflate; server_no_context_takeover; server_max_window_bits=9',
  6: 'permessage-deflate; server_no_context_takeover; server_max_window_bits=15',
  7: 'permessage-deflate; server_no_context_takeover; server_max_window_bits=9, permessage-deflate; server_no_context_takeover, permessage-deflate',
}

function encode(deflate, op, message, fragment) {
  if (deflate === null) return encodeFrame({ op, payload: message, mask: MASK })
  const bytes = deflate.compress(message)
  const step = fragment ?? Math.max(bytes.length, 1)
  const frames = []
  for (let at = 0; at < bytes.length || at === 0; at += step) {
    frames.push(encodeFrame({ op: at === 0 ? op : OP.cont, rsv: at === 0 ? 4 : 0, payload: bytes.subarray(at, at + step), fin: at + step >= bytes.length, mask: MASK }))
  }
  return Buffer.concat(frames)
}

/** `n` messages of `size` there and back, each compressed where that was agreed. */
async function exchange(offer, kind, size, fragment) {
  const peer = await RawPeer.open(echo, { offer })
  const extension = peer.response.headers['sec-websocket-extensions']
  const agreed = parseExtension(extension)
  const out = agreed && new Deflate(agreed), back = agreed && new Deflate(agreed)
  const n = Math.max(1, Math.min(1000, Math.floor(TOTAL / size)))
  const messages = Array.from({ length: Math.min(n, 16) }, (_, i) => cut(kind.make(size, `${size}-${i}`), size))
  for (let i = 0; i < n; i++) await peer.write(encode(out, kind.op, messages[i % messages.length], fragment))
  await peer.until(n)
  let n_compressed = 0
  for (let i = 0; i < n; i++) {
    const frame = peer.frames[i]
    assert.ok(frame.fin && frame.op === kind.op, `message ${i}`)
    n_compressed += frame.rsv === 4
    assert.ok(agreed || frame.rsv === 0, 'compressed without an agreement')
    const bytes = frame.rsv === 4 ? back.inflate(frame.payload) : frame.payload
    assert.ok(bytes.equals(messages[i % messages.length]), `message ${i} came back as another`)
  }
  await peer.write(encodeFrame({ op: OP.close, payload: closeBody(1000) }))
  assert.equal(await peer.ended(), 'end')
  assert.deepEqual([...peer.frames.at(-1).payload], [...closeBody(1000)])
  peer.destroy()
  return { extension, n, n_compressed }
}

before(() => echo.start())
after(() => echo.stop())

for (const [g, kind] of Object.entries(KINDS)) {
  const rows = [...SIZES.map((size) => [size]), ...FRAGMENTS.map((fragment) => [131072, fragment])]
  rows.forEach(([size, fragment], i) => {
    const pieces = fragment ?? (kind.fragmented ? 256 : undefined)
    test(`12.${g}.${i + 1} ${kind.what} of ${size} bytes${pieces ? ` in fragments of ${pieces}` : ''}`, async () => {
      const { extension, n, n_compressed } = await exchange(OFFERS[1], kind, size, pieces)
      assert.match(extension, /^permessage-deflate/)
      if (size >= 1024 && kind.op === OP.text) assert.equal(n_compressed, n, 'what compression makes shorter is compressed')
    })
  })
}

for (const [g, offer] of Object.entries(OFFERS)) {
  const isSmall = offer.includes('=9') && !offer.includes(',')
  SIZES.slice(0, 8).forEach((size, i) => {
    test(`13.${g}.${i + 1} ${offer}: messages of ${size} bytes`, async () => {
      const { extension } = await exchange(offer, KINDS[1], size)
      // A window of 512 bytes is declined, and the connection works without.
      if (isSmall) assert.equal(extension, undefined)
      else assert.match(extension, /^permessage-deflate/)
      if (extension !== undefined && /server_no_context_takeover/.test(offer)) assert.match(extension, /server_no_context_takeover/)
    })
  })
}
