// HTTP's edges: bounds, bad requests, pipelining, smuggling.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpPeer, exchange } from './lib/http.mjs'
import { Server, sharedServer } from './lib/server.mjs'

const server = sharedServer()
const OK = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
const req = (...lines) => lines.join('\r\n') + '\r\n\r\n'

/** The first response, and that the connection is closed without a second one behind it. */
async function refused(bytes, said, s = server) {
  const peer = new HttpPeer(s).write(bytes)
  const r = await peer.response()
  await peer.closed().catch((err) => assert.fail(`${said} got ${r.head}: ${err.message}`))
  assert.equal(peer.held.length, 0, `${said}: something came behind the refusal`)
  peer.destroy()
  return r.status
}

test('what is no good request gets its status, and the connection ends', async () => {
  const table = [
    ['no Host', req('GET / HTTP/1.1'), [400]],
    ['two Hosts', req('GET / HTTP/1.1', 'Host: x', 'Host: x'), [400]],
    ['two Hosts that differ', req('GET / HTTP/1.1', 'Host: x', 'host: y'), [400]],
    ['garbage', 'nonsense\r\n\r\n', [400]],
    ['binary', '\x16\x03\x01\x02\x00\x01\x00', [400]],
    ['no version', req('GET /', 'Host: x'), [400, 505]],
    ['HTTP/2.0', req('GET / HTTP/2.0', 'Host: x'), [400, 505]],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 405, 501, 505]],
    ['HTTP/1.2', req('GET / HTTP/1.2', 'Host: x'), [400, 505]],
    ['HTTP/0.9', req('GET / HTTP/0.9', 'Host: x'), [400, 505]],
    ['an unknown method', req('FROB / HTTP/1.1', 'Host: x'), [400, 405, 501]],
    ['a small method', req('get / HTTP/1.1', 'Host: x'), [400, 405, 501]],
    ['obs-fold', req('GET / HTTP/1.1', 'Host: x', 'X-Fold: a', '\tb'), [400]],
    ['obs-fold by a space', req('GET / HTTP/1.1', 'Host: x', 'X-Fold: a', ' b'), [400]],
    ['a folded first field', req('GET / HTTP/1.1', ' Host: x'), [400]],
    ['a space before the colon', req('GET / HTTP/1.1', 'Host : x'), [400]],
    ['a field without a colon', req('GET / HTTP/1.1', 'Host: x', 'nonsense'), [400]],
    ['an empty field name', req('GET / HTTP/1.1', 'Host: x', ': y'), [400]],
    ['a NUL in a field', req('GET / HTTP/1.1', 'Host: x', 'X: a\0b'), [400]],
    ['a bare CR in a field', req('GET / HTTP/1.1', 'Host: x', 'X: a\rb'), [400]],
    ['a control in the target', req('GET /\x01 HTTP/1.1', 'Host: x'), [400]],
    ['a space in the target', req('GET /a b HTTP/1.1', 'Host: x'), [400, 505]],
    ['an empty target', req('GET  HTTP/1.1', 'Host: x'), [400]],
    ['a target without a slash', req('GET nothing HTTP/1.1', 'Host: x'), [400, 404]],
    ['a broken percent sign', req('GET /%zz HTTP/1.1', 'Host: x', 'Connection: close'), [400, 404]],
    ['an overlong target in UTF-8', req('GET /%c0%af HTTP/1.1', 'Host: x', 'Connection: close'), [400, 404]],
  ]
  for (const [name, bytes, statuses] of table) {
    const status = await refused(bytes, name)
    assert.ok(statuses.includes(status), `${name} got ${status}`)
  }
})

test('what two servers could read in two ways is refused', async () => {
  const table = [
    ['length and chunked', req('POST / HTTP/1.1', 'Host: x', 'Content-Length: 4', 'Transfer-Encoding: chunked') + '0\r\n\r\n'],
    ['chunked and length', req('POST / HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked', 'Content-Length: 4') + '0\r\n\r\n'],
    ['two lengths that differ', req('POST / HTTP/1.1', 'Host: x', 'Content-Length: 4', 'Content-Length: 5') + 'abcde'],
    ['two lengths alike', req('POST / HTTP/1.1', 'Host: x', 'Content-Length: 4', 'Content-Length: 4') + 'abcd'],
    ['a list of lengths', req('POST / HTTP/1.1', 'Host: x', 'Content-Length: 4, 5') + 'abcde'],
    ['a signed length', req('POST / HTTP/1.1', 'Host: x', 'Content-Length: +4') + 'abcd'],
    ['a negative length', req('POST / HTTP/1.1', 'Host: x', 'Content-Length: -1')],
    ['a length in hex', req('POST / HTTP/1.1', 'Host: x', 'Content-Length: 0x4') + 'abcd'],
    ['an empty length', req('POST / HTTP/1.1', 'Host: x', 'Content-Length:')],
    ['an unknown coding', req('POST / HTTP/1.1', 'Host: x', 'Transfer-Encoding: xchunked') + '0\r\n\r\n'],
    ['chunked not last', req('POST / HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked, identity') + '0\r\n\r\n'],
    ['chunked twice', req('POST / HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked') + '0\r\n\r\n'],
    ['chunked with a space before the colon', req('POST / HTTP/1.1', 'Host: x', 'Transfer-Encoding : chunked') + '0\r\n\r\n'],
    ['a chunk size that is none', req('POST / HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked') + 'zz\r\n\r\n'],
    ['a chunk size beyond 64 bits', req('POST / HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked') + '10000000000000000\r\n'],
  ]
  for (const [name, bytes] of table) {
    const status = await refused(bytes + OK, name)
    assert.ok([400, 413, 501].includes(status), `${name} got ${status}`)
  }
})

test('bounds: target 414, header 431, body 413', async () => {
  const field = (n) => `X-Pad: ${'y'.repeat(n)}`
  assert.equal((await exchange(server, req(`GET /${'x'.repeat(8000)} HTTP/1.1`, 'Host: x'))).status, 404, 'a long target is fine')
  assert.equal(await refused(req(`GET /${'x'.repeat(8 * 1024 + 1)} HTTP/1.1`, 'Host: x'), '8 KiB of target'), 414)
  assert.equal(await refused(`GET /${'x'.repeat(100000)}`, 'a target without end'), 414)
  assert.equal((await exchange(server, req('GET /healthz HTTP/1.1', 'Host: x', field(15000)))).status, 200, '15 kB of header are fine')
  assert.equal(await refused(req('GET / HTTP/1.1', 'Host: x', field(17000)), 'one long field'), 431)
  assert.equal(await refused(req('GET / HTTP/1.1', 'Host: x', ...Array(200).fill(field(100))), 'many fields'), 431)
  assert.equal(await refused(`GET / HTTP/1.1\r\nHost: x\r\n${field(50000)}`, 'a header without end'), 431)
  assert.equal(await refused(`GET / HTTP/1.1\r\nHost: x\r\n${'x'.repeat(50000)}`, 'a field name without end'), 431)
  assert.equal(await refused(req('POST / HTTP/1.1', 'Host: x', 'Content-Length: 70000'), 'a body announced'), 413)
  assert.equal(await refused(req('POST / HTTP/1.1', 'Host: x', 'Content-Length: 99999999999999999999'), 'a length beyond 64 bits').then((s) => s === 400 ? 413 : s), 413)
  const chunk = '2000\r\n' + 'x'.repeat(0x2000) + '\r\n'
  assert.equal(await refused(req('POST / HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked') + chunk.repeat(9), 'a body in chunks'), 413)
})

test('a refusal is one answer, also with more behind it', async () => {
  assert.equal(await refused(req('GET / HTTP/1.1') + OK, 'pipelined behind a bad one'), 400)
})

test('keep-alive: many requests on one connection, HTTP/1.0 and Connection: close end it', async () => {
  const peer = new HttpPeer(server)
  for (let i = 0; i < 50; i++) assert.equal((await peer.write(OK).response()).status, 200)
  peer.write(req('GET /healthz HTTP/1.1', 'Host: x', 'Connection: close'))
  const last = await peer.response()
  assert.match(last.headers.connection ?? '', /close/i)
  await peer.closed()
  const old = new HttpPeer(server).write(req('GET /healthz HTTP/1.0', 'Host: x'))
  assert.equal((await old.response()).status, 200)
  await old.closed()
})

test('pipelined requests are answered in their order, cut anywhere', async () => {
  const paths = ['/healthz', '/nothing', '/readyz', '/', '/healthz']
  const bytes = Buffer.from(paths.map((p) => req(`GET ${p} HTTP/1.1`, 'Host: x')).join(''))
  for (const cut of [bytes.length, 1, 7, 50]) {
    const peer = new HttpPeer(server)
    for (let i = 0; i < bytes.length; i += cut) await new Promise((resolve) => peer.socket.write(bytes.subarray(i, i + cut), resolve))
    const statuses = []
    for (const _ of paths) statuses.push((await peer.response()).status)
    assert.deepEqual(statuses, [200, 404, 200, 200, 200], `cut at ${cut}`)
    peer.destroy()
  }
})

test('a hundred pipelined requests that nobody reads harm nobody', async () => {
  const peer = new HttpPeer(server)
  peer.socket.pause()
  peer.write(req('GET / HTTP/1.1', 'Host: x').repeat(2000))
  assert.equal((await exchange(server, OK)).status, 200)
  peer.destroy()
})

test('a body within bounds is read past, and the next request is understood', async () => {
  for (const body of [req('POST /healthz HTTP/1.1', 'Host: x', 'Content-Length: 5') + 'hello', req('POST /healthz HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked') + '5\r\nhello\r\n0\r\n\r\n']) {
    const peer = new HttpPeer(server).write(body + OK)
    const first = await peer.response()
    assert.ok(first.status >= 400 && first.status < 500, first.head)
    const second = await peer.response().catch(() => null)
    assert.ok(second === null || second.status === 200, 'closed, or understood')
    peer.destroy()
  }
})

test('blank lines before a request are skipped; an absolute target is understood', async () => {
  assert.equal((await exchange(server, '\r\n\r\n' + OK)).status, 200)
  const absolute = await exchange(server, req(`GET http://${server.host}:${server.port}/healthz HTTP/1.1`, 'Host: x'))
  assert.ok([200, 400, 404].includes(absolute.status), absolute.head)
})

test('who takes too long for a request gets 408; who sends nothing is let go', async (t) => {
  const s = await Server.start(t, { args: ['--request-timeout-ms', '700'] })
  const slow = new HttpPeer(s).write('GET / HTTP/1.1\r\nHost: x\r\n')
  const drip = new HttpPeer(s)
  const idle = new HttpPeer(s)
  const body = new HttpPeer(s).write(req('POST / HTTP/1.1', 'Host: x', 'Content-Length: 10') + 'abc')
  const dripping = setInterval(() => drip.isClosed || drip.write('x'), 50)
  try {
    assert.equal((await slow.response()).status, 408)
    await slow.closed()
    assert.equal((await drip.response()).status, 408, 'a byte now and then is no excuse')
    assert.equal((await body.response()).status, 408)
    await idle.closed(10000)
  } finally {
    clearInterval(dripping)
    for (const p of [slow, drip, idle, body]) p.destroy()
  }
  assert.equal((await exchange(s, OK)).status, 200)
})

test('a connection cut in the middle of anything harms nobody', async () => {
  for (const bytes of ['', 'G', 'GET / HTTP/1.1\r\n', 'GET / HTTP/1.1\r\nHost: x\r\n\r', OK, req('POST / HTTP/1.1', 'Host: x', 'Content-Length: 10') + 'abc']) {
    const peer = new HttpPeer(server)
    await new Promise((resolve) => peer.socket.write(bytes, resolve))
    peer.socket.resetAndDestroy()
  }
  assert.equal((await exchange(server, OK)).status, 200)
})
