// Reports and blocks in the browser, and a forgotten password.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OWNER, invite } from '../protocol/lib/device.mjs'
import { Mailbox } from '../protocol/lib/mailbox.mjs'
import { startServer } from './lib/server.mjs'
import { deviceOf, fill, firstRun, isIn, open, visit } from './lib/team.mjs'

async function trio(t) {
  const server = await startServer(t, { open: false })
  const olga = await firstRun(t, server)
  const people = { server, olga }
  for (const name of ['ada', 'bob']) {
    await invite(await deviceOf(server, olga), 'member', name)
    people[name] = await visit(t, server, name)
    await fill(people[name], { login: `${name}@example.org`, password: `${name}'s password` })
    await isIn(people[name])
    await people[name].goToRoom('general')
  }
  return people
}

test('a message is reported, an admin deletes it, and it is gone for all', async (t) => {
  const { olga, ada, bob } = await trio(t)
  await bob.send('rude words')
  await ada.seesFrom('bob', 'rude words')
  await ada.choose('rude words', 'report-message')
  await ada.find('report-reason').fill('Not nice.')
  await ada.find('form-action').click()
  await ada.find('form-dialog').waitFor({ state: 'detached' })
  await open(olga, 'go-admin')
  await olga.find('tab-reports').click()
  const report = olga.find('report')
  await report.waitFor()
  assert.match(await report.innerText(), /bob in general.*rude words.*Reported by ada.*Not nice\./s)
  await olga.find('report-delete').click()
  await olga.page.getByText('Nothing is reported.').waitFor()
  for (const person of [ada, bob]) await person.find('message-deleted').waitFor()
})

test('who is blocked is not seen, and is seen again when unblocked', async (t) => {
  const { ada, bob } = await trio(t)
  await bob.send('hello ada')
  await ada.seesFrom('bob', 'hello ada')
  await ada.choose('hello ada', 'block-author')
  await ada.find('confirm-action').click()
  await ada.find('message-hidden', { hasText: 'Hidden: you blocked bob.' }).waitFor()
  assert.equal(await ada.message('hello ada').count(), 0)
  await ada.find('reveal').click()
  await ada.message('hello ada').waitFor()
  await bob.send('still there?')
  await ada.find('message-hidden').waitFor()
  await ada.page.reload()
  assert.equal(await ada.find('message-hidden').first().innerText(), 'Hidden: you blocked bob. Show')
  await open(ada, 'go-settings')
  await ada.find('unblock').click()
  await ada.find('blocked').waitFor({ state: 'detached' })
  await ada.page.goBack()
  await ada.message('still there?').waitFor()
})

test('a forgotten password: a link comes by mail, and lets one in', async (t) => {
  const box = await Mailbox.start(t)
  const server = await startServer(t, { open: false, args: ['--no-limits', '--origin', 'https://chat.example.org', '--smtp-url', box.url, '--mail-from', 'chat@example.org'] })
  await firstRun(t, server)
  const other = await visit(t, server, 'Olga')
  await other.find('forgot').click()
  await other.page.getByText('Type your e-mail address above first.').waitFor()
  await other.find('login-input').fill(OWNER.login)
  await other.find('forgot').click()
  await other.page.getByText(`If ${OWNER.login} has an account here`).waitFor()
  const [, path] = /https:\/\/chat\.example\.org(\/reset#\S+)/.exec((await box.next()).text)
  const fresh = await visit(t, server, 'Olga', path)
  await fill(fresh, { password: 'quite another one' })
  await isIn(fresh)
})
