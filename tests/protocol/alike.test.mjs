// Names that look like another's: refused wherever one takes a name, and never taken for the other.
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { Device, invite, startTeam } from './lib/device.mjs'
import { runToEnd } from './lib/server.mjs'
import { sqlite } from './lib/upkeep.mjs'
import { fresh } from './lib/wait.mjs'

const key = () => fresh('k')

/** What an invitation answers to who takes it up by a name. */
async function door(server, owner) {
  const { token } = await owner.ok('POST', '/invites', { role: 'member', uses: 200 }, 201)
  return async (name) => {
    const { status, json } = await new Device(server).ask('POST', '/invites/accept', { token, name, login: key(), password: 'a password' })
    return status === 201 ? 'ok' : json.err.code
  }
}

test('of two people whose names look alike, the second is refused, in any case', async (t) => {
  const { server, owner } = await startTeam(t)
  const accept = await door(server, owner)
  const looks = [['Ada', 'Аda'], ['Modern', 'modem'], ['scope', 'ѕсОре'], ['paypal', 'PaypaI'], ['root', 'r00t'], ['maria', 'МARIA'], ['ian', 'Іan'], ['José', 'Jos\u0435\u0301'], ['Eve', 'Ｅve'], ['Bob', '𝐁𝗈𝖻']]
  for (const [one, other] of looks) {
    assert.equal(await accept(one), 'ok', one)
    assert.equal(await accept(other), 'name_taken', other)
  }
})

test('names that do not look alike are each their own', async (t) => {
  const { server, owner } = await startTeam(t)
  const accept = await door(server, owner)
  for (const name of ['Zoë', 'Zoe', 'Elia', 'Ella', 'Иван', 'Ивана', 'Νίκος', 'محمد', 'محمود', '王伟', '王芳', 'Müller', 'Muller', 'Mueller'])
    assert.equal(await accept(name), 'ok', name)
})

test('nothing of the name of who left is kept', async (t) => {
  const { server, owner } = await startTeam(t)
  const ada = await invite(owner, 'member', 'ada')
  await ada.ok('DELETE', '/me', { password: "ada's password" }, 204)
  assert.equal(sqlite(path.join(server.data, 'hubbub.db'), 'SELECT count(*) FROM users WHERE name_key IS NULL AND skeleton IS NULL AND skeleton_i IS NULL'), '1')
  assert.equal(await (await door(server, owner))('Аda'), 'ok')
})

test('in a team: sign-ups, renames, rooms and the shell are refused the same', async (t) => {
  const { server: own, owner } = await startTeam(t)
  assert.equal(await (await door(own, owner))('0lga'), 'name_taken')
  const ada = await invite(owner, 'member', 'ada')
  await ada.refused('POST', '/me/name', { name: 'OIga' }, 'name_taken')
  const added = await runToEnd(['user', 'add', 'eve@example.org', '--name', 'аdа', '--data', own.data])
  assert.equal(added.code, 1)
  assert.match(added.stderr, /looks like/)

  const peer = await ada.socket()
  await peer.ok({ op: 'create', name: 'Modern', kind: 'public', key: key() })
  await peer.ok({ op: 'create', name: 'Hall', kind: 'announcement', key: key() })
  await peer.ok({ op: 'join', room: 'hall' })
  await peer.refused({ op: 'create', name: 'modem', kind: 'public', key: key() }, 'name_taken')
  await peer.refused({ op: 'rename', room: 'hall', name: 'm0dern', key: key() }, 'name_taken')
  await peer.refused({ op: 'join', room: 'ha1l' }, 'name_taken')
  await peer.ok({ op: 'rename', room: 'hall', name: 'Lobby', key: key() })
  await peer.refused({ op: 'create', name: 'ha1l', kind: 'public', key: key() }, 'name_taken') // which was its name
  await peer.ok({ op: 'rename', room: 'lobby', name: 'ha1l', key: key() }) // its own, nearly
  // A private room's title is in nobody's way: nobody finds out that it is there.
  await peer.ok({ op: 'create', name: 'plans', kind: 'private', key: key() })
  await peer.ok({ op: 'create', name: 'p1ans', kind: 'public', key: key() })
})

test('a guest of a team does not learn which rooms there are by names that look like theirs', async (t) => {
  const { owner, server: own } = await startTeam(t)
  const olga = await owner.socket()
  await olga.ok({ op: 'join', room: 'support' })
  await olga.ok({ op: 'join', room: 'modern' })
  const { token } = await owner.ok('POST', '/invites', { role: 'guest', room: 'support' }, 201)
  const guest = new Device(own)
  await guest.ok('POST', '/invites/accept', { token, name: 'Gast' }, 201)
  const peer = await guest.socket()
  for (const room of ['modern', 'modem', 'nowhere']) await peer.refused({ op: 'join', room }, 'not_found')
})
