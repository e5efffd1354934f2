// Takes the picture of the README: a room in the middle of a day's work.
//
//   HUBBUB_BIN=build/hubbub node tests/e2e/screenshot.mjs
//
// It is a test only in form, for the server and the browser that tests start and stop.
import { resolve } from 'node:path'
import { test } from 'node:test'
import { Person } from './lib/person.mjs'
import { startServer } from './lib/server.mjs'

const target = resolve(import.meta.dirname, '../../docs/screenshot.png')

const TALK = [
  ['Amara', 'The dry run is over and the notes are in the folder. @Maya can you write them up?'],
  ['Amara', 'The config I used:\n```\nhubbub serve --open --listen 127.0.0.1:8080 --data team\n```'],
  ['Jun', 'Shall we take the second slot? The hall is free from ten.'],
  ['Tomas', 'Second slot it is. Here is the plan: https://example.org/launch'],
  ['Tomas', '🚀'],
]

async function speak(bots, room, name, text, key) {
  const { seq } = await bots.get(name).ok({ op: 'send', room, key, text })
  return seq
}

test('a picture', async (t) => {
  const server = await startServer(t)
  const bots = new Map()
  for (const name of ['Amara', 'Jun', 'Priya', 'Tomas']) {
    const bot = await server.user(undefined, { name })
    for (const room of ['general', 'launch', 'support', 'design']) await bot.ok({ op: 'join', room })
    bots.set(name, bot)
  }
  const maya = await Person.enter(t, server, 'Maya', 'general', {
    viewport: { width: 1200, height: 760 },
    deviceScaleFactor: 2,
    colorScheme: 'light',
  })
  for (const room of ['design', 'support', 'launch']) await maya.goToRoom(room)

  const seqs = []
  for (const [i, [name, text]] of TALK.entries()) {
    seqs.push(await speak(bots, 'launch', name, text, `k${i}`))
  }
  const react = (name, emoji) =>
    bots.get(name).ok({ op: 'react', room: 'launch', target: seqs[0], emoji, on: true, key: `${name}${emoji}` })
  for (const name of ['Jun', 'Priya', 'Tomas']) await react(name, '🎉')
  await react('Priya', '👀')
  for (let i = 0; i < 3; i++) await speak(bots, 'general', 'Priya', `Note ${i}`, `g${i}`)
  await speak(bots, 'support', 'Jun', 'Somebody cannot sign in', 's1')

  await maya.page.locator('[data-room="general"] [data-testid="room-unread"]', { hasText: '3' }).waitFor()
  await maya.send('Writing it up now, draft in an hour.')
  await maya.page.getByText('draft in an hour').and(maya.page.locator('[data-seq] *')).waitFor()
  await bots.get('Priya').ok({ op: 'typing', room: 'launch' })
  await maya.page.getByText('Priya is typing').waitFor()
  await maya.page.evaluate(() => document.fonts.ready)
  await maya.page.screenshot({ path: target })
})
