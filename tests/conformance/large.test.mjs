// Groups 9 and 10: large messages, many fragments, many pieces, many messages.
//
// Sizes are the suite's. A build that is slow on purpose (sanitizers) gets an eighth of them.
import { OP, encodeFrame } from '../protocol/lib/wire.mjs'
import { SLOW } from '../protocol/lib/wait.mjs'
import { echo, register } from './lib/run.mjs'

const KIB = 1024, MIB = 1024 * KIB
const MASK = [0, 0, 0, 0] // so that writing a case takes no time
const share = (n) => (SLOW > 1 && n > 64 * KIB ? n / 8 : n)
const frame = (op, payload, more) => encodeFrame({ op, payload, mask: MASK, ...more })
const BYTES = Buffer.from(Array.from({ length: 251 }, (_, i) => i))
const filled = (op, n) => Buffer.alloc(n, op === OP.text ? 'BAsd7&jh23' : BYTES)

function fragmented(op, payload, size) {
  const frames = []
  for (let at = 0; at < payload.length; at += size) {
    frames.push(frame(at === 0 ? op : OP.cont, payload.subarray(at, at + size), { fin: at + size >= payload.length }))
  }
  return Buffer.concat(frames)
}

const cases = []
for (const [g, op] of [[1, OP.text], [2, OP.binary]]) {
  const kind = op === OP.text ? 'text' : 'binary'
  ;[64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB].forEach((n, i) => {
    const payload = filled(op, share(n))
    cases.push({ id: `9.${g}.${i + 1}`, what: `${kind} of ${n / KIB} KiB`, send: [frame(op, payload)], expect: [{ op, payload }] })
  })
  ;[64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB].forEach((size, i) => {
    const payload = filled(op, share(4 * MIB))
    cases.push({ id: `9.${g + 2}.${i + 1}`, what: `${kind} of 4 MiB in fragments of ${size} bytes`, send: [fragmented(op, payload, size)], expect: [{ op, payload }] })
  })
  ;[64, 128, 256, 512, KIB, 2 * KIB].forEach((chop, i) => {
    const payload = filled(op, share(MIB))
    cases.push({ id: `9.${g + 4}.${i + 1}`, what: `${kind} of 1 MiB, cut every ${chop} bytes`, send: [frame(op, payload)], chop, expect: [{ op, payload }] })
  })
  ;[0, 16, 64, 256, KIB, 4 * KIB].forEach((n, i) => {
    const payload = filled(op, n)
    cases.push({ id: `9.${g + 6}.${i + 1}`, what: `1000 ${kind} messages of ${n} bytes`, send: [Buffer.concat(Array(1000).fill(frame(op, payload)))], expect: Array(1000).fill({ op, payload }) })
  })
}
const auto = filled(OP.text, 64 * KIB)
cases.push({ id: '10.1.1', what: '64 KiB in fragments of 1300 bytes', send: [fragmented(OP.text, auto, 1300)], expect: [{ op: OP.text, payload: auto }] })
register(echo, cases)
