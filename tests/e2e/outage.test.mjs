// The server dies, the link fails, the page is loaded anew: nothing is lost, nothing comes twice.
import { test } from 'node:test'
import { Person } from './lib/person.mjs'
import { startServer } from './lib/server.mjs'

test('after a killed server both go on by themselves, and what was written meanwhile arrives once, in order', async (t) => {
  const server = await startServer(t)
  const ada = await Person.enter(t, server, 'Ada', 'launch')
  const bob = await Person.enter(t, server, 'Bob', 'launch')
  await ada.send('before')
  for (const person of [ada, bob]) await person.seesExactly('before')

  await server.stop('SIGKILL')
  for (const person of [ada, bob]) await person.isCutOff()
  await ada.send('one', 'two', 'three')
  await server.start()

  for (const person of [ada, bob]) {
    await person.isConnected()
    await person.seesExactly('before', 'one', 'two', 'three')
  }
  await bob.send('after')
  for (const person of [ada, bob]) await person.seesExactly('before', 'one', 'two', 'three', 'after')
})

test('what waits to be sent outlives a reload', async (t) => {
  const server = await startServer(t)
  const ada = await Person.enter(t, server, 'Ada', 'launch')
  const bob = await Person.enter(t, server, 'Bob', 'launch')
  await ada.send('before')
  await bob.seesExactly('before')

  // A reload needs a server for the page itself, so only the socket is cut off.
  let isCut = true
  await ada.page.routeWebSocket(/\/ws$/, (socket) => (isCut ? socket.close() : socket.connectToServer()))
  await server.restart()
  await ada.isCutOff()
  await ada.send('one', 'two')
  await ada.find('outbox-state').nth(1).waitFor()
  await ada.page.reload()
  isCut = false

  for (const person of [ada, bob]) await person.seesExactly('before', 'one', 'two')
})

test('offline the composer goes on working and shows what waits, and online it is sent', async (t) => {
  const server = await startServer(t)
  const ada = await Person.enter(t, server, 'Ada', 'launch')
  const bob = await Person.enter(t, server, 'Bob', 'launch')

  await server.stop('SIGKILL')
  await ada.isCutOff()
  await ada.send('written offline')
  await ada.message('written offline').locator('[data-testid="outbox-state"]', { hasText: 'waiting' }).waitFor()
  await ada.find('my-status', { hasText: '1 waiting to send' }).waitFor()

  await server.start()
  await bob.seesFrom('Ada', 'written offline')
  await ada.seesExactly('written offline')
  await ada.find('outbox-state').waitFor({ state: 'detached' })
})

test('who was away is told how much is new', async (t) => {
  const server = await startServer(t)
  const ada = await Person.enter(t, server, 'Ada', 'launch')
  const bob = await Person.enter(t, server, 'Bob', 'launch')
  await bob.send('before')
  await ada.seesExactly('before')

  await ada.page.context().setOffline(true)
  await server.restart()
  await ada.isCutOff()
  await bob.isConnected()
  await bob.send('one', 'two')
  await bob.seesExactly('before', 'one', 'two')
  await ada.page.context().setOffline(false)

  await ada.find('link-strip', { hasText: 'Caught up, 2 new' }).waitFor()
  await ada.seesExactly('before', 'one', 'two')
})
