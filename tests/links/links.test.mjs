// Links that break, or fall silent, at every state of a connection: the server lets go of them, their
// members leave, and nobody else notices.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { SLOW, fresh, load } from '../protocol/lib/wait.mjs'
import { HeldServer } from './lib/held.mjs'
import { STATES } from './lib/states.mjs'

const TOGETHER = 4 // connections in each state

/** Where the socket is shutting down already a reset would never be done with. */
function reset(peer) {
  if (peer.socket.writableEnded) peer.socket.destroy()
  else peer.socket.resetAndDestroy()
}

/** Two who stay in a room, some of whose events are in the database alone. */
async function witnesses(server) {
  const [ada, bob] = await server.room()
  const old = fresh('old')
  const { room } = ada.join
  for (const name of [room, old]) {
    await ada.ok({ op: 'join', room: name })
    for (let i = 0; i < 40; i++) await ada.ok({ op: 'send', room: name, key: `${name}${i}`, text: 'x'.repeat(7000) })
  }
  // Nobody is in it, so that its newest events are not at hand.
  await ada.ok({ op: 'leave', room: old })
  return { server, room, old, ada, bob }
}

/** Only the witnesses are left, in the counters and in the room; and they are served. */
async function areAlone({ server, room, ada, bob }, ms) {
  await server.counts({ connections: 3, websockets: 2, rooms_joined: 2, unsent_bytes: 0 }, ms)
  assert.equal((await ada.ok({ op: 'join', room, limit: 1 })).online, 2)
  const text = fresh('still here')
  await ada.ok({ op: 'send', room, key: text, text })
  await bob.event({ ev: 'message', text })
}

const server = new HeldServer({ args: ['--no-limits', '--workers', '2'] })
let at
before(async () => (at = await witnesses(await server.start())))
after(() => server.dispose())

for (const [name, { held, prepare, enter }] of Object.entries(STATES)) {
  test(`a reset ${name}`, async () => {
    const ready = []
    for (let i = 0; i < TOGETHER; i++) ready.push(await prepare(at))
    if (held) await server.hold(held)
    const peers = await Promise.all(ready.map((peer) => enter(at, peer)))
    // What they said has been heard: the server takes up sockets in turn.
    await server.counts({ connections: 3 + TOGETHER })
    for (const peer of peers) reset(peer)
    // They are gone while what they asked for is still under way.
    await server.counts({ connections: 3, websockets: 2, rooms_joined: 2 })
    if (held) await server.release(held)
    await areAlone(at)
  })
}

test('a reset in the middle of broadcasts to a crowd', async (t) => {
  const one = await HeldServer.start(t, { args: ['--no-limits', '--workers', '1'] })
  const n = SLOW > 1 ? 300 : 1500
  const room = 'crowd'
  const peers = []
  while (peers.length < n) {
    peers.push(...await Promise.all(Array.from({ length: 100 }, async () => {
      const peer = await one.user('Member')
      const { head } = await peer.ok({ op: 'join', room, limit: 1 }, 60000)
      assert.equal(head, 0)
      peer.seqs = []
      peer.onMessage = (m) => m.ev === 'message' && peer.seqs.push(m.seq)
      return peer
    })))
  }
  const [writer, ...others] = peers
  const going = others.filter((_, i) => i % 3 === 0)
  for (let round = 0; round < 5; round++) {
    const sent = Array.from({ length: 10 }, (_, i) => writer.ok({ op: 'send', room, key: `${round}.${i}`, text: 'x'.repeat(1000) }, 60000))
    for (const peer of going.slice(round * going.length / 5, (round + 1) * going.length / 5)) reset(peer)
    await Promise.all(sent)
  }
  const staying = peers.filter((p) => p.ended === undefined && !p.socket.destroyed)
  await one.counts({ connections: staying.length + 1, rooms_joined: staying.length, unsent_bytes: 0 }, 30000)
  await Promise.all(staying.map((p) => p.settle()))
  const all = Array.from({ length: 50 }, (_, i) => i + 1)
  for (const peer of staying) assert.deepEqual(peer.seqs, all)
})

test('a peer that falls silent in any state is let go in time, and its members leave', async (t) => {
  const beating = await HeldServer.start(t, { args: ['--no-limits', '--workers', '2', '--heartbeat-ms', '500', '--request-timeout-ms', '1000', '--hello-timeout-ms', '1000', '--message-timeout-ms', '1000', '--idle-timeout-ms', '1000'] })
  const with_ = await witnesses(beating)
  const states = Object.values(STATES)
  const ready = []
  for (const { prepare } of states) ready.push(await prepare(with_))
  for (const peer of ready) if (peer !== undefined) peer.autoPong = false
  await beating.hold('readers')
  await beating.hold('writer')
  const peers = await Promise.all(states.map(({ enter }, i) => enter(with_, ready[i])))
  // From here on nobody answers, nor hears that the server has gone: the socket alone is there.
  for (const peer of peers) {
    peer.autoPong = false
    peer.socket.pause()
  }
  const begun = performance.now()
  // But the two whose hello waits for the store: it is for them to hear from us.
  await beating.counts({ connections: 5, websockets: 4, rooms_joined: 2 }, 25000)
  t.diagnostic(`the last was let go after ${Math.round(performance.now() - begun)} ms`)
  await beating.release('writer')
  await beating.release('readers')
  await areAlone(with_, 25000)
  for (const peer of peers) peer.socket.destroy()
})

for (const how of ['silent', 'reset']) {
  test(`a stop while links are ${how} ends in time and cleanly`, async (t) => {
    const stopping = await HeldServer.start(t)
    const with_ = await witnesses(stopping)
    const peers = []
    for (const { held, prepare, enter } of Object.values(STATES)) {
      if (held === undefined) peers.push(await enter(with_, await prepare(with_)))
    }
    for (const peer of peers) peer.socket.pause()
    const codes = [with_.ada, with_.bob].map((p) => p.closed())
    stopping.child.kill('SIGTERM')
    if (how === 'reset') for (const peer of peers) reset(peer)
    assert.deepEqual(await Promise.all(codes), [1001, 1001])
    await stopping.ended('SIGTERM', 9500)
    for (const peer of peers) peer.socket.destroy()
  })
}

const residentKiB = async (of) => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${of.pid}/status`, 'utf8'))[1])

test('1,000 messages that are half sent take bounded memory, and are given up', async (t) => {
  const beating = await HeldServer.start(t, { args: ['--no-limits', '--heartbeat-ms', '2000', '--message-timeout-ms', '3000'] })
  const with_ = await witnesses(beating)
  const n = load(1000)
  const before = await residentKiB(beating)
  const peers = []
  while (peers.length < n) peers.push(...await Promise.all(Array.from({ length: Math.min(100, n - peers.length) }, () => beating.connect())))
  for (const peer of peers) peer.autoPong = false // it would be part of the message
  const half = Buffer.concat([Buffer.from([0x81, 0xfe, 0xff, 0xff, 0, 0, 0, 0]), Buffer.alloc(60000, 'x')])
  await Promise.all(peers.map((peer) => peer.write(half, [])))
  await beating.counts({ websockets: n + 2 })
  const each = (await residentKiB(beating) - before) / n
  t.diagnostic(`${Math.round(each)} KiB for each message of which 60,000 bytes have come`)
  // What has come, up to 64 KiB, and what reading it takes.
  if (SLOW === 1) assert.ok(each < 96, `${each} KiB for each`)

  const gone = Promise.all(peers.map((peer) => peer.closed(30000)))
  const trickle = async () => {
    for (;;) {
      await with_.bob.event('ping', 20000)
      for (const peer of peers) if (peer.ended === undefined) peer.socket.write('y')
      const text = fresh('served')
      await with_.ada.ok({ op: 'send', room: with_.room, key: text, text })
      await with_.bob.event({ ev: 'message', text })
      if (peers.every((p) => p.ended !== undefined)) return
    }
  }
  await Promise.all([gone, trickle()])
  await areAlone(with_)
})

test('while a worker is stuck the others serve, and then it catches up', async (t) => {
  const two = await HeldServer.start(t, { args: ['--no-limits', '--workers', '2'] })
  // Connections go to the worker that has the fewest: in turn.
  const [a, b, c, d] = [await two.user('A'), await two.user('B'), await two.user('C'), await two.user('D')]
  const room = fresh('room')
  for (const peer of [a, b, c, d]) await peer.ok({ op: 'join', room })
  await two.hold('worker')
  b.send({ id: 'stuck', op: 'rooms', hold: true })
  const slow = []
  for (let i = 0; i < 200; i++) {
    const begun = performance.now()
    await a.ok({ op: 'send', room, key: `k${i}`, text: `t${i}` })
    await c.event({ ev: 'message', text: `t${i}` })
    slow.push(performance.now() - begun)
  }
  slow.sort((x, y) => x - y)
  t.diagnostic(`others: p50 ${slow[100].toFixed(2)} ms, p99 ${slow[198].toFixed(2)} ms`)
  assert.equal(d.seen.filter((m) => m.ev === 'message').length, 0, 'it was stuck')
  await two.release('worker')
  for (let i = 0; i < 200; i++) {
    for (const peer of [b, d]) assert.equal((await peer.event('message')).text, `t${i}`)
  }
})
