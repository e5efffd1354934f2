// send: the acknowledgement, the event, its order and what may be in it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Server, sharedServer } from './lib/server.mjs'
import { fresh, load } from './lib/wait.mjs'

const server = sharedServer()
const key = () => fresh('k')

test('a message is acknowledged with seq and ts, and goes to every member, the sender included', async () => {
  const [ada, bob] = await server.room()
  const room = ada.join.room
  const before = Date.now()
  const reply = await ada.ok({ op: 'send', room, key: key(), text: 'hi' })
  assert.deepEqual(Object.keys(reply).sort(), ['ok', 're', 'seq', 'ts'])
  assert.equal(reply.seq, 1)
  assert.ok(reply.ts >= before - 1000 && reply.ts <= Date.now() + 1000, 'ts is Unix time in milliseconds')
  const event = { ev: 'message', room, seq: 1, ts: reply.ts, from: ada.me, text: 'hi' }
  assert.deepEqual(await ada.event('message'), event)
  assert.deepEqual(await bob.event('message'), event)
})

test('all members are sent the same bytes', async () => {
  const peers = await server.room(['Ada', 'Bob', 'Cy', 'Di'])
  const { room } = peers
  await peers[0].ok({ op: 'send', room, key: key(), text: 'same "bytes"\0 \u{1F642}' })
  await peers[1].ok({ op: 'react', room, target: 1, emoji: '+', on: true, key: key() })
  await peers[0].ok({ op: 'edit', room, target: 1, text: 'other', key: key() })
  await peers[0].ok({ op: 'delete', room, target: 1, key: key() })
  const logs = await Promise.all(peers.map(async (p) => {
    await p.event('delete')
    return p.raw.filter((t) => /"seq":/.test(t) && t.startsWith('{"ev"'))
  }))
  assert.equal(logs[0].length, 4)
  for (const log of logs) assert.deepEqual(log, logs[0])
})

test('seq runs 1, 2, 3 … in each room of its own', async () => {
  const ada = await server.user()
  const rooms = [fresh('one'), fresh('two')]
  for (const room of rooms) await ada.ok({ op: 'join', room })
  for (let i = 1; i <= 10; i++) {
    for (const room of rooms) assert.equal((await ada.ok({ op: 'send', room, key: key(), text: 'x' })).seq, i)
  }
})

test('on the sender\'s connection the reply comes before the event, for every op that writes', async () => {
  const [ada] = await server.room(['Ada'])
  const room = ada.join.room
  const n = load(200)
  const writes = [ada.ok({ op: 'send', room, key: key(), text: 'x' })]
  for (let i = 0; i < n; i++) {
    writes.push(ada.ok({ op: 'send', room, key: key(), text: 'x' }), ada.ok({ op: 'edit', room, target: 1, text: 'y', key: key() }),
      ada.ok({ op: 'react', room, target: 1, emoji: '+', on: i % 2 === 0, key: key() }))
  }
  writes.push(ada.ok({ op: 'delete', room, target: 1, key: key() }))
  const replies = await Promise.all(writes)
  await ada.event('delete')
  const order = ada.seen.filter((m) => m.seq !== undefined)
  for (const { re, seq } of replies) {
    const answered = order.findIndex((m) => m.re === re), told = order.findIndex((m) => m.ev && m.seq === seq)
    assert.ok(answered >= 0 && answered < told, `seq ${seq}: reply at ${answered}, event at ${told}`)
  }
})

test('accepted requests that touch one room are answered in their order; a history behind a send sees it', async () => {
  const [ada] = await server.room(['Ada'])
  const room = ada.join.room
  for (let i = 0; i < load(60); i++) {
    const sent = ada.ok({ op: 'send', room, key: key(), text: `t${i}` })
    const history = ada.ok({ op: 'history', room, limit: 1 })
    const join = ada.ok({ op: 'join', room, limit: 1 })
    const read = ada.ok({ op: 'read', room, seq: i + 1 })
    const second = ada.ok({ op: 'react', room, target: i * 2 + 1, emoji: '+', on: true, key: key() })
    const all = await Promise.all([sent, history, join, read, second])
    assert.equal(all[1].events[0].seq, all[0].seq)
    assert.equal(all[2].head, all[0].seq)
    const order = ada.seen.filter((m) => all.some((r) => r.re === m.re)).map((m) => m.re)
    assert.deepEqual(order, all.map((r) => r.re))
  }
})

test('each connection sees the events of a room in rising seq, each once, whoever sends', async () => {
  const peers = await server.room(['Ada', 'Bob', 'Cy', 'Di'])
  const n = load(300)
  const room = peers.room
  await Promise.all(peers.slice(0, 3).flatMap((p, w) => Array.from({ length: n }, (_, i) => p.ok({ op: 'send', room, key: key(), text: `${w}:${i}` }))))
  const views = []
  for (const p of peers) {
    await p.event({ ev: 'message', seq: 3 * n })
    const events = p.seen.filter((m) => m.ev === 'message')
    assert.deepEqual(events.map((e) => e.seq), Array.from({ length: 3 * n }, (_, i) => i + 1))
    views.push(events.map((e) => e.text))
    for (let w = 0; w < 3; w++) { // each sender's own order is kept
      const own = events.filter((e) => e.text.startsWith(`${w}:`)).map((e) => Number(e.text.slice(2)))
      assert.deepEqual(own, Array.from({ length: n }, (_, i) => i))
    }
  }
  for (const v of views) assert.deepEqual(v, views[0])
})

test('who is in another room sees nothing', async () => {
  const [ada] = await server.room(['Ada'])
  const [eve] = await server.room(['Eve'])
  await ada.ok({ op: 'send', room: ada.join.room, key: key(), text: 'secret' })
  await ada.event('message')
  await eve.ok({ op: 'send', room: eve.join.room, key: key(), text: 'mark' })
  assert.equal((await eve.event('message')).text, 'mark')
  assert.ok(!eve.raw.some((t) => t.includes('secret')))
})

test('text has 1 to limits.text bytes of UTF-8', async () => {
  const [ada, bob] = await server.room()
  const room = ada.join.room
  await ada.refused({ op: 'send', room, key: key(), text: '' }, 'bad_request')
  await ada.refused({ op: 'send', room, key: key(), text: 'x'.repeat(8001) }, 'too_large')
  await ada.refused({ op: 'send', room, key: key(), text: 'é'.repeat(4001) }, 'too_large')
  for (const text of ['x', 'x'.repeat(8000), 'é'.repeat(4000), '\u{1F642}'.repeat(2000), '\u0001'.repeat(8000)]) {
    await ada.ok({ op: 'send', room, key: key(), text })
    assert.equal((await bob.event('message')).text, text)
  }
})

test('thread and quote name a message of the same room and come back in the event', async () => {
  const [ada, bob] = await server.room()
  const room = ada.join.room
  const { seq: root } = await ada.ok({ op: 'send', room, key: key(), text: 'root' })
  await bob.ok({ op: 'send', room, key: key(), text: 'reply', thread: root })
  await ada.ok({ op: 'send', room, key: key(), text: 'quoting', quote: 2 })
  await ada.ok({ op: 'send', room, key: key(), text: 'both', thread: root, quote: 1 })
  const { events } = await bob.ok({ op: 'history', room })
  assert.deepEqual(events.map((e) => [e.thread, e.quote]), [[undefined, undefined], [1, undefined], [undefined, 2], [1, 1]])
  await bob.event({ ev: 'message', seq: 4 })
  assert.deepEqual(events, bob.seen.filter((m) => m.ev === 'message'))
})

test('a thread or quote on no message, a deleted one, or one of another room, is not found', async () => {
  const [ada] = await server.room(['Ada'])
  const room = ada.join.room
  await ada.ok({ op: 'send', room, key: key(), text: '1' })
  await ada.ok({ op: 'react', room, target: 1, emoji: '+', on: true, key: key() })
  await ada.ok({ op: 'send', room, key: key(), text: '3' })
  await ada.ok({ op: 'delete', room, target: 3, key: key() })
  const other = fresh('other')
  await ada.ok({ op: 'join', room: other })
  for (const field of ['thread', 'quote']) {
    for (const seq of [2, 3, 4, 5, 99, Number.MAX_SAFE_INTEGER]) await ada.refused({ op: 'send', room, key: key(), text: 'x', [field]: seq }, 'not_found')
    await ada.refused({ op: 'send', room: other, key: key(), text: 'x', [field]: 1 }, 'not_found')
  }
  assert.equal((await ada.ok({ op: 'send', room, key: key(), text: 'x' })).seq, 5, 'the refused ones appended nothing')
})

test('mentions go into the event; more than 50 are a bad request', async () => {
  const [ada, bob] = await server.room()
  const room = ada.join.room
  await ada.ok({ op: 'send', room, key: key(), text: '@Bob', mentions: [bob.me.id] })
  assert.deepEqual((await bob.event('message')).mentions, [bob.me.id])
  await ada.ok({ op: 'send', room, key: key(), text: 'none', mentions: [] })
  await ada.ok({ op: 'send', room, key: key(), text: 'fifty', mentions: Array(50).fill(bob.me.id) })
  await ada.refused({ op: 'send', room, key: key(), text: 'x', mentions: Array(51).fill(bob.me.id) }, 'bad_request')
})

test('files that are not empty are a bad request', async () => {
  const [ada, bob] = await server.room()
  await ada.refused({ op: 'send', room: ada.join.room, key: key(), text: 'x', files: ['f'] }, 'bad_request')
  await ada.ok({ op: 'send', room: ada.join.room, key: key(), text: 'x', files: [] })
  assert.deepEqual((await bob.event('message')).files ?? [], [])
})

test('what was acknowledged is there after a crash, with the same bytes', async (t) => {
  const own = await Server.start(t)
  const [ada] = await own.room(['Ada'], 'durable')
  for (let i = 0; i < 5; i++) await ada.ok({ op: 'send', room: 'durable', key: key(), text: `t${i}`, mentions: [ada.me.id] })
  const before = await ada.ok({ op: 'history', room: 'durable' })
  await own.restart('SIGKILL')
  const again = await own.again(ada)
  await again.ok({ op: 'join', room: 'durable' })
  const after = await again.ok({ op: 'history', room: 'durable' })
  assert.deepEqual(after.events, before.events)
  assert.equal(after.epoch, before.epoch, 'a crash is no restored backup')
  assert.equal((await again.ok({ op: 'send', room: 'durable', key: key(), text: 'next' })).seq, 6)
})
