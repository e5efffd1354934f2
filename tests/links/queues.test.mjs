// Every queue is bounded, and says so when it is full: a request is answered `unavailable`, a reader
// that does not read is let go, and nothing is dropped without a word.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { HttpPeer } from '../protocol/lib/http.mjs'
import { wholeLog } from '../protocol/lib/log.mjs'
import { BIN } from '../protocol/lib/server.mjs'
import { SLOW, fresh, load } from '../protocol/lib/wait.mjs'
import { HeldServer } from './lib/held.mjs'

const BENCH_LOAD = path.join(process.env.LINKS_BUILD ?? assert.fail('LINKS_BUILD names the build directory'), 'tests/bench/bench-load')
const READERS = Number(process.env.QUEUES_READERS ?? load(100))
const range = (n) => Array.from({ length: n }, (_, i) => i)

async function memory(server) {
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8')
  return { rss: Number(/VmRSS:\s+(\d+)/.exec(status)[1]), peak: Number(/VmHWM:\s+(\d+)/.exec(status)[1]) }
}

/** Send again under the same key what was refused, until all is stored; gives the replies. */
async function insist(peer, writes) {
  const replies = []
  let left = writes
  for (let tries = 0; left.length > 0; tries++) {
    assert.ok(tries < 100, `${left.length} are refused still`)
    const now = await Promise.all(left.map((w) => peer.request(w, 30000)))
    replies.push(...now.filter((r) => r.ok))
    left = left.filter((_, i) => !now[i].ok)
  }
  return replies
}

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

async function bench(server, scenario, ...args) {
  const { stdout } = await promisify(execFile)(BENCH_LOAD,
    [scenario, '--kind', 'hubbub', '--connect', `${server.host}:${server.port}`, '--pid', String(server.pid), ...args], { maxBuffer: 1 << 26 })
  return JSON.parse(stdout)
}

test(`${READERS} readers that never read, at full traffic: memory is bounded, others are served, all resume whole`, async (t) => {
  const cap = 256 * 1024
  const server = await HeldServer.start(t, { args: ['--no-limits', '--max-output', String(cap)] })
  const others = ['--rooms', '10', '--members', '10', '--rate', '300', '--warmup', '0', '--seconds', String(SLOW > 1 ? 1 : 4)]
  const alone = await bench(server, 'fanout', ...others)
  const [ada] = await server.room(['Ada'])
  const { room, epoch } = ada.join
  const readers = []
  while (readers.length < READERS) {
    readers.push(...await Promise.all(range(Math.min(50, READERS - readers.length)).map(async () => {
      const peer = await server.user('Reader')
      peer.heads = await peer.ok({ op: 'join', room, limit: 1 })
      peer.onMessage = () => {}
      return peer
    })))
  }
  ada.onMessage = () => {}
  await ada.settle()
  for (const peer of readers) peer.socket.pause()
  const before = await memory(server)
  const text = 'x'.repeat(7900)
  let last = 0
  let peak = 0
  const flood = async () => {
    for (let i = 0; (await server.metrics()).slow_readers_total < READERS; i += 32) {
      assert.ok(i < 10000, 'they are let go in the end')
      for (const { seq } of await insist(ada, range(32).map((k) => ({ op: 'send', room, key: `k${i + k}`, text })))) last = Math.max(last, seq)
      peak = Math.max(peak, (await memory(server)).rss)
    }
  }
  const [beside] = await Promise.all([bench(server, 'fanout', ...others), flood()])
  const grown = peak - before.rss
  t.diagnostic(`${READERS} readers let go after ${last} messages of 8 kB; memory grew by ${grown} KiB at most`)
  t.diagnostic(`the others: p50 ${alone.latency_us.p50} us, p99 ${alone.latency_us.p99} us alone, p50 ${beside.latency_us.p50} us, p99 ${beside.latency_us.p99} us beside them`)
  if (SLOW === 1) assert.ok(grown < (READERS * cap) / 1024, `it grew by ${grown} KiB`)
  assert.equal(beside.lost, 0)
  assert.ok(beside.latency_us.p99 < 250_000 * SLOW, `p99 ${beside.latency_us.p99} us`)

  // Each goes on from what its socket had taken.
  for (const peer of readers) {
    const got = []
    peer.onMessage = (m) => m.ev === 'message' && got.push(m.seq)
    peer.socket.resume()
    const code = await peer.closed(20000)
    // The reset that ends it where no close frame went may look like an end.
    assert.ok(code === 4008 || code === 1006, `closed with ${code}`)
    assert.deepEqual(got, range(got.length).map((i) => peer.heads.head + 1 + i), 'what it did get has no hole')
    peer.raw.length = peer.seen.length = 0
    const again = await server.again(peer)
    let have = peer.heads.head + got.length
    const join = await again.ok({ op: 'join', room, since: have, epoch, limit: 200 })
    assert.notEqual(join.state, 'reset')
    for (let { events } = join; have < join.head;) {
      for (const { seq } of events) assert.equal(seq, ++have)
      if (have < join.head) ({ events } = await again.ok({ op: 'history', room, after: have, limit: 200 }))
    }
    assert.equal(have, last)
    await again.drop()
  }
})

test('a room that is told more than its worker can tell: what waits is bounded, and so is memory', async (t) => {
  const server = await HeldServer.start(t, { args: ['--no-limits', '--workers', '1', '--max-output', String(64 << 20)] })
  const members = SLOW > 1 ? 100 : 1500
  let most = 0
  let done = false
  const watch = async () => {
    while (!done) most = Math.max(most, (await server.metrics()).fanout_backlog_bytes)
  }
  const watching = watch()
  const result = await bench(server, 'fanout', '--rooms', '1', '--members', String(members), '--publishers', '64', '--in-flight', '64', '--size', '1000', '--warmup', '0', '--seconds', '3')
  done = true
  await watching
  const { peak } = await memory(server)
  t.diagnostic(`${most} bytes waited to be told, ${peak} KiB at most, ${result.per_second} deliveries/s, ${(await server.metrics()).slow_readers_total} let go`)
  // The bound, and a batch that came after it was looked at.
  assert.ok(most < 4 << 20, `${most} bytes waited`)
  if (SLOW === 1) assert.ok(peak < 256 * 1024, `${peak} KiB`)
})

test('5,000 clients are served in 256 MiB', async (t) => {
  // The limit is of what the process may have for data, the stacks of its threads included.
  const limit = SLOW === 1 ? ['prlimit', `--data=${256 << 20}`] : []
  const server = await HeldServer.start(t, { bin: [...limit, BIN] })
  const result = await bench(server, 'fanout', '--rooms', String(load(500)), '--members', '10', '--rate', '500', '--warmup', '0', '--seconds', '2')
  assert.deepEqual([result.lost, result.repeated, result.reordered], [0, 0, 0])
  const { peak } = await memory(server)
  t.diagnostic(`${load(5000)} clients: ${peak} KiB at most, ${result.deliveries} deliveries, p99 ${result.latency_us.p99} us`)
  if (SLOW === 1) assert.ok(peak < 256 * 1024, `${peak} KiB`)
})

// A sanitizer reserves more than that for itself.
if (SLOW === 1) test('a server that may not have the memory that it needs says so, and keeps what it acknowledged', async (t) => {
  const server = new HeldServer({ bin: ['prlimit', `--data=${96 << 20}`, BIN] })
  t.after(() => server.dispose())
  await server.start()
  const [ada] = await server.room(['Ada'], 'kept')
  const acked = []
  for (const i of range(20)) acked.push((await ada.ok({ op: 'send', room: 'kept', key: `k${i}`, text: `t${i}` })).seq)
  // Each holds on to what it began to send.
  const half = Buffer.concat([Buffer.from([0x81, 0xfe, 0xff, 0xff, 0, 0, 0, 0]), Buffer.alloc(60000, 'x')])
  for (let n = 0; server.child.exitCode === null && server.child.signalCode === null && n < 3000; n += 50) {
    await Promise.allSettled(range(50).map(async () => (await server.connect()).write(half, [])))
  }
  const { signal } = await server.exited
  assert.equal(signal, 'SIGABRT')
  assert.match(server.stderr, /hubbub: out of memory\n/)
  server.child = undefined
  server.bin = [BIN]
  await server.start()
  const again = await server.again(ada)
  await again.ok({ op: 'join', room: 'kept' })
  assert.deepEqual((await wholeLog(again, 'kept')).events.map((e) => e.seq), acked)
})
