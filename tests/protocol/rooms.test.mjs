// Rooms: joining makes them, names fold, ids stay, leaving, belonging, the list.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedServer } from './lib/server.mjs'
import { fresh } from './lib/wait.mjs'

const server = sharedServer()
const sendN = async (peer, room, n) => {
  for (let i = 1; i <= n; i++) await peer.ok({ op: 'send', room, key: fresh('k'), text: `m${i}` })
}

test('joining a name that no room has makes the room', async () => {
  const ada = await server.user()
  const room = fresh('new')
  const join = await ada.ok({ op: 'join', room })
  assert.match(join.rid, /^[A-Za-z0-9]+$/)
  assert.ok(typeof join.epoch === 'string' && join.epoch.length > 0)
  const { re, ok, rid, epoch, ...rest } = join
  assert.deepEqual(rest, { room, title: room, head: 0, first: 1, topic: '', kind: 'public', role: 'member', state: 'complete', events: [], members: [ada.me], online: 1 })
})

test('a name is judged after NFKC and folding; the creator\'s spelling is the title', async () => {
  const ada = await server.user()
  const table = [['General', 'general'], ['Straße', 'strasse'], ['ＦＵＬＬ', 'full'], ['x²', 'x2'], ['Cafe\u0301', 'caf\u00e9'], ['ΟΔΟΣ', 'οδοσ'], ['ﬁsh', 'fish'], ['٣٤', '٣٤']]
  for (const [spelling, folded] of table) {
    const tail = fresh('')
    const made = await ada.ok({ op: 'join', room: spelling + tail })
    assert.equal(made.room, folded + tail)
    assert.equal(made.title, spelling + tail)
    const again = await ada.ok({ op: 'join', room: (folded + tail).toUpperCase() })
    assert.deepEqual([again.rid, again.room, again.title], [made.rid, made.room, made.title])
  }
})

test('every reply and event holds the folded name, however the room was addressed', async () => {
  const [ada, bob] = await server.room(['Ada', 'Bob'], fresh('Mixed'))
  const folded = ada.join.room
  await ada.ok({ op: 'send', room: folded.toUpperCase(), key: 'k', text: 'x' })
  assert.equal((await bob.event('message')).room, folded)
  await ada.ok({ op: 'typing', room: folded.toUpperCase() })
  assert.equal((await bob.event('typing')).room, folded)
})

test('~rid addresses the room in every request', async () => {
  const [ada, bob] = await server.room()
  const room = `~${ada.join.rid}`
  const { seq } = await ada.ok({ op: 'send', room, key: 'k1', text: 'x' })
  assert.equal((await bob.event('message')).room, ada.join.room)
  await ada.ok({ op: 'edit', room, target: seq, text: 'y', key: 'k2' })
  await ada.ok({ op: 'react', room, target: seq, emoji: '+', on: true, key: 'k3' })
  await ada.ok({ op: 'delete', room, target: seq, key: 'k4' })
  await ada.ok({ op: 'typing', room })
  await ada.ok({ op: 'read', room, seq: 1 })
  assert.equal((await ada.ok({ op: 'history', room })).events.length, 4)
  const again = await bob.ok({ op: 'join', room })
  assert.deepEqual([again.room, again.rid, again.head], [ada.join.room, ada.join.rid, 4])
  await ada.ok({ op: 'leave', room })
  await ada.refused({ op: 'typing', room: ada.join.room }, 'forbidden')
})

test('~rid makes no room: an unknown one is not found', async () => {
  const ada = await server.user()
  for (const room of ['~nosuchroom', '~0000000000000000', '~a', `~${'z'.repeat(64)}`]) await ada.refused({ op: 'join', room }, 'not_found')
})

test('what needs a join is forbidden without one, whether the room exists or not', async () => {
  const [ada] = await server.room()
  const eve = await server.user('Eve')
  await ada.ok({ op: 'send', room: ada.join.room, key: 'k', text: 'x' })
  for (const room of [ada.join.room, fresh('none'), `~${ada.join.rid}`, '~nosuchroom']) {
    for (const request of [
      { op: 'send', room, key: 'k', text: 'x' }, { op: 'edit', room, target: 1, text: 'x', key: 'k' }, { op: 'delete', room, target: 1, key: 'k' },
      { op: 'react', room, target: 1, emoji: '+', on: true, key: 'k' }, { op: 'history', room }, { op: 'typing', room }, { op: 'read', room, seq: 0 },
    ]) await eve.refused(request, 'forbidden')
  }
})

test('limit bounds the events; above 200 it is cut, below 1 a bad request', async () => {
  const [ada] = await server.room(['Ada'])
  const room = ada.join.room
  await sendN(ada, room, 210)
  const seqs = async (limit) => (await ada.ok({ op: 'join', room, ...limit })).events.map((e) => e.seq)
  const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
  assert.deepEqual(await seqs({}), range(161, 210))
  assert.deepEqual(await seqs({ limit: 1 }), [210])
  assert.deepEqual(await seqs({ limit: 200 }), range(11, 210))
  assert.deepEqual(await seqs({ limit: 201 }), range(11, 210))
  assert.deepEqual(await seqs({ limit: 1e9 }), range(11, 210))
  for (const limit of [0, -1]) await ada.refused({ op: 'join', room, limit }, 'bad_request')
})

test('without since the state is complete where the events reach back to 1', async () => {
  const [ada] = await server.room(['Ada'])
  const room = ada.join.room
  await sendN(ada, room, 5)
  assert.equal((await ada.ok({ op: 'join', room })).state, 'complete')
  assert.equal((await ada.ok({ op: 'join', room, limit: 5 })).state, 'complete')
  assert.equal((await ada.ok({ op: 'join', room, limit: 4 })).state, 'partial')
})

test('members are the users online, once each; online counts them', async () => {
  const [ada, bob] = await server.room()
  const second = await server.again(ada)
  const join = await second.ok({ op: 'join', room: ada.join.room })
  assert.equal(join.online, 2)
  assert.deepEqual(new Set(join.members.map((m) => JSON.stringify(m))), new Set([ada.me, bob.me].map((m) => JSON.stringify(m))))
  assert.equal(join.members.length, 2)
})

test('a room of more than 200 lists 200 and counts all', async () => {
  const room = fresh('crowd')
  const peers = await Promise.all(Array.from({ length: 205 }, () => server.user('Fan')))
  for (const p of peers) await p.ok({ op: 'join', room })
  const join = await peers[0].ok({ op: 'join', room })
  assert.equal(join.online, 205)
  assert.equal(join.members.length, 200)
  for (const m of join.members) assert.deepEqual(Object.keys(m).sort(), ['id', 'name'])
  await Promise.all(peers.map((p) => p.close()))
})

test('leave ends this connection\'s join alone, and is ok where there was none', async () => {
  const [ada, bob] = await server.room()
  const room = ada.join.room
  const second = await server.again(ada)
  await second.ok({ op: 'join', room })
  assert.deepEqual(Object.keys(await ada.ok({ op: 'leave', room })).sort(), ['ok', 're'])
  await ada.refused({ op: 'typing', room }, 'forbidden')
  await bob.ok({ op: 'send', room, key: 'k', text: 'after' })
  assert.equal((await second.event('message')).text, 'after')
  await ada.settle()
  assert.equal(ada.untaken('message').length, 0)
  await ada.ok({ op: 'leave', room })
  await ada.ok({ op: 'leave', room: fresh('never-was') })
  await ada.ok({ op: 'leave', room: '~nosuchroom' })
  assert.equal((await ada.ok({ op: 'rooms', query: 'never-was' })).rooms.length, 0, 'leaving makes no room')
})

test('joining a joined room again goes on above the new head, each event once', async () => {
  const [ada, bob] = await server.room()
  const room = ada.join.room
  await bob.ok({ op: 'send', room, key: 'k1', text: 'one' })
  await ada.event('message')
  const again = await ada.ok({ op: 'join', room })
  assert.deepEqual([again.head, again.events.length], [1, 1])
  await bob.ok({ op: 'send', room, key: 'k2', text: 'two' })
  assert.equal((await ada.event('message')).seq, 2)
  await ada.settle()
  assert.equal(ada.untaken('message').length, 0)
})

test('a join makes one belong: the room is in the next hello, until forgotten', async () => {
  const [ada, bob] = await server.room()
  const { room, rid, epoch } = ada.join
  await bob.ok({ op: 'send', room, key: 'k', text: 'x' })
  const listed = async () => (await server.again(ada)).hello.rooms.filter((r) => r.rid === rid)
  const entry = { room, rid, title: room, kind: 'public', role: 'member', head: 1, epoch, read: 0, unread: 1, mentions: 0 }
  assert.deepEqual(await listed(), [entry])
  await ada.ok({ op: 'leave', room })
  assert.deepEqual(await listed(), [entry], 'leave alone does not forget')
  await ada.ok({ op: 'leave', room, forget: true })
  assert.deepEqual(await listed(), [], 'forgotten')
  await ada.ok({ op: 'join', room })
  assert.equal((await listed()).length, 1)
})

test('rooms lists what may be seen, by a substring of the folded name', async () => {
  const stem = fresh('list')
  const ada = await server.user()
  const names = ['Alpha', 'beta', 'gamma'].map((n) => `${stem}.${n}`)
  for (const room of names) await ada.ok({ op: 'join', room })
  await ada.ok({ op: 'send', room: names[0], key: 'k', text: 'x' })
  const bob = await server.user('Bob')
  const rooms = async (fields) => (await bob.ok({ op: 'rooms', ...fields })).rooms
  const all = await rooms({ query: stem })
  assert.deepEqual(all.map((r) => r.room).sort(), names.map((n) => n.toLowerCase()).sort())
  const alpha = all.find((r) => r.room.endsWith('alpha'))
  for (const [k, v] of Object.entries({ title: names[0], head: 1, topic: '', online: 1 })) assert.equal(alpha[k], v, k)
  assert.equal((await rooms({ query: `${stem}.BETA` })).length, 1, 'the query is folded')
  assert.equal((await rooms({ query: `${stem}.ｇａｍｍａ` })).length, 1)
  assert.equal((await rooms({ query: 'nothing has this in it' })).length, 0)
  assert.equal((await rooms({ query: `${stem}%` })).length, 0, 'no wildcards')
  assert.equal((await rooms({ query: stem.replace('l', '_') })).length, 0, 'no wildcards')
  assert.equal((await rooms({ query: stem, limit: 2 })).length, 2)
  assert.ok((await rooms({ query: '' })).length >= 3)
  await bob.refused({ op: 'rooms', limit: 0 }, 'bad_request')
})

test('joins, leaves and writes on one room, sent without waiting, are done in their order', async () => {
  const ada = await server.user()
  const room = fresh('pipeline')
  const join = { op: 'join', room }, leave = { op: 'leave', room }
  const send = (n) => ({ op: 'send', room, key: `k${n}`, text: `t${n}` })
  const replies = await Promise.all([join, send(1), leave, send(2), join, leave, join, send(3), join, { op: 'leave', room, forget: true }, send(4), join].map((r) => ada.request(r)))
  assert.deepEqual(replies.map((r) => r.err?.code ?? r.seq ?? r.head ?? 'ok'), [0, 1, 'ok', 'forbidden', 1, 'ok', 1, 2, 2, 'ok', 'forbidden', 2])
  await ada.ok(send(5))
  await ada.event({ ev: 'message', seq: 3 })
  const live = ada.seen.filter((m) => m.ev === 'message').map((m) => m.seq)
  assert.deepEqual(live, [...new Set(live)].sort(), 'rising, none twice; those before a leave may be spared')
})

test('a user may belong to very many rooms; hello lists them all, rooms lists 50 or 200', async () => {
  const ada = await server.user()
  const stem = fresh('many')
  const n = 230
  const names = Array.from({ length: n }, (_, i) => `${stem}.${i}`)
  await Promise.all(names.map((room) => ada.ok({ op: 'join', room })))
  await ada.ok({ op: 'send', room: names[7], key: 'k', text: 'x' })
  const again = await server.again(ada)
  assert.deepEqual(again.hello.rooms.map((r) => r.room).sort(), [...names].sort())
  for (const [limit, length] of [[undefined, 50], [200, 200], [100000, 200], [3, 3]]) {
    assert.equal((await again.ok({ op: 'rooms', query: stem, limit })).rooms.length, length)
  }
})

test('of many who join a new name at once, all meet in one room', async () => {
  const room = fresh('race')
  const peers = await Promise.all(Array.from({ length: 12 }, () => server.user('Racer')))
  const joins = await Promise.all(peers.map((p) => p.ok({ op: 'join', room })))
  assert.equal(new Set(joins.map((j) => j.rid)).size, 1)
  await peers[0].ok({ op: 'send', room, key: 'k', text: 'all here' })
  await Promise.all(peers.map((p) => p.event('message')))
})
