// Groups 1 to 5: framing, pings and pongs, reserved bits, opcodes, fragments (RFC 6455, 5).
import { OP } from '../../protocol/lib/wire.mjs'
import { BINARY, PONG, TEXT, frame, part } from '../lib/run.mjs'

const { text, binary, cont, close, ping, pong } = OP
const together = (...frames) => [Buffer.concat(frames)]

function framing(target) {
  const cases = []
  const sizes = [[0], [125], [126], [127], [128], [65535], [65536], [65536, 997]]
  for (const [i, [n, chop]] of sizes.entries()) {
    const how = chop === undefined ? '' : `, cut every ${chop}`
    const payload = target.sized(n)
    cases.push({ id: `1.1.${i + 1}`, what: `text of ${n} bytes${how}`, send: [frame(text, payload)], chop, expect: [TEXT(payload)] })
  }
  for (const [i, [n, chop]] of sizes.entries()) {
    const how = chop === undefined ? '' : `, cut every ${chop}`
    const payload = Buffer.alloc(n, 0xfe)
    const outcome = target.name === 'echo' ? { expect: [BINARY(payload)] } : { fails: 1003 }
    cases.push({ id: `1.2.${i + 1}`, what: `binary of ${n} bytes${how}`, send: [frame(binary, payload)], chop, ...outcome })
  }
  return cases
}

function pings() {
  const bytes = Buffer.from([0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff])
  const long = Buffer.alloc(125, 0xfe)
  const ten = Array.from({ length: 10 }, (_, i) => `payload-${i}`)
  return [
    { id: '2.1', what: 'ping without payload', send: [frame(ping)], expect: [PONG('')] },
    { id: '2.2', what: 'ping with text', send: [frame(ping, 'Hello, world!')], expect: [PONG('Hello, world!')] },
    { id: '2.3', what: 'ping with bytes that are no UTF-8', send: [frame(ping, bytes)], expect: [PONG(bytes)] },
    { id: '2.4', what: 'ping of 125 bytes', send: [frame(ping, long)], expect: [PONG(long)] },
    { id: '2.5', what: 'ping of 126 bytes', send: [frame(ping, Buffer.alloc(126, 0xfe))], fails: 1002 },
    { id: '2.6', what: 'ping of 125 bytes, byte by byte', send: [frame(ping, long)], chop: 1, expect: [PONG(long)] },
    { id: '2.7', what: 'a pong that nobody asked for, without payload', send: [frame(pong)] },
    { id: '2.8', what: 'a pong that nobody asked for', send: [frame(pong, 'unasked')] },
    { id: '2.9', what: 'such a pong, then a ping', send: [frame(pong, 'unasked'), frame(ping, 'asked')], expect: [PONG('asked')] },
    { id: '2.10', what: 'ten pings', send: together(...ten.map((p) => frame(ping, p))), expect: ten.map(PONG) },
    { id: '2.11', what: 'ten pings, byte by byte', send: together(...ten.map((p) => frame(ping, p))), chop: 1, expect: ten.map(PONG) },
  ]
}

function reservedBits(hello) {
  const expect = [TEXT(hello)]
  const behind = (rsv) => [frame(text, hello), frame(text, hello, { rsv }), frame(ping)]
  return [
    { id: '3.1', what: 'RSV 1 on a text', send: [frame(text, hello, { rsv: 1 })], fails: 1002 },
    { id: '3.2', what: 'a text, one with RSV 2, a ping, together', send: together(...behind(2)), expect, fails: 1002 },
    { id: '3.3', what: 'the same with RSV 3, frame by frame', send: behind(3), expect, fails: 1002 },
    { id: '3.4', what: 'the same with RSV 4, byte by byte', send: behind(4), chop: 1, expect, fails: 1002 },
    { id: '3.5', what: 'RSV 5 on a binary', send: [frame(binary, Buffer.from([0, 255, 254]), { rsv: 5 })], fails: 1002 },
    { id: '3.6', what: 'RSV 6 on a ping', send: [frame(ping, 'x', { rsv: 6 })], fails: 1002 },
    { id: '3.7', what: 'RSV 7 on a close', send: [frame(close, '', { rsv: 7 })], fails: 1002 },
  ]
}

function opcodes(hello) {
  const cases = []
  const expect = [TEXT(hello)]
  for (const [g, first] of [[1, 3], [2, 11]]) {
    cases.push(
      { id: `4.${g}.1`, what: `opcode ${first}`, send: [frame(first)], fails: 1002 },
      { id: `4.${g}.2`, what: `opcode ${first + 1} with a payload`, send: [frame(first + 1, 'reserved')], fails: 1002 },
      { id: `4.${g}.3`, what: `a text, opcode ${first + 2}, a ping`, send: [frame(text, hello), frame(first + 2), frame(ping)], expect, fails: 1002 },
      { id: `4.${g}.4`, what: `a text, opcode ${first + 3} with a payload, a ping`, send: [frame(text, hello), frame(first + 3, 'reserved'), frame(ping)], expect, fails: 1002 },
      { id: `4.${g}.5`, what: `the same with opcode ${first + 4}, byte by byte`, send: [frame(text, hello), frame(first + 4, 'reserved'), frame(ping)], chop: 1, expect, fails: 1002 },
    )
  }
  return cases
}

/** The same frames in one write, each in its own, and byte by byte. */
function threeWays(first, what, frames, outcome) {
  return [
    { id: `5.${first}`, what: `${what}, together`, send: together(...frames), ...outcome },
    { id: `5.${first + 1}`, what: `${what}, frame by frame`, send: frames, ...outcome },
    { id: `5.${first + 2}`, what: `${what}, byte by byte`, send: frames, chop: 1, ...outcome },
  ]
}

function fragmentation(target, hello) {
  const whole = target.text('fragment1fragment2')
  const [a, b] = [whole.subarray(0, 9), whole.subarray(9)]
  const two = [part(text, a), frame(cont, b)]
  const pinged = [part(text, a), frame(ping, 'ping payload'), frame(cont, b)]
  const expect = [TEXT(whole)]
  const message = frame(text, hello)
  const last = frame(cont, 'continues nothing'), further = part(cont, 'continues nothing')
  const five = target.text('fragment1fragment2fragment3fragment4fragment5')
  const cut = [0, 1, 2, 3, 4].map((i) => five.subarray(Math.floor((five.length * i) / 5), Math.floor((five.length * (i + 1)) / 5)))
  const legal = [part(text, cut[0]), part(cont, cut[1]), frame(ping, 'pongme 1!'), part(cont, cut[2]), part(cont, cut[3]), frame(ping, 'pongme 2!'), frame(cont, cut[4])]
  const answers = [PONG('pongme 1!'), PONG('pongme 2!'), TEXT(five)]
  return [
    { id: '5.1', what: 'a ping in two fragments', send: [part(ping, 'fragment1'), frame(cont, 'fragment2')], fails: 1002 },
    { id: '5.2', what: 'a pong in two fragments', send: [part(pong, 'fragment1'), frame(cont, 'fragment2')], fails: 1002 },
    ...threeWays(3, 'a text in two fragments', two, { expect }),
    ...threeWays(6, 'the same with a ping between', pinged, { expect: [PONG('ping payload'), ...expect] }),
    ...threeWays(9, 'a last fragment of nothing, then a text', [last, message], { fails: 1002 }),
    ...threeWays(12, 'a further fragment of nothing, then a text', [further, message], { fails: 1002 }),
    { id: '5.15', what: 'a text in two fragments, a further fragment of nothing, a text', send: together(...two, further, message), expect, fails: 1002 },
    { id: '5.16', what: 'twice a further fragment of nothing, then a text in fragments', send: [further, ...two, further, ...two], fails: 1002 },
    { id: '5.17', what: 'twice a last fragment of nothing, then a text in fragments', send: [last, ...two, last, ...two], fails: 1002 },
    { id: '5.18', what: 'a second fragment that begins a text', send: [part(text, a), frame(text, b)], fails: 1002 },
    { id: '5.19', what: 'a text in five fragments with two pings, the first waited for', send: [Buffer.concat(legal.slice(0, 3)), { until: 1 }, Buffer.concat(legal.slice(3))], expect: answers },
    { id: '5.20', what: 'the same, each frame on its own', send: [...legal.slice(0, 3), { until: 1 }, ...legal.slice(3)], expect: answers },
  ]
}

export function framingCases(target) {
  const hello = target.text('Hello, world!')
  return [...framing(target), ...pings(), ...reservedBits(hello), ...opcodes(hello), ...fragmentation(target, hello)]
}
