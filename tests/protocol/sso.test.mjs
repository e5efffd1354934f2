// Single sign-on against a certified provider: who gets in, as whom, and what is not believed.
import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { Device, OWNER, invite } from './lib/device.mjs'
import { CLIENT, IdentityProvider } from './lib/provider.mjs'
import { Server, runToEnd } from './lib/server.mjs'

async function secretFile(t, text = `${CLIENT.secret}\n`) {
  const dir = await mkdtemp(path.join(tmpdir(), 'hubbub-sso-'))
  t.after(() => rm(dir, { recursive: true }))
  const file = path.join(dir, 'secret')
  await writeFile(file, text)
  return file
}

/** A team whose server trusts a provider. */
async function startSso(t, flags = [], options = {}) {
  const idp = await IdentityProvider.start(t)
  const file = await secretFile(t)
  const server = await Server.start(t, { open: false, cert: undefined, args: ['--no-limits', ...idp.flags(file), ...flags], ...options.server })
  idp.serve(`http://${server.host}:${server.port}`, options.provider)
  const owner = new Device(server)
  await owner.ok('POST', '/setup', OWNER, 201)
  return { idp, server, owner }
}

class SsoDevice extends Device {
  sso = undefined

  /** Asks to be sent to the provider. */
  async begin(path = '/oidc/start', body = {}) {
    const session = this.cookie
    const r = await this.ask('POST', path, body)
    this.cookie = session
    assert.equal(r.status, 200, JSON.stringify(r.json))
    this.sso = r.set.split(';')[0]
    assert.match(r.set, /^hubbub_sso=.*; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/)
    return r.json.location
  }

  /** Comes back to `url`; gives the page that it is sent to. */
  async comeBack(url) {
    const cookies = [this.cookie, this.sso].filter(Boolean).join('; ')
    const response = await fetch(url, { redirect: 'manual', headers: { Cookie: cookies } })
    assert.equal(response.status, 303, `${response.status} ${await response.text()}`)
    for (const set of response.headers.getSetCookie()) {
      if (set.startsWith('hubbub_session=')) this.cookie = set.split(';')[0]
      else assert.match(set, /^hubbub_sso=;.*Max-Age=0/)
    }
    return response.headers.get('location')
  }

  async enter(idp, login, start, body) {
    return this.comeBack(await idp.visit(await this.begin(start, body), login))
  }
}

test('who is linked signs in with the provider, and only who is', async (t) => {
  const { idp, server, owner } = await startSso(t)
  const info = await new Device(server).ok('GET', '/server')
  assert.deepEqual([info.sso, info.sso_only], ['single sign-on', false])
  assert.equal((await owner.ok('GET', '/me')).sso, false)

  const stranger = new SsoDevice(server)
  assert.equal(await stranger.enter(idp, 'olga-at-work'), '/#sso=not_found')
  assert.equal((await stranger.ask('GET', '/me')).status, 401)

  const linking = new SsoDevice(server)
  linking.cookie = owner.cookie
  await owner.refused('POST', '/me/oidc', { password: 'a wrong one' }, 'unauthorized')
  assert.equal(await linking.enter(idp, 'olga-at-work', '/me/oidc', { password: OWNER.password }), '/settings#sso=linked')
  assert.equal((await owner.ok('GET', '/me')).sso, true)

  const other = new SsoDevice(server)
  assert.equal(await other.enter(idp, 'olga-at-work'), '/')
  const me = await other.ok('GET', '/me')
  assert.deepEqual([me.me.name, me.role, me.has_password], ['Olga', 'owner', true])
  const { entries } = await owner.ok('GET', '/audit')
  assert.ok(entries.some((e) => e.act === 'sso-link' && e.object === idp.issuer))

  await other.refused('DELETE', '/me/oidc', { password: 'a wrong one' }, 'unauthorized')
  await other.ok('DELETE', '/me/oidc', { password: OWNER.password }, 204)
  await other.refused('DELETE', '/me/oidc', { password: OWNER.password }, 'not_found')
  assert.equal(await new SsoDevice(server).enter(idp, 'olga-at-work'), '/#sso=not_found')
})

test('an identity is one account’s, and an account has one', async (t) => {
  const { idp, server, owner } = await startSso(t)
  const ada = await invite(owner, 'member', 'ada')
  const as = (device) => Object.assign(new SsoDevice(server), { cookie: device.cookie })
  const link = (device, login, password) => as(device).enter(idp, login, '/me/oidc', { password })
  assert.equal(await link(owner, 'one', OWNER.password), '/settings#sso=linked')
  assert.equal(await link(owner, 'one', OWNER.password), '/settings#sso=linked')
  assert.equal(await link(ada, 'one', "ada's password"), '/settings#sso=name_taken')
  assert.equal(await link(owner, 'two', OWNER.password), '/settings#sso=name_taken')
  assert.equal(await link(ada, 'two', "ada's password"), '/settings#sso=linked')

  // Who signed out, or became another, in between is not linked.
  const bob = await invite(owner, 'member', 'bob')
  const late = as(bob)
  const url = await idp.visit(await late.begin('/me/oidc', { password: "bob's password" }), 'three')
  late.cookie = ada.cookie
  assert.equal(await late.comeBack(url), '/settings#sso=unauthorized')
  assert.equal(await new SsoDevice(server).enter(idp, 'three'), '/#sso=not_found')

  await owner.ok('POST', `/users/${(await ada.ok('GET', '/me')).me.id}/disabled`, { on: true })
  assert.equal(await new SsoDevice(server).enter(idp, 'two'), '/#sso=forbidden')
})

test('an invitation lets somebody in whom the provider knows, without a password', async (t) => {
  const { idp, server, owner } = await startSso(t)
  const { token } = await owner.ok('POST', '/invites', { role: 'admin' }, 201)
  idp.names['s-1'] = 'Olga'
  const namesake = new SsoDevice(server)
  assert.equal(await namesake.enter(idp, 's-1', '/oidc/start', { token }), '/')
  const me = await namesake.ok('GET', '/me')
  assert.deepEqual([me.me.name, me.role, me.login, me.has_password, me.sso], ['Olga 2', 'admin', null, false, true])
  assert.equal(await new SsoDevice(server).enter(idp, 's-2', '/oidc/start', { token }), '/#sso=not_found')
  // Without a password one does not lock oneself out.
  await namesake.refused('DELETE', '/me/oidc', { password: 'x' }, 'unauthorized')
  const socket = await namesake.socket()
  assert.equal(socket.me.me.name, 'Olga 2')
})

test('where it is so set, whoever the provider knows becomes a member, by any name', async (t) => {
  const { idp, server } = await startSso(t, ['--oidc-create', '--oidc-name', 'The Company'])
  assert.equal((await new Device(server).ok('GET', '/server')).sso, 'The Company')
  Object.assign(idp.names, { a: 'Ünal', b: '‮evil', c: 'x'.repeat(500), d: 'Ünal' })
  const names = []
  for (const login of ['a', 'b', 'c', 'd', 'a']) {
    const device = new SsoDevice(server)
    assert.equal(await device.enter(idp, login), '/')
    const me = await device.ok('GET', '/me')
    assert.equal(me.role, 'member')
    names.push(me.me.name)
  }
  assert.deepEqual(names, ['Ünal', 'New member', 'New member 2', 'Ünal 2', 'Ünal'])
})

test('where it is the only way in, passwords let nobody in', async (t) => {
  const { idp, server, owner } = await startSso(t, ['--oidc-only'])
  assert.equal((await new Device(server).ok('GET', '/server')).sso_only, true)
  await new Device(server).refused('POST', '/session', { login: OWNER.login, password: OWNER.password }, 'forbidden')
  const { token } = await owner.ok('POST', '/invites', { role: 'member' }, 201)
  await new Device(server).refused('POST', '/invites/accept', { token, name: 'ada', login: 'ada', password: 'a password' }, 'forbidden')
  const linking = Object.assign(new SsoDevice(server), { cookie: owner.cookie })
  assert.equal(await linking.enter(idp, 'o', '/me/oidc', { password: OWNER.password }), '/settings#sso=linked')
  const { id } = (await owner.ok('GET', '/me')).me
  const reset = await owner.ok('POST', `/users/${id}/reset`, {}, 201)
  await new Device(server).refused('POST', '/reset', { token: reset.token, password: 'another one' }, 'forbidden')
  assert.equal(await new SsoDevice(server).enter(idp, 'ada', '/oidc/start', { token }), '/')
  assert.equal(await new SsoDevice(server).enter(idp, 'o'), '/')
})

test('an answer counts only in the browser that asked, once, and for what it asked', async (t) => {
  const { idp, server } = await startSso(t, ['--oidc-create'])
  const ada = new SsoDevice(server)
  const url = await idp.visit(await ada.begin(), 'ada')
  assert.equal(await new SsoDevice(server).comeBack(url), '/#sso=expired', 'another browser')
  const other = new SsoDevice(server)
  await other.begin()
  assert.equal(await other.comeBack(url), '/#sso=expired', 'a browser that asked for another')
  const forged = Object.assign(new SsoDevice(server), { sso: `hubbub_sso=${'A'.repeat(400)}` })
  assert.equal(await forged.comeBack(url), '/#sso=expired')
  const state = new URL(url)
  state.searchParams.set('state', 'x'.repeat(43))
  assert.equal(await ada.comeBack(state), '/#sso=expired')
  const iss = new URL(url)
  iss.searchParams.set('iss', 'https://elsewhere.example')
  assert.equal(await ada.comeBack(iss), '/#sso=expired', 'RFC 9207')
  const refused = new URL(url)
  refused.searchParams.delete('code')
  refused.searchParams.set('error', 'access_denied')
  assert.equal(await ada.comeBack(refused), '/#sso=refused')
  const code = new URL(url)
  code.searchParams.set('code', 'guessed')
  assert.equal(await ada.comeBack(code), '/#sso=refused')
  assert.equal(await ada.comeBack(url), '/')
  const again = Object.assign(new SsoDevice(server), { sso: ada.sso })
  assert.equal(await again.comeBack(url), '/#sso=refused', 'a code is good once')
  assert.equal(await new SsoDevice(server).enter(idp, ''), '/#sso=refused', 'who says no at the provider')
  for (const path of ['', '?', '?state', '?state=%zz&code=%00', `?code=${'x'.repeat(5000)}`])
    assert.equal(await ada.comeBack(`http://${server.host}:${server.port}/api/v1/oidc/callback${path}`), '/#sso=expired')
})

test('a provider may change its keys, and use others', async (t) => {
  for (const [alg, auth] of [['ES256', 'client_secret_post'], ['RS256', 'client_secret_basic']]) {
    const { idp, server } = await startSso(t, ['--oidc-create'], { provider: { alg, auth } })
    assert.equal(await new SsoDevice(server).enter(idp, 'ada'), '/')
    idp.asked = []
    assert.equal(await new SsoDevice(server).enter(idp, 'ada'), '/')
    assert.ok(!idp.asked.includes('GET /jwks') && !idp.asked.includes('GET /.well-known/openid-configuration'), 'what is known is kept')
    idp.rotate()
    assert.equal(await new SsoDevice(server).enter(idp, 'ada'), '/', 'a key that was not there before')
    assert.deepEqual(idp.asked.filter((a) => a === 'GET /jwks'), ['GET /jwks'])
  }
})

const encode = (o) => Buffer.from(JSON.stringify(o)).toString('base64url')
const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))
const headerOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url'))

test('a token that anything is wrong with lets nobody in', async (t) => {
  const { idp, server } = await startSso(t, ['--oidc-create'])
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const bySecret = (header, claims) => {
    const text = `${encode(header)}.${encode(claims)}`
    return `${text}.${createHmac('sha256', CLIENT.secret).update(text).digest('base64url')}`
  }
  const byStranger = (header, claims) => {
    const text = `${encode(header)}.${encode(claims)}`
    return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`
  }
  const wrongs = {
    'no token': () => undefined,
    'not a string': () => 1,
    'not signed JSON': () => 'a.b.c',
    'no signature': (token) => `${encode({ alg: 'none' })}.${token.split('.')[1]}.`,
    'a signature cut off': (token) => token.slice(0, token.lastIndexOf('.') + 1),
    'a stranger’s key by the provider’s name': (token) => byStranger(headerOf(token), claimsOf(token)),
    'a stranger’s key': (token) => byStranger({ alg: 'RS256' }, claimsOf(token)),
    'the secret as a key': (token) => bySecret({ alg: 'HS256' }, claimsOf(token)),
    'other claims under the signature': (token) => {
      const [header, , signature] = token.split('.')
      return `${header}.${encode({ ...claimsOf(token), sub: 'olga' })}.${signature}`
    },
  }
  for (const [what, forge] of Object.entries(wrongs)) {
    idp.forge = (answer) => ({ ...answer, id_token: forge(answer.id_token) })
    assert.equal(await new SsoDevice(server).enter(idp, 'ada'), '/#sso=refused', what)
  }
  // The token of one sign-in in another's place: its nonce tells.
  let kept
  idp.forge = (answer) => (kept ??= answer)
  assert.equal(await new SsoDevice(server).enter(idp, 'ada'), '/')
  assert.equal(await new SsoDevice(server).enter(idp, 'bob'), '/#sso=refused')
  idp.forge = undefined
  assert.equal(await new SsoDevice(server).enter(idp, 'bob'), '/')
})

test('a provider that cannot be reached, or is another, is told of and costs nothing', async (t) => {
  const idp = await IdentityProvider.start(t)
  const file = await secretFile(t)
  const server = await Server.start(t, { open: false, cert: undefined, args: ['--no-limits', ...idp.flags(file)] })
  const owner = new Device(server)
  await owner.ok('POST', '/setup', OWNER, 201)
  const origin = `http://${server.host}:${server.port}`
  const right = idp.issuer
  idp.issuer = 'http://127.0.0.1:1'
  idp.serve(origin)
  await owner.refused('POST', '/oidc/start', {}, 'unavailable')
  assert.match(server.stderr, /single sign-on: .*the issuer that it names is another/)
  idp.issuer = right
  idp.serve(origin)
  const ada = new SsoDevice(server)
  const url = await idp.visit(await ada.begin(), 'ada')
  await idp.stop()
  assert.equal(await ada.comeBack(url), '/#sso=unreachable')
  await owner.ok('GET', '/me')
})

test('without a provider there is no single sign-on; settings that do not fit are refused', async (t) => {
  const server = await Server.start(t, { open: false, cert: undefined })
  const device = new Device(server)
  assert.equal((await device.ok('GET', '/server')).sso, undefined)
  await device.refused('POST', '/oidc/start', {}, 'not_found')
  const callback = await fetch(`http://${server.host}:${server.port}/api/v1/oidc/callback?code=1`, { redirect: 'manual' })
  assert.equal(callback.status, 404)

  const file = await secretFile(t, '\n')
  const whole = ['--oidc-issuer', 'https://id.example.org', '--oidc-client-id', 'x']
  for (const [flags, says] of [
    [['--oidc-issuer', 'https://id.example.org'], /oidc-issuer is set and oidc-client-id is not/],
    [['--oidc-client-id', 'x'], /oidc-client-id is set and oidc-issuer is not/],
    [['--oidc-issuer', 'http://id.example.org', '--oidc-client-id', 'x'], /--oidc-issuer must be a URL that begins with https/],
    [['--oidc-issuer', 'http://127.0.0.1.example.org', '--oidc-client-id', 'x'], /--oidc-issuer must be a URL/],
    [['--oidc-issuer', 'https://id.example.org/?x', '--oidc-client-id', 'x'], /--oidc-issuer must be a URL/],
    [['--oidc-only'], /oidc-only needs oidc-issuer/],
    [[...whole, '--open'], /oidc-issuer is for accounts/],
    [[...whole, '--oidc-client-secret-file', '/nowhere'], /oidc-client-secret-file: \/nowhere: No such file/],
    [[...whole, '--oidc-client-secret-file', file], /oidc-client-secret-file: .*its first line is empty/],
    [[...whole, '--oidc-name', ''], /--oidc-name must not be empty/],
  ]) {
    const out = await runToEnd(['check-config', ...flags])
    assert.notEqual(out.code, 0)
    assert.match(out.stderr, says)
  }
})
