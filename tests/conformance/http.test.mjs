// RFC 9112 and RFC 9110 case by case: shapes that servers are known to read in different ways, each
// with the one status that this server gives, and whether the connection stays open.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpPeer } from '../protocol/lib/http.mjs'
import { handshake } from '../protocol/lib/peer.mjs'
import { Server, sharedServer } from '../protocol/lib/server.mjs'

const server = sharedServer()
const HOST = 'Host: x\r\n'
const get = (target, more = '', version = 'HTTP/1.1') => `GET ${target} ${version}\r\n${HOST}${more}\r\n`
const post = (more, body = '') => `POST /healthz HTTP/1.1\r\n${HOST}${more}\r\n${body}`
const NEXT = get('/healthz')

/** Send it and a good request behind it: the status, and whether that one was answered as well. */
async function judge(bytes, s = server) {
  const peer = new HttpPeer(s).write(bytes + NEXT)
  try {
    const { status } = await peer.response()
    const next = await peer.response().then((r) => r.status, () => null)
    if (next === null) {
      await peer.closed()
      assert.equal(peer.held.length, 0, 'nothing comes behind the refusal')
    }
    return [status, next === 200]
  } finally {
    peer.destroy()
  }
}

const OPEN = true, CLOSED = false
const CASES = {
  'request line': [
    ['HTTP/1.1', get('/healthz'), 200, OPEN],
    ['HTTP/1.0', get('/healthz', '', 'HTTP/1.0'), 200, CLOSED],
    ['HTTP/1.0 with keep-alive', get('/healthz', 'Connection: keep-alive\r\n', 'HTTP/1.0'), 200, OPEN],
    ['HTTP/1.0 without Host', 'GET /healthz HTTP/1.0\r\n\r\n', 200, CLOSED],
    ['HTTP/0.9', 'GET /healthz\r\n\r\n', 400, CLOSED],
    ['HTTP/2.0', get('/', '', 'HTTP/2.0'), 505, CLOSED],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, CLOSED],
    ['HTTP/1.2', get('/', '', 'HTTP/1.2'), 505, CLOSED],
    ['HTTP/0.9 by name', get('/', '', 'HTTP/0.9'), 505, CLOSED],
    ['one word', 'nonsense\r\n\r\n', 400, CLOSED],
    ['HTTP/11', get('/', '', 'HTTP/11'), 400, CLOSED],
    ['http/1.1', get('/', '', 'http/1.1'), 400, CLOSED],
    ['HTTP/1.1 and a space', get('/', '', 'HTTP/1.1 '), 400, CLOSED],
    ['two spaces', 'GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n', 400, CLOSED],
    ['a tab for a space', 'GET\t/healthz HTTP/1.1\r\nHost: x\r\n\r\n', 400, CLOSED],
    ['a space before the method', ' GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n', 400, CLOSED],
    ['a method in small letters', 'get / HTTP/1.1\r\nHost: x\r\n\r\n', 501, CLOSED],
    ['an unknown method', 'FROB / HTTP/1.1\r\nHost: x\r\n\r\n', 501, CLOSED],
    ['an empty line before', '\r\n' + get('/healthz'), 200, OPEN],
    ['the request line ends with LF alone', 'GET /healthz HTTP/1.1\nHost: x\r\n\r\n', 400, CLOSED],
    ['a TLS client hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400, CLOSED],
  ],
  target: [
    ['absolute', get('http://x/healthz'), 200, OPEN],
    ['absolute, of another host than Host', get('http://y/healthz'), 200, OPEN],
    ['absolute without a path', get('http://x'), 200, OPEN],
    ['authority with GET', get('x:80'), 400, CLOSED],
    ['CONNECT', 'CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n', 501, CLOSED],
    ['asterisk with GET', get('*'), 400, CLOSED],
    ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', 405, OPEN],
    ['without a slash', get('nothing'), 400, CLOSED],
    ['a space in it', get('/a b'), 400, CLOSED],
    ['a control in it', get('/\x01'), 400, CLOSED],
    ['a fragment', get('/healthz#x'), 400, CLOSED],
    ['a backslash', get('/\\..\\..\\etc\\passwd'), 404, OPEN],
  ],
  'path traversal': [
    // Whoever means well has resolved what goes upwards (RFC 3986, 5.2.4) before it is sent.
    ...['/../../etc/passwd', '/..%2f..%2fetc%2fpasswd', '/%2e%2e/%2e%2e/etc/passwd', '/%2e%2e%2f%2e%2e%2fetc%2fpasswd', '/assets/../../etc/passwd',
      '/.%2e/etc/passwd', '/assets/%2e%2e/index.html', '/./healthz', '/r/..', '/r/%2e%2e'].map((path) => [path, get(path), 400, CLOSED]),
    ...['/%252e%252e%252fetc%252fpasswd', '/..%5c..%5cetc%5cpasswd', '//etc/passwd', '/...', '/etc/passwd'].map((path) => [path, get(path), 404, OPEN]),
  ],
  'path encodings': [
    ['an overlong slash', get('/..%c0%af..%c0%afetc/passwd'), 400, CLOSED],
    ['an overlong dot', get('/%c0%ae%c0%ae/etc/passwd'), 400, CLOSED],
    ['a NUL', get('/index.html%00.png'), 400, CLOSED],
    ['a CR and LF', get('/%0d%0aSet-Cookie:x'), 400, CLOSED],
    ['half a percent sign', get('/%2'), 400, CLOSED],
    ['a percent sign without digits', get('/%zz'), 400, CLOSED],
    ['a full-width dot', get('/%ef%bc%8e%ef%bc%8e/etc/passwd'), 404, OPEN],
  ],
  fields: [
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400, CLOSED],
    ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 400, CLOSED],
    ['two Hosts', get('/', HOST), 400, CLOSED],
    ['two Hosts that differ', get('/', 'host: y\r\n'), 400, CLOSED],
    ['a list in Host', 'GET / HTTP/1.1\r\nHost: x, y\r\n\r\n', 400, CLOSED],
    ['a path in Host', 'GET / HTTP/1.1\r\nHost: x/y\r\n\r\n', 400, CLOSED],
    ['a user in Host', 'GET / HTTP/1.1\r\nHost: a@x\r\n\r\n', 400, CLOSED],
    ['LF alone behind a field', 'GET / HTTP/1.1\r\nHost: x\n\r\n', 400, CLOSED],
    ['LF alone at the end', 'GET / HTTP/1.1\r\nHost: x\r\n\n', 400, CLOSED],
    ['CR alone', 'GET / HTTP/1.1\rHost: x\r\n\r\n', 400, CLOSED],
    ['obs-fold', get('/', 'X: a\r\n b\r\n'), 400, CLOSED],
    ['obs-fold by a tab', get('/', 'X: a\r\n\tb\r\n'), 400, CLOSED],
    ['a folded first field', 'GET / HTTP/1.1\r\n Host: x\r\n\r\n', 400, CLOSED],
    ['obs-fold of Transfer-Encoding', post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'), 400, CLOSED],
    ['a space before the colon', get('/', 'X : a\r\n'), 400, CLOSED],
    ['a space in the name', get('/', 'X Y: a\r\n'), 400, CLOSED],
    ['a field without a colon', get('/', 'nonsense\r\n'), 400, CLOSED],
    ['an empty name', get('/', ': y\r\n'), 400, CLOSED],
    ['CR alone in the value', get('/', 'X: a\rb\r\n'), 400, CLOSED],
    ['a name in brackets', get('/', '[X]: a\r\n'), 400, CLOSED],
    ['a name that is no ASCII', get('/', 'X\xe9: a\r\n'), 400, CLOSED],
    ['a control in the value', get('/', 'X: a\x01b\r\n'), 400, CLOSED],
    ['a NUL in the value', get('/', 'X: a\x00b\r\n'), 400, CLOSED],
    ['a tab around the value', get('/healthz', 'X:\ta\t\r\n'), 200, OPEN],
    ['an empty value', get('/healthz', 'X:\r\n'), 200, OPEN],
    ['obs-text in the value', get('/healthz', 'X: \xe9\r\n'), 200, OPEN],
  ],
  'bodies and smuggling': [
    // 400 where chunked is not the last coding (RFC 9112, 6.3), 501 where there is another before it.
    ['length and chunked', post('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\nX'), 400, CLOSED],
    ['chunked and length', post('Transfer-Encoding: chunked\r\nContent-Length: 6\r\n', '0\r\n\r\nX'), 400, CLOSED],
    ['two lengths', post('Content-Length: 4\r\nContent-Length: 4\r\n', 'abcd'), 400, CLOSED],
    ['two lengths that differ', post('Content-Length: 4\r\nContent-Length: 5\r\n', 'abcde'), 400, CLOSED],
    ['an empty length', post('Content-Length:\r\n'), 400, CLOSED],
    ['a negative length', post('Content-Length: -1\r\n'), 400, CLOSED],
    ['a list of lengths', post('Content-Length: 4, 4\r\n', 'abcd'), 400, CLOSED],
    ['a length with a space in it', post('Content-Length: 1 0\r\n', 'abcd'), 400, CLOSED],
    ['a length with a plus', post('Content-Length: +4\r\n', 'abcd'), 400, CLOSED],
    ['a length in hexadecimal', post('Content-Length: 0x4\r\n', 'abcd'), 400, CLOSED],
    ['a length with a leading zero', post('Content-Length: 04\r\n', 'abcd'), 405, OPEN],
    ['chunked in capitals', post('Transfer-Encoding: Chunked\r\n', '0\r\n\r\n'), 405, OPEN],
    ['chunked with a tab', post('Transfer-Encoding:\tchunked\r\n', '0\r\n\r\n'), 405, OPEN],
    ['chunked with a vertical tab', post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'), 400, CLOSED],
    ['chunked in quotes', post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n'), 400, CLOSED],
    ['xchunked', post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'), 400, CLOSED],
    ['identity', post('Transfer-Encoding: identity\r\n', ''), 400, CLOSED],
    ['gzip, chunked', post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'), 501, CLOSED],
    ['chunked, chunked', post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'), 400, CLOSED],
    ['chunked, identity', post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'), 400, CLOSED],
    ['chunked with a space before the colon', post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'), 400, CLOSED],
    ['chunked twice', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400, CLOSED],
    ['chunked and HTTP/1.0', `POST /healthz HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400, CLOSED],
    ['a chunk', post('Transfer-Encoding: chunked\r\n', '4\r\nabcd\r\n0\r\n\r\n'), 405, OPEN],
    ['a chunk with an extension', post('Transfer-Encoding: chunked\r\n', '4;a=b\r\nabcd\r\n0\r\n\r\n'), 405, OPEN],
    ['a trailer', post('Transfer-Encoding: chunked\r\n', '0\r\nX: y\r\n\r\n'), 405, OPEN],
    ['a chunk size that is none', post('Transfer-Encoding: chunked\r\n', 'x\r\n\r\n'), 400, CLOSED],
    ['a negative chunk size', post('Transfer-Encoding: chunked\r\n', '-1\r\n\r\n'), 400, CLOSED],
    ['a chunk size with 0x', post('Transfer-Encoding: chunked\r\n', '0x4\r\nabcd\r\n'), 400, CLOSED],
    ['a chunk size beyond 64 bits', post('Transfer-Encoding: chunked\r\n', '10000000000000000\r\n'), 400, CLOSED],
    ['a chunk that is longer than its size', post('Transfer-Encoding: chunked\r\n', '3\r\nabcd\r\n0\r\n\r\n'), 400, CLOSED],
    ['a chunk ended by LF alone', post('Transfer-Encoding: chunked\r\n', '4\nabcd\r\n0\r\n\r\n'), 400, CLOSED],
    ['GET with a body', `GET /healthz HTTP/1.1\r\n${HOST}Content-Length: ${NEXT.length}\r\n\r\n${NEXT}`, 200, OPEN],
    ['an unknown expectation', post('Expect: 200-maybe\r\nContent-Length: 0\r\n'), 417, CLOSED],
  ],
}

for (const [group, cases] of Object.entries(CASES)) {
  for (const [name, bytes, status, open] of cases) {
    test(`${group}: ${name}`, async () => assert.deepEqual(await judge(bytes), [status, open]))
  }
}

test('an upgrade may be cut at every byte', async () => {
  const request = Buffer.from(handshake(`${server.host}:${server.port}`, 'dGhlIHNhbXBsZSBub25jZQ=='))
  for (let at = 1; at < request.length; at++) {
    const peer = new HttpPeer(server)
    await new Promise((resolve) => peer.socket.write(request.subarray(0, at), resolve))
    peer.socket.write(request.subarray(at))
    assert.equal((await peer.response()).status, 101, `cut at ${at}`)
    peer.destroy()
  }
})

test('a body of another request is not read as one, wherever the bytes are cut', async () => {
  const hidden = 'GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n'
  const bytes = Buffer.from(`GET /healthz HTTP/1.1\r\n${HOST}Content-Length: ${hidden.length}\r\n\r\n${hidden}${NEXT}`)
  for (let at = 1; at < bytes.length; at += 3) {
    const peer = new HttpPeer(server)
    await new Promise((resolve) => peer.socket.write(bytes.subarray(0, at), resolve))
    peer.socket.write(bytes.subarray(at))
    assert.deepEqual([(await peer.response()).status, (await peer.response()).status], [200, 200], `cut at ${at}`)
    assert.equal(peer.held.length, 0)
    peer.destroy()
  }
})

test('who sends a byte now and then gets 408 in the end, and others are served meanwhile', async (t) => {
  const s = await Server.start(t, { args: ['--request-timeout-ms', '600'] })
  const slow = new HttpPeer(s)
  let i = 0
  const bytes = get('/healthz', `X: ${'y'.repeat(1000)}\r\n`)
  const timer = setInterval(() => slow.socket.writable && slow.write(bytes[i++]), 50)
  const answer = slow.response()
  assert.deepEqual(await judge(get('/healthz'), s), [200, OPEN])
  assert.equal((await answer).status, 408)
  clearInterval(timer)
  await slow.closed().catch(() => undefined)
  slow.destroy()
})
