// Who wants nothing of whom, what admins are told of, and new passwords by mail.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { Device, invite, startTeam } from './lib/device.mjs'
import { Mailbox } from './lib/mailbox.mjs'
import { runToEnd } from './lib/server.mjs'
import { runOk } from './lib/upkeep.mjs'
import { fresh } from './lib/wait.mjs'

const key = () => fresh('k')
const say = (peer, room, text, more = {}) => peer.ok({ op: 'send', room, text, key: key(), ...more })

async function people(t, ...names) {
  const { server, owner } = await startTeam(t)
  const all = { server, owner, olga: await owner.socket(), devices: {} }
  for (const name of names) {
    all.devices[name] = await invite(owner, name === 'mo' ? 'admin' : 'member', name)
    all[name] = await all.devices[name].socket()
    all[name].id = all[name].me.me.id
  }
  return all
}

test('who is blocked writes nothing to one, opens nothing with one and invites one nowhere', async (t) => {
  const { olga, ada, bob, devices } = await people(t, 'ada', 'bob')
  const direct = await bob.ok({ op: 'direct', users: [ada.id] })
  for (const peer of [ada, bob]) await peer.ok({ op: 'join', room: direct.room })
  const sent = { op: 'send', room: direct.room, text: 'before', key: key() }
  await bob.ok(sent)
  await devices.ada.refused('POST', '/me/blocks', { user: ada.id, on: true }, 'forbidden')
  await devices.ada.refused('POST', '/me/blocks', { user: 'u999', on: true }, 'not_found')
  await devices.ada.refused('POST', '/me/blocks', { user: 'ada', on: true }, 'bad_request')
  await devices.ada.ok('POST', '/me/blocks', { user: bob.id, on: true }, 204)
  await devices.ada.ok('POST', '/me/blocks', { user: bob.id, on: true }, 204)
  assert.deepEqual((await devices.ada.ok('GET', '/me/blocks')).blocks, [{ id: bob.id, name: 'bob' }])
  assert.deepEqual((await devices.bob.ok('GET', '/me/blocks')).blocks, [])

  for (const [from, to] of [[bob, ada], [ada, bob]]) {
    await from.refused({ op: 'send', room: direct.room, text: 'x', key: key() }, 'forbidden')
    await from.refused({ op: 'react', room: direct.room, target: 1, emoji: '👍', on: true, key: key() }, 'forbidden')
    assert.equal((await from.ok({ op: 'direct', users: [to.id] })).room, direct.room, 'what is there can be read')
    await from.refused({ op: 'direct', users: [to.id, olga.me.me.id] }, 'forbidden')
  }
  assert.equal((await bob.ok(sent)).dup, true, 'what was written has its reply still')
  await bob.ok({ op: 'delete', room: direct.room, target: 1, key: key() })

  const made = await bob.ok({ op: 'create', name: 'Trap', kind: 'private', key: key() })
  await bob.ok({ op: 'join', room: made.room })
  await bob.refused({ op: 'invite', room: made.room, user: ada.id, key: key() }, 'forbidden')
  for (const peer of [ada, bob]) await peer.ok({ op: 'join', room: 'general' })
  await say(bob, 'general', '@ada', { mentions: [ada.id, olga.me.me.id] })
  const again = await devices.ada.socket()
  assert.equal(again.me.rooms.find((r) => r.room === 'general').mentions, 0)

  await devices.ada.ok('POST', '/me/blocks', { user: bob.id, on: false }, 204)
  await say(bob, direct.room, 'after')
  await bob.ok({ op: 'invite', room: made.room, user: ada.id, key: key() })
  await say(bob, 'general', '@ada', { mentions: [ada.id] })
  assert.equal((await devices.ada.socket()).me.rooms.find((r) => r.room === 'general').mentions, 1)
})

test('admins see what is reported, wherever it was said, and what they do about it is logged', async (t) => {
  const { server, owner, ada, bob, eve, mo, devices } = await people(t, 'ada', 'bob', 'eve', 'mo')
  const secret = await bob.ok({ op: 'create', name: 'Secret plans', kind: 'private', key: key() })
  await bob.ok({ op: 'join', room: secret.room })
  await bob.ok({ op: 'invite', room: secret.room, user: ada.id, key: key() })
  await ada.ok({ op: 'join', room: secret.room })
  const rude = await say(bob, secret.room, 'rude words')
  await bob.ok({ op: 'edit', room: secret.room, target: rude.seq, text: 'very rude words', key: key() })
  const report = { room: secret.room, target: rude.seq, reason: 'Not nice.' }
  // For who does not see the room there is nothing to report; nor of one's own, nor what is no message.
  await devices.eve.refused('POST', '/reports', report, 'not_found')
  await devices.eve.refused('POST', '/reports', { ...report, room: '~0000000000000000' }, 'not_found')
  await devices.bob.refused('POST', '/reports', report, 'forbidden')
  await devices.ada.refused('POST', '/reports', { ...report, target: 1 }, 'not_found')
  await devices.ada.refused('POST', '/reports', { ...report, target: 99 }, 'not_found')
  await devices.ada.refused('POST', '/reports', { ...report, reason: 'x'.repeat(1001) }, 'bad_request')
  await devices.ada.ok('POST', '/reports', report, 204)
  await devices.ada.ok('POST', '/reports', report, 204)
  await devices.ada.refused('GET', '/reports', undefined, 'forbidden')

  const { reports } = await devices.mo.ok('GET', '/reports')
  assert.equal(reports.length, 1)
  const { id, ts, said, ...rest } = reports[0]
  assert.ok(ts >= said && said > 0)
  assert.deepEqual(rest, { by: { id: ada.id, name: 'ada' }, author: { id: bob.id, name: 'bob' }, room: null, kind: 'private', reason: 'Not nice.', text: 'very rude words' })
  await mo.refused({ op: 'join', room: secret.room }, 'not_found')

  await devices.ada.refused('POST', `/reports/${id}`, { delete: true }, 'forbidden')
  await devices.mo.refused('POST', '/reports/999', { delete: true }, 'not_found')
  await devices.mo.ok('POST', `/reports/${id}`, { delete: true }, 204)
  const gone = await bob.event({ ev: 'delete', target: rude.seq })
  assert.equal(gone.from.name, 'mo')
  assert.deepEqual((await devices.mo.ok('GET', '/reports')).reports, [])

  await eve.ok({ op: 'join', room: 'Hall' })
  await ada.ok({ op: 'join', room: 'hall' })
  const fine = await say(eve, 'hall', 'fine words')
  await devices.ada.ok('POST', '/reports', { room: 'hall', target: fine.seq }, 204)
  const [second] = (await owner.ok('GET', '/reports')).reports
  assert.deepEqual([second.room, second.reason, second.text], ['Hall', '', 'fine words'])
  await owner.ok('POST', `/reports/${second.id}`, {}, 204)
  const { events } = await eve.ok({ op: 'history', room: 'hall', limit: 10 })
  assert.equal(events.at(-1).text, 'fine words')
  const { entries } = await owner.ok('GET', '/audit')
  assert.deepEqual(entries.filter((e) => e.act.startsWith('report')).map((e) => [e.act, e.actor.name, e.object]),
    [['report-dismiss', 'Olga', 'eve'], ['report-delete', 'mo', 'bob']])
  await server.stop()
  assert.doesNotMatch((await readFile(await server.database())).toString('latin1'), /rude words/)
  await runOk('check', server.data)
  await server.start()
})

const mailFlags = (box) => ['--no-limits', '--origin', 'https://chat.example.org', '--smtp-url', box.url, '--mail-from', 'chat@example.org']

test('who forgot their password is mailed a link, and nobody learns who has an account', async (t) => {
  const box = await Mailbox.start(t)
  const { server, owner } = await startTeam(t, { args: mailFlags(box) })
  await invite(owner, 'member', 'ada')
  const nobody = new Device(server)
  assert.equal((await nobody.ok('GET', '/server')).mail, true)
  const wanted = async (login) => {
    const { status, json, headers } = await nobody.ask('POST', '/reset/mail', { login })
    return JSON.stringify([status, json, [...headers].filter(([name]) => name !== 'date')])
  }
  const known = await wanted('ada@example.org')
  for (const login of ['eve@example.org', 'ADA@EXAMPLE.ORG', 'olga@example.com']) assert.equal(await wanted(login), known)
  for (const login of ['ada', '', 'a@b@c', '<a@b>', 'a b@c', 'a\r\n@b', '@b', 'a@'])
    assert.notEqual((await nobody.ask('POST', '/reset/mail', { login })).status, 204, login)

  const mail = await box.next()
  assert.deepEqual([mail.from, mail.to], ['chat@example.org', 'ada@example.org'])
  assert.match(mail.text, /^Date: .*\r\nFrom: <chat@example.org>\r\nTo: <ada@example.org>\r\nSubject: A new password for Hubbub\r\n/)
  const [, token] = /https:\/\/chat\.example\.org\/reset#(\S+)/.exec(mail.text)
  await nobody.ok('POST', '/reset', { token, password: 'quite another' }, 200)
  await new Device(server).signIn('ada@example.org', 'quite another')
  await new Device(server).refused('POST', '/reset', { token, password: 'once more' }, 'not_found')
  // The second one, for the same login in capitals, was not sent: one every few minutes.
  await owner.ok('POST', '/users/u2/disabled', { on: true }, 204)
  assert.equal(await wanted('ada@example.org'), known)
  assert.equal(await wanted('olga@example.org'), known)
  assert.equal((await box.next()).to, 'olga@example.org')
  assert.equal(box.unread, 0)
})

test('a mail that cannot be sent is told to the log alone; without a mail server there is none', async (t) => {
  const box = await Mailbox.start(t)
  box.refuses = true
  const { server, owner } = await startTeam(t, { args: mailFlags(box) })
  await owner.ok('POST', '/reset/mail', { login: 'olga@example.org' }, 204)
  await server.logs(/mail: a link for a new password was not sent: /)
  assert.doesNotMatch(server.stderr, /reset#/)
  const without = await startTeam(t)
  assert.equal((await without.owner.ok('GET', '/server')).mail, undefined)
  await without.owner.refused('POST', '/reset/mail', { login: 'olga@example.org' }, 'not_found')
  for (const [flags, says] of [
    [['--smtp-url', box.url], /smtp-url is set and mail-from is not/],
    [['--mail-from', 'a@b.example'], /mail-from is set and smtp-url is not/],
    [['--smtp-url', box.url, '--mail-from', 'a@b.example'], /smtp-url needs origin/],
    [['--smtp-url', 'http://x', '--mail-from', 'a@b.example'], /--smtp-url must be smtp/],
    [['--smtp-url', box.url, '--mail-from', 'A <a@b>', '--origin', 'https://x'], /mail-from must be a plain address/],
    [['--smtp-url', box.url, '--mail-from', 'a@b', '--origin', 'https://x', '--smtp-user', 'me'], /go together/],
    [['--smtp-url', box.url, '--mail-from', 'a@b', '--origin', 'https://x', '--smtp-user', 'me', '--smtp-password-file', '/nowhere'], /smtp-password-file: \/nowhere: No such file/],
  ]) {
    const out = await runToEnd(['check-config', ...flags])
    assert.notEqual(out.code, 0)
    assert.match(out.stderr, says)
  }
})

test('nobody takes a name that looks like another’s, nor a room one', async (t) => {
  const { owner, ada, devices } = await people(t, 'ada')
  const { token } = await owner.ok('POST', '/invites', { role: 'member', uses: 9 }, 201)
  const accept = (name) => new Device(owner.server).refused('POST', '/invites/accept', { token, name, login: fresh('x'), password: 'a password' }, 'name_taken')
  await devices.ada.ok('POST', '/me/name', { name: 'Paypal' })
  for (const name of ['PAYPAL', 'PaypaI', 'Раураl', 'Ｐaypal', 'Paypa1']) await accept(name)
  await owner.refused('POST', '/me/name', { name: 'Paypa1' }, 'name_taken')
  await devices.ada.ok('POST', '/me/name', { name: 'PaypaI' }, 200)
  await owner.refused('POST', '/users', { name: 'Pаypal', login: 'eve', role: 'member' }, 'name_taken')
  await owner.ok('POST', '/users', { name: 'Пётр', login: 'petr', role: 'member' }, 201)

  const room = await ada.ok({ op: 'join', room: 'Billing' })
  await ada.refused({ op: 'join', room: 'BiIling' }, 'name_taken')
  await ada.refused({ op: 'join', room: 'Вilling' }, 'name_taken')
  await ada.refused({ op: 'create', name: 'Bi11ing', kind: 'announcement', key: key() }, 'name_taken')
  await ada.ok({ op: 'create', name: 'Bi11ing', kind: 'private', key: key() })
  assert.equal((await ada.ok({ op: 'join', room: 'BILLING' })).rid, room.rid)
  await ada.ok({ op: 'join', room: 'Sales' })
  await ada.refused({ op: 'rename', room: 'sales', name: 'BilIing', key: key() }, 'name_taken')
  await ada.ok({ op: 'rename', room: 'billing', name: 'BiIIing', key: key() })
})
