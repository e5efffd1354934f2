// Group 7: the closing handshake (RFC 6455, 5.5.1 and 7).
import { OP, closeBody } from '../../protocol/lib/wire.mjs'
import { TEXT, frame, part } from '../lib/run.mjs'

const { text, cont, close, ping } = OP
// 1012 to 1014 were registered after the RFC (and after the suite's list).
const GOOD_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999, 1012, 1013, 1014]
const BAD_CODES = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 1015]

export function closingCases(target) {
  const hello = target.text('Hello World!')
  const large = target.sized(Math.min(256 * 1024, target.max))
  const bye = frame(close, closeBody(1000))
  const closes = 1000
  return [
    { id: '7.1.1', what: 'a text, then a close', send: [frame(text, hello), bye], expect: [TEXT(hello)], closes },
    { id: '7.1.2', what: 'two closes', send: [bye, bye], closes },
    { id: '7.1.3', what: 'a ping behind a close', send: [bye, frame(ping)], closes },
    { id: '7.1.4', what: 'a text behind a close', send: [bye, frame(text, hello)], closes },
    { id: '7.1.5', what: 'a close between two fragments', send: [part(text, 'fragment1'), bye, frame(cont, 'fragment2')], closes },
    { id: '7.1.6', what: `a text of ${large.length} bytes, a close, a ping`, send: [Buffer.concat([frame(text, large), bye, frame(ping)])], expect: [TEXT(large)], closes },
    { id: '7.3.1', what: 'a close without payload', send: [frame(close)], closes: 1005 },
    { id: '7.3.2', what: 'a close of one byte', send: [frame(close, 'a')], fails: 1002 },
    { id: '7.3.3', what: 'a close with a code', send: [bye], closes },
    { id: '7.3.4', what: 'a close with a reason', send: [frame(close, closeBody(1000, 'Hello World!'))], closes },
    { id: '7.3.5', what: 'a close of 125 bytes', send: [frame(close, closeBody(1000, '*'.repeat(123)))], closes },
    { id: '7.3.6', what: 'a close of 126 bytes', send: [frame(close, closeBody(1000, '*'.repeat(124)))], fails: 1002 },
    { id: '7.5.1', what: 'a reason that is no UTF-8', send: [frame(close, Buffer.concat([closeBody(1000), Buffer.from('cebae1bdb9cf83cebcceb5eda080656469746564', 'hex')]))], fails: 1007 },
    ...GOOD_CODES.map((code, i) => ({ id: `7.7.${i + 1}`, what: `close code ${code}`, send: [frame(close, closeBody(code))], closes: code })),
    ...BAD_CODES.map((code, i) => ({ id: `7.9.${i + 1}`, what: `close code ${code}`, send: [frame(close, closeBody(code))], fails: 1002 })),
    { id: '7.13.1', what: 'close code 5000', send: [frame(close, closeBody(5000))], fails: 1002 },
    { id: '7.13.2', what: 'close code 65535', send: [frame(close, closeBody(65535))], fails: 1002 },
  ]
}
