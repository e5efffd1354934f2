// Group 6: UTF-8 (RFC 3629), after Markus Kuhn's stress test as the suite has it: each sequence is
// judged by the letter, and what is wrong ends the connection as soon as it can be known.
import { OP, encodeFrame } from '../../protocol/lib/wire.mjs'

const hex = (s) => Buffer.from(s.replaceAll(' ', ''), 'hex')
const text = (payload, more = {}) => encodeFrame({ op: OP.text, payload, ...more })
const cont = (payload, more = {}) => encodeFrame({ op: OP.cont, payload, ...more })

const KOSME = hex('ceba e1bdb9 cf83 cebc ceb5')
const GREETING = Buffer.from('Hello-µ@ßöäüàá-UTF-8!!')

/** Sequences by the suite's number of their group; each is one message. */
const VALID = {
  '6.5': ['68656c6c6f24776f726c64', '68656c6c6fc2a2776f726c64', '68656c6c6fe282ac776f726c64', '68656c6c6ff0a4ada2776f726c64', KOSME.toString('hex')],
  '6.7': ['00', 'c280', 'e0a080', 'f0908080'],
  '6.9': ['7f', 'dfbf', 'efbfbf', 'f48fbfbf'],
  '6.11': ['ed9fbf', 'ee8080', 'efbfbd', 'f48fbfbf'],
  // Noncharacters are characters all the same (Unicode corrigendum 9).
  '6.22': ['efbfbe', 'efbfbf', ...Array.from({ length: 16 }, (_, i) => [0xfffe, 0xffff].map((c) => Buffer.from(String.fromCodePoint(((i + 1) << 16) | c)).toString('hex'))).flat()],
  '6.23': ['efbfb9', 'efbfba', 'efbfbb', 'efbfbc', 'efbfbd', 'efbfbe', 'efbfbf'],
}

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const spaced = (from, to) => range(from, to).map((b) => b.toString(16) + '20').join('')
const INCOMPLETE = ['c0', 'e080', 'f08080', 'f8808080', 'fc80808080', 'df', 'efbf', 'f7bfbf', 'fbbfbfbf', 'fdbfbfbfbf']

const INVALID = {
  '6.3': [KOSME.toString('hex') + 'eda080' + Buffer.from('edited').toString('hex')],
  '6.8': ['f888808080', 'fc8480808080'],
  '6.10': ['f7bfbfbf', 'fbbfbfbfbf', 'fdbfbfbfbfbf'],
  '6.11': ['f4908080'],
  '6.12': ['80', 'bf', '80bf', '80bf80', '80bf80bf', '80bf80bf80', '80bf80bf80bf', range(0x80, 0xbf).map((b) => b.toString(16)).join('')],
  '6.13': [spaced(0xc0, 0xdf), spaced(0xe0, 0xef), spaced(0xf0, 0xf7), spaced(0xf8, 0xfb), spaced(0xfc, 0xfd)],
  '6.14': INCOMPLETE,
  '6.15': [INCOMPLETE.join('')],
  '6.16': ['fe', 'ff', 'fefeffff'],
  '6.17': ['c0af', 'e080af', 'f08080af', 'f8808080af', 'fc80808080af'],
  '6.18': ['c1bf', 'e09fbf', 'f08fbfbf', 'f887bfbfbf', 'fc83bfbfbfbf'],
  '6.19': ['c080', 'e08080', 'f0808080', 'f880808080', 'fc8080808080'],
  '6.20': ['eda080', 'edadbf', 'edae80', 'edafbf', 'edb080', 'edbe80', 'edbfbf'],
  '6.21': ['eda080edb080', 'eda080edbfbf', 'edadbfedb080', 'edadbfedbfbf', 'edae80edb080', 'edae80edbfbf', 'edafbfedb080', 'edafbfedbfbf'],
}

/** A text in fragments of one byte. */
function byteFragments(bytes) {
  const frames = [...bytes].map((b, i) => (i === 0 ? text : cont)(Buffer.from([b]), { fin: false }))
  return Buffer.concat([...frames, cont('')])
}

function* numbered(groups) {
  for (const [group, list] of Object.entries(groups)) {
    for (const [i, sequence] of list.entries()) yield { group, n: i + 1, bytes: hex(sequence) }
  }
}

export function validTextCases() {
  const is = (payload) => [{ op: OP.text, payload }]
  const cases = [
    { id: '6.1.1', what: 'a text of no bytes', send: [text('')], expect: is('') },
    { id: '6.1.2', what: 'the same in three fragments', send: [text('', { fin: false }), cont('', { fin: false }), cont('')], expect: is('') },
    { id: '6.1.3', what: 'only the middle fragment has bytes', send: [text('', { fin: false }), cont('middle frame payload', { fin: false }), cont('')], expect: is('middle frame payload') },
    { id: '6.2.1', what: 'characters of two bytes', send: [text(GREETING)], expect: is(GREETING) },
    { id: '6.2.2', what: 'the same in two fragments', send: [text(GREETING.subarray(0, 9), { fin: false }), cont(GREETING.subarray(9))], expect: is(GREETING) },
    { id: '6.2.3', what: 'the same in fragments of one byte', send: [byteFragments(GREETING)], expect: is(GREETING) },
    { id: '6.2.4', what: 'five Greek letters in fragments of one byte', send: [byteFragments(KOSME)], expect: is(KOSME) },
  ]
  for (const { group, n, bytes } of numbered(VALID)) {
    cases.push({ id: `${group}.${n}`, what: `valid: ${bytes.toString('hex')}`, send: [text(bytes)], expect: is(bytes) })
    cases.push({ id: `${group}.${n}f`, what: 'the same in fragments of one byte', send: [byteFragments(bytes)], expect: is(bytes) })
  }
  // 6.6: each beginning of a text, which is one itself where it ends with a whole character.
  for (const n of range(1, KOSME.length)) {
    const bytes = KOSME.subarray(0, n)
    if (Buffer.from(bytes.toString()).equals(bytes)) cases.push({ id: `6.6.${n}`, what: `the first ${n} bytes`, send: [text(bytes)], expect: is(bytes) })
  }
  return cases
}

export function invalidTextCases() {
  const cases = []
  for (const { group, n, bytes } of numbered(INVALID)) {
    cases.push({ id: `${group}.${n}x`, what: `not valid: ${bytes.toString('hex').slice(0, 40)}`, send: [text(bytes)], fails: 1007 })
    cases.push({ id: `${group}.${n}xf`, what: 'the same in fragments of one byte', send: [byteFragments(bytes)], fails: 1007 })
  }
  for (const n of range(1, KOSME.length)) {
    const bytes = KOSME.subarray(0, n)
    if (!Buffer.from(bytes.toString()).equals(bytes)) cases.push({ id: `6.6.${n}`, what: `the first ${n} bytes, cut inside a character`, send: [text(bytes)], fails: 1007 })
  }
  // 6.4: it fails before the rest comes, which is never sent.
  const beyond = hex('f4908080'), rest = Buffer.from('edited')
  const whole = text(Buffer.concat([KOSME, beyond, rest]), { mask: [1, 2, 3, 4] })
  const at = whole.length - beyond.length - rest.length
  const never = [Buffer.alloc(0)]
  cases.push(
    { id: '6.4.1', what: 'a second fragment is wrong, the third is not waited for', send: [text(KOSME, { fin: false }), cont(beyond, { fin: false }), cont(rest)], failsFast: true, fails: 1007 },
    { id: '6.4.2', what: 'the first byte by which it is wrong ends it', send: [text(KOSME, { fin: false }), cont(beyond.subarray(0, 2), { fin: false }), cont(rest)], failsFast: true, fails: 1007 },
    { id: '6.4.3', what: 'the same inside one frame, of which the rest is never sent', send: [whole.subarray(0, at), whole.subarray(at, at + 4), ...never], failsFast: true, fails: 1007 },
    { id: '6.4.4', what: 'the same, cut behind the byte by which it is wrong', send: [whole.subarray(0, at + 1), whole.subarray(at + 1, at + 2), ...never], failsFast: true, fails: 1007 },
  )
  return cases
}
