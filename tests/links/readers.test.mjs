// Readers that do not read, crowds, and little memory: what the server holds is bounded, and so is what
// others notice of it.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { wholeLog } from '../protocol/lib/log.mjs'
import { BIN } from '../protocol/lib/server.mjs'
import { SLOW, load } from '../protocol/lib/wait.mjs'
import { HeldServer } from './lib/held.mjs'
import { insist, memory, range } from './lib/load.mjs'

const BENCH_LOAD = path.join(process.env.LINKS_BUILD ?? assert.fail('LINKS_BUILD names the build directory'), 'tests/bench/bench-load')
const READERS = Number(process.env.LINKS_READERS ?? load(100))

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
