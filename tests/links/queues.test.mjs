// Every queue is bounded, and says so when it is full: a request is answered `unavailable`, a reader
// that does not read is let go, and nothing is dropped without a word.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpPeer } from '../protocol/lib/http.mjs'
import { wholeLog } from '../protocol/lib/log.mjs'
import { SLOW, fresh, load } from '../protocol/lib/wait.mjs'
import { HeldServer } from './lib/held.mjs'
import { insist, memory, range } from './lib/load.mjs'

function assertBusy(replies) {
  for (const { err } of replies) {
    assert.equal(err.code, 'unavailable')
    assert.ok(err.retry_ms > 0, JSON.stringify(err))
  }
}

test('the store\'s queue is full of operations: each further one is refused with retry_ms, none is lost', async (t) => {
  const server = await HeldServer.start(t, { env: { HELD_QUEUE: '100' } })
  const [ada, bob, carl] = await server.room(['Ada', 'Bob', 'Carl'])
  const { room } = ada.join
  await server.hold('writer')
  ada.send({ id: 'first', op: 'send', room, key: 'first', text: 'first' })
  await server.counts({ store_ops_total: (n) => n > 0, store_queue: 0 })
  const writes = range(200).map((i) => ({ op: 'send', room, key: `k${i}`, text: `t${i}` }))
  const replies = [ada, bob, carl].map((peer) => Promise.all(writes.map((w) => peer.request(w, 30000))))
  await server.counts({ store_queue: 100 })
  // Nobody needs to write to be served: what is read goes on.
  assert.equal((await ada.ok({ op: 'rooms', limit: 1 })).rooms.length, 1)
  const stranger = await server.connect()
  assertBusy([await stranger.request({ op: 'hello', name: fresh('Stranger') })])
  await server.release('writer')
  const all = await Promise.all(replies)
  const refused = all.flat().filter((r) => !r.ok)
  assert.ok(refused.length >= 600 - 101, `${refused.length} were refused`)
  assertBusy(refused)
  await stranger.ok({ op: 'hello', name: fresh('Stranger') })
  for (const [n, peer] of [ada, bob, carl].entries()) await insist(peer, writes.filter((_, i) => !all[n][i].ok))
  const { events, head } = await wholeLog(bob, room)
  assert.equal(head, 601)
  assert.equal(new Set(events.map((e) => `${e.from.id} ${e.text}`)).size, 601)
})

test('the store\'s queue is full of text', async (t) => {
  const server = await HeldServer.start(t, { env: { HELD_QUEUE_BYTES: String(1 << 20) } })
  const [ada, bob] = await server.room()
  const { room } = ada.join
  await server.hold('writer')
  ada.send({ id: 'first', op: 'send', room, key: 'first', text: 'first' })
  await server.counts({ store_ops_total: (n) => n > 0, store_queue: 0 })
  const writes = range(400).map((i) => ({ op: 'send', room, key: `k${i}`, text: 'x'.repeat(7000) }))
  const replies = Promise.all(writes.map((w) => bob.request(w, 30000)))
  await server.counts({ store_queue: Math.floor((1 << 20) / 7000) })
  await server.release('writer')
  const all = await replies
  assertBusy(all.filter((r) => !r.ok))
  await insist(bob, writes.filter((_, i) => !all[i].ok))
  assert.equal((await wholeLog(bob, room)).head, 401)
})

test('the readers\' queue is full: each further read is refused with retry_ms', async (t) => {
  const server = await HeldServer.start(t, { env: { HELD_QUEUE: '100' } })
  const peers = await server.room(range(40).map(() => 'Reads'))
  const { room } = peers
  await peers[0].ok({ op: 'send', room, key: 'k', text: 'here' })
  const [writer] = await server.room(['Writes'], room)
  await server.hold('readers')
  const replies = peers.flatMap((peer) => [peer.request({ op: 'history', room }, 30000), ...range(7).map(() => peer.request({ op: 'rooms' }, 30000))])
  await server.counts({ store_read_queue: 100 })
  assertBusy([await (await server.connect()).request({ op: 'hello', token: peers[0].token })])
  await writer.ok({ op: 'send', room, key: 'k2', text: 'written all the same' })
  await server.release('readers')
  const all = await Promise.all(replies)
  assert.ok(all.filter((r) => r.ok).every((r) => (r.events ?? r.rooms).length > 0))
  const refused = all.filter((r) => !r.ok)
  assert.ok(refused.length > 0)
  assertBusy(refused)
  for (const peer of peers) await peer.ok({ op: 'history', room })
})

test('a worker that is far behind: no more is stored than it can be told, and it is told all of that', async (t) => {
  const server = await HeldServer.start(t, { args: ['--no-limits', '--workers', '2'], env: { HELD_QUEUE: '100', HELD_INBOX: '1000' } })
  const peers = []
  for (const stem of ['A', 'B', 'C', 'D']) peers.push(await server.user(stem)) // in turn: B's and D's worker is the other one
  const [a, b, c] = peers
  const room = fresh('room')
  for (const peer of peers) await peer.ok({ op: 'join', room })
  await server.metrics() // its connection goes to A's worker, too
  await server.hold('worker')
  b.send({ id: 'stuck', op: 'rooms', hold: true })
  const writes = range(400).map((i) => ({ op: 'send', room, key: `k${i}`, text: `t${i}` }))
  const all = []
  // One at a time, so that each is a batch of its own, until the writer waits.
  let reply
  for (let waits = 0; waits < 50;) {
    assert.ok(all.length < 200, 'it never waited')
    let isDone = false
    reply = a.request(writes[all.length], 30000).finally(() => (isDone = true))
    for (waits = 0; waits < 50 && !isDone;) waits += (await server.metrics()).store_queue
    if (isDone) all.push(await reply)
    waits = isDone ? 0 : waits
    await c.ok({ op: 'typing', room })
  }
  assert.ok(all.length > 10, `it waited after ${all.length}`)
  const rest = writes.slice(all.length + 1).map((w) => a.request(w, 30000))
  await server.counts({ store_queue: 100 })
  await server.release('worker')
  all.push(await reply, ...await Promise.all(rest))
  const refused = all.filter((r) => !r.ok)
  assert.ok(refused.length > 0)
  assertBusy(refused)
  await insist(a, writes.filter((_, i) => !all[i].ok))
  const texts = []
  while (texts.length < 400) texts.push((await b.event('message')).text)
  assert.equal(new Set(texts).size, 400)
  assert.ok(b.untaken('typing').length < 10, 'who types is not told to one that is far behind')
})

test('one batch of more than --max-output cuts off nobody who reads', async (t) => {
  const server = await HeldServer.start(t, { args: ['--no-limits', '--max-output', '32768'] })
  const peers = await server.room(range(20).map(() => 'Reads'))
  const { room } = peers
  await server.hold('writer')
  peers[0].send({ id: 'first', op: 'send', room, key: 'first', text: 'first' })
  await server.counts({ store_ops_total: (n) => n > 0, store_queue: 0 })
  const sent = peers.flatMap((peer) => range(6).map((i) => peer.ok({ op: 'send', room, key: `k${i}`, text: 'x'.repeat(8000) }, 30000)))
  await server.counts({ store_queue: 120 })
  await server.release('writer')
  await Promise.all(sent)
  for (const peer of peers) {
    for (const seq of range(121)) assert.equal((await peer.event('message')).seq, seq + 1)
  }
  assert.equal((await server.metrics()).slow_readers_total, 0)
})

test('who waits for a join too long for --max-output is let go with 4008, and resumes whole', async (t) => {
  const server = await HeldServer.start(t, { args: ['--no-limits', '--max-output', '65536'] })
  const [ada, bob] = await server.room()
  const { room, epoch } = ada.join
  // More than is at hand for joins.
  for (const i of range(30)) await ada.ok({ op: 'send', room, key: `k${i}`, text: 'x'.repeat(7000) })
  const late = await server.user('Late')
  await server.hold('readers')
  late.send({ id: 'join', op: 'join', room, limit: 200 })
  await server.counts({ rooms_joined: 3 })
  for (const i of range(30)) await bob.ok({ op: 'send', room, key: `k${i}`, text: 'y'.repeat(7000) })
  assert.equal(await late.closed(), 4008)
  await server.release('readers')
  const again = await server.again(late)
  await again.ok({ op: 'join', room, since: 0, epoch, limit: 1 })
  assert.equal((await wholeLog(again, room)).events.length, 60)
})

test('answers over HTTP that nobody reads take bounded memory, and then 503', async (t) => {
  const server = await HeldServer.start(t)
  const before = (await memory(server)).rss
  const request = 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'
  const n = load(20)
  const peers = range(n).map(() => new HttpPeer(server))
  for (const peer of peers) {
    peer.socket.pause()
    peer.write(request.repeat(8000))
  }
  await server.counts({ connections: n + 1 })
  for (const _ of range(50)) await server.metrics()
  const grown = ((await memory(server)).peak - before) / n
  t.diagnostic(`${Math.round(grown)} KiB for each connection`)
  if (SLOW === 1) assert.ok(grown < 1024, `${grown} KiB for each connection`)
  for (const peer of peers) peer.socket.resume()
  let refused = 0
  for (const peer of peers) {
    await peer.closed(20000)
    assert.ok(peer.held.toString('latin1').startsWith('HTTP/1.1 200'))
    refused += /HTTP\/1.1 503 [^]*Connection: close/.test(peer.held.toString('latin1')) ? 1 : 0
  }
  // Who reads on only after 5 s finds a reset.
  assert.ok(refused > 0 || SLOW > 1)
})

test('replies that nobody reads: all connections together take bounded memory, and get every one in the end', async (t) => {
  const server = await HeldServer.start(t, { args: ['--no-limits', '--workers', '1'] })
  const ada = await server.user('Ada')
  // A room's requests are answered in turn, those of several rooms at once.
  const rooms = range(8).map(() => fresh('room'))
  for (const room of rooms) {
    await ada.ok({ op: 'join', room })
    await Promise.all(range(33).map((i) => ada.ok({ op: 'send', room, key: `${room}${i}`, text: 'x'.repeat(8000) })))
  }
  const peers = []
  for (const _ of range(load(100))) {
    const peer = await server.user('Unread')
    for (const room of rooms) await peer.ok({ op: 'join', room, limit: 1 })
    peers.push(peer)
  }
  const before = (await memory(server)).rss
  const { requests_total } = await server.metrics()
  for (const peer of peers) {
    peer.socket.pause()
    for (const i of range(16)) peer.send({ id: `h${i}`, op: 'history', room: rooms[i % 8], limit: 200 })
  }
  await server.counts({ requests_total: requests_total + 16 * peers.length, store_read_queue: 0 }, 30000)
  for (const _ of range(20)) await ada.ok({ op: 'rooms' })
  const grown = (await memory(server)).peak - before
  t.diagnostic(`${peers.length} connections: ${Math.round(grown / 1024)} MiB`)
  // The bound of the worker, a reply of each, and what the allocator makes of it.
  if (SLOW === 1) assert.ok(grown < 1.5 * (64 * 1024 + peers.length * 300), `it grew by ${grown} KiB`)
  for (const peer of peers) {
    peer.socket.resume()
    const last = await peer.take((m) => m.re === 'h15', 'the last reply', 30000)
    assert.ok(last.events.length > 10)
    await peer.drop()
  }
})
