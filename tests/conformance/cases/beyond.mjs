// What the suite does not ask, and what libraries get wrong.
import { OP, closeBody } from '../../protocol/lib/wire.mjs'
import { PONG, TEXT, byteFragments, frame, part } from '../lib/run.mjs'

const { text, binary, cont, close, ping, pong } = OP

function headers(hello, long) {
  return [
    ['a text without a mask', frame(text, hello, { mask: false }), 1002],
    ['a ping without a mask', frame(ping, '', { mask: false }), 1002],
    ['a close without a mask', frame(close, closeBody(1000), { mask: false }), 1002],
    ['a length in 16 bits that fits 7', frame(text, 'Hello', { size: 16 }), 1002],
    ['a length in 64 bits that fits 7', frame(text, 'Hello', { size: 64 }), 1002],
    ['a length in 64 bits that fits 16', frame(text, long, { size: 64 }), 1002],
    ['a length of 125 in 16 bits', frame(text, 'x'.repeat(125), { size: 16 }), 1002],
    ['a length of 65,535 in 64 bits', frame(text, 'x'.repeat(65535), { size: 64 }), 1002],
    ['no length, in 64 bits', frame(text, '', { size: 64 }), 1002],
    ['a length with the top bit', frame(text, '', { size: 64, claim: 1n << 63n }), 1002],
    ['a length of all bits', frame(text, '', { size: 64, claim: (1n << 64n) - 1n }), 1002],
    ['the longest lawful length', frame(text, '', { size: 64, claim: (1n << 63n) - 1n }), 1009],
    ['a terabyte in a last fragment', Buffer.concat([part(text, 'x'), frame(cont, '', { size: 64, claim: 1n << 40n })]), 1009],
    ['a ping whose length is in 16 bits', frame(ping, 'x', { size: 16 }), 1002],
    ['a ping whose length is in 64 bits', frame(ping, 'x', { size: 64 }), 1002],
    ['a pong of 126 bytes', frame(pong, 'x'.repeat(126)), 1002],
    ['a ping of 65,536 bytes', frame(ping, 'x'.repeat(65536)), 1002],
    ['a fragmented close', part(close, closeBody(1000)), 1002],
    ['a binary inside a text', Buffer.concat([part(text, 'x'), frame(binary, 'y')]), 1002],
    ['a fragmented ping between two fragments', Buffer.concat([part(text, 'x'), part(ping, 'y')]), 1002],
    ['a close of one byte between two fragments', Buffer.concat([part(text, 'x'), frame(close, 'y')]), 1002],
    ['a reason cut inside a character', frame(close, Buffer.concat([closeBody(1000), Buffer.from([0xe2, 0x82])])), 1007],
    ['a reason with a surrogate', frame(close, Buffer.concat([closeBody(1000), Buffer.from([0xed, 0xa0, 0x80])])), 1007],
    ['a bad code with a bad reason', frame(close, Buffer.concat([closeBody(1005), Buffer.from([0xff])])), 1002],
    ['an HTTP request instead of a frame', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 1002],
  ]
}

function sequences(target, hello) {
  const empty = Array(1000).fill(part(cont, ''))
  const answered = { expect: [TEXT(hello)] }
  const [a, b] = [hello.subarray(0, 3), hello.subarray(3)]
  const cases = [
    { what: 'any mask', send: [[0, 0, 0, 0], [255, 255, 255, 255], [0, 0, 0, 128], [1, 2, 3, 4]].map((mask) => frame(text, hello, { mask })), expect: Array(4).fill(TEXT(hello)) },
    { what: 'a thousand empty fragments', send: [Buffer.concat([part(text, a), ...empty, frame(cont, b)])], ...answered },
    { what: 'a control frame behind each of a hundred fragments', send: [Buffer.concat([...[...hello.subarray(0, 20)].flatMap((c, i) => [part(i === 0 ? text : cont, Buffer.from([c])), frame(pong)]), frame(cont, hello.subarray(20))])], ...answered },
    { what: 'a text in fragments of one byte with a ping behind the first', send: [part(text, a), frame(ping, 'in'), byteFragments(b, cont)], expect: [PONG('in'), TEXT(hello)] },
    { what: 'a text before a broken frame in the same packet', send: [Buffer.concat([frame(text, hello), frame(3)])], ...answered, fails: 1002 },
    { what: 'a ping before a broken frame in the same packet', send: [Buffer.concat([frame(ping, 'last'), frame(3)])], expect: [PONG('last')], fails: 1002 },
    { what: 'texts behind a broken frame', send: [Buffer.concat([frame(3), ...Array(50).fill(frame(text, hello))])], fails: 1002 },
    { what: 'a megabyte behind a close', send: [Buffer.concat([frame(close, closeBody(1000)), Buffer.alloc(1 << 20, 0x81)])], closes: 1000 },
    { what: 'a close behind a broken frame', send: [Buffer.concat([frame(11), frame(close, closeBody(1000))])], fails: 1002 },
    { what: 'the bad character is the last of a text', send: [frame(text, Buffer.concat([Buffer.from('x'.repeat(5000)), Buffer.from([0xe2, 0x82])]))], fails: 1007 },
    { what: 'the bad byte is told before 60,000 more', send: [frame(text, Buffer.concat([Buffer.from([0xff]), Buffer.alloc(60000, 'x')])).subarray(0, 9), Buffer.alloc(0)], failsFast: true, fails: 1007 },
    { what: 'bad UTF-8 behind a ping between two fragments', send: [part(text, 'Hello'), frame(ping, 'in'), part(cont, Buffer.from([0xc3, 0x28])), frame(cont)], expect: [PONG('in')], failsFast: true, fails: 1007 },
  ]
  if (target.name === 'hubbub') {
    const over = Array(target.max + 1000).fill(part(cont, ''))
    cases.push({ what: 'a message of more fragments than it may have', send: [Buffer.concat([part(text, 'x'), ...over])], fails: 1009 })
    cases.push({ what: 'a message of one byte too many', send: [frame(text, target.sized(target.max + 1)).subarray(0, 100)], fails: 1009 })
    cases.push({ what: 'one byte too many in the last fragment', send: [part(text, target.sized(target.max)), frame(cont, 'x')], fails: 1009 })
  }
  return cases
}

export function beyondCases(target) {
  const hello = target.text('Hello')
  const long = Buffer.alloc(200, 'x')
  return [
    ...headers(hello, long).map(([what, bytes, fails], i) => ({ id: `B.1.${i + 1}`, what, send: [bytes], fails })),
    ...sequences(target, hello).map((one, i) => ({ id: `B.2.${i + 1}`, ...one })),
  ]
}
