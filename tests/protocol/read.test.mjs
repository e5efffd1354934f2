// read markers, unread and mentions.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Server, sharedServer } from './lib/server.mjs'
import { fresh } from './lib/wait.mjs'

const server = sharedServer()
const key = () => fresh('k')
const entryOf = async (peer, rid, s = server) => (await s.again(peer)).hello.rooms.find((r) => r.rid === rid)
const counts = async (peer, rid) => {
  const { read, unread, mentions } = await entryOf(peer, rid)
  return { read, unread, mentions }
}

test('read moves the marker either way, up to head', async () => {
  const [ada, bob] = await server.room()
  const { room, rid } = ada.join
  for (let i = 0; i < 5; i++) await bob.ok({ op: 'send', room, key: key(), text: 'x' })
  for (const [seq, read, unread] of [[3, 3, 2], [5, 5, 0], [1, 1, 4], [0, 0, 5], [99, 5, 0], [Number.MAX_SAFE_INTEGER, 5, 0]]) {
    assert.deepEqual(Object.keys(await ada.ok({ op: 'read', room, seq })).sort(), ['ok', 're'])
    assert.deepEqual(await counts(ada, rid), { read, unread, mentions: 0 }, `read ${seq}`)
  }
})

test('the marker is told to the user\'s other connections, joined or not, and to nobody else', async () => {
  const [ada, bob] = await server.room()
  const { room } = ada.join
  const joined = await server.again(ada), apart = await server.again(ada)
  await joined.ok({ op: 'join', room })
  await bob.ok({ op: 'send', room, key: key(), text: 'x' })
  await ada.ok({ op: 'read', room, seq: 7 })
  for (const p of [joined, apart]) assert.deepEqual(await p.event('read'), { ev: 'read', room, seq: 1 })
  await bob.ok({ op: 'send', room, key: key(), text: 'mark' })
  for (const p of [ada, bob]) {
    await p.event({ ev: 'message', seq: 2 })
    assert.equal(p.untaken('read').length, 0)
  }
})

test('unread counts the messages of others above the marker, tombstones too, and nothing else', async () => {
  const [ada, bob] = await server.room()
  const { room, rid } = ada.join
  const send = (who) => who.ok({ op: 'send', room, key: key(), text: 'x' })
  await send(bob) // 1
  await send(ada) // 2: one's own
  await send(bob) // 3
  await bob.ok({ op: 'edit', room, target: 1, text: 'y', key: key() })
  await bob.ok({ op: 'react', room, target: 2, emoji: '+', on: true, key: key() })
  await bob.ok({ op: 'delete', room, target: 3, key: key() }) // 6
  await send(bob) // 7
  assert.equal((await counts(ada, rid)).unread, 3)
  for (const [seq, unread] of [[1, 2], [2, 2], [3, 1], [6, 1], [7, 0]]) {
    await ada.ok({ op: 'read', room, seq })
    assert.equal((await counts(ada, rid)).unread, unread, `read ${seq}`)
  }
  await bob.ok({ op: 'read', room, seq: 0 })
  assert.equal((await counts(bob, rid)).unread, 1, 'for Bob, Ada\'s alone')
})

test('mentions count those of oneself above the marker', async () => {
  const [ada, bob] = await server.room()
  const { room, rid } = ada.join
  const send = (mentions) => bob.ok({ op: 'send', room, key: key(), text: '@', mentions })
  await send([ada.me.id])
  await send([bob.me.id])
  await send([bob.me.id, ada.me.id])
  await send([ada.me.id, ada.me.id])
  assert.deepEqual(await counts(ada, rid), { read: 0, unread: 4, mentions: 3 })
  await ada.ok({ op: 'read', room, seq: 1 })
  assert.deepEqual(await counts(ada, rid), { read: 1, unread: 3, mentions: 2 })
  await ada.ok({ op: 'read', room, seq: 4 })
  assert.deepEqual(await counts(ada, rid), { read: 4, unread: 0, mentions: 0 })
  await ada.ok({ op: 'read', room, seq: 2 })
  assert.deepEqual(await counts(ada, rid), { read: 2, unread: 2, mentions: 2 })
})

test('each user has a marker of their own, kept over a crash', async (t) => {
  const own = await Server.start(t)
  const [ada, bob] = await own.room(['Ada', 'Bob'], 'markers')
  const { rid } = ada.join
  for (let i = 0; i < 4; i++) await bob.ok({ op: 'send', room: 'markers', key: key(), text: 'x' })
  await ada.ok({ op: 'read', room: 'markers', seq: 3 })
  await own.restart('SIGKILL')
  const a = await entryOf(ada, rid, own), b = await entryOf(bob, rid, own)
  assert.deepEqual([a.head, a.read, a.unread], [4, 3, 1])
  assert.deepEqual([b.head, b.read, b.unread], [4, 0, 0])
})

test('a marker is no event of the log', async () => {
  const [ada, bob] = await server.room()
  const { room } = ada.join
  await bob.ok({ op: 'send', room, key: key(), text: 'x' })
  for (let i = 0; i < 10; i++) await ada.ok({ op: 'read', room, seq: i % 2 })
  assert.equal((await ada.ok({ op: 'history', room })).head, 1)
})
