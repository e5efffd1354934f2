// HTTP's edges: bounds, keep-alive, pipelining.  What is no good request has its cases in tests/conformance.
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
