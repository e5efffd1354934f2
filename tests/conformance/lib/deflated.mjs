// Exchanges of compressed messages: how many of each size, and that each comes back as it went.
import assert from 'node:assert/strict'
import { Deflate, parseExtension } from '../../protocol/lib/deflate.mjs'
import { OP, closeBody } from '../../protocol/lib/wire.mjs'
import { SLOW } from '../../protocol/lib/wait.mjs'
import { stretch } from './data.mjs'
import { RawPeer } from './peer.mjs'
import { fragments, frame } from './run.mjs'

/** The suite sends a thousand messages of each size; here they are fewer where they would be more bytes. */
const TOTAL = process.env.HUBBUB_CONFORMANCE === 'full' ? Infinity : (1 << 20) / (SLOW > 1 ? 8 : 1)
const DIFFERENT = 8
/** So many bytes may be on their way; more would measure buffers. */
const WINDOW = 1 << 20

/** Size of the messages and of the fragments that they come in, in the suite's order. */
export const ROWS = [
  ...[16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072].map((size) => [size]),
  [8192, 256], [16384, 256], [32768, 256], [65536, 256], [131072, 256], [131072, 1024], [131072, 4096], [131072, 32768],
]

// What a client offers that takes whatever the server chooses for it, and demands what is said here.
export const DEFAULT_OFFER = 'permessage-deflate; client_no_context_takeover; client_max_window_bits'
const asks = (demand) => (demand === '' ? DEFAULT_OFFER : `${DEFAULT_OFFER}; ${demand}`)
export const DEMANDS = {
  1: { what: 'nothing demanded', offer: asks('') },
  2: { what: 'no context takeover', offer: asks('server_no_context_takeover') },
  3: { what: 'a window of 9 bits', offer: asks('server_max_window_bits=9'), bits: 9 },
  4: { what: 'a window of 15 bits', offer: asks('server_max_window_bits=15'), bits: 15 },
  5: { what: 'no takeover, 9 bits', offer: asks('server_no_context_takeover; server_max_window_bits=9'), bits: 9 },
  6: { what: 'no takeover, 15 bits', offer: asks('server_no_context_takeover; server_max_window_bits=15'), bits: 15 },
  7: {
    what: 'three offers',
    offer: [asks('server_no_context_takeover; server_max_window_bits=9'), asks('server_no_context_takeover'), asks('')].join(', '),
  },
}

/** What this server always agrees to. */
export const AGREED = { server_no_context_takeover: true, client_no_context_takeover: true }

const encode = (op, deflate, bytes, fragment) => {
  const payload = deflate === null ? bytes : deflate.compress(bytes)
  const rsv = deflate === null ? 0 : 4
  return fragment === undefined ? frame(op, payload, { rsv }) : fragments(op, payload, fragment, { rsv })
}

/**
 * Send messages of @kind of @size bytes and check that each is answered: in order, one frame each,
 * with the same bytes.  Gives what the server agreed to and how many answers were compressed.
 */
export async function exchange(target, { offer, kind, size, fragment, messageOf = (bytes) => bytes, max = 1000 }) {
  const peer = await RawPeer.open(target, { offer })
  try {
    const extension = peer.response.headers['sec-websocket-extensions']
    const agreed = parseExtension(extension)
    const deflate = agreed && new Deflate(agreed)
    assert.ok(agreed === null || agreed.client_no_context_takeover, 'so a message is the same each time that it is sent')
    const op = kind.isText ? OP.text : OP.binary
    const n = Math.max(DIFFERENT, Math.min(max, 1000, Math.floor(TOTAL / size)))
    const messages = Array.from({ length: DIFFERENT }, (_, i) => {
      const bytes = messageOf(stretch(kind, size, i))
      return { bytes, wire: encode(op, deflate, bytes, fragment), op, payload: bytes }
    })
    const ahead = Math.max(1, Math.floor(WINDOW / size))
    for (let i = 0; i < n; i++) {
      if (i >= ahead) await peer.until(i - ahead + 1)
      await peer.write(messages[i % DIFFERENT].wire)
    }
    await peer.until(n)
    const compressed = check(target, peer, messages, n, agreed)
    await peer.write(frame(OP.close, closeBody(1000)))
    assert.equal(await peer.ended(), 'end')
    assert.deepEqual([...peer.frames.at(-1).payload], [...closeBody(1000)])
    assert.equal(peer.frames.length, n + 1)
    return { extension, agreed, n, compressed }
  } finally {
    peer.destroy()
  }
}

function check(target, peer, messages, n, agreed) {
  const back = agreed && new Deflate(agreed)
  const known = [] // the wire of an answer, by message: the same bytes need no inflating
  let compressed = 0
  assert.equal(peer.fault, undefined)
  for (let i = 0; i < n; i++) {
    const came = peer.frames[i], message = messages[i % DIFFERENT]
    assert.ok(came?.fin && came.op < OP.close, `message ${i} of ${n}`)
    assert.ok(came.rsv === 0 || agreed !== null, 'compressed without an agreement')
    compressed += came.rsv === 4
    const before = known[i % DIFFERENT]
    if (before !== undefined && before.rsv === came.rsv && before.op === came.op && before.payload.equals(came.payload)) continue
    const payload = came.rsv === 4 ? back.inflate(came.payload) : came.payload
    assert.ok(target.isAnswer({ ...came, payload }, message), `message ${i} came back as another`)
    if (agreed?.server_no_context_takeover) known[i % DIFFERENT] = came
  }
  return compressed
}
