// What one may have of one's data, and what becomes of it: export, deletion of an account, age.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { Device, OWNER, invite, startTeam } from './lib/device.mjs'
import { runOk, sqlite } from './lib/upkeep.mjs'
import { fresh } from './lib/wait.mjs'

const DAY_MS = 86_400_000

const key = () => fresh('k')
const say = (peer, room, text, more = {}) => peer.ok({ op: 'send', room, text, key: key(), ...more })
const history = (peer, room) => peer.ok({ op: 'history', room, limit: 200 })
const texts = (reply) => reply.events.filter((e) => e.ev === 'message' && !e.deleted).map((e) => e.text)

/** Says so many things; each is stored then. */
const sayMany = (peer, room, n, text, more = () => ({})) => Promise.all(Array.from({ length: n }, (_, i) => say(peer, room, `${text} ${i}`, more(i))))

/** The room's history once it is so; `ev` is what changes it. */
async function once(peer, room, ev, isSo) {
  for (;;) {
    const reply = await history(peer, room)
    if (isSo(reply)) return reply
    await peer.event({ ev, room })
  }
}

/** The database, changed while no server has it. */
async function whileStopped(server, sql) {
  await server.stop()
  sqlite(await server.database(), sql)
  await server.start()
}

/** As if all that is in the room now had been said so many days ago. */
const age = (server, days) => whileStopped(server, `UPDATE events SET ts = ts - ${days * DAY_MS}`)

/** The bytes of everything on the disk. */
async function onDisk(server) {
  const file = await server.database()
  return Buffer.concat(await Promise.all([file, `${file}-wal`].map((f) => readFile(f).catch(() => Buffer.alloc(0))))).toString('latin1')
}

async function exportAll(device) {
  const messages = []
  for (let at = ''; ; ) {
    const page = await device.ok('GET', `/me/export/messages${at}`)
    messages.push(...page.messages)
    if (page.next === undefined) return messages
    at = `?room=${page.next.room}&after=${page.next.after}`
  }
}

test('an export has what one is and all that one wrote, as it reads now, and nothing of others', async (t) => {
  const { owner } = await startTeam(t)
  const ada = await invite(owner, 'member', 'ada')
  const [o, a] = [await owner.socket(), await ada.socket()]
  for (const peer of [o, a]) await peer.ok({ op: 'join', room: 'General' })
  const first = await say(a, 'general', 'first')
  await say(o, 'general', 'by the owner')
  await a.ok({ op: 'edit', room: 'general', target: first.seq, text: 'first, better', key: key() })
  const gone = await say(a, 'general', 'regretted')
  await a.ok({ op: 'delete', room: 'general', target: gone.seq, key: key() })
  await a.ok({ op: 'react', room: 'general', target: first.seq, emoji: '👍', on: true, key: key() })
  const secret = await o.ok({ op: 'create', name: 'Secret plans', kind: 'private', key: key() })
  await o.ok({ op: 'join', room: secret.room })
  await o.ok({ op: 'invite', room: secret.room, user: a.me.me.id, key: key() })
  await a.ok({ op: 'join', room: secret.room })
  await say(a, secret.room, 'in secret')
  await o.ok({ op: 'remove', room: secret.room, user: a.me.me.id, key: key() })
  const direct = await a.ok({ op: 'direct', users: [o.me.me.id] })
  await a.ok({ op: 'join', room: direct.room })
  await sayMany(a, direct.room, 520, 'direct')

  const about = await ada.ok('GET', '/me/export')
  assert.deepEqual([about.name, about.login, about.role, about.totp, about.identities], ['ada', 'ada@example.org', 'member', false, []])
  assert.deepEqual(about.rooms.map((r) => r.title), ['General', ''])
  assert.deepEqual(about.reactions.map((r) => r.emoji), ['👍'])
  const messages = await exportAll(ada)
  assert.equal(messages.length, 522)
  assert.deepEqual([messages[0].room, messages[0].text, typeof messages[0].edited], ['General', 'first, better', 'number'])
  // What she wrote is hers; what the room is called since is not.
  assert.deepEqual([messages[1].room, messages[1].text], ['', 'in secret'])
  assert.deepEqual(messages.slice(2).map((m) => m.text), Array.from({ length: 520 }, (_, i) => `direct ${i}`))
  await new Device(ada.server).refused('GET', '/me/export', undefined, 'unauthorized')
  await new Device(ada.server).refused('GET', '/me/export/messages', undefined, 'unauthorized')
})

test('a deleted account is gone at once, and its messages stay or go as the team has it', async (t) => {
  const { server, owner } = await startTeam(t)
  assert.deepEqual(await owner.ok('GET', '/team'), { team: OWNER.team, days: 0, leavers: 'keep' })
  const [ada, bob] = [await invite(owner, 'member', 'ada'), await invite(owner, 'admin', 'bob')]
  const [o, a, b] = [await owner.socket(), await ada.socket(), await bob.socket()]
  for (const peer of [a, b, o]) await peer.ok({ op: 'join', room: 'general' })
  const hall = await b.ok({ op: 'create', name: 'Hall', kind: 'private', key: key() })
  await b.ok({ op: 'join', room: hall.room })
  await b.ok({ op: 'invite', room: hall.room, user: o.me.me.id, key: key() })
  await o.ok({ op: 'join', room: hall.room })
  await say(a, 'general', 'Ada was here')
  const [one, two] = [await say(b, 'general', 'Bob was here'), await say(b, 'general', 'and here')]
  await say(o, 'general', 'so was Olga', { quote: one.seq })
  await b.ok({ op: 'edit', room: 'general', target: two.seq, text: 'Bob edits', key: key() })
  const { token } = await bob.ok('POST', '/invites', { role: 'member' }, 201)

  await ada.refused('DELETE', '/me', {}, 'unauthorized')
  await ada.refused('DELETE', '/me', { password: 'not it' }, 'unauthorized')
  await owner.refused('DELETE', '/me', { password: OWNER.password }, 'forbidden')
  await ada.ok('DELETE', '/me', { password: "ada's password" }, 204)
  assert.equal(await a.closed(), 4001)
  await new Device(server).refused('POST', '/session', { login: 'ada@example.org', password: "ada's password" }, 'unauthorized')
  assert.deepEqual(texts(await history(o, 'general')), ['Ada was here', 'Bob was here', 'and here', 'so was Olga', 'Bob edits'].slice(0, 4))
  assert.equal((await history(o, 'general')).events.find((e) => e.text === 'Ada was here').from.name, 'Deleted account')

  await bob.refused('POST', '/team', { leavers: 'remove' }, 'forbidden')
  await owner.ok('POST', '/team', { leavers: 'remove' }, 204)
  await bob.ok('DELETE', '/me', { password: "bob's password" }, 204)
  const left = await o.event({ ev: 'member', act: 'leave', room: hall.room })
  assert.deepEqual([left.user.name, left.owner], ['Deleted account', o.me.me.id])
  for (const seq of [one.seq, two.seq]) await o.event({ ev: 'delete', target: seq })
  assert.deepEqual(texts(await history(o, 'general')), ['Ada was here', 'so was Olga'])
  await new Device(server).refused('POST', '/invites/look', { token }, 'not_found')
  assert.deepEqual((await owner.ok('GET', '/users')).users.map((u) => u.name), ['Olga'])
  const { entries } = await owner.ok('GET', '/audit')
  assert.equal(entries.filter((e) => e.act === 'account-delete').length, 2)
  assert.ok(entries.some((e) => e.act === 'team' && e.object.includes('leavers remove')))
  // Both names are free again.
  await invite(owner, 'member', 'ada')
  await server.stop()
  assert.doesNotMatch(await onDisk(server), /Bob was here|and here|Bob edits/)
  await runOk('check', server.data)
  await server.start()
})

test('what somebody left goes also when the server ends on the way', async (t) => {
  const { server, owner } = await startTeam(t)
  await owner.ok('POST', '/team', { leavers: 'remove' }, 204)
  const ada = await invite(owner, 'member', 'ada')
  const a = await ada.socket()
  for (const room of ['one', 'two']) {
    await a.ok({ op: 'join', room })
    await sayMany(a, room, 150, 'gone')
  }
  await ada.ok('DELETE', '/me', { password: "ada's password" }, 204)
  await server.restart('SIGKILL')
  const o = await owner.socket()
  for (const room of ['one', 'two']) {
    await o.ok({ op: 'join', room })
    await once(o, room, 'delete', (reply) => texts(reply).length === 0)
  }
  await server.stop()
  await runOk('check', server.data)
  await server.start()
})

test('messages past a room’s age go for good, from everybody and from the disk', async (t) => {
  const { server, owner } = await startTeam(t)
  const ada = await invite(owner, 'member', 'ada')
  let [o, a] = [await owner.socket(), await ada.socket()]
  for (const peer of [o, a]) for (const room of ['short', 'long']) await peer.ok({ op: 'join', room })
  await a.refused({ op: 'keep', room: 'short', days: 7, key: key() }, 'forbidden')
  await o.refused({ op: 'keep', room: 'short', days: -1, key: key() }, 'bad_request')
  await o.refused({ op: 'keep', room: 'short', days: 36501, key: key() }, 'bad_request')
  await o.ok({ op: 'keep', room: 'short', days: 7, key: key() })
  assert.equal((await a.event('keep')).days, 7)
  for (const room of ['short', 'long']) await sayMany(a, room, 230, room, (i) => (i === 5 ? { mentions: [o.me.me.id] } : {}))
  await age(server, 8)

  ;[o, a] = [await owner.socket(), await ada.socket()]
  const joined = await a.ok({ op: 'join', room: 'short' })
  assert.equal(joined.keep_days, 7)
  await once(a, 'short', 'expire', (reply) => reply.first > 231)
  assert.deepEqual(texts(await history(a, 'short')), [])
  await a.ok({ op: 'join', room: 'long' })
  assert.equal(texts(await history(a, 'long')).length, 200)
  const again = await a.ok({ op: 'join', room: 'short', since: joined.head, epoch: joined.epoch })
  const fromBefore = await a.ok({ op: 'join', room: 'short', since: 3, epoch: joined.epoch })
  assert.equal(fromBefore.state, 'reset')
  assert.notEqual(again.state, 'reset')
  await a.refused({ op: 'react', room: 'short', target: 10, emoji: '👍', on: true, key: key() }, 'not_found')
  await a.refused({ op: 'edit', room: 'short', target: 10, text: 'x', key: key() }, 'not_found')

  // What is new stays, also for who comes with nothing, and is all that is unread.
  await say(a, 'short', 'fresh')
  const later = await owner.socket()
  const entry = later.me.rooms.find((r) => r.room === 'short')
  assert.equal(entry.unread, 1)
  assert.equal(entry.mentions, 0)
  assert.deepEqual(texts(await history(a, 'short')), ['fresh'])
  const whole = await later.ok({ op: 'join', room: 'short' })
  assert.deepEqual([whole.state, texts(whole)], ['partial', ['fresh']])
  await server.stop()
  assert.doesNotMatch(await onDisk(server), /short \d/)
  assert.match(await onDisk(server), /long 1/)
  await runOk('check', server.data)
  await server.start()
})

test('a live client is told that the log begins later; the team’s age counts where the room has none', async (t) => {
  const { server, owner } = await startTeam(t)
  let o = await owner.socket()
  await o.ok({ op: 'join', room: 'general' })
  await o.ok({ op: 'join', room: 'kept' })
  await o.ok({ op: 'keep', room: 'kept', days: 0, key: key() })
  for (const room of ['general', 'kept']) await say(o, room, 'old words')
  const edited = await say(o, 'general', 'older words')
  await o.ok({ op: 'edit', room: 'general', target: edited.seq, text: 'edited words', key: key() })
  await age(server, 40)
  o = await owner.socket()
  for (const room of ['general', 'kept']) await o.ok({ op: 'join', room })
  await say(o, 'general', 'new words')
  await owner.refused('POST', '/team', { days: 'x' }, 'bad_request')
  await owner.refused('POST', '/team', { leavers: 'x' }, 'bad_request')
  await owner.ok('POST', '/team', { days: 30 }, 204)
  assert.equal((await owner.ok('GET', '/team')).days, 30)
  await server.restart('SIGTERM')
  o = await owner.socket()
  const { head } = await o.ok({ op: 'join', room: 'general' })
  const reply = await once(o, 'general', 'expire', ({ first }) => first > 1)
  assert.deepEqual(texts(reply), ['new words'])
  const told = reply.events.filter((e) => e.ev === 'expire')
  assert.deepEqual(told.map((e) => [e.first, e.from]), [[reply.first, { id: 'u0', name: '' }]])
  assert.ok(reply.head > head - 1)
  await o.ok({ op: 'join', room: 'kept' })
  assert.deepEqual(texts(await history(o, 'kept')), ['old words'])
  // Telling it is no reason to do it again.
  await age(server, 40)
  o = await owner.socket()
  await o.ok({ op: 'join', room: 'general' })
  const after = await once(o, 'general', 'expire', (r) => texts(r).length === 0)
  await age(server, 40)
  o = await owner.socket()
  await o.ok({ op: 'join', room: 'kept' })
  await say(o, 'kept', 'the writer is past its first step')
  await o.ok({ op: 'join', room: 'general' })
  assert.equal((await history(o, 'general')).head, after.head)
  await server.stop()
  await runOk('check', server.data)
  await server.start()
})
