// Stopping: clean on a signal, at once on the second, and up again on the same port.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpPeer } from './lib/http.mjs'
import { Server } from './lib/server.mjs'
import { SLOW, load, within } from './lib/wait.mjs'

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal}: clients get 1001, the server exits with 0`, async (t) => {
    const server = await Server.start(t)
    const peers = await server.room(['Ada', 'Bob', 'Cy'])
    const mute = await server.connect()
    const codes = [...peers, mute].map((p) => p.closed(12000))
    await server.stop(signal) // asserts the exit status
    assert.deepEqual(await Promise.all(codes), [1001, 1001, 1001, 1001])
    assert.equal(server.stdout.split('\n').length, 2, 'one line on standard output')
    await server.start()
  })
}

test('an idle server stops at once', async (t) => {
  const server = await Server.start(t)
  const begun = performance.now()
  await server.stop()
  assert.ok(performance.now() - begun < 2000 * SLOW)
  await server.start()
})

test('a client that never answers the close holds the stop for 10 s at most', async (t) => {
  const server = await Server.start(t)
  const peer = await server.user()
  peer.keepOpen = true
  const slow = await server.user('Slow')
  slow.socket.pause()
  const http = new HttpPeer(server).write('GET / HTTP/1.1\r\nHost: ')
  const begun = performance.now()
  await server.stop('SIGTERM', 11500)
  assert.ok(performance.now() - begun < 11000 + 2000 * SLOW)
  http.destroy()
  await server.start()
})

test('a second signal ends at once', async (t) => {
  const server = await Server.start(t)
  const peer = await server.user()
  peer.keepOpen = true // the first stop waits for this one
  server.child.kill('SIGTERM')
  assert.equal(await peer.closed(), 1001)
  const begun = performance.now()
  server.child.kill('SIGTERM')
  await within(server.exited, 'the end after the second signal', 3000)
  assert.ok(performance.now() - begun < 1500 * SLOW)
  server.checkReports()
  server.child = undefined
  await server.start()
})

test('while stopping it is not ready', async (t) => {
  const server = await Server.start(t)
  const http = new HttpPeer(server)
  const ask = `GET /readyz HTTP/1.1\r\nHost: ${server.host}:${server.port}\r\n\r\n`
  assert.equal((await http.write(ask).response()).status, 200)
  const peer = await server.user()
  peer.keepOpen = true
  server.child.kill('SIGTERM')
  assert.equal(await peer.closed(), 1001)
  http.write(ask)
  const status = await http.response().then((r) => r.status, () => 'closed')
  assert.ok(status === 503 || status === 'closed', `ready: ${status}`)
  await assert.rejects(server.connect(), 'nobody new is let in')
  peer.socket.destroy()
  http.destroy()
  await server.ended('SIGTERM')
  await server.start()
})

test('a restart on the same port works at once, with clients still attached', async (t) => {
  const server = await Server.start(t)
  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGTERM']) {
    await server.room(['Ada', 'Bob'], 'same-port')
    await server.stop(signal)
    server.listen = `127.0.0.1:${server.port}`
    await server.start()
  }
})

test('writes under way when it stops are acknowledged and kept, or not acknowledged; again under their keys each is there once', async (t) => {
  const server = await Server.start(t)
  const [ada] = await server.room(['Ada'], 'stopping')
  const { epoch } = ada.join
  const n = load(400)
  const writes = Array.from({ length: n }, (_, i) => ({ op: 'send', room: 'stopping', key: `k${i}`, text: `t${i}` }))
  const outcomes = writes.map((w) => ada.request(w).catch(() => null))
  await ada.event('message')
  await server.stop()
  const replies = await Promise.all(outcomes)
  for (const r of replies) assert.ok(r === null || r.ok || r.err.code === 'unavailable', JSON.stringify(r))
  await server.start()
  const again = await server.again(ada)
  const join = await again.ok({ op: 'join', room: 'stopping' })
  assert.equal(join.epoch, epoch)
  for (const [i, w] of writes.entries()) {
    const r = await again.ok(w)
    if (replies[i]?.ok) assert.deepEqual([r.seq, r.ts, r.dup], [replies[i].seq, replies[i].ts, true], w.key)
  }
  const texts = []
  for (let after = 0; texts.length < n; after = texts.length) {
    const { events } = await again.ok({ op: 'history', room: 'stopping', after, limit: 200 })
    texts.push(...events.map((e) => e.text))
  }
  assert.equal(new Set(texts).size, n)
})
