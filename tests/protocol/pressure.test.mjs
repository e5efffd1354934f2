// Pressure: what a peer asks for and does not read, and slow peers that are nevertheless there.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { HttpPeer } from './lib/http.mjs'
import { Server, sharedServer } from './lib/server.mjs'
import { SLOW, fresh } from './lib/wait.mjs'

const server = sharedServer()
const range = (n) => Array.from({ length: n }, (_, i) => i)
const memoryKiB = async (pid) => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))[1])

/** So many rooms that a reply to `rooms` is large. */
async function fill(on) {
  const maker = await on.user('Maker')
  await Promise.all(range(200).map((i) => maker.ok({ op: 'join', room: `${'x'.repeat(70)}${i}` })))
}

test('requests with large replies that nobody reads take bounded memory, and others are served', async (t) => {
  const crowded = await Server.start(t)
  await fill(crowded)
  const bob = await crowded.user('Bob')
  const before = await memoryKiB(crowded.pid)
  const unread = await Promise.all(range(8).map(() => crowded.user('Unread')))
  for (const peer of unread) {
    peer.socket.pause()
    for (const i of range(500)) peer.send({ id: `u${i}`, op: 'rooms', limit: 200 })
  }
  let peak = 0
  for (const _ of range(100)) {
    await bob.ok({ op: 'rooms', limit: 1 })
    peak = Math.max(peak, await memoryKiB(crowded.pid))
  }
  if (SLOW === 1) assert.ok(peak - before < 64 * 1024, `grew by ${peak - before} KiB`)
  for (const peer of unread) {
    peer.socket.resume()
    await peer.take((m) => m.re === 'u499', 'the last reply', 30000)
  }
})

test('a stop does not wait for all that was asked', async (t) => {
  const crowded = await Server.start(t)
  await fill(crowded)
  const unread = await Promise.all(range(20).map(() => crowded.user('Unread')))
  for (const peer of unread) {
    for (const i of range(500)) peer.send({ id: `u${i}`, op: 'rooms', limit: 200 })
    peer.socket.pause()
  }
  await crowded.stop('SIGTERM', 9500) // asserts the exit status
})

test('leave with forget and join behind it are done in their order', async () => {
  const peer = await server.user()
  const room = fresh('room')
  await peer.ok({ op: 'join', room })
  const order = []
  const note = (what) => (reply) => order.push([what, reply.ok])
  await Promise.all([
    peer.request({ op: 'leave', room, forget: true }).then(note('leave')),
    peer.request({ op: 'join', room }).then(note('join')),
    peer.request({ op: 'leave', room }).then(note('left')),
    peer.request({ op: 'leave', room, forget: true }).then(note('leave again')),
    peer.request({ op: 'join', room }).then(note('join again')),
  ])
  assert.deepEqual(order, [['leave', true], ['join', true], ['left', true], ['leave again', true], ['join again', true]])
  const again = await server.again(peer)
  assert.deepEqual(again.hello.rooms.map((r) => r.room), [room])
})

test('a join makes one belong again after another connection forgot the room', async () => {
  const first = await server.user()
  const room = fresh('room')
  await first.ok({ op: 'join', room })
  const second = await server.again(first)
  await first.ok({ op: 'leave', room, forget: true })
  await second.ok({ op: 'join', room })
  const third = await server.again(first)
  assert.deepEqual(third.hello.rooms.map((r) => r.room), [room])
})

test('a peer that is not read from is not taken for dead while it answers the beats', async (t) => {
  const beating = await Server.start(t, { args: ['--no-limits', '--heartbeat-ms', '1000'] })
  await fill(beating)
  const clock = await beating.user('Clock')
  const slow = await beating.user('Slow')
  slow.socket.pause()
  for (const i of range(500)) slow.send({ id: `s${i}`, op: 'rooms', limit: 200 })
  for (const _ of range(14)) {
    await clock.event('ping')
    slow.send({ op: 'pong' })
  }
  slow.socket.resume()
  await slow.take((m) => m.re === 's499', 'the last reply', 30000)
})

test('each request of a pipeline has its own time', async (t) => {
  const patient = await Server.start(t, { args: ['--no-limits', '--request-timeout-ms', '1000'] })
  const head = 'GET /healthz HTTP/1.1\r\n'
  const rest = 'Host: a\r\n\r\n'
  const peer = new HttpPeer(patient)
  const begun = performance.now()
  peer.write(head)
  // Whenever a request ends, the next has begun already.
  while (performance.now() - begun < 2500) {
    peer.write(rest + head)
    assert.equal((await peer.response()).status, 200)
  }
  peer.destroy()
})
