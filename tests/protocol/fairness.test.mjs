// Limits per user and per address: what is refused, when it is let through again, and that nobody else
// notices.  Each address here is one of 127.0.0.0/8.
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'node:test'
import { HttpPeer, fetchRaw } from './lib/http.mjs'
import { Server } from './lib/server.mjs'
import { SLOW, fresh, load } from './lib/wait.mjs'
import { OP, encodeFrame } from './lib/wire.mjs'

const range = (n) => Array.from({ length: n }, (_, i) => i)
const start = (t, ...args) => Server.start(t, { args: ['--workers', '2', ...args] })

/** Ask until refused; gives the refusal and how often it was let through. */
async function exhaust(ask) {
  for (let n = 0; ; n++) {
    const reply = await ask(n)
    if (!reply.ok) return { n, err: reply.err }
  }
}

/** What was refused for so long is let through after it, at the first try. */
async function heed(err, ask) {
  assert.equal(err.code, 'rate_limited')
  assert.ok(Number.isInteger(err.retry_ms) && err.retry_ms > 0, `retry_ms ${err.retry_ms}`)
  await pause(err.retry_ms)
  const reply = await ask()
  assert.equal(reply.ok, true, `after ${err.retry_ms} ms: ${JSON.stringify(reply)}`)
}

const metric = async (server, name, options) => {
  const { body } = await fetchRaw(server, '/metrics', options)
  return Number(new RegExp(`^hubbub_${name} (\\d+)`, 'm').exec(body.toString())[1])
}

test('a user has one allowance of writes, however many workers their connections are on', async (t) => {
  const server = await start(t, '--send-limit', '10/3600000')
  const [ada, bob] = await server.room()
  const { room } = ada.join
  const others = []
  for (const _ of range(3)) {
    const again = await server.again(ada)
    await again.ok({ op: 'join', room })
    others.push(again)
  }
  const all = [ada, ...others]
  const replies = await Promise.all(range(40).map((i) => all[i % 4].request({ op: 'send', room, key: `k${i}`, text: 'x' })))
  assert.equal(replies.filter((r) => r.ok).length, 10)
  await bob.ok({ op: 'send', room, key: 'k', text: 'mine' })
})

test('writes: retry_ms is the truth', async (t) => {
  const server = await start(t, '--send-limit', '5/500')
  const [ada] = await server.room(['Ada'])
  const send = () => ada.request({ op: 'send', room: ada.join.room, key: fresh('k'), text: 'x' })
  for (const _ of range(8)) await heed((await exhaust(send)).err, send)
})

test('joins, histories, lists and read markers share an allowance, and it is told', async (t) => {
  const server = await start(t, '--request-limit', '12/1200')
  const [ada, bob] = await server.room()
  assert.deepEqual(ada.hello.limits.request, { n: 12, per_ms: 1200 })
  const { room } = ada.join
  const asks = [{ op: 'join', room }, { op: 'history', room }, { op: 'rooms' }, { op: 'read', room, seq: 0 }]
  const replies = await Promise.all(range(40).map((i) => ada.request(asks[i % 4])))
  const n = replies.filter((r) => r.ok).length
  assert.ok(n >= 11 && (SLOW > 1 || n <= 15), `${n} of 40 were let through`)
  for (const ask of asks) {
    const { err } = await exhaust(() => ada.request(ask))
    await heed(err, () => ada.request(ask))
  }
  await ada.ok({ op: 'send', room, key: 'k', text: 'writes have their own' })
  for (const ask of asks) await bob.ok(ask)
})

test('refused requests are limited too: more of them wait, and others do not', async (t) => {
  const server = await start(t, '--failed-limit', '20/2000')
  const [ada, bob] = await server.room()
  assert.deepEqual(ada.hello.limits.failed, { n: 20, per_ms: 2000 })
  const wrong = () => ada.request({ op: 'history', room: 'nowhere' })
  const codes = []
  while (codes.at(-1) !== 'rate_limited') codes.push((await wrong()).err.code)
  assert.ok(codes.length >= 21, `${codes.length}`)
  assert.ok(codes.slice(0, -1).every((c) => c === 'forbidden'))
  // As fast as they can be sent: no more are answered than the rate lets through.
  const begun = performance.now()
  let n = 0
  ada.onMessage = (m) => (n += m.re !== undefined)
  for (const i of range(5000)) ada.send({ id: `x${i}`, op: 'history', room: 'nowhere' })
  for (const i of range(10)) {
    await bob.ok({ op: 'send', room: bob.join.room, key: `k${i}`, text: 'x' })
    await bob.event('message')
  }
  await pause(1000)
  const most = ((performance.now() - begun) / 100) * 2 + 4 // a refusal, and one that says to wait
  assert.ok(n <= most, `${n} answers, at most ${most}`)
})

test('a user who waits after too many refusals is served again', async (t) => {
  const server = await start(t, '--failed-limit', '5/500')
  const [ada] = await server.room(['Ada'])
  const { err } = await exhaust(async () => {
    const reply = await ada.request({ op: 'history', room: 'nowhere' })
    return { ok: reply.err.code === 'forbidden', err: reply.err }
  })
  await heed(err, () => ada.request({ op: 'rooms' }))
})

test('failed hellos are limited by address: others there wait, those elsewhere do not', async (t) => {
  const server = await start(t, '--hello-limit', '6/1200')
  const guess = await server.connect({ localAddress: '127.0.0.2' })
  const codes = []
  while (codes.at(-1) !== 'rate_limited') {
    codes.push((await guess.request({ op: 'hello', token: fresh('wrong') })).err.code)
  }
  assert.ok(codes.length >= 7, `${codes.length}`)
  const other = await server.connect({ localAddress: '127.0.0.2' })
  const good = () => other.request({ op: 'hello', name: fresh('Ada') })
  const first = await good()
  if (!first.ok) await heed(first.err, good)
  else assert.ok(SLOW > 1)
  await server.user('Bob', { localAddress: '127.0.0.3' })
})

test('a user has so many connections at most, and one that ends makes room', async (t) => {
  const server = await start(t, '--user-connections', '3')
  const ada = await server.user()
  assert.equal(ada.hello.limits.connections, 3)
  await server.again(ada)
  const third = await server.again(ada)
  const fourth = await server.connect()
  const hello = { op: 'hello', token: ada.token }
  const err = await fourth.refused(hello, 'rate_limited')
  assert.ok(err.retry_ms > 0)
  await third.close()
  while (!(await fourth.request(hello)).ok);
  await server.user('Bob')
})

test('an address has so many connections at most: 503 and the end for more, and a place when one ends', async (t) => {
  const server = await start(t, '--address-connections', '4')
  const from = { localAddress: '127.0.0.2' }
  const held = []
  for (const _ of range(4)) held.push(await server.user('Ada', from))
  for (const _ of range(3)) {
    const peer = new HttpPeer(server, from)
    const { status, headers } = await peer.response()
    assert.equal(status, 503)
    assert.ok(Number(headers['retry-after']) >= 1)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    await peer.closed()
  }
  await server.user('Bob', { localAddress: '127.0.0.3' })
  assert.ok((await metric(server, 'refused_total')) >= 3)
  await held[0].close()
  for (;;) {
    const peer = new HttpPeer(server, from)
    peer.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n')
    const { status } = await peer.response()
    peer.destroy()
    if (status === 200) break
  }
})

test('an address opens so many connections in a time: 429 with Retry-After, which is the truth', async (t) => {
  const server = await start(t, '--connect-limit', '10/5000')
  const from = { localAddress: '127.0.0.2' }
  const ask = async () => {
    const peer = new HttpPeer(server, from)
    peer.write('GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    const answer = await peer.response()
    await peer.closed()
    return answer
  }
  const answers = []
  while (answers.at(-1)?.status !== 429) answers.push(await ask())
  assert.ok(answers.length >= 11 && (SLOW > 1 || answers.length <= 13), `${answers.length}`)
  const after = Number(answers.at(-1).headers['retry-after'])
  assert.ok(after === 1, `Retry-After: ${after}`)
  assert.equal((await fetchRaw(server, '/healthz')).status, 200)
  await pause(after * 1000)
  assert.equal((await ask()).status, 200)
})

test('HTTP requests on one connection are limited by address: 429, and the connection ends', async (t) => {
  const server = await start(t, '--http-limit', '20/4000')
  const from = { localAddress: '127.0.0.2' }
  const peer = new HttpPeer(server, from)
  const statuses = []
  while (statuses.at(-1) !== 429) {
    peer.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n')
    const { status, headers } = await peer.response()
    statuses.push(status)
    if (status === 429) assert.ok(Number(headers['retry-after']) >= 1)
  }
  assert.ok(statuses.length >= 21 && (SLOW > 1 || statuses.length <= 23), `${statuses.length}`)
  await peer.closed()
  const shake = new HttpPeer(server, from)
  shake.write('GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
  const { status } = await shake.response()
  assert.ok(status === 429 || SLOW > 1, `${status}`)
  shake.destroy()
  await server.user('Bob', { localAddress: '127.0.0.3' })
})

test('0 and --no-limits turn them off', async (t) => {
  const zero = ['--send-limit', '--request-limit', '--failed-limit', '--hello-limit', '--connect-limit', '--http-limit', '--user-connections', '--address-connections'].flatMap((s) => [s, '0'])
  for (const args of [zero, ['--no-limits', '--connect-limit', '1/1000', '--request-limit', '1/1000', '--failed-limit', '1/1000', '--user-connections', '1', '--address-connections', '1']]) {
    const server = await Server.start(t, { args })
    const [ada] = await server.room(['Ada'])
    await server.again(ada)
    for (const i of range(100)) await ada.ok({ op: 'send', room: ada.join.room, key: `k${i}`, text: 'x' })
    for (const _ of range(50)) await ada.refused({ op: 'history', room: 'nowhere' }, 'forbidden')
    for (const _ of range(50)) await ada.ok({ op: 'rooms' })
    if (args[0] === '--no-limits') assert.deepEqual(Object.keys(ada.hello.limits).sort(), ['frame', 'send', 'text'])
  }
})

test('an office behind one address comes back all at once, and nobody is refused by the defaults', async (t) => {
  const server = await Server.start(t, { args: [] })
  const from = { localAddress: '127.0.0.2' }
  const rooms = range(8).map(() => fresh('room'))
  await Promise.all(range(load(300)).map(async (i) => {
    const peer = await server.user('Ada', from)
    await Promise.all(rooms.map((room) => peer.ok({ op: 'join', room }, 30000)))
    await Promise.all(rooms.map((room) => peer.ok({ op: 'history', room }, 30000)))
    await peer.ok({ op: 'send', room: rooms[i % 8], key: 'k', text: 'back' }, 30000)
  }))
  assert.equal(await metric(server, 'refused_total'), 0)
})

test('an address that hammers costs others nothing', async (t) => {
  const server = await start(t, '--connect-limit', '20/3600000')
  const [ada, bob] = await server.room()
  const round = async (i) => {
    const begun = performance.now()
    await ada.ok({ op: 'send', room: ada.join.room, key: `k${i}`, text: 'x' })
    await bob.event('message')
    return performance.now() - begun
  }
  for (const _ of range(20)) await (await server.connect({ localAddress: '127.0.0.2' })).drop()
  let hammering = true, n = 0
  const hammer = async () => {
    while (hammering) {
      const peer = new HttpPeer(server, { localAddress: '127.0.0.2' })
      await peer.closed()
      n++
    }
  }
  const hammers = range(8).map(hammer)
  const times = []
  for (const i of range(40)) times.push(await round(i))
  hammering = false
  await Promise.all(hammers)
  times.sort((a, b) => a - b)
  assert.ok(n > 40, `${n} tries`)
  // Both ends of all of it share this process, so the bound is wide.
  assert.ok(times[36] < 100 * SLOW, `${times[36]} ms`)
  assert.ok((await metric(server, 'refused_total')) >= n)
  assert.match(server.stderr, /127\.0\.0\.2: too many connections/)
  assert.equal(server.stderr.match(/too many connections/g).length, 1, 'said once')
})

test('many addresses leave nothing behind', async (t) => {
  const server = await start(t, '--connect-limit', '5/300', '--http-limit', '5/300')
  const visit = async (i) => {
    const peer = new HttpPeer(server, { localAddress: `127.1.${i >> 8}.${i & 255}` })
    peer.write('GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    assert.equal((await peer.response()).status, 200)
    await peer.closed()
  }
  const n = load(2000)
  for (let i = 0; i < n; i += 50) await Promise.all(range(50).map((k) => visit(i + k)))
  let left
  do left = await metric(server, 'limit_accounts')
  while (left > 3 && (await pause(100)) === undefined)
})

test('a flood of pings, pongs or fragments is read no faster than requests may come', async (t) => {
  const server = await start(t, '--request-limit', '50/5000', '--heartbeat-ms', '1000')
  const [ada, bob] = await server.room()
  const floods = {
    pings: Buffer.concat(Array(20000).fill(encodeFrame({ op: OP.ping, payload: 'x' }))),
    pongs: Buffer.concat(Array(20000).fill(encodeFrame({ payload: '{"op":"pong"}' }))),
    fragments: Buffer.concat([encodeFrame({ fin: false, payload: ' ' }), ...Array(20000).fill(encodeFrame({ op: OP.cont, fin: false, payload: '' }))]),
  }
  for (const [what, bytes] of Object.entries(floods)) {
    const flood = await server.user('Flood')
    flood.onMessage = () => {}
    // More than the kernel takes on both sides: the rest stays here as long as it is not read.
    for (let n = 0; n < 24e6; n += bytes.length) flood.socket.write(bytes)
    for (const i of range(10)) {
      await ada.ok({ op: 'send', room: ada.join.room, key: `${what}${i}`, text: 'x' })
      await bob.event('message')
    }
    assert.ok(flood.socket.writableLength > 8e6, `${what}: all but ${flood.socket.writableLength} was taken`)
    flood.socket.destroy()
  }
  // Those who answer the heartbeat and send a little are not slowed.
  for (const _ of range(3)) await ada.event('ping')
  await ada.ok({ op: 'rooms' })
})
