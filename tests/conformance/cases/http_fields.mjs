// Header fields: names, values, lines, Host (RFC 9112, 3.2 and 5), and how much of them is taken.
import { CLOSED, OPEN } from '../lib/http.mjs'

const with_ = (fields, path = '/healthz') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`
const host = (value) => `GET /healthz HTTP/1.1\r\nHost:${value}\r\n\r\n`
const rows = (stem, list) => list.map(([what, bytes, status, then, more], i) => ({ id: `${stem}.${i + 1}`, what, bytes, status, then, ...more }))
const code = (c) => `0x${c.toString(16).padStart(2, '0')}`
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

const HOSTS = [
  ...[' x', 'x', '\tx\t', ' x:8080', ' x:', ' chat.example', ' 127.0.0.1:80', ' [::1]', ' [::1]:8080', ' x_y', ' xn--e1afmkfd', ' a%20b', " a!$&'()*+,;=b"].map((v) => [`Host:${v}`, host(v), 200, OPEN]),
  ...['', ' ', ' x, y', ' x y', ' x/y', ' a@x', ' x:8o', ' x:80:80', ' x:-1', ' http://x', ' x?y', ' x#y', ' x\\y', ' [::1', ' ::1', ' [::1]x', ' []', ' [x]', ' %zz', ' x%2', ' \xe9', ' "x"', ' :80', ' x;y z']
    .map((v) => [`Host:${v}`, host(v), 400, CLOSED]),
  ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n', 400, CLOSED],
  ['two Hosts alike', with_('Host: x\r\n'), 400, CLOSED],
  ['two Hosts that differ, in another case', with_('hOST: y\r\n'), 400, CLOSED],
  ['two Hosts in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n', 400, CLOSED],
  ['a Host with a space before its colon', 'GET / HTTP/1.1\r\nHost : x\r\n\r\n', 400, CLOSED],
  ['a folded Host', 'GET / HTTP/1.1\r\nHost:\r\n x\r\n\r\n', 400, CLOSED],
]

const LINES = [
  ['LF alone behind a field', 'GET / HTTP/1.1\r\nHost: x\n\r\n', 400, CLOSED],
  ['LF alone at the end', 'GET / HTTP/1.1\r\nHost: x\r\n\n', 400, CLOSED],
  ['two LF alone at the end', 'GET / HTTP/1.1\r\nHost: x\n\n', 400, CLOSED],
  ['CR alone behind a field', 'GET / HTTP/1.1\r\nHost: x\rX: y\r\n\r\n', 400, CLOSED],
  ['CR CR LF behind a field', with_('X: y\r\r\n'), 400, CLOSED],
  ['CR CR LF at the end', 'GET / HTTP/1.1\r\nHost: x\r\n\r\r\n', 400, CLOSED],
  ['obs-fold by a space', with_('X: a\r\n b\r\n'), 400, CLOSED],
  ['obs-fold by a tab', with_('X: a\r\n\tb\r\n'), 400, CLOSED],
  ['obs-fold of white space alone', with_('X: a\r\n \r\n'), 400, CLOSED],
  ['obs-fold in the first field', 'GET / HTTP/1.1\r\n Host: x\r\n\r\n', 400, CLOSED],
  ['a line without a colon', with_('nonsense\r\n'), 400, CLOSED],
  ['a request line for a field', with_('GET / HTTP/1.1\r\n'), 400, CLOSED],
  ['no name', with_(': y\r\n'), 400, CLOSED],
  ['a colon alone', with_(':\r\n'), 400, CLOSED],
  ['an empty value', with_('X:\r\n'), 200, OPEN],
  ['a value of white space', with_('X: \t \r\n'), 200, OPEN],
  ['no white space before the value', with_('X:y\r\n'), 200, OPEN],
  ['tabs around the value', with_('X:\ty\t\r\n'), 200, OPEN],
  ['colons in the value', with_('X: a:b::c\r\n'), 200, OPEN],
  ['bytes above ASCII in the value', with_('X: \xe9\xff\r\n'), 200, OPEN],
  ['every character that a name may have', with_("!#$%&'*+-.^_`|~09azAZ: y\r\n"), 200, OPEN],
  ['the same name a hundred times less two', with_('X: y\r\n'.repeat(98)), 200, OPEN],
]

const KIB = 1024
const pad = (n) => `X: ${'y'.repeat(n - 5)}\r\n` // a line of n bytes
const BOUNDS = [
  ['a target of 8 KiB', with_('', `/${'a'.repeat(8 * KIB - 1)}`), 404, OPEN],
  ['a target of a byte more', with_('', `/${'a'.repeat(8 * KIB)}`), 414, CLOSED],
  ['a target without end', `GET /${'a'.repeat(20 * KIB)}`, 414, CLOSED],
  ['a method without end', 'M'.repeat(20 * KIB), 400, CLOSED],
  ['a version without end', `GET / ${'H'.repeat(20 * KIB)}`, 414, CLOSED],
  ['a header of 16 KiB', with_(pad(16 * KIB - 9)), 200, OPEN],
  ['a header of a byte more', with_(pad(16 * KIB - 8)), 431, CLOSED],
  ['a name without end', `GET / HTTP/1.1\r\nHost: x\r\n${'n'.repeat(20 * KIB)}`, 431, CLOSED],
  ['a value without end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'v'.repeat(20 * KIB)}`, 431, CLOSED],
  ['100 fields', with_('X: y\r\n'.repeat(99)), 200, OPEN],
  ['101 fields', with_('X: y\r\n'.repeat(100)), 431, CLOSED],
  ['fields without end', `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(5000)}`, 431, CLOSED],
  ['empty lines without end', '\r\n'.repeat(10000), 400, CLOSED],
]

/** Tab is white space there; CR and LF have cases of their own above. */
const CONTROLS = [...range(0x00, 0x08), 0x0b, 0x0c, ...range(0x0e, 0x1f), 0x7f]
const NOT_IN_NAMES = [...[...'()<>@,;\\"/[]?={} \t'].map((c) => c.charCodeAt(0)), ...CONTROLS, 0x80, 0xa0, 0xff]

export function fieldCases() {
  return [
    ...rows('H.6', HOSTS),
    ...rows('H.7', LINES),
    ...rows('H.8', NOT_IN_NAMES.map((c) => [`${code(c)} in a name`, with_(`X${String.fromCharCode(c)}Y: z\r\n`), 400, CLOSED])),
    ...rows('H.9', CONTROLS.map((c) => [`${code(c)} in a value`, with_(`X: y${String.fromCharCode(c)}z\r\n`), 400, CLOSED])),
    ...rows('H.10', BOUNDS),
  ]
}
