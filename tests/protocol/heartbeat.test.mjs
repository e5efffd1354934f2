// The heartbeat: ping, pong, and a link that is dead.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Server, sharedServer } from './lib/server.mjs'
import { SLOW } from './lib/wait.mjs'

const server = sharedServer({ args: ['--no-limits', '--heartbeat-ms', '400'] })

test('hello tells the interval, and a ping comes every interval', async () => {
  const peer = await server.user()
  assert.equal(peer.hello.heartbeat_ms, 400)
  const times = []
  for (let i = 0; i < 5; i++) {
    assert.deepEqual(await peer.event('ping'), { ev: 'ping' })
    times.push(performance.now())
  }
  const mean = (times[4] - times[0]) / 4
  assert.ok(mean > 250 && mean < 700 * SLOW, `every ${Math.round(mean)} ms`)
})

test('who answers stays, who does not is dead 10 s after the missed beat; frames of RFC 6455 are no answer that is needed', async () => {
  const alive = await server.user('Alive'), dead = await server.user('Dead')
  dead.autoPong = false
  await dead.event('ping')
  const missed = performance.now()
  await dead.closed(16000)
  const after = performance.now() - missed
  assert.ok(after > 8500, `closed after ${Math.round(after)} ms`)
  await alive.ok({ op: 'rooms' })
  assert.ok(alive.seen.filter((m) => m.ev === 'ping').length >= 15)
})

test('a pong has no reply, and an unasked one does no harm', async () => {
  const peer = await server.user()
  for (let i = 0; i < 100; i++) peer.send({ op: 'pong' })
  await peer.ok({ op: 'rooms' })
  assert.ok(!peer.seen.some((m) => m.re === null || m.ok === false))
})

test('the interval is 25 s unless set otherwise', async (t) => {
  const usual = await Server.start(t)
  assert.equal((await usual.user()).hello.heartbeat_ms, 25000)
})
