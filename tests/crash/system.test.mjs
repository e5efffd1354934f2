// A system in trouble: no descriptors, no memory for sockets, no threads, no rings, a clock that jumps.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { wholeLog } from '../protocol/lib/log.mjs'
import { fetchRaw } from '../protocol/lib/http.mjs'
import { BIN, runToEnd } from '../protocol/lib/server.mjs'
import { SLOW, within } from '../protocol/lib/wait.mjs'
import { Sender, checkAfterKill, cpuShare, eventually, patient, readyz, servingPatient } from './lib/patient.mjs'

const DAY_MS = 24 * 60 * 60 * 1000
const IDLE_SHARE = 0.2 // of a core; a loop that spins takes a whole one

/** Plain connections that ask for nothing; all are made, whether the server has accepted them or not. */
async function crowd(t, server, n) {
  const sockets = Array.from({ length: n }, () => net.connect({ host: server.host, port: server.port }).on('error', () => {}))
  t.after(() => sockets.forEach((socket) => socket.destroy()))
  await within(Promise.all(sockets.map((socket) => once(socket, 'connect'))), `${n} connections`, 20000)
  return sockets
}

/** Those who are inside are served: the slowest of some messages, sent one by one. */
async function slowestSend(sender, n = 50) {
  let slowest = 0
  for (let i = 0; i < n; i++) {
    const begun = performance.now()
    await sender.sendAll(1)
    slowest = Math.max(slowest, performance.now() - begun)
  }
  return slowest
}

test('descriptors run out: accepting waits, those inside are served, storage too, and it goes on by itself', async (t) => {
  const server = await servingPatient(t, { bin: ['/bin/sh', '-c', 'ulimit -n 200; exec "$0" "$@"', BIN], args: ['--no-limits', '--workers', '2'] })
  const [ada] = await server.room(['Ada'], 'inside')
  const sender = new Sender(ada, 'inside')
  const sockets = await crowd(t, server, 2000)
  await eventually(() => /connections are open: further ones wait/.test(server.stderr), 'the bound')
  const late = fetchRaw(server, '/healthz')
  const slowest = await slowestSend(sender), share = await cpuShare(server.pid, 1000)
  t.diagnostic(`the slowest of 50 messages took ${slowest.toFixed(1)} ms; then it took ${(100 * share).toFixed(1)} % of a core`)
  assert.ok(slowest < 500 * SLOW, 'a message to those inside')
  assert.ok(share < IDLE_SHARE * SLOW, 'it spins')
  // What storage opens anew when it recovers was kept back for it.
  server.faults.set('write', 'EIO')
  const key = await sender.refused()
  server.faults.heal()
  await sender.again(key)
  for (const socket of sockets) socket.destroy()
  assert.equal((await late).status, 200, 'who waited gets in')
  await server.user('Bob')
  await checkAfterKill(server, sender)
})

for (const err of ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']) {
  test(`accepting fails with ${err}: it waits, those inside are served, and it goes on by itself`, async (t) => {
    const server = await servingPatient(t)
    const [ada] = await server.room(['Ada'], 'inside')
    const sender = new Sender(ada, 'inside')
    server.faults.set('accept', err)
    const late = fetchRaw(server, '/healthz')
    await eventually(() => /accepting no connections for now/.test(server.stderr), 'the pause')
    assert.ok(await slowestSend(sender) < 500 * SLOW, 'a message to those inside')
    assert.ok(await cpuShare(server.pid, 1000) < IDLE_SHARE * SLOW, 'it spins')
    assert.ok(server.faults.given('accept') < 20, `it tried ${server.faults.given('accept')} times`)
    server.faults.heal()
    assert.equal((await late).status, 200)
    await eventually(() => /accepting connections again/.test(server.stderr), 'the end of the pause')
  })
}

test('connections that end before they are accepted concern nobody else', async (t) => {
  const server = await servingPatient(t)
  server.faults.set('accept', 'ECONNABORTED', { chance: 0.5 })
  for (let i = 0; i < 20; i++) assert.equal((await fetchRaw(server, '/healthz')).status, 200)
  assert.ok(server.faults.given('accept') > 0)
  assert.doesNotMatch(server.stderr, /accepting no connections/)
})

test('a thread cannot be made at the start: the server says so and ends', async (t) => {
  const server = await patient(t, { args: ['--workers', '2'] })
  const start = () => runToEnd(['serve', '--open', '--listen', '127.0.0.1:0', '--data', server.data, '--workers', '2'], { env: server.env })
  // The checkpointer, two readers, the writer, two workers.
  for (let skip = 0; skip < 6; skip++) {
    server.faults.set('thread', 'EAGAIN', { skip })
    const r = await start()
    assert.equal(r.code, 1, `with ${skip} threads made: ${r.stderr}`)
    assert.match(r.stderr, /cannot start (its|a worker) thread/)
    assert.equal(r.stdout, '')
  }
  server.faults.heal()
  await server.start()
})

for (const [what, err] of [['ring', 'ENOSYS'], ['ring', 'EPERM'], ['ring', 'ENOMEM'], ['ringSubmit', 'EIO'], ['ringSubmit', 'ENOMEM']]) {
  test(`io_uring fails (${what}: ${err}): everything comes all the same`, async (t) => {
    const server = await patient(t)
    server.faults.set(what, err, { skip: what === 'ring' ? 0 : 3 })
    await server.start()
    const peers = await server.room(Array.from({ length: 20 }, (_, i) => `p${i}`), 'ring')
    const sender = new Sender(peers[0], 'ring')
    await sender.sendAll(20)
    for (const peer of peers) {
      await peer.event({ ev: 'message', seq: 20 })
      assert.deepEqual(peer.seen.filter((m) => m.ev === 'message').map((m) => m.seq), Array.from({ length: 20 }, (_, i) => i + 1))
    }
  })
}

test('the wall clock jumps by a day and back: ts follows it, and nothing else', async (t) => {
  const server = await servingPatient(t, { args: ['--send-limit', '10/60000', '--heartbeat-ms', '10000'] })
  const [ada, bob] = await server.room(['Ada', 'Bob'], 'time')
  const [limited] = await server.room(['Eve'], 'time')
  const sender = new Sender(ada, 'time')
  // Eve has used up what she may send; no jump gives her more, or takes it for longer.
  const flood = await Promise.all(Array.from({ length: 11 }, (_, i) => limited.request({ op: 'send', room: 'time', key: `f${i}`, text: `f${i}` })))
  const refusal = flood.find((r) => !r.ok)
  assert.equal(refusal?.err.code, 'rate_limited')
  const jumps = [0, DAY_MS, -DAY_MS, 0]
  for (const jump of jumps) {
    server.faults.clock(jump)
    const { reply } = await sender.send()
    assert.ok(reply.ok, JSON.stringify(reply))
    assert.ok(Math.abs(reply.ts - (Date.now() + jump)) < 5000 * SLOW, `${reply.ts} is not the server's time`)
    const again = await limited.refused({ op: 'send', room: 'time', key: 'again', text: 'f' }, 'rate_limited')
    assert.ok(again.retry_ms <= refusal.err.retry_ms, `${again.retry_ms} ms to wait`)
    assert.equal((await server.again(ada)).me.id, ada.me.id, 'a token holds')
    const other = await server.connect()
    await other.refused({ op: 'hello', name: bob.me.name }, 'name_taken')
    assert.equal(await readyz(server), 200)
  }
  const { events, head } = await wholeLog(bob, 'time')
  assert.deepEqual(events.map((e) => e.seq), Array.from({ length: head }, (_, i) => i + 1))
  assert.ok(events.some((e, i) => i > 0 && e.ts < events[i - 1].ts), 'its times are out of order')
  const page = await bob.ok({ op: 'history', room: 'time', before: head, limit: 2 })
  assert.deepEqual(page.events.map((e) => e.seq), [head - 2, head - 1])
  await bob.event({ ev: 'message', seq: head })
  assert.deepEqual(bob.seen.filter((m) => m.ev === 'message').map((m) => m.seq), events.map((e) => e.seq), 'live, in the order of seq')
  for (const peer of [ada, bob, limited]) assert.equal(peer.ended, undefined, 'nobody was sent away')
  await checkAfterKill(server, sender)
})

test('the wall clock jumps while beats are awaited: they come as ever, and nobody is taken for dead', async (t) => {
  const server = await servingPatient(t, { args: ['--no-limits', '--heartbeat-ms', '200'] })
  const [ada] = await server.room(['Ada'], 'beat')
  for (const jump of [DAY_MS, -DAY_MS, 0]) {
    server.faults.clock(jump)
    for (let i = 0; i < 3; i++) await ada.event('ping')
    await ada.settle()
  }
  assert.equal(ada.ended, undefined)
})
