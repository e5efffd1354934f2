// What RFC 7692 wants beside the suite's messages: how a message may be written, what is broken, and
// how soon that is told.
import { constants, deflateRawSync } from 'node:zlib'
import { OP } from '../../protocol/lib/wire.mjs'
import { PONG, TEXT, frame, fragments, part } from '../lib/run.mjs'

const { text, cont, ping, close } = OP
const FLUSH = { finishFlush: constants.Z_SYNC_FLUSH }
const TAIL_LEN = 4 // 00 00 ff ff, which is left out at a message's end (7.2.1)
const offer = 'permessage-deflate; client_max_window_bits'

/** Compressed so that more can follow; a message's end leaves the last four bytes out. */
const flushed = (bytes, more = {}) => deflateRawSync(bytes, { ...FLUSH, ...more })
const deflate = (bytes, more) => flushed(bytes, more).subarray(0, -TAIL_LEN)
const z = (payload, more = {}) => frame(text, payload, { rsv: 4, ...more })

function lawful(target) {
  const words = target.text('the same words and the same words '.repeat(40))
  const body = words.subarray(0, 100), rest = words.subarray(100)
  const ways = {
    'stored blocks': deflate(words, { level: 0 }),
    'fixed codes': deflate(words, { strategy: constants.Z_FIXED }),
    'Huffman codes alone': deflate(words, { strategy: constants.Z_HUFFMAN_ONLY }),
    'runs alone': deflate(words, { strategy: constants.Z_RLE }),
    'a window of 9 bits': deflate(words, { windowBits: 9 }),
    'two blocks': Buffer.concat([flushed(body), deflate(rest)]),
    'empty blocks between and before': Buffer.concat([flushed(''), flushed(body), flushed(''), deflate(rest)]),
    'a final block (7.2.3.4)': Buffer.concat([deflateRawSync(words), Buffer.from([0])]),
    'a final block, and another message’s worth behind it': Buffer.concat([deflateRawSync(body), deflate(rest)]),
  }
  const cases = []
  for (const [what, payload] of Object.entries(ways)) {
    cases.push(
      { what: `written as ${what}`, send: [z(payload)], expect: [TEXT(words)] },
      { what: 'the same in fragments of one byte', send: [fragments(text, payload, 1, { rsv: 4 })], expect: [TEXT(words)] },
    )
  }
  const [one, two] = [deflate(words).subarray(0, 20), deflate(words).subarray(20)]
  cases.push(
    { what: 'a ping between two fragments', send: [part(text, one, { rsv: 4 }), frame(ping, 'in'), frame(cont, two)], expect: [PONG('in'), TEXT(words)] },
    { what: 'empty fragments around it', send: [part(text, '', { rsv: 4 }), part(cont, deflate(words)), frame(cont)], expect: [TEXT(words)] },
    { what: 'plain and compressed messages in turn', send: [frame(text, words), z(deflate(words)), frame(text, words), z(deflate(words))], expect: Array(4).fill(TEXT(words)) },
    { what: 'byte by byte', send: [z(deflate(words))], chop: 1, expect: [TEXT(words)] },
  )
  return cases
}

function broken(target) {
  const words = Buffer.from('Hello '.repeat(50))
  const bits = {
    'a reserved block type': [0x07],
    'a stored block whose lengths differ': [0, 5, 0, 0, 0, 1, 2, 3, 4, 5],
    'a stored block cut short': [0, 20, 0, 235, 255, 65, 66],
    'a distance before the beginning': [0x4b, 0x04, 0x61, 0x00],
    'plain text with RSV1': [...Buffer.from('{"id":1,"op":"rooms"}')],
  }
  const cases = Object.entries(bits).map(([what, b]) => ({ what, send: [z(Buffer.from(b))], fails: 1007 }))
  // With the four bytes that a message leaves out it would even be a text, but in an open block.
  const short = deflate('Hello, Hello', { strategy: constants.Z_FIXED })
  for (let n = 1; n < short.length; n++) cases.push({ what: `the first ${n} of ${short.length} bytes of a message`, send: [z(short.subarray(0, n))], fails: 1007 })
  const known = target.text('words that were said before, and again')
  cases.push(
    { what: 'a reference to the message before', send: [z(deflate(known)), z(deflate(known, { dictionary: known }))], expect: [TEXT(known)], fails: 1007 },
    { what: 'RSV1 on a further fragment', send: [part(text, deflate(words), { rsv: 4 }), frame(cont, '', { rsv: 4 })], fails: 1002 },
    { what: 'RSV1 on a further fragment of a plain text', send: [part(text, 'x'), frame(cont, 'y', { rsv: 4 })], fails: 1002 },
    { what: 'RSV1 on a ping', send: [frame(ping, '', { rsv: 4 })], fails: 1002 },
    { what: 'RSV1 on a close', send: [frame(close, '', { rsv: 4 })], fails: 1002 },
    { what: 'RSV1 and RSV2', send: [z(deflate(words), { rsv: 6 })], fails: 1002 },
    { what: 'more than the bound, in few bytes', send: [z(deflate(Buffer.alloc(target.max + 1, 'x')))], fails: 1009 },
    { what: 'ten times the bound, in few bytes', send: [z(deflate(Buffer.alloc(10 * target.max, 'x')))], fails: 1009 },
  )
  for (const [what, bad] of [['a bad byte', [0xff]], ['a surrogate', [0xed, 0xa0, 0x80]], ['half a character', [0xc3]]]) {
    cases.push({ what: `${what} in the text`, send: [z(deflate(Buffer.concat([words, Buffer.from(bad)])))], fails: 1007 })
  }
  return cases
}

/** What is wrong is told although the message goes on; its last piece is never sent. */
function early(target) {
  const words = Buffer.from('Hello '.repeat(50))
  const bad = flushed(Buffer.concat([words, Buffer.from([0xf4, 0x90])]))
  const half = flushed(Buffer.concat([words, Buffer.from([0xc3])]))
  const long = flushed(Buffer.alloc(target.max + 1, 'x'))
  const rest = deflate('rest')
  const inOne = (payload) => {
    const whole = z(Buffer.concat([payload, rest]))
    return [whole.subarray(0, whole.length - rest.length), whole.subarray(whole.length - rest.length)]
  }
  const fast = (fails) => ({ failsFast: true, fails })
  return [
    { what: 'bad UTF-8 in the first of two fragments', send: [part(text, bad, { rsv: 4 }), frame(cont, rest)], ...fast(1007) },
    { what: 'bad UTF-8 in the first piece of a frame', send: inOne(bad), ...fast(1007) },
    { what: 'a character that the second fragment makes bad', send: [part(text, half, { rsv: 4 }), part(cont, flushed('x')), frame(cont, rest)], ...fast(1007) },
    { what: 'broken data in the first of two fragments', send: [part(text, Buffer.from([0x07]), { rsv: 4 }), frame(cont, rest)], ...fast(1007) },
    { what: 'too long in the first of two fragments', send: [part(text, long, { rsv: 4 }), frame(cont, rest)], ...fast(1009) },
    { what: 'too long in the first piece of a frame', send: inOne(long), ...fast(1009) },
  ]
}

export function compressedCases(target) {
  const groups = [lawful(target), broken(target), early(target)]
  return groups.flatMap((cases, g) => cases.map((one, i) => ({ id: `C.${g + 1}.${i + 1}`, offer, ...one })))
}
