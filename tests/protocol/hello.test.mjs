// hello in open mode: names, tokens, renames.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { Server, sharedServer } from './lib/server.mjs'
import { fresh } from './lib/wait.mjs'

const server = sharedServer()
const hello = async (fields) => (await server.connect()).request({ op: 'hello', ...fields })

test('the reply tells version, user, token, heartbeat and limits', async () => {
  const name = fresh('Ada')
  const reply = await hello({ name })
  assert.equal(reply.ok, true)
  assert.equal(reply.v, 1)
  assert.equal(reply.me.name, name)
  assert.ok(typeof reply.me.id === 'string' && reply.me.id.length > 0)
  assert.ok(typeof reply.token === 'string' && reply.token.length >= 16)
  assert.equal(reply.heartbeat_ms, 25000)
  assert.equal(reply.limits.frame, 65536)
  assert.equal(reply.limits.text, 8000)
  assert.ok(Number.isInteger(reply.limits.send.n) && Number.isInteger(reply.limits.send.per_ms))
  assert.deepEqual(reply.rooms, [])
})

test('nothing but hello is answered before it', async () => {
  const peer = await server.connect()
  const table = [
    { op: 'join', room: 'a' }, { op: 'leave', room: 'a' }, { op: 'send', room: 'a', key: 'k', text: 'x' }, { op: 'edit', room: 'a', target: 1, text: 'x', key: 'k' },
    { op: 'delete', room: 'a', target: 1, key: 'k' }, { op: 'react', room: 'a', target: 1, emoji: 'x', on: true, key: 'k' },
    { op: 'history', room: 'a' }, { op: 'read', room: 'a', seq: 0 }, { op: 'typing', room: 'a' }, { op: 'rooms' },
  ]
  for (const request of table) await peer.refused(request, 'unauthorized')
  peer.send({ op: 'pong' })
  await peer.ok({ op: 'hello', name: fresh('Late') })
})

test('a hello without name and token is refused, and may be tried again', async () => {
  const peer = await server.connect()
  const reply = await peer.request({ op: 'hello' })
  assert.equal(reply.ok, false)
  assert.ok(['bad_request', 'unauthorized'].includes(reply.err.code), reply.err.code)
  await peer.refused({ op: 'hello', token: 'no such token' }, 'unauthorized')
  await peer.refused({ op: 'hello', token: 'no such token', name: fresh('Eve') }, 'unauthorized')
  await peer.refused({ op: 'hello', token: '' }, 'unauthorized')
  await peer.refused({ op: 'hello', name: '' }, 'bad_request')
  await peer.ok({ op: 'hello', name: fresh('Eve') })
})

test('a second hello after success is a bad request, and changes nothing', async () => {
  const ada = await server.user()
  await ada.refused({ op: 'hello', name: fresh('Other') }, 'bad_request')
  await ada.refused({ op: 'hello', token: ada.token }, 'bad_request')
  await ada.ok({ op: 'rooms' })
})

test('two hellos at once: one wins', async () => {
  const peer = await server.connect()
  const replies = await Promise.all([peer.request({ op: 'hello', name: fresh('One') }), peer.request({ op: 'hello', name: fresh('Two') })])
  assert.deepEqual(replies.map((r) => r.ok), [true, false])
  assert.equal(replies[1].err.code, 'bad_request')
})

test('the token shows the same user again, here and after a crash', async (t) => {
  const ada = await server.user()
  const again = await server.again(ada)
  assert.deepEqual(again.me, ada.me)
  const own = await Server.start(t)
  const bob = await own.user('Bob')
  await own.restart('SIGKILL')
  assert.deepEqual((await own.again(bob)).me, bob.me)
  await own.restart('SIGTERM')
  assert.deepEqual((await own.again(bob)).me, bob.me)
})

test('a token is a secret of its own: no two alike, no near miss is let in', async () => {
  const ada = await server.user(), bob = await server.user('Bob')
  assert.notEqual(ada.token, bob.token)
  assert.notEqual(ada.me.id, bob.me.id)
  for (const token of [ada.token.slice(0, -1), ada.token + 'x', ada.token.toUpperCase() + '!', ada.me.id, ada.me.name, '\0', 'x'.repeat(1000)]) {
    const reply = await hello({ token })
    assert.equal(reply.err?.code, 'unauthorized', JSON.stringify(token))
  }
})

test('a name is one user: the same name, however it is spelled, is taken', async () => {
  const stem = fresh('Zoë')
  const ada = await server.user('x', { name: stem })
  const spellings = [stem, stem.toUpperCase(), stem.toLowerCase(), ` ${stem} `, stem.normalize('NFD'), stem.replace('Zo', '\uff3a\uff4f')]
  for (const name of spellings) assert.equal((await hello({ name })).err?.code, 'name_taken', name)
  const other = await hello({ name: stem.replace('ë', 'e') })
  assert.equal(other.ok, true, 'another letter is another name')
  await ada.drop()
  assert.equal((await hello({ name: stem })).err?.code, 'name_taken', 'kept while away')
})

test('folding is Unicode folding', async () => {
  for (const [one, other] of [['straße', 'STRASSE'], ['ΟΔΟΣ', 'οδος'], ['ﬁsh', 'FISH'], ['Ångström', 'a\u030angström'], ['x²', 'X2']]) {
    const tail = fresh('')
    assert.equal((await hello({ name: one + tail })).ok, true, one)
    assert.equal((await hello({ name: other + tail })).err?.code, 'name_taken', other)
  }
})

test('a name is trimmed and composed', async () => {
  const name = fresh('Zoe\u0308')
  const reply = await hello({ name: `  ${name}\u00a0\u3000` })
  assert.equal(reply.ok, true, JSON.stringify(reply))
  assert.equal(reply.me.name, name.normalize('NFC'))
})

test('token and name together rename: the old name is free, the author of old messages is called by the new', async () => {
  const [ada, bob] = await server.room()
  const old = ada.me.name, name = fresh('Countess')
  await ada.ok({ op: 'send', room: ada.join.room, key: 'k', text: 'before' })
  const renamed = await server.again(ada, { name })
  assert.deepEqual(renamed.me, { id: ada.me.id, name })
  const { events } = await bob.ok({ op: 'history', room: ada.join.room })
  assert.deepEqual(events[0].from, renamed.me, 'from.name is the name as of the reading')
  const heir = await server.user('x', { name: old })
  assert.notEqual(heir.me.id, ada.me.id)
  assert.deepEqual((await server.again(ada)).me, renamed.me)
  const join = await bob.ok({ op: 'join', room: ada.join.room })
  assert.deepEqual(join.events[0].from, renamed.me, 'also where the tail is in memory')
})

test('a rename to a taken name is refused and leaves all as it was', async () => {
  const ada = await server.user(), bob = await server.user('Bob')
  assert.equal((await hello({ token: ada.token, name: bob.me.name })).err?.code, 'name_taken')
  assert.equal((await hello({ token: ada.token, name: '\u200b' })).err?.code, 'bad_request')
  assert.deepEqual((await server.again(ada)).me, ada.me)
})

test('showing one\'s own name again is no rename, another spelling is one', async () => {
  const ada = await server.user()
  assert.deepEqual((await hello({ token: ada.token, name: ada.me.name })).me, ada.me)
  const loud = await hello({ token: ada.token, name: ada.me.name.toUpperCase() })
  assert.deepEqual(loud.me, { id: ada.me.id, name: ada.me.name.toUpperCase() })
})

test('of many who want one name at once, one gets it', async () => {
  const name = fresh('Wanted')
  const replies = await Promise.all(Array.from({ length: 20 }, () => hello({ name })))
  assert.equal(replies.filter((r) => r.ok).length, 1)
  for (const r of replies) assert.ok(r.ok || r.err.code === 'name_taken', JSON.stringify(r))
})

test('what is sent behind a hello, without waiting, is done after it', async () => {
  const peer = await server.connect()
  const room = fresh('eager')
  const replies = await Promise.all([
    peer.request({ op: 'hello', name: fresh('Eager') }), peer.request({ op: 'join', room }), peer.request({ op: 'send', room, key: 'k', text: 'x' }),
    peer.request({ op: 'history', room }), peer.request({ op: 'typing', room }),
  ])
  assert.deepEqual(replies.map((r) => r.ok), [true, true, true, true, true])
  assert.equal(replies[3].events[0].text, 'x')
  const other = await server.connect()
  const refused = await Promise.all([other.request({ op: 'hello', token: 'wrong' }), other.request({ op: 'join', room })])
  assert.deepEqual(refused.map((r) => r.err?.code), ['unauthorized', 'unauthorized'])
})

test('a rename on one connection is the name on all of them', async () => {
  const [ada, bob] = await server.room()
  const { room } = ada.join
  const name = fresh('Renamed')
  await server.again(ada, { name })
  await ada.ok({ op: 'send', room, key: 'k', text: 'x' })
  assert.deepEqual((await bob.event('message')).from, { id: ada.me.id, name }, 'as author')
  const { members } = await bob.ok({ op: 'join', room })
  assert.ok(members.some((u) => u.id === ada.me.id && u.name === name), 'as member')
})

test('typing after a rename on another connection has the new name', async () => {
  const [ada, bob] = await server.room()
  const name = fresh('Renamed')
  await server.again(ada, { name })
  await ada.ok({ op: 'typing', room: ada.join.room })
  assert.deepEqual((await bob.event('typing')).from, { id: ada.me.id, name })
})

test('a guest\'s name is kept for 30 days after the last visit, then it is free', async (t) => {
  const own = await Server.start(t)
  const ada = await own.user('Ada')
  const days = async (n) => {
    await own.stop()
    const past = Date.now() - n * 86400000
    const script = 'import sqlite3,sys\nc=sqlite3.connect(sys.argv[1])\nc.execute("UPDATE users SET last_seen=?",[int(sys.argv[2])])\nc.commit()\n'
    execFileSync('python3', ['-c', script, await own.database(), String(past)])
    await own.start()
    return (await own.connect()).request({ op: 'hello', name: ada.me.name })
  }
  assert.equal((await days(29)).err?.code, 'name_taken')
  const heir = await days(31)
  assert.equal(heir.me?.name, ada.me.name, JSON.stringify(heir))
  assert.notEqual(heir.me.id, ada.me.id)
})

test('caps are taken without a word', async () => {
  assert.equal((await hello({ name: fresh('Caps'), caps: ['x', 'y'] })).ok, true)
})
