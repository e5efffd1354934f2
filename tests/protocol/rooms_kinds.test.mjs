// Rooms that are not for everyone: kinds, roles, and who is let in, shut out or silenced.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Device, invite, startTeam } from './lib/device.mjs'
import { runOk } from './lib/upkeep.mjs'
import { fresh } from './lib/wait.mjs'

const DAY = 24 * 3600 * 1000

/** A team with the owner Olga, and members by name: {name: peer}, each with `id`. */
async function people(t, names, roles = {}, options = {}) {
  const { server, owner } = await startTeam(t, options)
  const all = { server, owner, devices: { olga: owner } }
  for (const name of names) all.devices[name] = await invite(owner, roles[name] ?? 'member', name)
  for (const [name, device] of Object.entries(all.devices)) {
    all[name] = await device.socket()
    all[name].id = all[name].me.me.id
  }
  return all
}

const create = (peer, name, kind, more = {}) => peer.ok({ op: 'create', name, kind, key: fresh('c'), ...more })
const act = (op, room, more) => ({ op, room, key: fresh('k'), ...more })

/** A private room of `by`, joined by them and by those invited. */
async function privateRoom(by, ...others) {
  const { room } = await create(by, 'Secret plans', 'private')
  await by.ok({ op: 'join', room })
  for (const peer of others) {
    await by.ok(act('invite', room, { user: peer.id }))
    assert.equal((await peer.event('added')).room, room)
    await peer.ok({ op: 'join', room })
  }
  return room
}

test('a private room is there for its people alone', async (t) => {
  const { ada, bob, olga } = await people(t, ['ada', 'bob'])
  const made = await create(ada, 'Secret plans', 'private', { topic: 'shh' })
  assert.deepEqual([made.title, made.kind, made.role, made.room], ['Secret plans', 'private', 'owner', `~${made.rid}`])
  const joined = await ada.ok({ op: 'join', room: made.room })
  assert.deepEqual([joined.title, joined.kind, joined.topic, joined.head], ['Secret plans', 'private', 'shh', 1])
  assert.deepEqual(joined.events.map((e) => [e.ev, e.act, e.user.name]), [['member', 'add', 'ada']])
  await ada.ok({ op: 'send', room: made.room, key: 'k', text: 'hush' })
  for (const other of [bob, olga]) {
    const nowhere = await other.request({ op: 'join', room: '~nosuchroomatall1' })
    for (const op of ['join', 'leave']) {
      const there = await other.request({ op, room: made.room, forget: true })
      const gone = await other.request({ op, room: '~nosuchroomatall1', forget: true })
      assert.deepEqual([there.ok, there.err], [gone.ok, gone.err])
    }
    assert.equal(nowhere.err.code, 'not_found')
    await other.refused({ op: 'history', room: made.room }, 'forbidden')
    await other.refused({ op: 'members', room: made.room }, 'forbidden')
    await other.refused(act('invite', made.room, { user: other.id }), 'forbidden')
    assert.deepEqual((await other.ok({ op: 'rooms' })).rooms, [])
  }
})

test('whoever is invited is told, and reads what was said before', async (t) => {
  const { ada, bob, devices } = await people(t, ['ada', 'bob'])
  const room = await privateRoom(ada)
  await ada.ok({ op: 'send', room, key: 'k', text: 'before' })
  const request = act('invite', room, { user: bob.id })
  const first = await ada.ok(request), second = await ada.ok(request)
  assert.deepEqual([second.seq, second.ts, second.dup], [first.seq, first.ts, true])
  const added = await bob.event('added')
  assert.deepEqual([added.room, added.title, added.kind, added.role], [room, 'Secret plans', 'private', 'member'])
  const joined = await bob.ok({ op: 'join', room })
  assert.deepEqual(joined.events.map((e) => e.text ?? e.act), ['add', 'before', 'add'])
  await ada.refused(act('invite', room, { user: bob.id }), 'forbidden')
  await ada.refused(act('invite', room, { user: 'u999' }), 'not_found')
  const [entry] = (await devices.bob.socket()).me.rooms
  assert.deepEqual([entry.room, entry.title, entry.kind, entry.role, entry.unread], [room, 'Secret plans', 'private', 'member', 0])
  const { members, more } = await bob.ok({ op: 'members', room })
  assert.deepEqual([members.map((m) => [m.name, m.role]), more], [[['ada', 'owner'], ['bob', 'member']], false])
  assert.equal((await bob.ok({ op: 'members', room, limit: 1 })).more, true)
})

test('a removal cuts every device at once, and what came after it is not to be had', async (t) => {
  const { ada, bob, devices } = await people(t, ['ada', 'bob'], {}, { args: ['--workers', '2', '--no-limits'] })
  const room = await privateRoom(ada, bob)
  const second = await devices.bob.socket(), idle = await devices.bob.socket()
  await second.ok({ op: 'join', room })
  const writing = (async () => {
    for (let i = 0; i < 200; i++) await ada.ok({ op: 'send', room, key: `m${i}`, text: `m${i}` })
  })()
  const { seq } = await ada.ok(act('remove', room, { user: bob.id }))
  for (const peer of [bob, second, idle]) {
    const gone = await peer.event('removed')
    assert.deepEqual([gone.room, `~${gone.rid}`], [room, room])
    await peer.refused({ op: 'send', room, key: fresh('k'), text: 'let me in' }, 'forbidden')
    await peer.refused({ op: 'history', room }, 'forbidden')
    await peer.refused({ op: 'join', room }, 'not_found')
    await peer.refused({ op: 'join', room, since: 0, epoch: 'x' }, 'not_found')
  }
  await writing
  for (const peer of [bob, second, idle]) {
    await peer.settle()
    assert.deepEqual(peer.seen.filter((m) => m.room === room && m.seq > seq), [], 'nothing above the removal')
  }
  assert.deepEqual((await devices.bob.socket()).me.rooms, [])
  await ada.ok(act('invite', room, { user: bob.id }))
  await bob.event('added')
  assert.equal((await bob.ok({ op: 'join', room })).head, 204, 'let in again')
})

test('requests under way when one is removed are answered', async (t) => {
  const { ada, bob } = await people(t, ['ada', 'bob'])
  const room = await privateRoom(ada, bob)
  for (let i = 0; i < 300; i++) await ada.ok({ op: 'send', room, key: `m${i}`, text: 'x'.repeat(500) })
  const asked = []
  const removed = ada.request(act('remove', room, { user: bob.id }))
  for (let i = 0; i < 20; i++) {
    asked.push(bob.request({ op: 'history', room, limit: 200, before: 200 }), bob.request({ op: 'join', room, limit: 200 }),
      bob.request({ op: 'read', room, seq: 3 }), bob.request({ op: 'send', room, key: `b${i}`, text: 'me' }))
  }
  assert.equal((await removed).ok, true)
  for (const reply of await Promise.all(asked)) assert.ok(reply.ok || ['not_found', 'forbidden'].includes(reply.err.code), JSON.stringify(reply))
  await bob.refused({ op: 'join', room }, 'not_found')
})

test('a direct room is one for the same people, whoever opens it', async (t) => {
  const { ada, bob, eve, devices } = await people(t, ['ada', 'bob', 'eve'])
  const made = await ada.ok({ op: 'direct', users: [bob.id] })
  assert.deepEqual([made.kind, made.title, made.people.map((p) => p.name)], ['direct', '', ['ada', 'bob']])
  const added = await bob.event('added')
  assert.deepEqual([added.room, added.kind, added.people.map((p) => p.id)], [made.room, 'direct', [ada.id, bob.id]])
  assert.equal((await bob.ok({ op: 'direct', users: [ada.id, ada.id] })).room, made.room)
  const three = await bob.ok({ op: 'direct', users: [eve.id, ada.id] })
  assert.notEqual(three.room, made.room)
  await ada.ok({ op: 'join', room: made.room })
  await bob.ok({ op: 'join', room: made.room })
  await ada.ok({ op: 'send', room: made.room, key: 'k', text: 'hi' })
  assert.equal((await bob.event('message')).text, 'hi')
  await eve.refused({ op: 'join', room: made.room }, 'not_found')
  for (const op of [act('invite', made.room, { user: eve.id }), act('remove', made.room, { user: bob.id }), act('rename', made.room, { name: 'x' }),
    act('topic', made.room, { topic: 'x' }), act('archive', made.room, { on: true }), act('mute', made.room, { user: bob.id, for_ms: 1000 }),
    { op: 'leave', room: made.room, forget: true }]) await ada.refused(op, 'forbidden')
  await ada.refused({ op: 'direct', users: ['u999'] }, 'not_found')
  await ada.refused({ op: 'direct', users: [ada.id] }, 'bad_request')
  await ada.refused({ op: 'direct', users: [] }, 'bad_request')
  const entry = (await devices.bob.socket()).me.rooms.find((r) => r.rid === made.rid)
  assert.deepEqual([entry.people.map((p) => p.name), entry.kind, entry.unread], [['ada', 'bob'], 'direct', 1])
})

test('in an announcement room its moderators write, and all react', async (t) => {
  const { ada, bob, olga } = await people(t, ['ada', 'bob'])
  const { room } = await create(ada, 'News', 'announcement')
  await ada.refused({ op: 'create', name: 'nEWS', kind: 'public', key: 'x' }, 'name_taken')
  for (const peer of [ada, bob, olga]) assert.equal((await peer.ok({ op: 'join', room: 'news' })).kind, 'announcement')
  const { seq } = await ada.ok({ op: 'send', room, key: 'k', text: 'new office' })
  await bob.ok({ op: 'react', room, target: seq, emoji: '+', on: true, key: 'k' })
  await bob.refused({ op: 'send', room, key: 'k2', text: 'me too' }, 'forbidden')
  await olga.ok({ op: 'send', room, key: 'k', text: 'an admin may as well' })
  await ada.ok(act('role', room, { user: bob.id, role: 'moderator' }))
  await bob.ok({ op: 'send', room, key: 'k2', text: 'me too' })
  assert.deepEqual((await olga.ok({ op: 'rooms' })).rooms.map((r) => [r.room, r.kind]), [['news', 'announcement']])
})

test('an archived room is read and not written, until it is opened again', async (t) => {
  const { ada, bob } = await people(t, ['ada', 'bob'])
  const { room } = await create(ada, 'old', 'public')
  await ada.ok({ op: 'join', room })
  await bob.ok({ op: 'join', room })
  const { seq } = await bob.ok({ op: 'send', room, key: 'k', text: 'x' })
  await bob.refused(act('archive', room, { on: true }), 'forbidden')
  await ada.ok(act('archive', room, { on: true }))
  assert.equal((await bob.event('archive')).on, true)
  for (const op of [act('send', room, { text: 'y' }), act('react', room, { target: seq, emoji: '+', on: true }), act('edit', room, { target: seq, text: 'y' }),
    act('delete', room, { target: seq })]) await bob.refused(op, 'forbidden')
  assert.equal((await bob.ok({ op: 'send', room, key: 'k', text: 'x' })).dup, true, 'what was written keeps its reply')
  assert.equal((await bob.ok({ op: 'history', room })).events.length, 3)
  assert.deepEqual((await bob.ok({ op: 'rooms' })).rooms, [])
  assert.equal((await bob.ok({ op: 'join', room })).archived, true)
  await ada.ok(act('archive', room, { on: false }))
  await bob.ok(act('send', room, { text: 'y' }))
})

test('roles: who may act on whom, and a room keeps an owner', async (t) => {
  const { owner, ada, bob, eve } = await people(t, ['ada', 'bob', 'eve'])
  const room = await privateRoom(ada, bob, eve)
  await ada.refused(act('role', room, { user: ada.id, role: 'member' }), 'forbidden')
  await bob.refused(act('role', room, { user: bob.id, role: 'owner' }), 'forbidden')
  await bob.refused(act('remove', room, { user: eve.id }), 'forbidden')
  await ada.ok(act('role', room, { user: bob.id, role: 'moderator' }))
  const told = await bob.event({ ev: 'member', act: 'role' })
  assert.deepEqual([told.user.name, told.role, told.from.name], ['bob', 'moderator', 'ada'])
  await bob.refused(act('remove', room, { user: ada.id }), 'forbidden')
  await bob.refused(act('role', room, { user: eve.id, role: 'owner' }), 'forbidden')
  const { seq } = await eve.ok({ op: 'send', room, key: 'k', text: 'rude' })
  await bob.refused({ op: 'edit', room, target: seq, text: 'kind', key: 'e' }, 'forbidden')
  await bob.ok({ op: 'delete', room, target: seq, key: 'd' })
  assert.equal((await eve.ok({ op: 'history', room })).events.find((e) => e.seq === seq).deleted, true)
  await ada.ok(act('role', room, { user: bob.id, role: 'owner' }))
  await ada.ok(act('role', room, { user: ada.id, role: 'member' }))
  await ada.refused(act('role', room, { user: ada.id, role: 'owner' }), 'forbidden')
  await bob.ok({ op: 'leave', room, forget: true })
  const left = await eve.event({ ev: 'member', act: 'leave' })
  assert.deepEqual([left.user.name, left.owner], ['bob', ada.id], 'the longest there takes over')
  await bob.event('removed')
  await bob.refused({ op: 'join', room }, 'not_found')
  await ada.ok(act('remove', room, { user: eve.id }))
  await ada.ok(act('archive', room, { on: true }))
  const acts = (await owner.ok('GET', '/audit')).entries.filter((e) => e.act.startsWith('room-') || e.act === 'message-delete')
  assert.deepEqual(acts.map((e) => `${e.actor.name} ${e.act} ${e.object}`), [`ada room-archive ${room}`, `ada room-remove eve, ${room}`,
    `ada room-role ada, ${room}`, `ada room-role bob, ${room}`, `bob message-delete eve, ${room}`, `ada room-role bob, ${room}`,
    `ada room-invite eve, ${room}`, `ada room-invite bob, ${room}`])
})

test('who is muted is silent for a time', async (t) => {
  const { server, ada, bob, devices } = await people(t, ['ada', 'bob'])
  const room = await privateRoom(ada, bob)
  const { seq } = await bob.ok({ op: 'send', room, key: 'k', text: 'x' })
  await ada.refused(act('mute', room, { user: bob.id, for_ms: 31 * DAY }), 'bad_request')
  await ada.refused(act('mute', room, { user: ada.id, for_ms: DAY }), 'forbidden')
  await ada.ok(act('mute', room, { user: bob.id, for_ms: DAY }))
  const { until } = await bob.event({ ev: 'member', act: 'mute' })
  assert.ok(until > Date.now() + DAY / 2)
  for (const op of [act('send', room, { text: 'y' }), act('edit', room, { target: seq, text: 'y' }), act('react', room, { target: seq, emoji: '+', on: true }), act('topic', room, { topic: 'y' })])
    await bob.refused(op, 'forbidden')
  assert.equal((await devices.bob.socket()).me.rooms[0].muted, until)
  assert.equal((await ada.ok({ op: 'members', room })).members[1].muted, until)
  await bob.ok({ op: 'delete', room, target: seq, key: 'd' })
  await ada.ok(act('mute', room, { user: bob.id, for_ms: 0 }))
  await bob.ok(act('send', room, { text: 'y' }))
  await ada.ok(act('mute', room, { user: bob.id, for_ms: 1 }))
  const [, again] = [await bob.event({ ev: 'member', act: 'mute' }), await bob.event({ ev: 'member', act: 'mute' })]
  while (Date.now() <= again.until) await bob.ok({ op: 'rooms' })
  await bob.ok(act('send', room, { text: 'z' }))
  assert.match((await runOk('check', server.data)).stdout, /nothing is wrong/)
})

test('a renamed room goes by both names, and the events by the new one', async (t) => {
  const { ada, bob, owner } = await people(t, ['ada', 'bob'])
  const { rid } = await create(ada, 'Lobby', 'public')
  for (const peer of [ada, bob]) await peer.ok({ op: 'join', room: 'lobby' })
  await create(ada, 'taken', 'public')
  await bob.refused(act('rename', 'lobby', { name: 'Hall' }), 'forbidden')
  await ada.refused(act('rename', 'lobby', { name: 'Taken' }), 'name_taken')
  await ada.refused(act('rename', 'lobby', { name: 'a hall' }), 'bad_request')
  await ada.ok(act('rename', 'lobby', { name: 'Hall' }))
  const told = await bob.event('rename')
  assert.deepEqual([told.room, told.was, told.title], ['hall', 'Lobby', 'Hall'])
  await bob.ok(act('send', 'lobby', { text: 'by the old name' }))
  assert.equal((await ada.event('message')).room, 'hall')
  await bob.ok(act('send', 'hall', { text: 'by the new one' }))
  const late = await (await invite(owner, 'member', 'eve')).socket()
  const again = await late.ok({ op: 'join', room: 'lobby' })
  assert.deepEqual([again.room, again.rid, again.title], ['hall', rid, 'Hall'])
  assert.deepEqual(new Set(again.events.map((e) => e.room)), new Set(['hall']))
  await late.ok(act('send', 'lobby', { text: 'x' }))
  await ada.refused({ op: 'create', name: 'lobby', kind: 'public', key: 'z' }, 'name_taken')
  await ada.ok(act('rename', 'hall', { name: 'lobby' }))
  const acts = (await owner.ok('GET', '/audit')).entries.filter((e) => e.act === 'room-rename')
  assert.deepEqual(acts.map((e) => [e.actor.name, e.object, e.address]), [['ada', 'lobby', '127.0.0.1'], ['ada', 'hall', '127.0.0.1']])
  await ada.ok(act('topic', 'lobby', { topic: 'About' }))
  assert.equal((await bob.event('topic')).topic, 'About')
  assert.equal((await bob.ok({ op: 'join', room: 'hall' })).topic, 'About')
})

test('making a room twice under one key makes one room', async (t) => {
  const { ada, bob } = await people(t, ['ada', 'bob'])
  const request = { op: 'create', name: 'Twice', kind: 'private', key: 'once' }
  const first = await ada.ok(request), second = await ada.ok(request)
  assert.deepEqual([second.rid, second.seq, second.role, second.dup], [first.rid, first.seq, 'owner', true])
  await ada.refused({ ...request, name: 'Other' }, 'key_conflict')
  await ada.ok({ op: 'join', room: first.room })
  await ada.ok(act('invite', first.room, { user: bob.id }))
  await ada.ok(act('role', first.room, { user: bob.id, role: 'owner' }))
  await bob.ok({ op: 'join', room: first.room })
  await bob.ok(act('rename', first.room, { name: 'Without Ada' }))
  await bob.ok(act('remove', first.room, { user: ada.id }))
  await ada.refused(request, 'not_found')
  for (const bad of [{ name: '' }, { name: 'x'.repeat(81) }, { name: 'a\u202eb' }, { kind: 'direct' }, { kind: 1 }, { topic: 7 }, { topic: 'a\nb' }])
    await ada.refused({ ...request, key: fresh('k'), ...bad }, 'bad_request')
  await ada.refused({ op: 'create', name: 'no spaces', kind: 'public', key: 'p' }, 'bad_request')
})

test('a guest sees the people of their rooms and makes none; who accepts a link is announced', async (t) => {
  const { server, owner, ada, olga } = await people(t, ['ada', 'bob'])
  await ada.refused({ op: 'people', query: 1 }, 'bad_request')
  assert.deepEqual((await ada.ok({ op: 'people' })).people.map((p) => [p.name, p.role]), [['ada', 'member'], ['bob', 'member'], ['Olga', 'owner']])
  assert.deepEqual((await ada.ok({ op: 'people', query: 'OL' })).people.map((p) => p.name), ['Olga'])
  const secret = await privateRoom(ada)
  await owner.refused('POST', '/invites', { role: 'guest', room: secret }, 'not_found')
  const room = await privateRoom(olga, ada)
  const { token } = await owner.ok('POST', '/invites', { role: 'guest', room, uses: 2 }, 201)
  const other = await invite(owner, 'admin', 'zoe')
  const shown = async (admin) => (await admin.ok('GET', '/invites')).invites.map((i) => i.room)
  assert.deepEqual([await shown(owner), await shown(other)], [['Secret plans'], [undefined]], 'a title is for those inside')
  const device = new Device(server)
  await device.ok('POST', '/invites/accept', { token, name: 'Gast' }, 201)
  const told = await ada.event({ ev: 'member', room })
  assert.deepEqual([told.act, told.user.name, told.from.name], ['add', 'Gast', 'Gast'])
  const guest = await device.socket()
  assert.equal((await guest.ok({ op: 'join', room })).head, told.seq)
  assert.deepEqual((await guest.ok({ op: 'people' })).people.map((p) => p.name), ['ada', 'Gast', 'Olga'])
  await guest.refused({ op: 'create', name: 'mine', kind: 'public', key: 'k' }, 'forbidden')
  await guest.refused({ op: 'direct', users: [ada.id] }, 'forbidden')
  await guest.refused(act('invite', room, { user: ada.id }), 'forbidden')
  const acts = (await owner.ok('GET', '/audit')).entries.map((e) => e.act)
  assert.ok(acts.includes('invite-accept'))
})

test('fields that are wrong are refused, and nothing comes of them', async (t) => {
  const { ada, bob } = await people(t, ['ada', 'bob'])
  const room = await privateRoom(ada, bob)
  for (const bad of [{ op: 'direct', users: 'u3' }, { op: 'direct', users: ['bob'] }, { op: 'direct', users: Array.from({ length: 10 }, (_, i) => `u${i + 2}`) },
    { op: 'members', room, after: 3 }, { op: 'members', room, limit: 0 }, act('invite', room, {}), act('remove', room, { user: 3 }), act('role', room, { user: bob.id, role: 'none' }),
    act('mute', room, { user: bob.id, for_ms: -1 }), act('mute', room, { user: bob.id }), act('topic', room, { topic: 'x'.repeat(501) }), act('rename', room, { name: ' ' }),
    act('archive', room, { on: 1 }), { op: 'archive', room, on: true }]) await ada.refused(bad, 'bad_request')
  await ada.refused(act('remove', room, { user: ada.id }), 'forbidden')
  for (const more of [{ op: 'remove' }, { op: 'role', role: 'owner' }, { op: 'mute', for_ms: 1000 }]) await ada.refused(act(more.op, room, { ...more, user: 'u1' }), 'not_found')
  assert.equal((await ada.ok({ op: 'join', room })).head, 2)
  const { members } = await ada.ok({ op: 'members', room, after: ada.id })
  assert.deepEqual(members.map((m) => m.name), ['bob'])
})

test('a listed room whose owner leaves has another, and says so', async (t) => {
  const { ada, bob, eve } = await people(t, ['ada', 'bob', 'eve'])
  const { room } = await create(ada, 'club', 'public')
  for (const peer of [ada, bob, eve]) await peer.ok({ op: 'join', room })
  await bob.ok({ op: 'leave', room, forget: true })
  await ada.ok({ op: 'leave', room, forget: true })
  const left = await eve.event('member')
  assert.deepEqual([left.user.name, left.act, left.owner], ['ada', 'leave', eve.id], 'only the owner’s leaving is told')
  await eve.ok(act('archive', room, { on: true }))
  await ada.event('removed')
  assert.equal((await ada.ok({ op: 'join', room })).role, 'member', 'listed, so one may come back')
})
