// Group 6: UTF-8 (RFC 3629; RFC 6455, 8.1), the sequences of Markus Kuhn's stress test in the suite's
// order.  Each is judged by the letter, whole (as the suite does it) and in fragments of one byte
// (an f behind the number); what is wrong ends the connection as soon as that can be known.
import { OP } from '../../protocol/lib/wire.mjs'
import { TEXT, byteFragments, frame, part } from '../lib/run.mjs'

const hex = (s) => Buffer.from(s.replaceAll(' ', ''), 'hex')
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const spaced = (from, to) => range(from, to).map((b) => b.toString(16) + '20').join('')

const KOSME = hex('ceba e1bdb9 cf83 cebc ceb5')
const EDITED = Buffer.from('edited')
const GREETING = Buffer.from('Hello-µ@ßöäüàá-UTF-8!!')
const CUT_SHORT = ['c0', 'e080', 'f08080', 'f8808080', 'fc80808080', 'df', 'efbf', 'f7bfbf', 'fbbfbfbf', 'fdbfbfbfbf']
const NONCHARACTERS = range(0, 16).flatMap((plane) => [0xfffe, 0xffff].map((c) => Buffer.from(String.fromCodePoint((plane << 16) | c)).toString('hex')))

/** The suite's subgroups: what they are, and their sequences; those behind `bad` are not valid. */
const SEQUENCES = {
  6.5: { what: 'characters of one to four bytes', good: ['68656c6c6f24776f726c64', '68656c6c6fc2a2776f726c64', '68656c6c6fe282ac776f726c64', '68656c6c6ff0a4ada2776f726c64', KOSME.toString('hex')] },
  6.6: { what: 'a beginning of a text', each: range(1, KOSME.length).map((n) => KOSME.subarray(0, n)) },
  6.7: { what: 'the first character of a length', good: ['00', 'c280', 'e0a080', 'f0908080'] },
  6.8: { what: 'the first of five and six bytes', bad: ['f888808080', 'fc8480808080'] },
  6.9: { what: 'the last character of a length', good: ['7f', 'dfbf', 'efbfbf', 'f48fbfbf'] },
  '6.10': { what: 'the last of four, five and six bytes', bad: ['f7bfbfbf', 'fbbfbfbfbf', 'fdbfbfbfbfbf'] },
  6.11: { what: 'other bounds', good: ['ed9fbf', 'ee8080', 'efbfbd', 'f48fbfbf'], bad: ['f4908080'] },
  6.12: { what: 'tails without a start', bad: ['80', 'bf', '80bf', '80bf80', '80bf80bf', '80bf80bf80', '80bf80bf80bf', range(0x80, 0xbf).map((b) => b.toString(16)).join('')] },
  6.13: { what: 'starts without a tail', bad: [spaced(0xc0, 0xdf), spaced(0xe0, 0xef), spaced(0xf0, 0xf7), spaced(0xf8, 0xfb), spaced(0xfc, 0xfd)] },
  6.14: { what: 'the last byte is missing', bad: CUT_SHORT },
  6.15: { what: 'all of those in a row', bad: [CUT_SHORT.join('')] },
  6.16: { what: 'bytes that no text has', bad: ['fe', 'ff', 'fefeffff'] },
  6.17: { what: 'an overlong slash', bad: ['c0af', 'e080af', 'f08080af', 'f8808080af', 'fc80808080af'] },
  6.18: { what: 'the longest overlong forms', bad: ['c1bf', 'e09fbf', 'f08fbfbf', 'f887bfbfbf', 'fc83bfbfbfbf'] },
  6.19: { what: 'an overlong NUL', bad: ['c080', 'e08080', 'f0808080', 'f880808080', 'fc8080808080'] },
  '6.20': { what: 'a surrogate', bad: ['eda080', 'edadbf', 'edae80', 'edafbf', 'edb080', 'edbe80', 'edbfbf'] },
  6.21: { what: 'a pair of surrogates', bad: ['eda080edb080', 'eda080edbfbf', 'edadbfedb080', 'edadbfedbfbf', 'edae80edb080', 'edae80edbfbf', 'edafbfedb080', 'edafbfedbfbf'] },
  // Noncharacters are characters all the same (Unicode, corrigendum 9).
  6.22: { what: 'a noncharacter', good: NONCHARACTERS },
  6.23: { what: 'a special', good: range(0xfff9, 0xffff).map((c) => Buffer.from(String.fromCodePoint(c)).toString('hex')) },
}

const isText = (bytes) => Buffer.from(bytes.toString()).equals(bytes)

/** The product is sent what is valid inside a request; what is not must fail before it is one. */
function bothWays(target, id, what, bytes, isGood) {
  const payload = isGood && target.name === 'hubbub' ? target.text(bytes) : bytes
  const outcome = isGood ? { expect: [TEXT(payload)] } : { fails: 1007 }
  return [
    { id, what, send: [frame(OP.text, payload)], ...outcome },
    { id: `${id}f`, what: `${what}, in fragments of one byte`, send: [byteFragments(payload)], ...outcome },
  ]
}

function sequenceCases(target) {
  const cases = []
  for (const [group, { what, good = [], bad = [], each }] of Object.entries(SEQUENCES).sort(([a], [b]) => a.slice(2) - b.slice(2))) {
    const list = each ?? [...good, ...bad].map(hex)
    for (const [i, bytes] of list.entries()) {
      const isGood = each !== undefined ? isText(bytes) : i < good.length
      const shown = bytes.toString('hex').slice(0, 40)
      cases.push(...bothWays(target, `${group}.${i + 1}`, `${what}, ${isGood ? 'valid' : 'not valid'}: ${shown}`, bytes, isGood))
    }
  }
  return cases
}

function wholeCases(target) {
  const empty = target.text(''), middle = target.text('middle frame payload'), greeting = target.text(GREETING), kosme = target.text(KOSME)
  const is = (payload) => ({ expect: [TEXT(payload)] })
  const wrong = Buffer.concat([KOSME, hex('eda080'), EDITED])
  // Between two characters: before the first that takes two bytes.
  const at = greeting.indexOf('µ')
  return [
    { id: '6.1.1', what: 'a text of no bytes', send: [frame(OP.text, target.name === 'echo' ? '' : empty)], ...is(empty) },
    { id: '6.1.2', what: 'the same in three fragments', send: [part(OP.text, ''), part(OP.cont, target.name === 'echo' ? '' : empty), frame(OP.cont, '')], ...is(empty) },
    { id: '6.1.3', what: 'only the middle one of three fragments has bytes', send: [part(OP.text, ''), part(OP.cont, middle), frame(OP.cont, '')], ...is(middle) },
    { id: '6.2.1', what: 'characters of two bytes', send: [frame(OP.text, greeting)], ...is(greeting) },
    { id: '6.2.2', what: 'the same in two fragments', send: [part(OP.text, greeting.subarray(0, at)), frame(OP.cont, greeting.subarray(at))], ...is(greeting) },
    { id: '6.2.3', what: 'the same in fragments of one byte', send: [byteFragments(greeting)], ...is(greeting) },
    { id: '6.2.4', what: 'five Greek letters in fragments of one byte', send: [byteFragments(kosme)], ...is(kosme) },
    { id: '6.3.1', what: 'a surrogate in the middle', send: [frame(OP.text, wrong)], fails: 1007 },
    { id: '6.3.2', what: 'the same in fragments of one byte', send: [byteFragments(wrong)], fails: 1007 },
  ]
}

/** 6.4: the connection fails before the last piece goes out. */
function failFastCases() {
  const beyond = hex('f4908080') // U+110000: its second byte is the first that is wrong
  const whole = frame(OP.text, Buffer.concat([KOSME, beyond, EDITED]))
  const at = whole.length - beyond.length - EDITED.length
  const fast = { failsFast: true, fails: 1007 }
  return [
    { id: '6.4.1', what: 'the second of three fragments is wrong', send: [part(OP.text, KOSME), part(OP.cont, beyond), frame(OP.cont, EDITED)], ...fast },
    { id: '6.4.2', what: 'the same, up to the first byte that is wrong', send: [part(OP.text, KOSME), part(OP.cont, beyond.subarray(0, 2)), frame(OP.cont, EDITED)], ...fast },
    { id: '6.4.3', what: 'the same in three pieces of one frame', send: [whole.subarray(0, at), whole.subarray(at, at + 4), whole.subarray(at + 4)], ...fast },
    { id: '6.4.4', what: 'the same, up to the first byte that is wrong', send: [whole.subarray(0, at + 1), whole.subarray(at + 1, at + 2), whole.subarray(at + 2)], ...fast },
  ]
}

export function textCases(target) {
  return [...wholeCases(target), ...failFastCases(), ...sequenceCases(target)]
}
