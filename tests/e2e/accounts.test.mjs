// Accounts in the browser: the first one, invitations, signing in and out, new passwords.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Device, OWNER, totp } from '../protocol/lib/device.mjs'
import { newContext } from './lib/browser.mjs'
import { Person } from './lib/person.mjs'
import { startServer } from './lib/server.mjs'

async function visitor(t, server, name, path = '/') {
  const context = await newContext(t, server)
  const person = new Person(await context.newPage(), name)
  await person.page.goto(path)
  return person
}

async function fill(person, fields) {
  for (const [name, value] of Object.entries(fields)) await person.find(`${name}-input`).fill(value)
  await person.find('enter-button').click()
}

async function firstRun(t, server) {
  const olga = await visitor(t, server, 'Olga')
  await fill(olga, OWNER)
  await olga.find('my-name', { hasText: 'Olga' }).waitFor()
  return olga
}

/** The API as the page's cookie has it. */
async function deviceOf(server, person) {
  const device = new Device(server)
  const [{ name, value }] = await person.page.context().cookies()
  device.cookie = `${name}=${value}`
  return device
}

test('first run, an invitation, and the two talk', async (t) => {
  const server = await startServer(t, { open: false })
  const olga = await visitor(t, server, 'Olga')
  await olga.find('enter-button').click()
  await olga.page.getByText('At least 8 characters').waitFor()
  await fill(olga, OWNER)
  await olga.find('my-name', { hasText: 'Olga' }).waitFor()
  await olga.goToRoom('general')
  const { token } = await (await deviceOf(server, olga)).ok('POST', '/invites', { role: 'member' }, 201)
  const ada = await visitor(t, server, 'Ada', `/join#${token}`)
  await ada.page.getByText(`Olga invites you to ${OWNER.team}.`).waitFor()
  assert.equal(await ada.page.evaluate(() => location.hash), '')
  await fill(ada, { name: 'Ada', login: 'ada@example.org', password: 'a password' })
  await ada.find('my-name', { hasText: 'Ada' }).waitFor()
  await ada.goToRoom('general')
  await ada.send('hello')
  await olga.seesFrom('Ada', 'hello')
  await ada.page.reload()
  await ada.seesFrom('Ada', 'hello')
})

test('a password can be looked at while it is typed', async (t) => {
  const server = await startServer(t, { open: false })
  const olga = await visitor(t, server, 'Olga')
  const field = olga.find('password-input')
  await field.fill('correct horse')
  assert.equal(await field.getAttribute('type'), 'password')
  await olga.find('password-show').click()
  assert.equal(await field.getAttribute('type'), 'text')
  await olga.find('password-show').click()
  assert.equal(await field.getAttribute('type'), 'password')
})

test('who signs out is asked for the password again, and a wrong one is refused', async (t) => {
  const server = await startServer(t, { open: false })
  const olga = await firstRun(t, server)
  await olga.find('me-menu').click()
  await olga.find('sign-out').click()
  await fill(olga, { login: OWNER.login, password: 'wrong password' })
  await olga.find('refusal', { hasText: 'do not match' }).waitFor()
  await fill(olga, { password: OWNER.password })
  await olga.find('my-name', { hasText: 'Olga' }).waitFor()
})

test('signed out elsewhere, this page asks at once; the second factor is asked for', async (t) => {
  const server = await startServer(t, { open: false })
  const olga = await firstRun(t, server)
  const phone = new Device(server)
  await phone.signIn(OWNER.login, OWNER.password)
  const { secret } = await phone.ok('POST', '/me/totp', { password: OWNER.password })
  await phone.ok('POST', '/me/totp/confirm', { code: totp(secret) })
  await phone.ok('DELETE', '/me/sessions', undefined, 204)
  await olga.find('login-input').waitFor()
  await fill(olga, { login: OWNER.login, password: OWNER.password })
  await fill(olga, { code: '000000' })
  await olga.find('refusal').waitFor()
  await fill(olga, { code: totp(secret, Date.now() + 30000) })
  await olga.find('my-name', { hasText: 'Olga' }).waitFor()
})

test('a link chooses a new password; one that was used says so', async (t) => {
  const server = await startServer(t, { open: false })
  const olga = await firstRun(t, server)
  const device = await deviceOf(server, olga)
  const { me } = await device.ok('GET', '/me')
  const { token } = await device.ok('POST', `/users/${me.id}/reset`, {}, 201)
  const other = await visitor(t, server, 'Olga', `/reset#${token}`)
  await fill(other, { password: 'another one' })
  await other.find('my-name', { hasText: 'Olga' }).waitFor()
  await olga.find('login-input').waitFor()
  const late = await visitor(t, server, 'Eve', `/reset#${token}`)
  await fill(late, { password: 'another two' })
  await late.find('refusal', { hasText: 'does not work any longer' }).waitFor()
  const lost = await visitor(t, server, 'Eve', '/join#nothing')
  await lost.page.getByText('does not work any longer').waitFor()
})

test('a name is changed in the page, and a taken one is refused there', async (t) => {
  const server = await startServer(t, { open: false })
  const olga = await firstRun(t, server)
  const { token } = await (await deviceOf(server, olga)).ok('POST', '/invites', { role: 'member' }, 201)
  await new Device(server).ok('POST', '/invites/accept', { token, name: 'Ada', login: 'ada', password: 'a password' }, 201)
  const rename = async (name) => {
    await olga.find('me-menu').click()
    await olga.find('rename').click()
    await olga.find('rename-input').fill(name)
    await olga.page.keyboard.press('Enter')
  }
  await rename('ADA')
  await olga.page.getByRole('alert').filter({ hasText: /has that name|has this name/ }).waitFor()
  await olga.page.keyboard.press('Escape')
  await rename('Olga B.')
  await olga.find('my-name', { hasText: 'Olga B.' }).waitFor()
})
