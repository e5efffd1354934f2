// The upgrade: RFC 6455, 4.2, on GET /ws.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpPeer, exchange } from './lib/http.mjs'
import { handshake } from './lib/peer.mjs'
import { Server, sharedServer } from './lib/server.mjs'
import { encodeFrame } from './lib/wire.mjs'

const server = sharedServer()
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const shake = (headers, s = server) => exchange(s, handshake(`${s.host}:${s.port}`, KEY, headers))

test('the answer is the one of RFC 6455, 1.3', async () => {
  const r = await shake()
  assert.equal(r.status, 101)
  assert.equal(r.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  assert.equal(r.headers.upgrade.toLowerCase(), 'websocket')
  assert.equal(r.headers.connection.toLowerCase(), 'upgrade')
})

test('the subprotocol hubbub.v1 is echoed where it is offered, and nothing else is', async () => {
  const table = [
    ['hubbub.v1', 'hubbub.v1'], ['other, hubbub.v1', 'hubbub.v1'], ['hubbub.v1,other', 'hubbub.v1'],
    ['other', undefined], ['hubbub.v2', undefined], ['hubbub.v1x', undefined], [undefined, undefined],
  ]
  for (const [offer, answer] of table) {
    const r = await shake({ 'Sec-WebSocket-Protocol': offer })
    assert.equal(r.status, 101, `offered ${offer}`)
    assert.equal(r.headers['sec-websocket-protocol'], answer, `offered ${offer}`)
  }
})

test('names and tokens of the handshake are compared without case, lists are searched', async () => {
  const table = [
    { Upgrade: 'WebSocket' }, { Upgrade: 'WEBSOCKET' }, { Connection: 'keep-alive, Upgrade' }, { Connection: 'upgrade' },
    { Connection: 'UPGRADE,keep-alive' },
  ]
  for (const headers of table) assert.equal((await shake(headers)).status, 101, JSON.stringify(headers))
})

test('a handshake that is wrong is refused by its status', async () => {
  const table = [
    [{ 'Sec-WebSocket-Key': undefined }, [400]],
    [{ 'Sec-WebSocket-Key': '' }, [400]],
    [{ 'Sec-WebSocket-Key': 'c2hvcnQ=' }, [400]],
    [{ 'Sec-WebSocket-Key': '!!!!!!!!!!!!!!!!!!!!!!==' }, [400]],
    [{ 'Sec-WebSocket-Key': Buffer.alloc(17).toString('base64') }, [400]],
    [{ 'Sec-WebSocket-Version': '12' }, [426]],
    [{ 'Sec-WebSocket-Version': '8' }, [426]],
    [{ 'Sec-WebSocket-Version': undefined }, [400, 426]],
    [{ Upgrade: undefined, Connection: 'close' }, [400, 426]],
    [{ Upgrade: 'h2c' }, [400, 426]],
  ]
  for (const [headers, statuses] of table) {
    const r = await shake(headers)
    assert.ok(statuses.includes(r.status), `${JSON.stringify(headers)} got ${r.head}`)
    if (r.status === 426) assert.equal(r.headers['sec-websocket-version'], '13', 'it says which version it speaks')
  }
})

test('no other method than GET upgrades', async () => {
  for (const method of ['POST', 'PUT', 'HEAD', 'OPTIONS']) {
    const request = handshake(`${server.host}:${server.port}`, KEY).replace('GET', method)
    const r = await exchange(server, request.replace('\r\n\r\n', '\r\nContent-Length: 0\r\n\r\n'), { head: method === 'HEAD' })
    assert.ok(r.status >= 400 && r.status < 500, `${method} got ${r.head}`)
  }
})

test('no other path than /ws upgrades', async () => {
  for (const path of ['/', '/ws/', '/WS', '/wsx', '/healthz', '/r/general']) {
    const r = await exchange(server, handshake(`${server.host}:${server.port}`, KEY).replace('/ws', path))
    assert.notEqual(r.status, 101, path)
  }
})

test('a foreign Origin is refused with 403, the own one and none are let in', async () => {
  const own = `${server.host}:${server.port}`
  const table = [
    [`http://${own}`, 101], [undefined, 101],
    ['http://evil.example', 403], [`http://${server.host}`, 403], [`http://${server.host}:1`, 403], ['null', 403],
    [`http://${own}.evil.example`, 403], [`http://evil.example/${own}`, 403], [`http://evil.example@${own}x`, 403], ['', 403],
    [`http://x${own}`, 403], ['nonsense', 403],
  ]
  for (const [origin, status] of table) {
    assert.equal((await shake({ Origin: origin })).status, status, `Origin: ${origin}`)
  }
})

test('--origin lets more origins in, exactly those', async (t) => {
  const s = await Server.start(t, { args: ['--origin', 'https://chat.example', '--origin', 'http://other.example:8081'] })
  const table = [
    ['https://chat.example', 101], ['http://other.example:8081', 101], [`http://${s.host}:${s.port}`, 101],
    ['http://chat.example', 403], ['https://chat.example:8443', 403], ['http://other.example', 403], ['https://chat.example.evil.example', 403],
  ]
  for (const [origin, status] of table) assert.equal((await shake({ Origin: origin }, s)).status, status, `Origin: ${origin}`)
})

test('a handshake that comes byte by byte is understood', async () => {
  const peer = await server.connect({ cut: 1, subprotocol: 'hubbub.v1' })
  await peer.ok({ op: 'hello', name: 'Byte by byte' })
})

test('frames that come with the handshake are not lost, wherever the bytes are cut', async () => {
  const hello = (name) => encodeFrame({ payload: JSON.stringify({ id: 'h', op: 'hello', name }) })
  const length = handshake(`${server.host}:${server.port}`, 'x'.repeat(24)).length
  for (const at of [undefined, [length - 3], [length - 2], [length - 1], [length], [length + 1], [length + 2], [length + 6], [length + 20], [20, length + 3]]) {
    const peer = await server.connect({ prelude: hello(`Cut ${at}`), cut: at })
    const reply = await peer.take((m) => m.re === 'h', 'the reply to hello')
    assert.equal(reply.ok, true, `cut at ${at}`)
  }
})

test('an upgrade may follow other requests on the same connection', async () => {
  const peer = new HttpPeer(server)
  const host = `${server.host}:${server.port}`
  peer.write(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n` + handshake(host, KEY))
  assert.equal((await peer.response()).status, 200)
  assert.equal((await peer.response()).status, 101)
  peer.destroy()
})

test('a handshake with a body is refused, or the body is no frame', async () => {
  const body = encodeFrame({ payload: '{"id":"smuggled","op":"rooms"}' })
  const request = handshake(`${server.host}:${server.port}`, KEY, { 'Content-Length': String(body.length) })
  const peer = new HttpPeer(server).write(Buffer.concat([Buffer.from(request), body]))
  const r = await peer.response()
  assert.ok(r.status === 400 || r.status === 101, r.head)
  if (r.status === 101) assert.ok(!peer.held.includes('smuggled'))
  peer.destroy()
})
