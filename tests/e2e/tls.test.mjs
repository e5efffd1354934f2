// The page and its WebSocket over TLS, in a browser that came by plain HTTP at first.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commonCert } from '../protocol/lib/certs.mjs'
import { newContext } from './lib/browser.mjs'
import { Person } from './lib/person.mjs'
import { startServer } from './lib/server.mjs'

test('two talk over https and wss, sent on there from http', async (t) => {
  const server = await startServer(t, { cert: commonCert(), args: ['--http-redirect', '127.0.0.1:0'] })
  const door = /^sending (http:\/\/\S+) on to https$/m.exec(server.stdout)[1]
  const trusting = { ignoreHTTPSErrors: true, baseURL: door }
  const sockets = []
  const context = await newContext(t, server, trusting)
  const page = await context.newPage()
  page.on('websocket', (ws) => sockets.push(ws.url()))
  const ada = new Person(page, 'Ada')
  await page.goto('/')
  assert.equal(page.url(), `https://127.0.0.1:${server.port}/`)
  await ada.signIn('launch')
  const bob = await Person.enter(t, server, 'Bob', 'launch', trusting)
  await ada.send('one')
  await bob.seesFrom('Ada', 'one')
  await bob.send('two')
  await ada.seesFrom('Bob', 'two')
  assert.deepEqual(sockets, [`wss://127.0.0.1:${server.port}/ws`])
})
