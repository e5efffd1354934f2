// key makes a write idempotent for ever.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Server, sharedServer } from './lib/server.mjs'
import { fresh, load } from './lib/wait.mjs'

const server = sharedServer()
const fields = ({ seq, ts, dup }) => ({ seq, ts, dup })
const first = ({ seq, ts }) => ({ seq, ts, dup: undefined })
const again = ({ seq, ts }) => ({ seq, ts, dup: true })

test('the same key again gives the first reply once more and appends nothing', async () => {
  const [ada, bob] = await server.room()
  const room = ada.join.room
  const key = fresh('k')
  const one = await ada.ok({ op: 'send', room, key, text: 'hi' })
  assert.deepEqual(fields(one), first(one))
  for (let i = 0; i < 5; i++) assert.deepEqual(fields(await ada.ok({ op: 'send', room, key, text: 'hi' })), again(one))
  await ada.ok({ op: 'send', room, key: fresh('k'), text: 'next' })
  assert.equal((await bob.event('message')).text, 'hi')
  assert.deepEqual([(await bob.event('message')).seq, one.seq], [2, 1])
})

test('a key a thousand times, from several connections and pipelined, is one message, also over crashes', async (t) => {
  const own = await Server.start(t)
  const ada = await own.user()
  const write = { op: 'send', room: 'once', key: 'the-key', text: 'once' }
  const n = load(200)
  let reply
  for (let round = 0; round < 5; round++) {
    const peers = await Promise.all(Array.from({ length: 4 }, () => own.again(ada)))
    for (const p of peers) await p.ok({ op: 'join', room: 'once' })
    const replies = await Promise.all(Array.from({ length: n }, (_, i) => peers[i % 4].ok(write)))
    reply ??= replies.find((r) => r.dup === undefined)
    for (const r of replies) assert.deepEqual([r.seq, r.ts], [reply.seq, reply.ts])
    assert.equal(replies.filter((r) => r.dup !== true).length, round === 0 ? 1 : 0)
    const { head } = await peers[0].ok({ op: 'history', room: 'once' })
    assert.equal(head, 1)
    await own.restart('SIGKILL')
  }
})

test('the same key with other content is a conflict, whatever differs', async () => {
  const [ada] = await server.room(['Ada'])
  const room = ada.join.room
  const other = fresh('other')
  await ada.ok({ op: 'join', room: other })
  for (const r of [room, room, other, other]) await ada.ok({ op: 'send', room: r, key: fresh('k'), text: 'base' })
  const send = { op: 'send', room, key: 'ks', text: 'x', thread: 1, quote: 1, mentions: [ada.me.id] }
  const edit = { op: 'edit', room, key: 'ke', target: 1, text: 'y' }
  const react = { op: 'react', room, key: 'kr', target: 1, emoji: '+', on: true }
  const remove = { op: 'delete', room, key: 'kd', target: 2 }
  const replies = []
  for (const w of [send, edit, react, remove]) replies.push(await ada.ok(w))
  const table = [
    { ...send, text: 'X' }, { ...send, text: 'x ' }, { ...send, room: other }, { ...send, thread: undefined }, { ...send, thread: 2 }, { ...send, quote: undefined },
    { ...send, mentions: undefined }, { ...send, mentions: [] }, { ...edit, key: 'ks' }, { ...react, key: 'ks' }, { ...remove, key: 'ks' },
    { ...edit, text: 'z' }, { ...edit, target: 2 }, { ...edit, room: other }, { ...send, key: 'ke' },
    { ...react, emoji: '-' }, { ...react, on: false }, { ...react, target: 2 }, { ...remove, target: 1 }, { ...remove, room: other },
  ]
  for (const w of table) await ada.refused(w, 'key_conflict')
  for (const [i, w] of [send, edit, react, remove].entries()) assert.deepEqual(fields(await ada.ok(w)), again(replies[i]))
})

test('the content is judged in its canonical form: rid for the room, absent equal to default', async () => {
  const [ada] = await server.room(['Ada'], fresh('Canon'))
  const { room, rid } = ada.join
  const key = fresh('k')
  const one = await ada.ok({ op: 'send', room, key, text: 'x' })
  for (const w of [{ room: `~${rid}` }, { room: room.toUpperCase() }, { files: [] }, { mentions: [] }, { unknown: 'field' }]) {
    assert.deepEqual(fields(await ada.ok({ op: 'send', room, key, text: 'x', ...w })), again(one), JSON.stringify(w))
  }
})

test('a key is the user\'s own: another user may use the same', async () => {
  const [ada, bob] = await server.room()
  const room = ada.join.room
  const replies = [await ada.ok({ op: 'send', room, key: 'shared', text: 'a' }), await bob.ok({ op: 'send', room, key: 'shared', text: 'b' })]
  assert.deepEqual(replies.map((r) => [r.seq, r.dup]), [[1, undefined], [2, undefined]])
})

test('keys are compared byte for byte', async () => {
  const [ada] = await server.room(['Ada'])
  const keys = ['k', 'K', 'k ', 'é', 'e\u0301', 'k'.repeat(64), 'k'.repeat(63), '\u{1F642}']
  for (const [i, key] of keys.entries()) assert.equal((await ada.ok({ op: 'send', room: ada.join.room, key, text: 'x' })).seq, i + 1)
})

test('a refused write does not use up its key', async () => {
  const [ada] = await server.room(['Ada'])
  const room = ada.join.room
  const key = fresh('k')
  await ada.refused({ op: 'send', room, key, text: '' }, 'bad_request')
  await ada.refused({ op: 'send', room, key, text: 'x'.repeat(9000) }, 'too_large')
  await ada.refused({ op: 'send', room, key, text: 'x', quote: 9 }, 'not_found')
  await ada.refused({ op: 'edit', room, key, target: 9, text: 'x' }, 'not_found')
  await ada.refused({ op: 'send', room: 'never-joined', key, text: 'x' }, 'forbidden')
  assert.equal((await ada.ok({ op: 'send', room, key, text: 'y' })).dup, undefined)
})

test('a known key in a room that is not joined is forbidden all the same', async () => {
  const [ada] = await server.room(['Ada'])
  const room = ada.join.room
  const write = { op: 'send', room, key: fresh('k'), text: 'x' }
  const one = await ada.ok(write)
  await ada.ok({ op: 'leave', room })
  await ada.refused(write, 'forbidden')
  await ada.refused({ ...write, text: 'other' }, 'forbidden')
  await ada.ok({ op: 'join', room })
  assert.deepEqual(fields(await ada.ok(write)), again(one))
})

test('a key is known after its message was deleted, and over restarts', async (t) => {
  const own = await Server.start(t)
  const [ada] = await own.room(['Ada'], 'kept')
  const write = { op: 'send', room: 'kept', key: 'k1', text: 'gone soon' }
  const edit = { op: 'edit', room: 'kept', key: 'k2', target: 1, text: 'gone too' }
  const remove = { op: 'delete', room: 'kept', key: 'k3', target: 1 }
  const replies = []
  for (const w of [write, edit, remove]) replies.push(await ada.ok(w))
  const check = async (peer) => {
    for (const [i, w] of [write, edit, remove].entries()) assert.deepEqual(fields(await peer.ok(w)), again(replies[i]))
    await peer.refused({ ...write, text: 'other' }, 'key_conflict')
    assert.equal((await peer.ok({ op: 'history', room: 'kept' })).head, 3)
  }
  await check(ada)
  for (const signal of ['SIGKILL', 'SIGTERM']) {
    await own.restart(signal)
    const peer = await own.again(ada)
    await peer.ok({ op: 'join', room: 'kept' })
    await check(peer)
  }
})

test('a duplicate in the same burst is answered with the same seq, after it', async () => {
  const [ada, bob] = await server.room()
  const room = ada.join.room
  for (let i = 0; i < load(50); i++) {
    const write = { op: 'send', room, key: fresh('k'), text: `b${i}` }
    const [one, two, conflict] = await Promise.all([ada.ok(write), ada.ok(write), ada.request({ ...write, text: 'other' })])
    assert.deepEqual(fields(two), again(one))
    assert.equal(conflict.err?.code, 'key_conflict')
    assert.equal((await bob.event('message')).seq, i + 1)
  }
})
