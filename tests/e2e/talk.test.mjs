// People meet in rooms by name and see what the others write.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newContext } from './lib/browser.mjs'
import { Person } from './lib/person.mjs'
import { startServer } from './lib/server.mjs'

test('a name and a room are all it takes to be in', async (t) => {
  const server = await startServer(t)
  const ada = await Person.enter(t, server, 'Ada', 'launch')
  await ada.isIn('launch')
  assert.equal(new URL(ada.page.url()).pathname, '/r/launch')
  assert.equal(await ada.find('my-name').innerText(), 'Ada')
  await ada.send('hello')
  await ada.seesFrom('Ada', 'hello')
})

test('two in one room see each other at once with names, a third elsewhere sees nothing', async (t) => {
  const server = await startServer(t)
  const ada = await Person.enter(t, server, 'Ada', 'launch')
  const bob = await Person.enter(t, server, 'Bob', 'launch')
  const cleo = await Person.enter(t, server, 'Cleo', 'garden')

  await ada.send('one')
  await bob.seesFrom('Ada', 'one')
  await bob.send('two')
  await ada.seesFrom('Bob', 'two')
  await ada.send('three')
  for (const person of [ada, bob]) await person.seesExactly('one', 'two', 'three')

  // What Cleo writes comes back to her behind anything that was sent to her before.
  await cleo.send('alone')
  await cleo.seesExactly('alone')
})

test('a name that somebody has is refused, and another one may be given', async (t) => {
  const server = await startServer(t)
  await Person.enter(t, server, 'Ada', 'launch')
  const context = await newContext(t, server)
  const other = new Person(await context.newPage(), 'ada')
  await other.page.goto('/')
  await other.find('name-input').fill('ada')
  await other.find('enter-button').click()
  await other.page.getByRole('alert').filter({ hasText: 'Somebody has that name' }).waitFor()
  other.name = 'Ada the second'
  await other.signIn('launch')
  await other.isIn('launch')
})

test('the link of a room leads into it', async (t) => {
  const server = await startServer(t)
  const ada = await Person.enter(t, server, 'Ada', 'launch')
  await ada.send('you found it')
  await ada.seesFrom('Ada', 'you found it')

  const context = await newContext(t, server)
  const bob = new Person(await context.newPage(), 'Bob')
  await bob.page.goto('/r/launch')
  assert.equal(await bob.find('room-input').inputValue(), 'launch')
  await bob.signIn()
  await bob.isIn('launch')
  await bob.seesFrom('Ada', 'you found it')
})

test('who is here is counted and listed', async (t) => {
  const server = await startServer(t)
  const ada = await Person.enter(t, server, 'Ada', 'launch')
  const bob = await Person.enter(t, server, 'Bob', 'launch')
  await ada.find('online-count').filter({ hasText: '2' }).waitFor()
  await ada.find('online-count').click()
  await ada.find('member', { hasText: 'Bob' }).waitFor()
  await bob.page.close()
  await ada.find('online-count').filter({ hasText: '1' }).waitFor()
})

test('who is typing is told to the others', async (t) => {
  const server = await startServer(t)
  const ada = await Person.enter(t, server, 'Ada', 'launch')
  const bob = await Person.enter(t, server, 'Bob', 'launch')
  await bob.find('composer-input').pressSequentially('hm')
  await ada.page.getByText('Bob is typing').waitFor()
})
