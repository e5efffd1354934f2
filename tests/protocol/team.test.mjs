// What admins do: invitations, roles, shutting people out; the second factor; the audit log.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Device, OWNER, invite, startTeam, totp } from './lib/device.mjs'

test('an invitation works as often as it says, and not when it was taken back', async (t) => {
  const { server, owner } = await startTeam(t)
  const { token } = await owner.ok('POST', '/invites', { role: 'member', uses: 2 }, 201)
  const guest = new Device(server)
  assert.deepEqual(await guest.ok('POST', '/invites/look', { token }), { role: 'member', name_only: false, by: 'Olga', team: OWNER.team })
  const accept = (name, more = {}) => new Device(server).ask('POST', '/invites/accept', { token, name, login: `${name}@example.org`, password: 'a password', ...more })
  assert.equal((await accept('ada', { login: undefined })).json.err.code, 'bad_request')
  assert.equal((await accept('olga')).json.err.code, 'name_taken')
  assert.equal((await accept('ada', { login: OWNER.login })).json.err.code, 'name_taken')
  assert.equal((await accept('ada')).status, 201)
  assert.deepEqual((await owner.ok('GET', '/invites')).invites.map((i) => [i.role, i.uses_left, i.by.name]), [['member', 1, 'Olga']])
  assert.equal((await accept('bob')).status, 201)
  assert.equal((await accept('eve')).json.err.code, 'not_found')
  const second = await owner.ok('POST', '/invites', { role: 'admin' }, 201)
  await owner.ok('DELETE', `/invites/${second.id}`, undefined, 204)
  await guest.refused('POST', '/invites/look', { token: second.token }, 'not_found')
  await guest.refused('POST', '/invites/accept', { token: second.token, name: 'eve', login: 'eve', password: 'a password' }, 'not_found')
  const short = await owner.ok('POST', '/invites', { role: 'member', expires_ms: 1 }, 201)
  await guest.refused('POST', '/invites/look', { token: short.token }, 'not_found')
})

test('a guest comes by name alone, into one room', async (t) => {
  const { server, owner } = await startTeam(t)
  const peer = await owner.socket()
  await peer.ok({ op: 'join', room: 'Support' })
  await owner.refused('POST', '/invites', { role: 'guest' }, 'bad_request')
  await owner.refused('POST', '/invites', { role: 'guest', room: 'nowhere' }, 'not_found')
  const { token } = await owner.ok('POST', '/invites', { role: 'guest', room: 'support' }, 201)
  const guest = new Device(server)
  assert.deepEqual(await guest.ok('POST', '/invites/look', { token }), { role: 'guest', name_only: true, by: 'Olga', room: 'Support', team: OWNER.team })
  await guest.ok('POST', '/invites/accept', { token, name: 'Gast' }, 201)
  const socket = await guest.socket()
  assert.equal(socket.me.me.role, 'guest')
  assert.deepEqual(socket.me.rooms.map((r) => r.room), ['support'])
  await peer.ok({ op: 'join', room: 'support-staff' })
  await socket.ok({ op: 'join', room: 'support' })
  const [there, nowhere] = await Promise.all(['support-staff', 'support-new'].map((room) => socket.request({ op: 'join', room })))
  assert.equal(there.err.code, 'not_found')
  assert.deepEqual(there.err, nowhere.err)
  assert.deepEqual((await socket.ok({ op: 'rooms', query: 'support' })).rooms.map((r) => r.room), ['support'])
  assert.deepEqual((await peer.ok({ op: 'rooms', query: 'support' })).rooms.map((r) => r.room), ['support', 'support-staff'])
})

test('roles are given downwards only, and a team keeps an owner', async (t) => {
  const { owner } = await startTeam(t)
  const admin = await invite(owner, 'admin', 'ada'), member = await invite(owner, 'member', 'bob')
  const id = async (device) => (await device.ok('GET', '/me')).me.id
  const [o, a, b] = [await id(owner), await id(admin), await id(member)]
  for (const [method, path, body] of [['GET', '/users'], ['GET', '/invites'], ['GET', '/audit'], ['GET', '/figures'],
    ['POST', '/invites', { role: 'guest' }], ['POST', `/users/${a}/role`, { role: 'guest' }], ['POST', `/users/${a}/disabled`, { on: true }], ['POST', `/users/${a}/reset`, {}]]) {
    await member.refused(method, path, body, 'forbidden')
    await new Device(owner.server).refused(method, path, body, 'unauthorized')
  }
  await admin.refused('POST', '/invites', { role: 'admin' }, 'forbidden')
  await admin.refused('POST', `/users/${o}/role`, { role: 'member' }, 'forbidden')
  await admin.refused('POST', `/users/${o}/disabled`, { on: true }, 'forbidden')
  await admin.refused('POST', `/users/${o}/reset`, {}, 'forbidden')
  await admin.refused('POST', `/users/${b}/role`, { role: 'admin' }, 'forbidden')
  await owner.refused('POST', `/users/${o}/role`, { role: 'member' }, 'forbidden')
  await owner.refused('POST', '/users/u999/role', { role: 'member' }, 'not_found')
  await owner.ok('POST', `/users/${b}/role`, { role: 'owner' }, 204)
  await owner.ok('POST', `/users/${o}/role`, { role: 'admin' }, 204)
  await owner.refused('POST', `/users/${a}/role`, { role: 'guest' }, 'forbidden')
  assert.equal((await member.ok('GET', '/me')).role, 'owner')
})

test('who is disabled is cut with 4003 and stays out until enabled', async (t) => {
  const { server, owner } = await startTeam(t, { args: ['--no-limits', '--workers', '2'] })
  const ada = await invite(owner, 'member', 'ada')
  const { me } = await ada.ok('GET', '/me')
  const sockets = [await ada.socket(), await ada.socket()]
  await owner.ok('POST', `/users/${me.id}/disabled`, { on: true }, 204)
  for (const s of sockets) assert.equal(await s.closed(), 4003)
  await ada.refused('GET', '/me', undefined, 'unauthorized')
  await new Device(server).refused('POST', '/session', { login: 'ada@example.org', password: "ada's password" }, 'unauthorized')
  await owner.refused('POST', `/users/${(await owner.ok('GET', '/me')).me.id}/disabled`, { on: true }, 'forbidden')
  await owner.ok('POST', `/users/${me.id}/disabled`, { on: false }, 204)
  await new Device(server).signIn('ada@example.org', "ada's password")
})

test('a link lets choose a new password once', async (t) => {
  const { server, owner } = await startTeam(t)
  const ada = await invite(owner, 'member', 'ada')
  const { me } = await ada.ok('GET', '/me')
  const socket = await ada.socket()
  const { token } = await owner.ok('POST', `/users/${me.id}/reset`, {}, 201)
  const device = new Device(server)
  await device.refused('POST', '/reset', { token, password: 'short' }, 'bad_request')
  assert.deepEqual((await device.ok('POST', '/reset', { token, password: 'another one' })).me, me)
  assert.equal(await socket.closed(), 4001)
  await device.ok('GET', '/me')
  await new Device(server).refused('POST', '/reset', { token, password: 'another two' }, 'not_found')
  await new Device(server).refused('POST', '/session', { login: 'ada@example.org', password: "ada's password" }, 'unauthorized')
  await new Device(server).signIn('ada@example.org', 'another one')
})

test('a second factor is asked for, no code works twice, and a recovery code once', async (t) => {
  const { server, owner } = await startTeam(t)
  await owner.refused('POST', '/me/totp', { password: 'wrong password' }, 'unauthorized')
  await owner.refused('POST', '/me/totp/confirm', { code: '000000' }, 'not_found')
  const { secret, uri } = await owner.ok('POST', '/me/totp', { password: OWNER.password })
  assert.match(uri, /^otpauth:\/\/totp\/The%20Team:olga%40example\.org\?secret=[A-Z2-7]{32}&issuer=The%20Team/)
  await owner.refused('POST', '/me/totp/confirm', { code: '12345' }, 'second_factor')
  const now = Date.now()
  const { recovery } = await owner.ok('POST', '/me/totp/confirm', { code: totp(secret, now) })
  assert.equal(new Set(recovery).size, 10)
  const device = new Device(server)
  const credentials = { login: OWNER.login, password: OWNER.password }
  await device.refused('POST', '/session', credentials, 'second_factor')
  await device.refused('POST', '/session', { ...credentials, code: totp(secret, now) }, 'second_factor')
  await device.signIn(OWNER.login, OWNER.password, totp(secret, now + 30000))
  await device.refused('POST', '/session', { ...credentials, code: totp(secret, now + 30000) }, 'second_factor')
  await device.signIn(OWNER.login, OWNER.password, recovery[3])
  await device.refused('POST', '/session', { ...credentials, code: recovery[3] }, 'unauthorized')
  assert.deepEqual((await owner.ok('GET', '/me')).recovery, 9)
  await owner.refused('DELETE', '/me/totp', { password: 'wrong password' }, 'unauthorized')
  await owner.ok('DELETE', '/me/totp', { password: OWNER.password }, 204)
  await new Device(server).signIn(OWNER.login, OWNER.password)
})

test('every act is in the audit log, newest first, page by page', async (t) => {
  const { owner } = await startTeam(t)
  const ada = await invite(owner, 'member', 'ada')
  const { me } = await ada.ok('GET', '/me')
  await owner.ok('POST', `/users/${me.id}/role`, { role: 'admin' }, 204)
  await owner.ok('POST', `/users/${me.id}/disabled`, { on: true }, 204)
  const { entries, more } = await owner.ok('GET', '/audit?limit=3')
  assert.deepEqual(entries.map((e) => [e.actor.name, e.act, e.object, e.address]), [
    ['Olga', 'disable', 'ada', '127.0.0.1'], ['Olga', 'admin', 'ada', '127.0.0.1'], ['ada', 'invite-accept', 'ada', '127.0.0.1']])
  assert.equal(more, true)
  const rest = await owner.ok('GET', `/audit?before=${entries[2].id}&limit=200`)
  assert.deepEqual(rest.entries.map((e) => e.act), ['invite', 'setup'])
  assert.equal(rest.more, false)
})

test('people and figures are listed for admins', async (t) => {
  const { owner } = await startTeam(t)
  await invite(owner, 'member', 'ada')
  const { users } = await owner.ok('GET', '/users')
  assert.deepEqual(users.map((u) => [u.name, u.login, u.role, u.disabled, u.totp, u.sessions]), [
    ['ada', 'ada@example.org', 'member', false, false, 1], ['Olga', OWNER.login, 'owner', false, false, 1]])
  await owner.socket()
  const figures = await owner.ok('GET', '/figures')
  assert.equal(figures.connections, 1)
  assert.ok(figures.storage_bytes > 4096 && figures.resident_bytes > 1e6 && figures.uptime_ms >= 0)
})

test('admins see the listed rooms and what storing takes, and of other rooms nothing', async (t) => {
  const { owner } = await startTeam(t)
  const ada = await invite(owner, 'member', 'ada')
  const peer = await ada.socket()
  await peer.ok({ op: 'join', room: 'Hall' })
  for (let i = 0; i < 3; i++) await peer.ok({ op: 'send', room: 'hall', text: `${i}`, key: `k${i}` })
  await peer.ok({ op: 'keep', room: 'hall', days: 30, key: 'keep' })
  await peer.ok({ op: 'create', name: 'Secret plans', kind: 'private', key: 'secret' })
  await ada.refused('GET', '/team/rooms', undefined, 'forbidden')
  const { rooms } = await owner.ok('GET', '/team/rooms')
  const [{ last, ...hall }] = rooms
  assert.deepEqual([rooms.length, hall], [1, { room: 'hall', title: 'Hall', kind: 'public', members: 1, messages: 3, archived: false, days: 30 }])
  assert.ok(last > 0)
  const figures = await owner.ok('GET', '/figures')
  assert.ok(figures.commits_total >= 5 && figures.commit_us_total > 0)
})

test('admins see the devices of those below them, and sign them out', async (t) => {
  const { owner } = await startTeam(t)
  const [mo, ada] = [await invite(owner, 'admin', 'mo'), await invite(owner, 'member', 'ada')]
  const peer = await ada.socket()
  const id = peer.me.me.id
  assert.deepEqual((await mo.ok('GET', `/users/${id}/sessions`)).sessions.map((s) => [s.agent, s.current]), [['Test/1.0', false]])
  await ada.refused('GET', `/users/${id}/sessions`, undefined, 'forbidden')
  await mo.refused('GET', '/users/u1/sessions', undefined, 'forbidden')
  await mo.refused('GET', '/users/u99/sessions', undefined, 'not_found')
  await mo.refused('DELETE', '/users/u1/sessions', undefined, 'forbidden')
  await mo.ok('DELETE', `/users/${id}/sessions`, undefined, 204)
  assert.equal(await peer.closed(), 4001)
  await ada.refused('GET', '/me', undefined, 'unauthorized')
  assert.deepEqual((await owner.ok('GET', `/users/${id}/sessions`)).sessions, [])
  const [{ act, object }] = (await owner.ok('GET', '/audit')).entries
  assert.deepEqual([act, object], ['sign-out', 'ada'])
})
