// Single sign-on in the browser: linked by who has an account, used by who is invited.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { OWNER } from '../protocol/lib/device.mjs'
import { CLIENT, IdentityProvider } from '../protocol/lib/provider.mjs'
import { startServer } from './lib/server.mjs'
import { deviceOf, firstRun, isIn, open, visit } from './lib/team.mjs'

async function startSso(t, flags = []) {
  const idp = await IdentityProvider.start(t)
  const dir = await mkdtemp(path.join(tmpdir(), 'hubbub-sso-'))
  t.after(() => rm(dir, { recursive: true }))
  const file = path.join(dir, 'secret')
  await writeFile(file, CLIENT.secret)
  const server = await startServer(t, { open: false, args: ['--no-limits', '--oidc-name', 'The Company', ...idp.flags(file), ...flags] })
  idp.serve(`http://${server.host}:${server.port}`)
  return { idp, server }
}

/** What the provider's page asks for. */
async function signInThere(person, login) {
  await person.page.getByLabel('Name at the provider').fill(login)
  await person.page.getByRole('button', { name: 'Go back' }).click()
}

test('an owner links single sign-on and signs in with it; who is unknown is told what to do', async (t) => {
  const { server } = await startSso(t)
  const olga = await firstRun(t, server)
  await open(olga, 'go-settings')
  await olga.find('sso-open', { hasText: 'Link The Company' }).click()
  await olga.find('sso-password-input').fill('not it')
  await olga.find('sso-send').click()
  await olga.page.getByText('That is not your password.').waitFor()
  await olga.find('sso-password-input').fill(OWNER.password)
  await olga.find('sso-send').click()
  await signInThere(olga, 'olga')
  await olga.page.getByText('Linked: you can sign in with The Company.').waitFor()
  assert.equal(new URL(olga.page.url()).hash, '')

  const eve = await visit(t, server, 'Eve')
  await eve.find('sso-button', { hasText: 'Sign in with The Company' }).click()
  await signInThere(eve, 'eve')
  await eve.find('sso-refusal', { hasText: 'Nobody here is known by this sign-in.' }).waitFor()
  await eve.find('login-input').waitFor()

  const other = await visit(t, server, 'Olga')
  await other.find('sso-button').click()
  await signInThere(other, 'olga')
  await isIn(other)

  await olga.find('sso-open', { hasText: 'Unlink' }).click()
  await olga.find('sso-password-input').fill(OWNER.password)
  await olga.find('sso-send').click()
  await olga.page.getByText('Not linked.').waitFor()
})

test('who is invited joins by single sign-on where it is the only way in', async (t) => {
  const { idp, server } = await startSso(t, ['--oidc-only'])
  idp.names['s-17'] = 'Ada Lovelace'
  const olga = await firstRun(t, server)
  const { token } = await (await deviceOf(server, olga)).ok('POST', '/invites', { role: 'member' }, 201)
  const ada = await visit(t, server, 'Ada Lovelace', `/join#${token}`)
  await ada.find('sso-button', { hasText: 'Join with The Company' }).waitFor()
  assert.equal(await ada.find('password-input').count(), 0)
  await ada.find('sso-button').click()
  await signInThere(ada, 's-17')
  await isIn(ada)
  await ada.goToRoom('general')
  await ada.send('hello')
  await ada.seesExactly('hello')
  await open(ada, 'go-settings')
  await ada.page.getByText('Linked: you can sign in with The Company.').waitFor()
  assert.equal(await ada.find('old-password-input').count(), 0)
  await ada.find('me-menu').click()
  await ada.find('sign-out').click()
  await ada.find('sso-button').waitFor()
  assert.equal(await ada.find('login-input').count(), 0)
  await ada.find('sso-button').click()
  // The provider knows her still.
  await isIn(ada)
})
