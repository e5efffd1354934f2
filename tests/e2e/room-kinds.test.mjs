// Private rooms, direct messages, roles: what each person at a browser sees of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Device, OWNER, invite } from '../protocol/lib/device.mjs'
import { newContext } from './lib/browser.mjs'
import { Person } from './lib/person.mjs'
import { startServer } from './lib/server.mjs'

/** The browsers of a team's people: Olga, the owner, and others by their names. */
async function team(t, ...names) {
  const server = await startServer(t, { open: false })
  const owner = new Device(server)
  await owner.ok('POST', '/setup', OWNER, 201)
  const people = {}
  for (const name of ['olga', ...names]) {
    const device = name === 'olga' ? owner : await invite(owner, 'member', name)
    const context = await newContext(t, server)
    const [cookie, value] = device.cookie.split('=')
    await context.addCookies([{ name: cookie, value, domain: server.host, path: '/', httpOnly: true, sameSite: 'Lax' }])
    const person = new Person(await context.newPage(), name)
    await person.page.goto('/')
    await person.find('my-name').waitFor()
    people[name] = person
  }
  return people
}

const listed = (person, text) => person.find('room-list-item', { hasText: text })

async function makeRoom(person, name, kind) {
  await person.find('new-rooms').click()
  await person.find('new-room-name').fill(name)
  await person.find(`kind-${kind}`).click()
  await person.find('form-action').click()
  await person.isIn(name)
}

async function inviteTo(person, name) {
  if ((await person.find('room-details').count()) === 0) await person.find('details-button').click()
  await person.find('invite-people').click()
  await person.find('person-option', { hasText: name }).click()
  await person.find('form-action').click()
  await person.find('room-member', { hasText: name }).waitFor()
}

async function changeMember(person, name, action) {
  await person.find('room-member', { hasText: name }).locator('[data-testid="member-menu"]').click()
  await person.find(action).click()
}

test('a private room: invited one talks in it, removed one is out at once, and others never see it', async (t) => {
  const { olga, ada, bob } = await team(t, 'ada', 'bob')
  await makeRoom(ada, 'Secret plans', 'private')
  await ada.send('between us')
  await inviteTo(ada, 'bob')
  await ada.find('note', { hasText: 'ada added bob.' }).waitFor()
  await bob.find('team', { hasText: OWNER.team }).waitFor()
  await listed(bob, 'Secret plans').click()
  await bob.isIn('Secret plans')
  await bob.seesFrom('ada', 'between us')
  await bob.send('thanks')
  await ada.seesFrom('bob', 'thanks')
  assert.equal(await listed(olga, 'Secret plans').count(), 0)
  const { pathname } = new URL(ada.page.url())
  await olga.page.goto(pathname)
  await olga.page.getByText('There is no such room.').waitFor()
  await changeMember(ada, 'bob', 'remove-member')
  await bob.page.getByText('You are not in this room any more.').waitFor()
  assert.equal(await bob.page.getByText('between us').count(), 0)
  assert.equal(await listed(bob, 'Secret plans').count(), 0)
  const kept = await bob.page.evaluate(() => localStorage.getItem('hubbub.rooms'))
  assert.ok(!kept?.includes('Secret plans'), 'what the next visit shows first')
  await bob.page.reload()
  await bob.find('my-name').waitFor()
  assert.equal(await listed(bob, 'Secret plans').count(), 0)
})

test('a direct message opens at the other one, under the name of who wrote', async (t) => {
  const { ada, bob } = await team(t, 'ada', 'bob')
  await ada.find('new-direct').click()
  await ada.find('people-input').fill('BO')
  await ada.find('person-option', { hasText: 'bob' }).click()
  await ada.find('form-action').click()
  await ada.isIn('bob')
  await ada.send('psst')
  await listed(bob, 'ada').click()
  await bob.isIn('ada')
  await bob.seesFrom('ada', 'psst')
  await bob.page.reload()
  await bob.isIn('ada')
  await bob.send('yes?')
  await ada.seesFrom('bob', 'yes?')
})

test('who moderates: writing where others may not, muting, deleting, archiving', async (t) => {
  const { ada, bob } = await team(t, 'ada', 'bob')
  await makeRoom(ada, 'news', 'announcement')
  await bob.find('join-box').fill('news')
  await bob.find('join-option').first().click()
  await bob.find('quiet', { hasText: 'Only moderators write here.' }).waitFor()
  await ada.find('details-button').click()
  await changeMember(ada, 'bob', 'make-moderator')
  await bob.send('hello all')
  await ada.seesFrom('bob', 'hello all')
  await changeMember(ada, 'bob', 'mute-hour')
  await bob.find('quiet', { hasText: 'You are muted here' }).waitFor()
  await bob.find('note', { hasText: 'ada muted bob for a time.' }).waitFor()
  await ada.message('hello all').hover()
  await ada.find('message-menu').click()
  await ada.find('delete-message').click()
  await ada.find('confirm-action').click()
  await bob.page.getByText('hello all').waitFor({ state: 'detached' })
  await ada.find('rename-room').click()
  await ada.find('room-line').fill('Latest')
  await ada.find('form-action').click()
  await bob.isIn('Latest')
  await ada.find('archive-room').click()
  await bob.find('quiet', { hasText: 'This room is archived' }).waitFor()
  await ada.find('archive-room').click()
  await ada.find('composer-input').waitFor()
})
