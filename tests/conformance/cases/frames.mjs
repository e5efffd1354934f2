// Groups 1 to 5 and 7: framing, pings and pongs, reserved bits, opcodes, fragments, closing.
import { OP, closeBody, encodeFrame } from '../../protocol/lib/wire.mjs'
import { PONG } from '../lib/run.mjs'

const { text, binary, cont, close, ping, pong } = OP
const f = (op, payload = '', more = {}) => encodeFrame({ op, payload, ...more })
const part = (op, payload, more = {}) => f(op, payload, { fin: false, ...more })
const join = (...frames) => [Buffer.concat(frames)]

function framing() {
  const cases = []
  for (const [g, op] of [[1, text], [2, binary]]) {
    for (const [i, [n, chop]] of [[0], [125], [126], [127], [128], [65535], [65536], [65536, 997]].entries()) {
      const payload = op === text ? '*'.repeat(n) : Buffer.alloc(n, 0xfe)
      cases.push({ id: `1.${g}.${i + 1}`, what: `${op === text ? 'text' : 'binary'} of ${n} bytes${chop ? `, cut every ${chop}` : ''}`, send: [f(op, payload)], chop, expect: [{ op, payload }] })
    }
  }
  return cases
}

function pings() {
  const bytes = Buffer.from([0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff])
  const long = Buffer.alloc(125, 0xfe)
  const ten = Array.from({ length: 10 }, (_, i) => `payload-${i}`)
  return [
    { id: '2.1', what: 'ping without payload', send: [f(ping)], expect: [PONG('')] },
    { id: '2.2', what: 'ping with text', send: [f(ping, 'Hello, world!')], expect: [PONG('Hello, world!')] },
    { id: '2.3', what: 'ping with bytes that are no UTF-8', send: [f(ping, bytes)], expect: [PONG(bytes)] },
    { id: '2.4', what: 'ping of 125 bytes', send: [f(ping, long)], expect: [PONG(long)] },
    { id: '2.5', what: 'ping of 126 bytes', send: [f(ping, Buffer.alloc(126, 0xfe))], fails: 1002 },
    { id: '2.6', what: 'ping of 125 bytes, byte by byte', send: [f(ping, long)], chop: 1, expect: [PONG(long)] },
    { id: '2.7', what: 'a pong that nobody asked for, without payload', send: [f(pong)] },
    { id: '2.8', what: 'a pong that nobody asked for', send: [f(pong, 'unsolicited pong payload')] },
    { id: '2.9', what: 'such a pong, then a ping', send: [f(pong, 'unsolicited pong payload'), f(ping, 'ping payload')], expect: [PONG('ping payload')] },
    { id: '2.10', what: 'ten pings', send: join(...ten.map((p) => f(ping, p))), expect: ten.map(PONG) },
    { id: '2.11', what: 'ten pings, byte by byte', send: join(...ten.map((p) => f(ping, p))), chop: 1, expect: ten.map(PONG) },
  ]
}

function reservedBits(t) {
  const hello = t('Hello, world!')
  const expect = [{ op: text, payload: hello }]
  const behind = (rsv) => [f(text, hello), f(text, hello, { rsv }), f(ping)]
  return [
    { id: '3.1', what: 'RSV 1 on a text', send: [f(text, hello, { rsv: 1 })], fails: 1002 },
    { id: '3.2', what: 'a text, one with RSV 2, a ping, together', send: join(...behind(2)), expect, fails: 1002 },
    { id: '3.3', what: 'the same with RSV 3, frame by frame', send: behind(3), expect, fails: 1002 },
    { id: '3.4', what: 'the same with RSV 4, byte by byte', send: behind(4), chop: 1, expect, fails: 1002 },
    { id: '3.5', what: 'RSV 5 on a binary', send: [f(binary, Buffer.from([0, 255, 254]), { rsv: 5 })], fails: 1002 },
    { id: '3.6', what: 'RSV 6 on a ping', send: [f(ping, hello, { rsv: 6 })], fails: 1002 },
    { id: '3.7', what: 'RSV 7 on a close', send: [f(close, '', { rsv: 7 })], fails: 1002 },
  ]
}

function opcodes(t) {
  const cases = []
  const hello = t('Hello, world!')
  const expect = [{ op: text, payload: hello }]
  for (const [g, first] of [[1, 3], [2, 11]]) {
    cases.push(
      { id: `4.${g}.1`, what: `opcode ${first}`, send: [f(first)], fails: 1002 },
      { id: `4.${g}.2`, what: `opcode ${first + 1} with a payload`, send: [f(first + 1, 'reserved opcode payload')], fails: 1002 },
      { id: `4.${g}.3`, what: `a text, opcode ${first + 2}, a ping`, send: [f(text, hello), f(first + 2), f(ping)], expect, fails: 1002 },
      { id: `4.${g}.4`, what: `a text, opcode ${first + 3} with a payload, a ping`, send: [f(text, hello), f(first + 3, 'reserved'), f(ping)], expect, fails: 1002 },
      { id: `4.${g}.5`, what: `the same with opcode ${first + 4}, byte by byte`, send: [f(text, hello), f(first + 4, 'reserved'), f(ping)], chop: 1, expect, fails: 1002 },
    )
  }
  return cases
}

function fragments(t) {
  const whole = t('fragment1fragment2')
  const [a, b] = [whole.slice(0, 9), whole.slice(9)]
  const two = [part(text, a), f(cont, b)]
  const pinged = [part(text, a), f(ping, 'ping payload'), f(cont, b)]
  const expect = [{ op: text, payload: whole }]
  const both = [PONG('ping payload'), ...expect]
  const hello = f(text, t('Hello, world!'))
  const stray = f(cont, 'non-continuation payload'), open = part(cont, 'non-continuation payload')
  const cases = [
    { id: '5.1', what: 'a ping in two fragments', send: [part(ping, 'fragment1'), f(cont, 'fragment2')], fails: 1002 },
    { id: '5.2', what: 'a pong in two fragments', send: [part(pong, 'fragment1'), f(cont, 'fragment2')], fails: 1002 },
  ]
  const ways = (first, what, frames, more) => {
    cases.push(
      { id: `5.${first}`, what: `${what}, together`, send: join(...frames), ...more },
      { id: `5.${first + 1}`, what: `${what}, frame by frame`, send: frames, ...more },
      { id: `5.${first + 2}`, what: `${what}, byte by byte`, send: frames, chop: 1, ...more },
    )
  }
  ways(3, 'a text in two fragments', two, { expect })
  ways(6, 'the same with a ping between', pinged, { expect: both })
  ways(9, 'a last fragment of nothing, then a text', [stray, hello], { fails: 1002 })
  ways(12, 'a further fragment of nothing, then a text', [open, hello], { fails: 1002 })
  const parts = ['fragment1', 'fragment2', 'fragment3', 'fragment4', 'fragment5']
  const five = t(parts.join(''))
  const cut = [0, 1, 2, 3, 4].map((i) => five.slice(Math.floor((five.length * i) / 5), Math.floor((five.length * (i + 1)) / 5)))
  const legal = [part(text, cut[0]), part(cont, cut[1]), f(ping, 'pongme 1!'), part(cont, cut[2]), part(cont, cut[3]), f(ping, 'pongme 2!'), f(cont, cut[4])]
  const answers = [PONG('pongme 1!'), PONG('pongme 2!'), { op: text, payload: five }]
  cases.push(
    { id: '5.15', what: 'a text in two fragments, a further fragment of nothing, a text', send: [...two, open, hello], expect, fails: 1002 },
    { id: '5.16', what: 'twice a further fragment of nothing, then a text in fragments', send: [open, ...two, open, ...two], fails: 1002 },
    { id: '5.17', what: 'twice a last fragment of nothing, then a text in fragments', send: [stray, ...two, stray, ...two], fails: 1002 },
    { id: '5.18', what: 'a second fragment that begins a text', send: [part(text, a), f(text, b)], fails: 1002 },
    { id: '5.19', what: 'a text in five fragments with two pings, waited for', send: [...legal.slice(0, 3), { until: 1 }, ...legal.slice(3)], expect: answers },
    { id: '5.20', what: 'the same without a wait', send: legal, expect: answers },
  )
  return cases
}

const GOOD_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
const BAD_CODES = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]

function closing(t) {
  const hello = t('Hello World!')
  const said = [{ op: text, payload: hello }]
  const bye = f(close, closeBody(1000))
  const ended = { fails: 1000 } // by our close, which the server answers
  const cases = [
    { id: '7.1.1', what: 'a message, then a close', send: [f(text, hello), bye], expect: said, ...ended },
    { id: '7.1.2', what: 'two closes', send: [bye, bye], ...ended },
    { id: '7.1.3', what: 'a ping behind a close', send: join(bye, f(ping)), ...ended },
    { id: '7.1.4', what: 'a text behind a close', send: join(bye, f(text, hello)), ...ended },
    { id: '7.1.5', what: 'a close between two fragments', send: join(part(text, 'fragment1'), bye, f(cont, 'fragment2')), ...ended },
    { id: '7.3.1', what: 'a close without payload', send: [], close: Buffer.alloc(0), answer: Buffer.alloc(0) },
    { id: '7.3.2', what: 'a close of one byte', send: [f(close, 'a')], fails: 1002 },
    { id: '7.3.3', what: 'a close with a code', send: [], close: closeBody(1000) },
    { id: '7.3.4', what: 'a close with a reason', send: [], close: closeBody(1000, 'Hello World!') },
    { id: '7.3.5', what: 'a close of 125 bytes', send: [], close: closeBody(1000, '*'.repeat(123)) },
    { id: '7.3.6', what: 'a close of 126 bytes', send: [f(close, closeBody(1000, '*'.repeat(124)))], fails: 1002 },
    { id: '7.5.1', what: 'a reason that is no UTF-8', send: [f(close, Buffer.concat([closeBody(1000), Buffer.from([0xce, 0xba, 0xed, 0xa0, 0x80])]))], fails: 1007 },
  ]
  GOOD_CODES.forEach((code, i) => cases.push({ id: `7.7.${i + 1}`, what: `close code ${code}`, send: [], close: closeBody(code) }))
  BAD_CODES.forEach((code, i) => cases.push({ id: `7.9.${i + 1}`, what: `close code ${code}`, send: [f(close, closeBody(code))], fails: 1002 }))
  return cases
}

/** What libraries get wrong, beside those groups. */
function beyond(t) {
  const hello = t('Hello'), long = t('x'.repeat(40)).padEnd(200)
  return [
    { id: 'B.1', what: 'a frame without a mask', send: [f(text, hello, { mask: false })], fails: 1002 },
    { id: 'B.2', what: 'a length in 16 bits that fits 7', send: [f(text, hello, { size: 16 })], fails: 1002 },
    { id: 'B.3', what: 'a length in 64 bits that fits 16', send: [f(text, long, { size: 64 })], fails: 1002 },
    { id: 'B.4', what: 'a length with the top bit', send: [f(text, '', { size: 64, claim: 1n << 63n })], fails: 1002 },
    { id: 'B.5', what: 'a length that no message may have', send: [f(text, '', { size: 64, claim: (1n << 62n) })], fails: 1009 },
    { id: 'B.6', what: 'a ping whose length is in 16 bits', send: [f(ping, 'x', { size: 16 })], fails: 1002 },
    { id: 'B.7', what: 'a fragmented close', send: [part(close, closeBody(1000))], fails: 1002 },
    { id: 'B.8', what: 'ten thousand empty fragments are one text', send: join(part(text, hello.slice(0, 3)), ...Array(10000).fill(part(cont, '')), f(cont, hello.slice(3))), expect: [{ op: text, payload: hello }] },
    { id: 'B.9', what: 'a mask of zeros', send: [f(text, hello, { mask: [0, 0, 0, 0] })], expect: [{ op: text, payload: hello }] },
  ]
}

/** The cases for a server whose texts are made by @t; group 1 wants one that echoes anything. */
export function frameCases({ text: t, echoesAll }) {
  return [...(echoesAll ? framing() : []), ...pings(), ...reservedBits(t), ...opcodes(t), ...fragments(t), ...closing(t), ...beyond(t)]
}
