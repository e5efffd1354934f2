// Accounts: the first one, signing in and out, devices, passwords.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { Device, OWNER, invite, startTeam } from './lib/device.mjs'
import { fetchRaw } from './lib/http.mjs'
import { Server } from './lib/server.mjs'
import { sqlite } from './lib/upkeep.mjs'
import { SLOW } from './lib/wait.mjs'

test('the first account is made once, from this machine, and is signed in', async (t) => {
  const server = await Server.start(t, { open: false })
  const owner = new Device(server)
  assert.deepEqual(await owner.ok('GET', '/server'), { version: '0.1.0', mode: 'accounts', team: null, setup: 'open' })
  await owner.refused('GET', '/me', undefined, 'unauthorized')
  await owner.refused('POST', '/setup', { ...OWNER, password: 'short' }, 'bad_request')
  const { me } = await owner.ok('POST', '/setup', OWNER, 201)
  assert.equal(me.name, 'Olga')
  const peer = await owner.socket()
  assert.deepEqual(peer.me.me, { ...me, role: 'owner' })
  assert.equal(peer.me.token, undefined)
  const seen = await owner.ok('GET', '/me')
  assert.deepEqual({ ...seen, session: 0 }, { me, login: OWNER.login, role: 'owner', session: 0, totp: false, recovery: 0, has_password: true, sso: false, team: OWNER.team })
  assert.deepEqual((await new Device(server).ok('GET', '/server')).setup, 'done')
  await new Device(server).refused('POST', '/setup', { ...OWNER, name: 'Other' }, 'forbidden')
  await server.restart()
  assert.equal((await owner.ok('GET', '/me')).me.id, me.id)
  await owner.socket()
})

test('from elsewhere the first account needs the token that the server printed', async (t) => {
  const server = await Server.start(t, { open: false })
  const [, token] = /#setup=(\S+)/.exec(server.stderr)
  const far = { 'X-Forwarded-For': '192.0.2.7' }
  const device = new Device(server)
  assert.equal((await device.ask('GET', '/server', undefined, far)).json.setup, 'token')
  assert.equal((await device.ask('POST', '/setup', OWNER, far)).json.err.code, 'forbidden')
  assert.equal((await device.ask('POST', '/setup', { ...OWNER, token: `${token.slice(1)}x` }, far)).json.err.code, 'forbidden')
  assert.equal((await device.ask('POST', '/setup', { ...OWNER, token }, far)).status, 201)
})

test('the cookie is for this site and no script; the token is not in the database', async (t) => {
  const { server } = await startTeam(t)
  const device = new Device(server)
  const { set } = await device.ask('POST', '/session', { login: 'OLGA@example.org', password: OWNER.password })
  assert.match(set, /^hubbub_session=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/)
  const file = await server.database()
  await server.stop()
  const bytes = await readFile(file)
  assert.equal(bytes.includes(device.cookie.split('=')[1]), false)
  assert.equal(bytes.includes(OWNER.password), false)
  await server.start()
})

test('over https the cookie says so, and goes over https alone', async (t) => {
  const { server, owner } = await startTeam(t, { args: ['--no-limits', '--trusted-proxy', '127.0.0.1'] })
  const https = { 'X-Forwarded-Proto': 'https' }
  const device = new Device(server)
  const { set } = await device.ask('POST', '/session', { login: OWNER.login, password: OWNER.password }, https)
  assert.match(set, /^__Host-hubbub_session=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/)
  assert.equal((await device.ask('GET', '/me', undefined, https)).status, 200)
  assert.equal((await device.ask('GET', '/me')).status, 401)
  assert.equal((await owner.ask('GET', '/me', undefined, https)).status, 401)
  assert.match((await device.ask('DELETE', '/session', undefined, https)).set, /^__Host-hubbub_session=; Path=\/; Max-Age=0; .*Secure$/)
})

test('a wrong password, an unknown login and a disabled account get one answer', async (t) => {
  const { server, owner } = await startTeam(t)
  const ada = await invite(owner, 'member', 'ada')
  const { me } = await ada.ok('GET', '/me')
  await owner.ok('POST', `/users/${me.id}/disabled`, { on: true })
  const answers = []
  for (const [login, password] of [[OWNER.login, 'wrong password'], ['nobody@example.org', OWNER.password], ['ada@example.org', "ada's password"]]) {
    const r = await new Device(server).ask('POST', '/session', { login, password })
    answers.push(JSON.stringify([r.status, r.json, r.set]))
  }
  assert.equal(new Set(answers).size, 1, answers.join('\n'))
  assert.match(answers[0], /unauthorized/)
})

test('guessing is slowed down for a login from everywhere, and for an address', async (t) => {
  const { server } = await startTeam(t, { args: ['--sign-in-limit', '3/600000', '--trusted-proxy', '127.0.0.1'] })
  const from = (address, login) => new Device(server).ask('POST', '/session', { login, password: 'wrong password' }, { 'X-Forwarded-For': address })
  for (const n of [1, 2, 3]) assert.equal((await from(`192.0.2.${n}`, OWNER.login)).status, 401)
  const slowed = await from('192.0.2.4', OWNER.login)
  assert.equal(slowed.json.err.code, 'rate_limited')
  assert.ok(slowed.json.err.retry_ms > 0 && Number(slowed.headers.get('retry-after')) > 0)
  for (const n of [1, 2, 3]) assert.equal((await from('192.0.2.9', `guess${n}@example.org`)).status, 401)
  assert.equal((await from('192.0.2.9', 'guess4@example.org')).json.err.code, 'rate_limited')
  assert.equal((await from('192.0.2.10', 'guess4@example.org')).status, 401)
})

test('signing out cuts this device at once, and its cookie is worth nothing', async (t) => {
  const { owner } = await startTeam(t, { args: ['--no-limits', '--workers', '2'] })
  const sockets = [await owner.socket(), await owner.socket(), await owner.socket()]
  const old = owner.cookie
  assert.equal((await owner.ask('DELETE', '/session')).status, 204)
  assert.equal(owner.cookie, undefined)
  for (const s of sockets) assert.equal(await s.closed(), 4001)
  owner.cookie = old
  await owner.refused('GET', '/me', undefined, 'unauthorized')
  const late = await owner.server.connect({ headers: { Cookie: old } })
  await late.refused({ op: 'hello' }, 'unauthorized')
})

test('devices are listed, and one is signed out from another', async (t) => {
  const { server, owner } = await startTeam(t)
  const phone = new Device(server, 'Phone/2.0')
  await phone.signIn(OWNER.login, OWNER.password)
  const [here, there] = [await owner.socket(), await phone.socket()]
  const { sessions } = await owner.ok('GET', '/me/sessions')
  assert.deepEqual(sessions.map((s) => [s.agent, s.address, s.current]).sort(), [['Phone/2.0', '127.0.0.1', false], ['Test/1.0', '127.0.0.1', true]])
  const { id } = sessions.find((s) => s.agent === 'Phone/2.0')
  await owner.ok('DELETE', `/me/sessions/${id}`, undefined, 204)
  assert.equal(await there.closed(), 4001)
  await phone.refused('GET', '/me', undefined, 'unauthorized')
  await here.ok({ op: 'rooms' })
  await owner.refused('DELETE', `/me/sessions/${id}`, undefined, 'not_found')
  const ada = await invite(owner, 'member', 'ada')
  await ada.refused('DELETE', `/me/sessions/${sessions.find((s) => s.current).id}`, undefined, 'not_found')
  await phone.signIn(OWNER.login, OWNER.password)
  const again = await phone.socket()
  await owner.ok('DELETE', '/me/sessions', undefined, 204)
  assert.equal(await again.closed(), 4001)
  await here.ok({ op: 'rooms' })
})

test('a new password signs out all other devices and renews this one', async (t) => {
  const { server, owner } = await startTeam(t)
  const phone = new Device(server)
  await phone.signIn(OWNER.login, OWNER.password)
  const [here, there] = [await owner.socket(), await phone.socket()]
  const old = owner.cookie
  await owner.refused('POST', '/me/password', { password: 'wrong password', new_password: 'battery staple' }, 'unauthorized')
  await owner.refused('POST', '/me/password', { password: OWNER.password, new_password: 'short' }, 'bad_request')
  await owner.ok('POST', '/me/password', { password: OWNER.password, new_password: 'battery staple' }, 204)
  assert.notEqual(owner.cookie, old)
  assert.equal(await there.closed(), 4001)
  await here.ok({ op: 'rooms' })
  await owner.ok('GET', '/me')
  const device = new Device(server)
  device.cookie = old
  await device.refused('GET', '/me', undefined, 'unauthorized')
  await device.refused('POST', '/session', { login: OWNER.login, password: OWNER.password }, 'unauthorized')
  await device.signIn(OWNER.login, 'battery staple')
})

test('a name is changed for all, and an account keeps its own', async (t) => {
  const { owner } = await startTeam(t)
  const ada = await invite(owner, 'member', 'ada')
  await ada.refused('POST', '/me/name', { name: 'olga' }, 'name_taken')
  const peer = await ada.socket()
  await peer.ok({ op: 'join', room: 'r' })
  assert.equal((await ada.ok('POST', '/me/name', { name: 'Ada L.' })).me.name, 'Ada L.')
  await peer.ok({ op: 'send', room: 'r', key: 'k', text: 'hi' })
  assert.equal((await peer.event('message')).from.name, 'Ada L.')
})

test('a connection that ends with its answer is let go when the client goes', async (t) => {
  const { server } = await startTeam(t)
  const { body } = await fetchRaw(server, '/metrics')
  const open = () => fetchRaw(server, '/metrics').then((r) => Number(/^hubbub_connections (\d+)$/m.exec(r.body)[1]))
  assert.match(String(body), /hubbub_connections/)
  const idle = await open()
  const begun = performance.now()
  const r = await fetchRaw(server, '/api/v1/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ login: 'x', password: 'y' }) })
  assert.equal(r.status, 401)
  while (await open() > idle) assert.ok(performance.now() - begun < 4000 * SLOW, 'it waited for a timer')
})

test('what is no JSON, or comes from another site, changes nothing', async (t) => {
  const { owner } = await startTeam(t)
  const body = JSON.stringify({ name: 'Mallory' })
  assert.equal((await owner.ask('POST', '/me/name', body, { 'Content-Type': 'text/plain' })).status, 415)
  assert.equal((await owner.ask('POST', '/me/name', body, { 'Content-Type': 'application/jsonx' })).status, 415)
  assert.equal((await owner.ask('POST', '/me/name', '{"name":', {})).json.err.code, 'bad_request')
  assert.equal((await owner.ask('POST', '/me/name', Buffer.from('{"name":"\xff"}', 'latin1'))).json.err.code, 'bad_request')
  assert.equal((await owner.ask('DELETE', '/me/sessions/x')).status, 404)
  assert.equal((await owner.ask('DELETE', '/me/sessions/99999999999999999999')).status, 404)
  assert.equal((await owner.ok('GET', '/me')).me.name, 'Olga')
  const foreign = await fetchRaw(owner.server, '/api/v1/session', { method: 'DELETE', headers: { Cookie: owner.cookie, Origin: 'https://evil.example' } })
  assert.equal(foreign.status, 403)
  await owner.ok('GET', '/me')
})

test('a session ends thirty days after its last use, and 180 after its beginning', async (t) => {
  const { server, owner } = await startTeam(t)
  const DAY_MS = 86_400_000
  const age = async (days) => {
    await server.stop()
    sqlite(await server.database(), `UPDATE sessions SET ${days.map(([column, n]) => `${column} = ${Date.now() - n * DAY_MS}`)}`)
    await server.start()
    return (await owner.ask('GET', '/me')).status
  }
  assert.equal(await age([['used', 29], ['created', 179]]), 200)
  assert.equal(await age([['used', 31], ['created', 100]]), 401)
  assert.equal(await age([['used', 1], ['created', 181]]), 401)
  await assert.rejects(owner.socket())
})
