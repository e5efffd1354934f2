// Passkeys in the browser, with an authenticator of the browser's own making.
import { test } from 'node:test'
import { OWNER } from '../protocol/lib/device.mjs'
import { startServer } from './lib/server.mjs'
import { fill, isIn, open, visit } from './lib/team.mjs'

async function plugIn(person) {
  const cdp = await person.page.context().newCDPSession(person.page)
  await cdp.send('WebAuthn.enable')
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  })
}

test('a passkey is added, lets one in without a password, and no more when it is removed', async (t) => {
  const server = await startServer(t, { open: false })
  // By a name: a passkey belongs to one, not to an address.
  const olga = await visit(t, server, 'Olga', `http://localhost:${server.port}/`)
  await plugIn(olga)
  await fill(olga, OWNER)
  await isIn(olga)
  await open(olga, 'go-settings')
  await olga.find('passkey-open').click()
  await olga.find('passkey-password-input').fill('not it')
  await olga.find('passkey-add').click()
  await olga.page.getByText('That is not your password.').waitFor()
  await olga.find('passkey-password-input').fill(OWNER.password)
  await olga.find('passkey-add').click()
  await olga.find('passkey').waitFor()

  await olga.find('me-menu').click()
  await olga.find('sign-out').click()
  await olga.find('passkey-enter').click()
  await isIn(olga)

  await open(olga, 'go-settings')
  await olga.find('passkey-remove').click()
  await olga.find('passkey').waitFor({ state: 'detached' })
  await olga.find('me-menu').click()
  await olga.find('sign-out').click()
  await olga.find('passkey-enter').click()
  await olga.page.getByText('This passkey is not known here.').waitFor()
})
