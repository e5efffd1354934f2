// Messages that are edited, deleted and reacted to.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Person } from './lib/person.mjs'
import { startServer } from './lib/server.mjs'

async function pair(t) {
  const server = await startServer(t)
  const ada = await Person.enter(t, server, 'Ada', 'launch')
  const bob = await Person.enter(t, server, 'Bob', 'launch')
  return { ada, bob }
}

test('an edited message changes for everybody and says so', async (t) => {
  const { ada, bob } = await pair(t)
  await ada.send('helo')
  await bob.seesExactly('helo')
  await ada.choose('helo', 'edit-message')
  await ada.find('edit-banner').waitFor()
  await ada.send('hello')
  for (const person of [ada, bob]) {
    await person.seesExactly('hello')
    await person.find('edited').waitFor()
  }
})

test('the up arrow in an empty composer edits the last message of one’s own', async (t) => {
  const { ada, bob } = await pair(t)
  await ada.send('mine')
  await bob.seesExactly('mine')
  await bob.send('theirs')
  await ada.seesExactly('mine', 'theirs')
  await ada.find('composer-input').press('ArrowUp')
  assert.equal(await ada.find('composer-input').inputValue(), 'mine')
  await ada.send('mine, better')
  await bob.seesExactly('mine, better', 'theirs')
})

test('a deleted message leaves no text behind', async (t) => {
  const { ada, bob } = await pair(t)
  await ada.send('regretted', 'kept')
  await bob.seesExactly('regretted', 'kept')
  await ada.choose('regretted', 'delete-message')
  await ada.find('confirm-action').click()
  for (const person of [ada, bob]) {
    await person.find('message-deleted').waitFor()
    assert.equal(await person.message('regretted').count(), 0)
  }
  await bob.page.reload()
  await bob.find('message-deleted').waitFor()
  assert.doesNotMatch(await bob.page.content(), /regretted/)
})

test('only one’s own messages can be edited or deleted', async (t) => {
  const { ada, bob } = await pair(t)
  await ada.send('by Ada')
  await bob.seesExactly('by Ada')
  await bob.message('by Ada').hover()
  await bob.find('message-menu').click()
  await bob.find('copy-message').waitFor()
  assert.equal(await bob.find('edit-message').count(), 0)
  assert.equal(await bob.find('delete-message').count(), 0)
})

test('a reaction is counted for everybody, and taken back', async (t) => {
  const { ada, bob } = await pair(t)
  await ada.send('it works')
  await bob.seesExactly('it works')
  await bob.message('it works').hover()
  await bob.find('quick-react').first().click()
  for (const person of [ada, bob]) await person.find('reaction', { hasText: '1' }).waitFor()
  await ada.find('reaction').click()
  for (const person of [ada, bob]) await person.find('reaction', { hasText: '2' }).waitFor()
  await bob.find('reaction').click()
  for (const person of [ada, bob]) await person.find('reaction', { hasText: '1' }).waitFor()
})
