// One's data in the browser: the download, the end of an account, and messages that expire.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { OWNER, invite } from '../protocol/lib/device.mjs'
import { startServer } from './lib/server.mjs'
import { deviceOf, fill, firstRun, isIn, open, visit } from './lib/team.mjs'

async function pair(t) {
  const server = await startServer(t, { open: false })
  const olga = await firstRun(t, server)
  await invite(await deviceOf(server, olga), 'member', 'ada')
  const ada = await visit(t, server, 'ada')
  await fill(ada, { login: 'ada@example.org', password: "ada's password" })
  await isIn(ada)
  for (const person of [olga, ada]) await person.goToRoom('general')
  return { server, olga, ada }
}

test('what one wrote can be downloaded, and an account deleted with its messages', async (t) => {
  const { server, olga, ada } = await pair(t)
  await ada.send('first words')
  await olga.seesFrom('ada', 'first words')
  await open(ada, 'go-settings')
  const [download] = await Promise.all([ada.page.waitForEvent('download'), ada.find('export').click()])
  assert.equal(download.suggestedFilename(), 'hubbub-my-data.json')
  const data = JSON.parse(await readFile(await download.path(), 'utf8'))
  assert.equal(data.account.login, 'ada@example.org')
  assert.deepEqual(data.messages.map((m) => m.text), ['first words'])

  await open(olga, 'go-admin')
  await olga.find('tab-team').click()
  await olga.find('team-leavers').selectOption('remove')
  await olga.find('team-save').click()
  await olga.page.getByText('Saved.').waitFor()
  await olga.page.goto(new URL('/r/general', olga.page.url()).href)

  await ada.find('leave-open').click()
  await ada.find('leave-password-input').fill('not it')
  await ada.find('leave-team').click()
  await ada.page.getByText('That is not your password.').waitFor()
  await ada.find('leave-password-input').fill("ada's password")
  await ada.find('leave-team').click()
  await ada.find('login-input').waitFor()
  await olga.find('message-deleted').waitFor()
  assert.doesNotMatch(await olga.page.content(), /first words/)
  await fill(ada, { login: 'ada@example.org', password: "ada's password" })
  await ada.find('refusal').waitFor()
  assert.equal(server.stderr.includes('error'), false)
})

test('the last owner cannot delete their account', async (t) => {
  const server = await startServer(t, { open: false })
  const olga = await firstRun(t, server)
  await open(olga, 'go-settings')
  await olga.find('leave-open').click()
  await olga.find('leave-password-input').fill(OWNER.password)
  await olga.find('leave-team').click()
  await olga.page.getByText('A team keeps an owner').waitFor()
})

test('a room’s owner says how long messages are kept there, and is asked once more', async (t) => {
  const { olga, ada } = await pair(t)
  await olga.send('hello')
  await ada.seesExactly('hello')
  await olga.find('details-button').click()
  await olga.find('keep-days').selectOption('30')
  await olga.page.getByText('What is older is deleted soon').waitFor()
  await olga.page.getByRole('button', { name: 'Cancel' }).click()
  assert.equal(await olga.find('keep-days').inputValue(), 'null')
  await olga.find('keep-days').selectOption('30')
  await olga.find('confirm-action').click()
  await ada.find('note', { hasText: 'Olga set how long messages are kept here: 30 days.' }).waitFor()
  await olga.page.waitForFunction(() => document.querySelector('[data-testid="keep-days"]').value === '30')
  await ada.find('details-button').click()
  await ada.find('room-details').waitFor()
  assert.equal(await ada.find('keep-days').count(), 0)
})
