// Passkeys: who has one and shows it gets in, and what is not quite one does not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Passkey } from './lib/authenticator.mjs'
import { Device, OWNER, invite, startTeam } from './lib/device.mjs'

const plain = { cert: undefined }
const originOf = (server) => `http://${server.host}:${server.port}`

async function add(device, passkey, password = OWNER.password, name = 'Key') {
  const options = await device.ok('POST', '/me/passkeys/begin', { password }, 200)
  await device.ok('POST', '/me/passkeys', { ...passkey.create(options, originOf(device.server)), name }, 204)
}

async function enter(server, passkey, forge = (answer) => answer) {
  const device = new Device(server)
  const options = await device.ok('POST', '/session/passkey/challenge', {})
  const reply = await device.ask('POST', '/session/passkey', forge(passkey.get(options, originOf(server)), options))
  return { device, ...reply }
}

test('a passkey of either kind lets its owner in, and only until it is removed', async (t) => {
  for (const alg of ['ES256', 'RS256']) {
    const { server, owner } = await startTeam(t, plain)
    const key = new Passkey({ alg })
    assert.equal((await enter(server, key)).status, 401, 'one that is not known')
    await owner.refused('POST', '/me/passkeys/begin', { password: 'not it' }, 'unauthorized')
    await owner.refused('POST', '/me/passkeys/begin', {}, 'bad_request')
    await add(owner, key)
    const { passkeys } = await owner.ok('GET', '/me/passkeys')
    assert.deepEqual(passkeys.map((p) => p.name), ['Key'])
    for (let i = 0; i < 2; i++) {
      const { device, status, json } = await enter(server, key)
      assert.equal(status, 200, JSON.stringify(json))
      assert.equal((await device.ok('GET', '/me')).me.name, OWNER.name)
      await (await device.socket()).ok({ op: 'join', room: 'general' })
    }
    const ada = await invite(owner, 'member', 'ada')
    assert.deepEqual((await ada.ok('GET', '/me/passkeys')).passkeys, [])
    await ada.refused('DELETE', `/me/passkeys/${passkeys[0].id}`, undefined, 'not_found')
    await owner.ok('DELETE', `/me/passkeys/${passkeys[0].id}`, undefined, 204)
    assert.equal((await enter(server, key)).status, 401)
    assert.deepEqual((await owner.ok('GET', '/audit')).entries.map((e) => e.act).filter((a) => a.startsWith('passkey')), ['passkey-remove', 'passkey-add'])
  }
})

test('an answer is good once, for its own page, and with who uses it checked', async (t) => {
  const { server, owner } = await startTeam(t, plain)
  const key = new Passkey()
  await add(owner, key)
  const origin = originOf(server)
  const wrongs = {
    'another page': (_, options) => key.get(options, 'https://elsewhere.example'),
    'another server': (_, options) => key.get({ ...options, rp_id: 'elsewhere.example' }, origin),
    'another purpose': (_, options) => key.get(options, origin, 'webauthn.create'),
    'a challenge made up': () => key.get({ challenge: 'A'.repeat(96), rp_id: server.host }, origin),
    'another key’s signature': (answer, options) => ({ ...answer, signature: new Passkey().get(options, origin).signature }),
    'another key by its id': (_, options) => Object.assign(new Passkey(), { id: key.id }).get(options, origin),
    'no base64': (answer) => ({ ...answer, authenticator_data: '!' }),
    'too short': (answer) => ({ ...answer, authenticator_data: 'AAAA' }),
  }
  for (const [what, forge] of Object.entries(wrongs)) assert.equal((await enter(server, key, forge)).status, 401, what)
  for (const flags of [0x00, 0x01, 0x04]) {
    key.flags = flags
    assert.equal((await enter(server, key)).status, 401, `flags ${flags}`)
  }
  key.flags = 0x05
  let sent
  assert.equal((await enter(server, key, (answer) => (sent = answer))).status, 200)
  assert.equal((await new Device(server).ask('POST', '/session/passkey', sent)).status, 401, 'the same once more')
  assert.equal((await new Device(server).ask('POST', '/session/passkey', { id: 'x' })).status, 400)
  // A challenge for signing in makes no passkey, nor one for somebody else.
  const options = await new Device(server).ok('POST', '/session/passkey/challenge', {})
  await owner.refused('POST', '/me/passkeys', new Passkey().create(options, origin), 'bad_request')
  const ada = await invite(owner, 'member', 'ada')
  const hers = await ada.ok('POST', '/me/passkeys/begin', { password: "ada's password" })
  await owner.refused('POST', '/me/passkeys', new Passkey().create(hers, origin), 'bad_request')
  await new Device(server).refused('POST', '/me/passkeys', new Passkey().create(hers, origin), 'unauthorized')
  const again = await ada.ok('POST', '/me/passkeys/begin', { password: "ada's password" })
  await ada.refused('POST', '/me/passkeys', key.create(again, origin), 'name_taken')
})

test('a copy is found out by its count, and who is disabled stays out', async (t) => {
  const { server, owner } = await startTeam(t, plain)
  const key = Object.assign(new Passkey(), { count: 5 })
  const ada = await invite(owner, 'member', 'ada')
  await add(ada, key, "ada's password")
  assert.equal((await enter(server, key)).status, 401, 'the count did not rise')
  key.count = 6
  assert.equal((await enter(server, key)).status, 200)
  key.count = 4
  assert.equal((await enter(server, key)).status, 401)
  key.count = 7
  const { id } = (await ada.ok('GET', '/me')).me
  await owner.ok('POST', `/users/${id}/disabled`, { on: true }, 204)
  assert.equal((await enter(server, key)).status, 401)
  await owner.ok('POST', `/users/${id}/disabled`, { on: false }, 204)
  key.count = 8
  const { device } = await enter(server, key)
  await device.ok('DELETE', '/me', { password: "ada's password" }, 204)
  key.count = 9
  assert.equal((await enter(server, key)).status, 401)
})
