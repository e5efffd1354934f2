// Groups 9 and 10: large messages, many fragments, many pieces, many messages.
//
// Sizes and numbers are the suite's.  A build that is slow on purpose (sanitizers) gets an eighth of
// what is above 64 KiB and of a thousand messages.
import { OP } from '../../protocol/lib/wire.mjs'
import { SLOW } from '../../protocol/lib/wait.mjs'
import { BINARY, TEXT, fragments, frame } from '../lib/run.mjs'

const KIB = 1024, MIB = 1024 * KIB
const less = (n, above) => (SLOW > 1 && n > above ? n / 8 : n)
const share = (n) => less(n, 64 * KIB)

/** Bytes of which no two stretches are alike, so that none can stand for another. */
function filled(op, n) {
  const bytes = Buffer.alloc(n)
  let state = 0x2545f491
  for (let i = 0; i < n; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    bytes[i] = op === OP.text ? 32 + ((state >>> 24) % 95) : state >>> 24
  }
  return bytes
}

const large = { [OP.text]: filled(OP.text, share(16 * MIB)), [OP.binary]: filled(OP.binary, share(16 * MIB)) }

/** Messages one after another, each sent when the one before has been answered. */
function inTurn(op, payload, n, message) {
  const send = []
  for (let i = 0; i < n; i++) send.push(frame(op, payload), { until: i + 1 })
  return { send, expect: Array(n).fill(message) }
}

export function largeCases() {
  const cases = []
  for (const [g, op] of [[1, OP.text], [2, OP.binary]]) {
    const kind = op === OP.text ? 'text' : 'binary', message = op === OP.text ? TEXT : BINARY
    const of = (n) => large[op].subarray(0, share(n))
    for (const [i, n] of [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB].entries()) {
      cases.push({ id: `9.${g}.${i + 1}`, what: `${kind} of ${n / KIB} KiB`, send: [frame(op, of(n))], expect: [message(of(n))] })
    }
    for (const [i, size] of [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB].entries()) {
      const payload = of(4 * MIB)
      cases.push({ id: `9.${g + 2}.${i + 1}`, what: `${kind} of 4 MiB in fragments of ${size} bytes`, send: [fragments(op, payload, size)], expect: [message(payload)] })
    }
    for (const [i, chop] of [64, 128, 256, 512, KIB, 2 * KIB].entries()) {
      const payload = of(MIB)
      cases.push({ id: `9.${g + 4}.${i + 1}`, what: `${kind} of 1 MiB, cut every ${chop} bytes`, send: [frame(op, payload)], chop, expect: [message(payload)] })
    }
    for (const [i, n] of [0, 16, 64, 256, KIB, 4 * KIB].entries()) {
      const payload = of(n)
      cases.push({ id: `9.${g + 6}.${i + 1}`, what: `1000 ${kind}s of ${n} bytes in turn`, ...inTurn(op, payload, less(1000, 0), message(payload)) })
    }
  }
  const auto = large[OP.text].subarray(0, 64 * KIB)
  cases.push({ id: '10.1.1', what: 'a text of 64 KiB in fragments of 1300 bytes', send: [fragments(OP.text, auto, 1300)], expect: [TEXT(auto)] })
  return cases.sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }))
}

/** What of these groups a server that takes requests of 64 KiB at most can be asked. */
export function boundedCases(target) {
  const whole = target.sized(target.max)
  const small = [16, 64, 256, KIB, 4 * KIB]
  const cases = [
    { id: '9.1.1', what: 'a text of 64 KiB', send: [frame(OP.text, whole)], expect: [TEXT(whole)] },
    { id: '9.1.2', what: 'a text of 256 KiB is beyond the bound', send: [frame(OP.text, large[OP.text].subarray(0, 4 * target.max)).subarray(0, 1000)], fails: 1009 },
  ]
  for (const [i, size] of [64, 256, KIB, 4 * KIB, 16 * KIB].entries()) {
    cases.push({ id: `9.3.${i + 1}`, what: `a text of 64 KiB in fragments of ${size} bytes`, send: [fragments(OP.text, whole, size)], expect: [TEXT(whole)] })
  }
  for (const [i, chop] of [64, 128, 256, 512, KIB, 2 * KIB].entries()) {
    cases.push({ id: `9.5.${i + 1}`, what: `a text of 64 KiB, cut every ${chop} bytes`, send: [frame(OP.text, whole)], chop, expect: [TEXT(whole)] })
  }
  for (const [i, n] of small.map((n) => Math.max(n, 64)).entries()) {
    const payload = target.sized(n)
    cases.push({ id: `9.7.${i + 2}`, what: `1000 texts of ${n} bytes in turn`, ...inTurn(OP.text, payload, less(1000, 0), TEXT(payload)) })
  }
  cases.push({ id: '10.1.1', what: 'a text of 64 KiB in fragments of 1300 bytes', send: [fragments(OP.text, whole, 1300)], expect: [TEXT(whole)] })
  return cases
}
