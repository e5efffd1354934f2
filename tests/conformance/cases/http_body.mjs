// Bodies: their length, their chunks, and what two servers could read in two ways (RFC 9112, 6, 7
// and 11.2).
import { CLOSED, OPEN } from '../lib/http.mjs'

const rows = (stem, list) => list.map(([what, bytes, status, then, more], i) => ({ id: `${stem}.${i + 1}`, what, bytes, status, then, ...more }))
const post = (fields, body = '', version = 'HTTP/1.1') => `POST /healthz ${version}\r\nHost: x\r\n${fields}\r\n${body}`
const length = (value, body = 'abcd') => post(`Content-Length:${value}\r\n`, body)
const coded = (value, body = '0\r\n\r\n') => post(`Transfer-Encoding:${value}\r\n`, body)
const chunked = (body) => coded(' chunked', body)
const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n'
const KIB = 1024

const LENGTHS = [
  ['4', length(' 4'), 405, OPEN],
  ['white space around', length('\t4 \t'), 405, OPEN],
  ['0', length(' 0', ''), 405, OPEN],
  ['leading zeros', length(' 0004'), 405, OPEN],
  ['none', post(''), 405, OPEN],
  ['empty', length('', ''), 400, CLOSED],
  ...['+4', '-4', '-0', '0x4', '4h', '4.0', '4e0', '1 0', '4,', ',4', '4, 4', '4,5', '"4"', '4;', '\xb2', '4\x004', 'four', 'NaN'].map((v) => [v.replace('\0', 'NUL'), length(` ${v}`), 400, CLOSED]),
  ['two alike', post('Content-Length: 4\r\nContent-Length: 4\r\n', 'abcd'), 400, CLOSED],
  ['two that differ', post('Content-Length: 4\r\nContent-Length: 5\r\n', 'abcde'), 400, CLOSED],
  ['two, one in small letters', post('Content-Length: 4\r\ncontent-length: 0\r\n', 'abcd'), 400, CLOSED],
  ['a space before the colon', post('Content-Length : 4\r\n', 'abcd'), 400, CLOSED],
  ['a folded one', post('Content-Length:\r\n 4\r\n', 'abcd'), 400, CLOSED],
  ['64 KiB', length(` ${64 * KIB}`, 'x'.repeat(64 * KIB)), 405, OPEN],
  ['64 KiB and a byte', length(` ${64 * KIB + 1}`, 'x'.repeat(64 * KIB + 1)), 413, CLOSED],
  ['2^32', length(` ${2n ** 32n}`, ''), 413, CLOSED],
  ['2^64', length(` ${2n ** 64n}`, ''), 400, CLOSED],
  ['2^64 and 4', length(` ${2n ** 64n + 4n}`), 400, CLOSED],
  ['a length of a thousand digits', length(` ${'9'.repeat(1000)}`), 400, CLOSED],
  ['a GET whose body is a request', `GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`, 200, OPEN],
  ['a HEAD with a body', `HEAD /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd`, 200, OPEN, { head: true }],
  ['HTTP/1.0 and keep-alive', post('Connection: keep-alive\r\nContent-Length: 4\r\n', 'abcd', 'HTTP/1.0'), 405, OPEN],
  ['Connection: Content-Length', post(`Connection: Content-Length\r\nContent-Length: ${HIDDEN.length}\r\n`, HIDDEN), 405, OPEN],
  ['an unknown upgrade with a body', post(`Upgrade: x\r\nConnection: upgrade\r\nContent-Length: ${HIDDEN.length}\r\n`, HIDDEN), 405, OPEN],
  ['an unknown upgrade of a GET with a body', `GET /healthz HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQ\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`, 200, OPEN],
]

const CODINGS = [
  ['chunked', chunked('0\r\n\r\n'), 405, OPEN],
  ['in capitals', coded(' CHUNKED'), 405, OPEN],
  ['white space around', coded('\tchunked \t'), 405, OPEN],
  ['length, then chunked', post('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\nX'), 400, CLOSED],
  ['chunked, then length', post('Transfer-Encoding: chunked\r\nContent-Length: 6\r\n', '0\r\n\r\nX'), 400, CLOSED],
  ['chunked and a length of 0', post('Transfer-Encoding: chunked\r\nContent-Length: 0\r\n', '0\r\n\r\n'), 400, CLOSED],
  ['identity and a length', post('Transfer-Encoding: identity\r\nContent-Length: 4\r\n', 'abcd'), 400, CLOSED],
  ['an unknown coding and a length', post('Transfer-Encoding: x\r\nContent-Length: 4\r\n', 'abcd'), 400, CLOSED],
  ['HTTP/1.0', post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n', 'HTTP/1.0'), 400, CLOSED],
  // 400 where chunked is not the last coding (RFC 9112, 6.3), 501 where there is another before it.
  ...['', ' ', ' xchunked', ' chunkedx', ' identity', ' gzip', ' chunked, identity', ' chunked, gzip', ' chunked, chunked', ' chunked,', ' chunked;q=1', ' chunked x', ' "chunked"', " 'chunked'", ' [chunked]', ' chunked\xa0', ' \xa0chunked', ' chunk\xe9d', ' cow', ' \x0bchunked', ' chunked\x0b', ' chunked\0', ' \\chunked', ' chunked\x0c']
    .map((v) => [`Transfer-Encoding:${v.replace(/[\0-\x1f]/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`)}`, coded(v), 400, CLOSED]),
  ...[' gzip, chunked', ' identity, chunked', ' x;y="z, w", chunked', ', chunked'].map((v) => [`Transfer-Encoding:${v}`, coded(v), 501, CLOSED]),
  ['two lines', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400, CLOSED],
  ['two lines, the other identity', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n'), 400, CLOSED],
  ['two lines, the last chunked', post('Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400, CLOSED],
  ['two lines in two cases', post('Transfer-Encoding: chunked\r\ntransfer-encoding: cow\r\n', '0\r\n\r\n'), 400, CLOSED],
  ['a space before the colon', post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'), 400, CLOSED],
  ['a folded one', post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'), 400, CLOSED],
  ['behind LF alone', post('X: y\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400, CLOSED],
  ['behind CR alone', post('X: y\rTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400, CLOSED],
  ['an underscore is another field', post('Transfer_Encoding: chunked\r\nContent-Length: 4\r\n', 'abcd'), 405, OPEN],
  ['TE is another field', post('TE: chunked\r\nContent-Length: 4\r\n', 'abcd'), 405, OPEN],
  ['a GET in chunks that hide a request', `GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`, 200, OPEN],
]

const CHUNKS = [
  ['one', '4\r\nabcd\r\n0\r\n\r\n', 405, OPEN],
  ['three', '1\r\na\r\nA\r\n0123456789\r\n2\r\nbc\r\n0\r\n\r\n', 405, OPEN],
  ['sizes in capitals and small letters', 'a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n', 405, OPEN],
  ['leading zeros', '0004\r\nabcd\r\n000\r\n\r\n', 405, OPEN],
  ['an extension', '4;a=b\r\nabcd\r\n0\r\n\r\n', 405, OPEN],
  ['an extension without a value', '4;a\r\nabcd\r\n0;b\r\n\r\n', 405, OPEN],
  ['an extension in quotes', '4;a="b;c"\r\nabcd\r\n0\r\n\r\n', 405, OPEN],
  ['a trailer', '0\r\nX: y\r\n\r\n', 405, OPEN],
  ['a trailer that would be a length', '0\r\nContent-Length: 100\r\n\r\n', 405, OPEN],
  ['a trailer that would be a coding', '0\r\nTransfer-Encoding: chunked\r\n\r\n', 405, OPEN],
  ['a trailer that would be a Host', '0\r\nHost: evil\r\nConnection: close\r\n\r\n', 405, OPEN],
  ['no size', '\r\nabcd\r\n0\r\n\r\n', 400, CLOSED],
  ['an extension without a size', ';a=b\r\nabcd\r\n0\r\n\r\n', 400, CLOSED],
  ...['x', '-1', '+4', '0x4', '4h', '4 4', '4.', '4,', ' 4', '\t4', '4\x00', '4 ', '4\t', '4 ;a', '0 ', '４'].map((v) => [`the size ${JSON.stringify(v)}`, `${Buffer.from(v).toString('latin1')}\r\nabcd\r\n0\r\n\r\n`, 400, CLOSED]),
  ['a size of 16 digits', 'ffffffffffffffff\r\nabcd\r\n', 413, CLOSED],
  ['a size of 17 digits', '10000000000000004\r\nabcd\r\n0\r\n\r\n', 400, CLOSED],
  ['a size of 17 digits, all but one zeros', '00000000000000004\r\nabcd\r\n0\r\n\r\n', 405, OPEN],
  ['a longer chunk than its size', '3\r\nabcd\r\n0\r\n\r\n', 400, CLOSED],
  ['a shorter chunk than its size', '5\r\nabcd\r\n0\r\n\r\n', 400, CLOSED],
  ['LF alone behind the size', '4\nabcd\r\n0\r\n\r\n', 400, CLOSED],
  ['CR alone behind the size', '4\rabcd\r\n0\r\n\r\n', 400, CLOSED],
  ['LF alone behind the chunk', '4\r\nabcd\n0\r\n\r\n', 400, CLOSED],
  ['CR alone behind the chunk', '4\r\nabcd\r0\r\n\r\n', 400, CLOSED],
  ['LF alone behind an extension', '4;a\nabcd\r\n0\r\n\r\n', 400, CLOSED],
  ['CR alone in an extension', '4;a\rb\r\nabcd\r\n0\r\n\r\n', 400, CLOSED],
  ['a NUL in an extension', '4;a\0b\r\nabcd\r\n0\r\n\r\n', 400, CLOSED],
  ['LF alone behind the last size', '0\n\r\n', 400, CLOSED],
  ['LF alone at the end', '0\r\n\n', 400, CLOSED],
  ['LF alone behind a trailer', '0\r\nX: y\n\r\n', 400, CLOSED],
  ['a folded trailer', '0\r\nX: y\r\n z\r\n\r\n', 400, CLOSED],
  ['a trailer with a space before its colon', '0\r\nX : y\r\n\r\n', 400, CLOSED],
  ['a trailer without a colon', '0\r\nnonsense\r\n\r\n', 400, CLOSED],
  ['a trailer without a name', '0\r\n: y\r\n\r\n', 400, CLOSED],
  ['a trailer with a NUL', '0\r\nX: y\0z\r\n\r\n', 400, CLOSED],
  ['a trailer with CR alone', '0\r\nX: y\rz\r\n\r\n', 400, CLOSED],
  ['no empty line behind the last chunk', '0\r\n', 400, CLOSED],
  ['64 KiB', `8000\r\n${'x'.repeat(32 * KIB)}\r\n8000\r\n${'x'.repeat(32 * KIB)}\r\n0\r\n\r\n`, 405, OPEN],
  ['64 KiB and a byte', `8000\r\n${'x'.repeat(32 * KIB)}\r\n8001\r\n${'x'.repeat(32 * KIB + 1)}\r\n0\r\n\r\n`, 413, CLOSED],
  ['64 KiB in chunks of one byte', `${'1\r\nx\r\n'.repeat(64 * KIB)}0\r\n\r\n`, 405, OPEN],
  ['an extension without end', `4;${'a'.repeat(600 * KIB)}`, 413, CLOSED],
  ['extensions without end', '1;a=b\r\nx\r\n'.repeat(60 * KIB) , 413, CLOSED],
  ['a trailer without end', `0\r\nX: ${'y'.repeat(20 * KIB)}`, 431, CLOSED],
  ['trailers without end', `0\r\n${'X: y\r\n'.repeat(4 * KIB)}`, 431, CLOSED],
].map(([what, body, status, then]) => [what, chunked(body), status, then])

const EXPECTATIONS = [
  ['100-continue without a body', post('Expect: 100-continue\r\n'), 405, OPEN],
  ['100-continue in HTTP/1.0', post('Expect: 100-continue\r\nContent-Length: 4\r\n', 'abcd', 'HTTP/1.0'), 405, CLOSED],
  ['an unknown one', post('Expect: 200-maybe\r\nContent-Length: 4\r\n', 'abcd'), 417, CLOSED],
  ['two of them', post('Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 4\r\n', 'abcd'), 417, CLOSED],
]

export function bodyCases() {
  return [...rows('H.11', LENGTHS), ...rows('H.12', CODINGS), ...rows('H.13', CHUNKS), ...rows('H.14', EXPECTATIONS)]
}
