// The upgrade (RFC 6455, 4.2.1 and 9.1): fields that must be there, lists, versions, keys, extensions.
import { CLOSED, OPEN, WEBSOCKET } from '../lib/http.mjs'

const rows = (stem, list) => list.map(([what, bytes, status, then, more], i) => ({ id: `${stem}.${i + 1}`, what, bytes, status, then, ...more }))
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const FIELDS = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Key': KEY, 'Sec-WebSocket-Version': '13' }

/** A field given as a list comes in as many lines; undefined leaves it out. */
function upgrade(fields = {}, { line = 'GET /ws HTTP/1.1', body = '' } = {}) {
  const all = Object.entries({ ...FIELDS, ...fields }).filter(([, v]) => v !== undefined)
  const lines = all.flatMap(([name, v]) => [v].flat().map((one) => `${name}: ${one}\r\n`))
  return `${line}\r\nHost: x\r\n${lines.join('')}\r\n${body}`
}

const good = { has: { 'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', upgrade: 'websocket', connection: 'Upgrade' } }
const wrongVersion = { has: { 'sec-websocket-version': '13', upgrade: 'websocket', connection: 'Upgrade' } }

const LISTS = [
  ...['websocket', 'WebSocket', 'WEBSOCKET', 'h2c, websocket', 'websocket,h2c', ',websocket,', '\twebsocket ', ['h2c', 'websocket']].map((v) => [`Upgrade: ${v}`, upgrade({ Upgrade: v }), 101, WEBSOCKET, good]),
  ...['h2c', 'websocketx', 'xwebsocket', 'web socket', 'websocket/13', '"websocket"', '', undefined].map((v) => [`Upgrade: ${v}`, upgrade({ Upgrade: v }), 426, OPEN, wrongVersion]),
  ...['Upgrade', 'upgrade', 'UPGRADE', 'keep-alive, Upgrade', 'Upgrade,keep-alive', 'keep-alive\t,\tUpgrade', ', Upgrade ,', ['keep-alive', 'Upgrade']].map((v) => [`Connection: ${v}`, upgrade({ Connection: v }), 101, WEBSOCKET, good]),
  ...['keep-alive', 'Upgraded', 'x-upgrade', '"Upgrade"', 'Up grade', 'keep-alive; Upgrade', '', undefined].map((v) => [`Connection: ${v}`, upgrade({ Connection: v }), 400, OPEN]),
  ['Connection: close', upgrade({ Connection: 'close' }), 400, CLOSED],
]

const VERSIONS = [
  ['13 with white space around', upgrade({ 'Sec-WebSocket-Version': '\t13 ' }), 101, WEBSOCKET, good],
  ...['0', '7', '8', '12', '14', '130', '013', '13.0', '+13', '1 3', '13, 8', '8, 13', 'x', '', undefined].map((v) => [`version ${v}`, upgrade({ 'Sec-WebSocket-Version': v }), 426, OPEN, wrongVersion]),
  ['two versions', upgrade({ 'Sec-WebSocket-Version': ['13', '8'] }), 400, CLOSED],
  ['13 twice', upgrade({ 'Sec-WebSocket-Version': ['13', '13'] }), 400, CLOSED],
]

const KEYS = [
  ['16 bytes', upgrade(), 101, WEBSOCKET, good],
  ['16 bytes of zero', upgrade({ 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==' }), 101, WEBSOCKET],
  ['every kind of character', upgrade({ 'Sec-WebSocket-Key': 'azAZ09+/azAZ09+/azAZ0w==' }), 101, WEBSOCKET],
  ['white space around', upgrade({ 'Sec-WebSocket-Key': `\t${KEY} ` }), 101, WEBSOCKET, good],
  ...[undefined, '', 'x', 'dGhlIHNhbXBsZSBub25jZQ', 'dGhlIHNhbXBsZSBub25jZQ=', 'dGhlIHNhbXBsZSBub25jZQ===', 'dGhlIHNhbXBsZSBub25jZR==', 'dGhlIHNhbXBsZSBub25j', 'dGhlIHNhbXBsZSBub25jZQ=A', 'AAAAAAAAAAAAAAAAAAAAAAA=',
    'dGhlIHNhbXBsZSBub25jZ-==', 'dGhlIHNhbXBs ZSBub25jQ==', '=GhlIHNhbXBsZSBub25jZQ==', `${KEY},${KEY}`, `"${KEY}"`, 'A'.repeat(1000), '\xe9GhlIHNhbXBsZSBub25jQ==']
    .map((v) => [`key ${String(v).slice(0, 30)}`, upgrade({ 'Sec-WebSocket-Key': v }), 400, OPEN]),
  ['two keys', upgrade({ 'Sec-WebSocket-Key': [KEY, KEY] }), 400, CLOSED],
]

const AGREED = { has: { 'sec-websocket-extensions': 'permessage-deflate; server_no_context_takeover; client_no_context_takeover' } }
const DECLINED = { lacks: ['sec-websocket-extensions'] }
const offer = (v) => upgrade({ 'Sec-WebSocket-Extensions': v })
const EXTENSIONS = [
  ...['permessage-deflate', 'PERMESSAGE-DEFLATE', ' permessage-deflate ', 'x, permessage-deflate', ['x', 'permessage-deflate'], 'x;y="a", permessage-deflate', ',permessage-deflate,', 'permessage-deflate ; client_max_window_bits',
    'permessage-deflate;client_max_window_bits="10"', 'permessage-deflate; x, permessage-deflate', 'permessage-deflate; client_max_window_bits = 9'].map((v) => [`agreed: ${v}`, offer(v), 101, WEBSOCKET, AGREED]),
  ...['x', 'x-webkit-deflate-frame', 'permessage-deflatex', 'permessage-bzip2', 'permessage-deflate; x', 'permessage-deflate; x=y', 'permessage-deflate; server_max_window_bits', 'permessage-deflate; server_max_window_bits=7',
    'permessage-deflate; server_max_window_bits=16', 'permessage-deflate; server_max_window_bits=010', 'permessage-deflate; client_max_window_bits=7', 'permessage-deflate; client_max_window_bits=16', 'permessage-deflate; client_max_window_bits=x',
    'permessage-deflate; server_no_context_takeover=1', 'permessage-deflate; client_no_context_takeover=true', 'permessage-deflate; client_max_window_bits; client_max_window_bits', 'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
    'permessage-deflate; server_max_window_bits=9; server_max_window_bits=9'].map((v) => [`declined: ${v}`, offer(v), 101, WEBSOCKET, DECLINED]),
  // What is no list of extensions at all fails the handshake (RFC 6455, 9.1).
  ...['', ',', ', ,', ';', '=', 'permessage-deflate;', 'permessage-deflate;;client_max_window_bits', 'permessage-deflate; =10', 'permessage-deflate; client_max_window_bits=', 'permessage-deflate client_max_window_bits',
    'permessage-deflate; client_max_window_bits="10', 'permessage-deflate; client_max_window_bits=""', 'permessage-deflate; client_max_window_bits="1 0"', 'permessage-deflate; client_max_window_bits=10 11', 'permessage-deflate; client_max_window_bits=1=0', '"permessage-deflate"', 'permessage/deflate',
    'permessage-deflate; (x)', 'permessage-deflate, ;', 'x;y="a, b", permessage-deflate', 'permessage-d\xe9flate', 'x; y="a\\'].map((v) => [`malformed: ${v}`, offer(v), 400, OPEN]),
  ['a hundred offers', offer(Array(100).fill('x; y=z').join(', ') + ', permessage-deflate'), 101, WEBSOCKET, AGREED],
]

const REQUESTS = [
  ['HTTP/1.0', upgrade({}, { line: 'GET /ws HTTP/1.0' }), 400, CLOSED],
  ['an absolute target', upgrade({}, { line: 'GET http://x/ws HTTP/1.1' }), 101, WEBSOCKET, good],
  ['a query', upgrade({}, { line: 'GET /ws?x=y HTTP/1.1' }), 101, WEBSOCKET, good],
  ...['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'].map((m) => [m, upgrade({}, { line: `${m} /ws HTTP/1.1` }), 405, OPEN, { has: { allow: 'GET' } }]),
  ['HEAD', upgrade({}, { line: 'HEAD /ws HTTP/1.1' }), 405, OPEN, { head: true }],
  ['a body', upgrade({ 'Content-Length': '4' }, { body: 'abcd' }), 400, OPEN],
  ['a body of no bytes', upgrade({ 'Content-Length': '0' }), 101, WEBSOCKET, good],
  ['a body in chunks', upgrade({ 'Transfer-Encoding': 'chunked' }, { body: '4\r\nabcd\r\n0\r\n\r\n' }), 400, OPEN],
  ['an empty body in chunks', upgrade({ 'Transfer-Encoding': 'chunked' }, { body: '0\r\n\r\n' }), 400, OPEN],
  ['another path', upgrade({}, { line: 'GET /healthz HTTP/1.1' }), 200, OPEN],
  ['a path that does not exist', upgrade({}, { line: 'GET /ws/ HTTP/1.1' }), 404, OPEN],
  ['a foreign Origin', upgrade({ Origin: 'http://evil.example' }), 403, OPEN],
  ['two Origins', upgrade({ Origin: ['http://x', 'http://evil.example'] }), 400, CLOSED],
  ['an HTTP request alone', 'GET /ws HTTP/1.1\r\nHost: x\r\n\r\n', 426, OPEN, wrongVersion],
]

export function upgradeCases() {
  return [...rows('H.15', LISTS), ...rows('H.16', VERSIONS), ...rows('H.17', KEYS), ...rows('H.18', EXTENSIONS), ...rows('H.19', REQUESTS)]
}
