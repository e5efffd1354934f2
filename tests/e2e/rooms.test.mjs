// Several rooms, several tabs, long histories.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Person } from './lib/person.mjs'
import { startServer } from './lib/server.mjs'

/** Messages that somebody without a browser writes, the fast way. */
async function fill(server, room, n) {
  const bot = await server.user('Bot')
  await bot.ok({ op: 'join', room })
  for (let i = 1; i <= n; i++) await bot.ok({ op: 'send', room, key: `k${i}`, text: `line ${i}` })
}

test('what is unread in another room is counted until it is read', async (t) => {
  const server = await startServer(t)
  const ada = await Person.enter(t, server, 'Ada', 'launch')
  const bob = await Person.enter(t, server, 'Bob', 'launch')
  await bob.goToRoom('garden')
  await ada.send('one', 'two')
  const unread = bob.page.locator('[data-room="launch"] [data-testid="room-unread"]')
  await unread.filter({ hasText: '2' }).waitFor()

  await bob.page.locator('[data-room="launch"]').click()
  await bob.find('new-line').waitFor()
  await bob.seesExactly('one', 'two')
  await unread.waitFor({ state: 'detached' })
  await bob.page.reload()
  await bob.seesExactly('one', 'two')
  assert.equal(await unread.count(), 0)
})

test('a room that nobody has made yet is offered to be created', async (t) => {
  const server = await startServer(t)
  const ada = await Person.enter(t, server, 'Ada', 'launch')
  await ada.find('join-box').fill('brand-new')
  await ada.find('join-create').click()
  await ada.isIn('brand-new')
  await ada.send('first')
  await ada.seesExactly('first')
  await ada.page.locator('[data-room="launch"]').click()
  await ada.isIn('launch')
  await ada.seesExactly()
})

test('two tabs of one person work side by side', async (t) => {
  const server = await startServer(t)
  const one = await Person.enter(t, server, 'Ada', 'launch')
  const two = await one.openTab('/r/launch')
  await one.send('from the first tab')
  await two.seesExactly('from the first tab')
  await two.send('from the second tab')
  for (const tab of [one, two]) await tab.seesExactly('from the first tab', 'from the second tab')
  assert.equal(await two.find('my-name').innerText(), 'Ada')
  await two.page.close()
  await one.send('still here')
  await one.seesExactly('from the first tab', 'from the second tab', 'still here')
})

test('drafts are kept for each room, also over a reload', async (t) => {
  const server = await startServer(t)
  const ada = await Person.enter(t, server, 'Ada', 'launch')
  await ada.find('composer-input').fill('half a thought')
  await ada.goToRoom('garden')
  assert.equal(await ada.find('composer-input').inputValue(), '')
  await ada.page.locator('[data-room="launch"]').click()
  await ada.isIn('launch')
  await ada.page.reload()
  await ada.waitUntil(
    () => document.querySelector('[data-testid="composer-input"]')?.value === 'half a thought',
    null,
    'the draft',
  )
})

test('older messages come in while scrolling up, and the place is kept', async (t) => {
  const server = await startServer(t)
  await fill(server, 'launch', 260)
  const ada = await Person.enter(t, server, 'Ada', 'launch')
  await ada.seesFrom(await botName(ada), 'line 260')

  await ada.find('message-log').hover()
  let lowest = 260
  while (lowest > 1) {
    const shown = await ada.page.evaluate(firstShown)
    await scrollUp(ada, shown)
    const now = await ada.page.evaluate(firstShown)
    assert.ok(now.seq <= shown.seq, `scrolling up led from ${shown.seq} down to ${now.seq}`)
    // One turn of the wheel moves by 1,500 pixels: a page that loses its place jumps by far more.
    assert.ok(shown.seq - now.seq <= 90, `it jumped from ${shown.seq} to ${now.seq}`)
    lowest = now.seq
  }
  await ada.page.getByText('This is where the room begins.').waitFor()

  await ada.find('newest-button').click()
  await ada.message('line 260').waitFor()
})

async function botName(person) {
  const label = await person.find('message').first().getAttribute('aria-label')
  return label.split(', ')[0]
}

/** One turn of the wheel, which the page follows. */
async function scrollUp(person, shown) {
  await person.page.mouse.wheel(0, -1500)
  await person.page.waitForFunction(hasMoved, shown)
}

/** The topmost message in view; runs in the page. */
function firstShown() {
  const log = document.querySelector('[data-testid="message-log"]')
  const top = log.getBoundingClientRect().top
  const row = [...log.querySelectorAll('[data-seq]')].find((r) => r.getBoundingClientRect().bottom > top + 1)
  return { seq: Number(row?.dataset.seq ?? 0), scrollTop: log.scrollTop }
}

function hasMoved(before) {
  const log = document.querySelector('[data-testid="message-log"]')
  const top = log.getBoundingClientRect().top
  const row = [...log.querySelectorAll('[data-seq]')].find((r) => r.getBoundingClientRect().bottom > top + 1)
  return row !== undefined && (Number(row.dataset.seq) < before.seq || Number(row.dataset.seq) === 1)
}
