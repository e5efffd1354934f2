// hubbub user, invite and audit: beside a running server, and without one.
import assert from 'node:assert/strict'
import { access, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { Device, OWNER, startTeam } from './lib/device.mjs'
import { Server, runToEnd } from './lib/server.mjs'

const tokenOf = (stdout) => /#([\w-]{43})$/m.exec(stdout)[1]

async function run(data, ...args) {
  const { code, stdout, stderr } = await runToEnd([...args, '--data', data])
  assert.equal(code, 0, stderr)
  return stdout
}

test('beside a running server people are added, listed, shut out and let in', async (t) => {
  const { server, owner } = await startTeam(t)
  assert.equal((await stat(path.join(server.data, 'control'))).mode & 0o777, 0o600)
  const added = await run(server.data, 'user', 'add', 'ada@example.org', '--name', 'Ada', '--role', 'admin')
  const ada = new Device(server)
  await ada.ok('POST', '/reset', { token: tokenOf(added), password: 'a password' })
  assert.equal((await ada.ok('GET', '/me')).role, 'admin')
  const socket = await ada.socket()
  await run(server.data, 'user', 'disable', 'ADA@example.org')
  assert.equal(await socket.closed(), 4003)
  assert.match(await run(server.data, 'user', 'list'), /admin +disabled .* ada@example\.org {2}Ada\n/)
  await run(server.data, 'user', 'enable', 'ada@example.org')
  await ada.signIn('ada@example.org', 'a password')
  const reset = tokenOf(await run(server.data, 'user', 'reset-password', OWNER.login))
  await owner.ok('POST', '/reset', { token: reset, password: 'forgotten no more' })
  const audit = await run(server.data, 'audit', '--limit', '5')
  assert.match(audit, /\(shell\) +reset-link +Olga/)
  assert.match(audit, /\(shell\) +disable +Ada/)
  assert.match(audit, /Ada +password-reset .* 127\.0\.0\.1/)
})

test('an invitation from the shell lets in', async (t) => {
  const { server } = await startTeam(t)
  const token = tokenOf(await run(server.data, 'invite', '--uses', '2', '--days', '1'))
  const bob = new Device(server)
  assert.equal((await bob.ok('POST', '/invites/look', { token })).role, 'member')
  await bob.ok('POST', '/invites/accept', { token, name: 'Bob', login: 'bob', password: 'a password' }, 201)
})

test('without a server the first owner is made, and nothing is left behind', async (t) => {
  const data = await mkdtemp(path.join(tmpdir(), 'hubbub-test-'))
  t.after(() => rm(data, { recursive: true, force: true }))
  const refused = await runToEnd(['user', 'add', 'ada', '--data', data])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /first account is the owner's/)
  const token = tokenOf(await run(data, 'user', 'add', 'olga', '--role', 'owner'))
  await assert.rejects(access(path.join(data, 'control')))
  const server = await Server.start(t, { open: false, data })
  const olga = new Device(server)
  await olga.ok('POST', '/reset', { token, password: 'a password' })
  const me = await olga.ok('GET', '/me')
  assert.deepEqual([me.role, me.team], ['owner', 'Hubbub'])
  assert.equal((await olga.ok('GET', '/server')).setup, 'done')
})

test('what is wrong is said, and changes nothing', async (t) => {
  const { server } = await startTeam(t)
  for (const [args, code, message] of [
    [['user'], 2, /say what to do/],
    [['user', 'add'], 2, /say whom/],
    [['user', 'list', 'x', 'y'], 2, /unexpected argument/],
    [['user', 'add', 'x', '--role', 'king'], 1, /role is guest/],
    [['user', 'disable', 'nobody'], 1, /nobody signs in as nobody/],
    [['user', 'add', OWNER.login, '--name', 'Other'], 1, /Somebody else has this login/],
    [['invite', '--uses', '0'], 2, /1 to 1000/],
    [['invite', '--limit=5'], 2, /unknown flag --limit/],
    [['invite', '--role', 'guest'], 1, /invited into a room/],
    [['audit', '--limit'], 2, /no number/],
  ]) {
    const r = await runToEnd([...args, '--data', server.data])
    assert.equal(r.code, code, args.join(' '))
    assert.match(r.stderr, message)
    assert.equal(r.stdout, '')
  }
  assert.equal((await run(server.data, 'user', 'list')).split('\n').length, 2)
  const open = await Server.start(t)
  const r = await runToEnd(['user', 'list', '--data', open.data])
  assert.equal(r.code, 1)
  assert.match(r.stderr, /no server that keeps accounts/)
})

for (const word of ['user', 'invite', 'audit']) {
  test(`hubbub ${word} --help says how`, async () => {
    const { code, stdout } = await runToEnd([word, '--help'])
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`^hubbub ${word} `))
  })
}
