// Limits: how fast one may send, how slowly one may read.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { HttpPeer } from './lib/http.mjs'
import { BIN, Server } from './lib/server.mjs'
import { SLOW, deferred, fresh, load, within } from './lib/wait.mjs'

const range = (from, to) => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)

test('rate limits are on: past limits.send a write gets rate_limited with retry_ms, and its key is free', async (t) => {
  const server = await Server.start(t, { args: ['--send-limit', '10/1500'] })
  const [ada] = await server.room(['Ada'])
  assert.deepEqual(ada.hello.limits.send, { n: 10, per_ms: 1500 })
  const { room } = ada.join
  const writes = range(1, 60).map((i) => ({ op: 'send', room, key: `k${i}`, text: `t${i}` }))
  const replies = await Promise.all(writes.map((w) => ada.request(w)))
  const ok = replies.filter((r) => r.ok)
  // A slow run may give the bucket time to fill again.
  assert.ok(ok.length >= 10 && ok.length < 60 && (SLOW > 1 || ok.length <= 15), `${ok.length} of 60 were let through`)
  for (const r of replies.filter((x) => !x.ok)) {
    assert.equal(r.err.code, 'rate_limited')
    assert.ok(Number.isInteger(r.err.retry_ms) && r.err.retry_ms > 0 && r.err.retry_ms <= 1500, `retry_ms ${r.err.retry_ms}`)
  }
  const refused = writes[replies.findLastIndex((r) => !r.ok)]
  const since = performance.now()
  let reply
  do reply = await ada.request(refused)
  while (!reply.ok)
  assert.ok(performance.now() - since < 3000 * SLOW, 'let through again in time')
  assert.equal(reply.dup, undefined)
  const { events } = await ada.ok({ op: 'history', room, limit: 200 })
  const own = events.map((e) => e.text)
  assert.equal(new Set(own).size, own.length)
})

test('coming back does not fill the allowance again', async (t) => {
  const server = await Server.start(t, { args: ['--workers', '1', '--send-limit', '5/3600000'] })
  const ada = await server.user()
  const room = fresh('room')
  await ada.request({ op: 'join', room })
  const send = (peer, i) => peer.request({ op: 'send', room, key: `k${i}`, text: 'hi' })
  for (const i of range(1, 5)) assert.equal((await send(ada, i)).ok, true)
  assert.equal((await send(ada, 6)).err.code, 'rate_limited')
  await ada.close()
  const again = await server.connect()
  await again.request({ op: 'hello', token: ada.hello.token })
  await again.request({ op: 'join', room })
  assert.equal((await send(again, 6)).err.code, 'rate_limited')
})

test('50 in 5 s are the default; one user\'s burst does not slow another\'s', async (t) => {
  const server = await Server.start(t, { args: [] })
  const [ada, bob] = await server.room()
  const { room } = ada.join
  assert.deepEqual(ada.hello.limits.send, { n: 50, per_ms: 5000 })
  const replies = await Promise.all(range(1, 80).map((i) => ada.request({ op: 'send', room, key: `k${i}`, text: 'x' })))
  assert.ok(replies.slice(0, 50).every((r) => r.ok))
  assert.ok(replies.some((r) => r.err?.code === 'rate_limited'))
  await bob.ok({ op: 'send', room, key: 'k', text: 'mine' })
})

test('--no-limits turns rate limits off, not 4010', async (t) => {
  const server = await Server.start(t, { args: ['--no-limits'] })
  const [ada] = await server.room(['Ada'])
  await Promise.all(range(1, 300).map((i) => ada.ok({ op: 'send', room: ada.join.room, key: `k${i}`, text: 'x' })))
  for (let i = 0; i < 20; i++) ada.text('nonsense')
  assert.equal(await ada.closed(), 4010)
})

test('--max-text and --max-frame move the limits, and hello tells them', async (t) => {
  const server = await Server.start(t, { args: ['--no-limits', '--max-text', '100', '--max-frame', '1100'] })
  const [ada] = await server.room(['Ada'])
  const { room } = ada.join
  assert.deepEqual([ada.hello.limits.text, ada.hello.limits.frame], [100, 1100])
  await ada.ok({ op: 'send', room, key: 'k1', text: '\u0001'.repeat(100) })
  await ada.refused({ op: 'send', room, key: 'k2', text: 'x'.repeat(101) }, 'too_large')
  ada.text(JSON.stringify({ id: 1, op: 'rooms', x: 'x'.repeat(1100) }))
  assert.equal(await ada.closed(), 1009)
})

test('the 20 in 10 s are any 10 s; 19 and a pause are forgiven', async (t) => {
  const server = await Server.start(t, { args: ['--no-limits', '--heartbeat-ms', '500'] })
  const patient = await server.user('Patient'), pest = await server.user('Pest')
  const beats = async (n) => {
    for (let i = 0; i < n; i++) await Promise.all([patient.event('ping'), pest.event('ping')])
  }
  const bad = (peer, n) => Promise.all(range(1, n).map(() => peer.take((m) => m.re === null, 'a refusal', 9000)).concat(range(1, n).map(() => peer.text('nonsense'))))
  await bad(patient, 19)
  await bad(pest, 1)
  await beats(17) // the server's beat is the clock: 8.5 s
  await bad(pest, 18)
  await beats(5) // 11 s after the first
  await bad(patient, 19)
  await patient.ok({ op: 'rooms' })
  await bad(pest, 1)
  pest.text('nonsense')
  assert.equal(await pest.closed(), 4010, '20 within 3 s')
})

test('connections beyond the descriptors there are wait; those that are there go on, storage included', async (t) => {
  const server = await Server.start(t, { bin: ['/bin/sh', '-c', `ulimit -n 160; exec "${BIN}" "$@"`, 'sh'] })
  const [ada, bob] = await server.room()
  const { room } = ada.join
  const crowd = range(1, 300).map(() => new HttpPeer(server))
  for (let i = 0; i < 20; i++) {
    await ada.ok({ op: 'send', room, key: `k${i}`, text: 'x' })
    await bob.event('message')
    assert.ok((await ada.ok({ op: 'history', room })).events.length > 0)
  }
  for (const p of crowd) p.destroy()
  await server.user('Late')
})

const memoryKiB = async (pid) => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))[1])

test('an idle server takes under 20 MB', async (t) => {
  const server = await Server.start(t)
  await server.user()
  const kib = await memoryKiB(server.pid)
  if (SLOW === 1) assert.ok(kib < 20 * 1024, `${kib} KiB`)
})

test('a reader that never reads is closed with 4008, memory bounded, others undisturbed, and resumes whole', async (t) => {
  const server = await Server.start(t)
  const [ada, bob, slow] = await server.room(['Ada', 'Bob', 'Slow'])
  const { room, epoch } = ada.join
  const before = await memoryKiB(server.pid)
  slow.socket.pause()
  ada.onMessage = () => {}
  const text = 'x'.repeat(8000)
  const n = 2400 // some 19 MB: more than the kernel takes for one socket
  let peak = 0
  for (let i = 0; i < n; i += 40) {
    // In step with the two who read: they share this process, and are to be undisturbed.
    const caught = deferred()
    bob.onMessage = (m) => m.seq === i + 40 && caught.resolve()
    await Promise.all(range(i, i + 39).map((k) => ada.ok({ op: 'send', room, key: `k${k}`, text }, 20000)))
    await within(caught.promise, `message ${i + 40} at the one who reads`)
    peak = Math.max(peak, await memoryKiB(server.pid))
  }
  // Bounded output and the room's tail, not the 19 MB that were sent; a sanitizer's own memory is its own.
  if (SLOW === 1) assert.ok(peak - before < 32 * 1024, `grew by ${peak - before} KiB`)
  bob.onMessage = null
  await ada.ok({ op: 'send', room, key: 'mark', text: 'mark' })
  await bob.event({ ev: 'message', text: 'mark' })
  assert.deepEqual(bob.seen.filter((m) => m.ev === 'message').map((m) => m.seq), range(1, n + 1))

  slow.onMessage = () => {}
  slow.socket.resume()
  const code = await slow.closed(20000)
  assert.ok(code === 4008 || (code === 1006 && slow.ended.error !== undefined), `closed with ${code}`)
  const got = slow.seen.filter((m) => m.ev === 'message').map((m) => m.seq)
  assert.deepEqual(got, range(1, got.length), 'what it did get has no hole')
  assert.ok(got.length < n, 'it was let go before the end')
  const again = await server.again(slow)
  let have = got.length
  const join = await again.ok({ op: 'join', room, since: have, epoch })
  assert.notEqual(join.state, 'reset')
  have = join.events.at(-1).seq
  while (have < join.head) have = (await again.ok({ op: 'history', room, after: have, limit: 200 })).events.at(-1).seq
  assert.equal(have, n + 1)
})

test('a peer whose unsent replies pile up is not read from, and is not closed for it', async (t) => {
  const server = await Server.start(t)
  const [ada] = await server.room(['Ada'])
  const { room } = ada.join
  await Promise.all(range(1, 40).map((i) => ada.ok({ op: 'send', room, key: `k${i}`, text: 'x'.repeat(8000) })))
  await ada.event({ ev: 'message', seq: 40 })
  ada.socket.pause()
  const n = 120 // replies of a quarter MiB each
  const replies = range(1, n).map(() => ada.ok({ op: 'history', room, limit: 200 }, 40000))
  const bob = await server.user('Bob')
  for (let i = 0; i < load(200); i++) await bob.ok({ op: 'rooms' })
  if (SLOW === 1) assert.ok((await memoryKiB(server.pid)) < 80 * 1024, 'the replies were not all made ahead')
  ada.socket.resume()
  for (const r of await Promise.all(replies)) assert.ok(r.events.length > 10)
})

test('a peer that sends without reading its replies bounds itself alone', async (t) => {
  const server = await Server.start(t)
  const [ada, bob] = await server.room()
  const { room } = ada.join
  const flood = await server.user('Flood')
  flood.socket.pause()
  for (let i = 0; i < 20000; i++) flood.text(`{"id":${i},"op":"rooms"}`)
  for (let i = 0; i < 20; i++) {
    await ada.ok({ op: 'send', room, key: fresh('k'), text: 'x' })
    await bob.event('message')
  }
  if (SLOW === 1) assert.ok((await memoryKiB(server.pid)) < 80 * 1024)
  await flood.drop()
})
