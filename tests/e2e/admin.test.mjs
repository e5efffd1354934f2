// The pages of one's account and of the team's admins.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Device, OWNER, invite, totp } from '../protocol/lib/device.mjs'
import { deviceOf, fill, firstRun, isIn, open, visit } from './lib/team.mjs'
import { startServer } from './lib/server.mjs'

const withAccounts = (t) => startServer(t, { open: false })

test('an invitation is made on the page, and who opens its link joins', async (t) => {
  const server = await withAccounts(t)
  const olga = await firstRun(t, server)
  await open(olga, 'go-admin')
  await olga.find('tab-invites').click()
  await olga.page.getByText('No invitation is open').waitFor()
  await olga.find('invite-make').click()
  const link = await olga.find('copy-text').inputValue()
  await olga.find('qr').waitFor()
  await olga.find('invite').waitFor()

  const ada = await visit(t, server, 'Ada', link)
  await fill(ada, { name: 'Ada', login: 'ada@example.org', password: 'a password' })
  await isIn(ada)
  await ada.find('me-menu').click()
  await ada.find('go-settings').waitFor()
  assert.equal(await ada.find('go-admin').count(), 0)

  // The one that was used up is shown until the list is fetched anew.
  await olga.find('tab-people').click()
  await olga.find('tab-invites').click()
  await olga.page.getByText('No invitation is open').waitFor()
  await olga.find('invite-make').click()
  await olga.find('invite-end').click()
  await olga.page.getByText('No invitation is open').waitFor()
  const late = await visit(t, server, 'Eve', await olga.find('copy-text').inputValue())
  await late.page.getByText('does not work any longer').waitFor()
  await olga.find('tab-people').click()
  await olga.find('people-search').fill('ada@')
  await olga.page.locator('[data-testid="person"][data-name="Ada"]').waitFor()
  assert.equal(await olga.find('person').count(), 1)
})

test('a second factor is set up by its QR code, asked for, and replaced by a recovery code', async (t) => {
  const server = await withAccounts(t)
  const olga = await firstRun(t, server)
  await open(olga, 'go-settings')
  await olga.find('totp-open').click()
  await olga.find('totp-password-input').fill('wrong password')
  await olga.find('totp-start').click()
  await olga.page.getByText('That is not your password').waitFor()
  await olga.find('totp-password-input').fill(OWNER.password)
  await olga.find('totp-start').click()
  await olga.find('qr').waitFor()
  const secret = await olga.find('copy-text').inputValue()
  await olga.find('totp-code-input').fill(totp(secret))
  await olga.find('totp-confirm').click()
  const codes = await olga.find('recovery-codes').locator('code').allInnerTexts()
  assert.equal(codes.length, 10)
  await olga.page.getByText('I have them').click()

  await open(olga, 'sign-out')
  await fill(olga, { login: OWNER.login, password: OWNER.password })
  await fill(olga, { code: totp(secret, Date.now() + 30000) })
  await isIn(olga)
  await open(olga, 'sign-out')
  await fill(olga, { login: OWNER.login, password: OWNER.password })
  await fill(olga, { code: codes[0] })
  await isIn(olga)
  await open(olga, 'go-settings')
  await olga.page.getByText('9 recovery codes are left').waitFor()
})

test('a device is signed out from another at once, and goes on when its user is back', async (t) => {
  const server = await withAccounts(t)
  const olga = await firstRun(t, server)
  await olga.goToRoom('general')
  const other = await visit(t, server, 'Olga', '/r/general')
  await fill(other, { login: OWNER.login, password: OWNER.password })
  await isIn(other)
  await other.isIn('general')
  await open(olga, 'go-settings')
  await olga.find('device-end').click()
  await other.find('login-input').waitFor()
  await olga.find('device-end').waitFor({ state: 'detached' })
  await fill(other, { login: OWNER.login, password: OWNER.password })
  await isIn(other)
  await other.send('back again')
  await other.seesExactly('back again')
})

test('who is disabled is cut off at once, and may come back when enabled', async (t) => {
  const server = await withAccounts(t)
  const olga = await firstRun(t, server)
  await invite(await deviceOf(server, olga), 'member', 'ada')
  const ada = await visit(t, server, 'ada')
  const hers = { login: 'ada@example.org', password: "ada's password" }
  await fill(ada, hers)
  await isIn(ada)

  await open(olga, 'go-admin')
  const row = olga.page.locator('[data-testid="person"][data-name="ada"]')
  await row.getByTestId('person-disable').click()
  await olga.find('confirm-action').click()
  await ada.find('banned').waitFor()
  await ada.find('enter-button').click()
  await fill(ada, hers)
  await ada.find('refusal').waitFor()

  await row.getByTestId('person-disable').filter({ hasText: 'Enable' }).click()
  await row.getByTestId('person-disable').filter({ hasText: 'Disable' }).waitFor()
  await fill(ada, hers)
  await isIn(ada)

  await row.getByTestId('person-role').selectOption('admin')
  await olga.find('tab-audit').click()
  await olga.find('audit-entry').nth(3).waitFor()
  await olga.find('tab-figures').click()
  await olga.find('figure').first().waitFor()
  assert.equal(await olga.find('figure').count(), 8)
})

test('who signs in next on a browser finds nothing of who was there before', async (t) => {
  const server = await withAccounts(t)
  const olga = await firstRun(t, server)
  await invite(await deviceOf(server, olga), 'member', 'ada')
  await olga.goToRoom('secrets')
  await olga.find('composer-input').fill('a draft')
  // Her session ends from elsewhere: this browser keeps what is hers, for her alone.
  const phone = new Device(server)
  await phone.signIn(OWNER.login, OWNER.password)
  await phone.ok('DELETE', '/me/sessions', undefined, 204)
  await olga.find('login-input').waitFor()
  await fill(olga, { login: 'ada@example.org', password: "ada's password" })
  olga.name = 'ada'
  await isIn(olga)
  assert.equal(await olga.page.locator('[data-room="secrets"]').count(), 0)
  const kept = await olga.page.evaluate(() => JSON.stringify(localStorage))
  assert.doesNotMatch(kept, /a draft|secrets|Olga/)
})
