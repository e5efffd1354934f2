// The client without a mouse, and as axe sees it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import axe from 'axe-core'
import { newContext } from './lib/browser.mjs'
import { Person } from './lib/person.mjs'
import { OWNER, invite } from '../protocol/lib/device.mjs'
import { startServer } from './lib/server.mjs'
import { deviceOf, fill, visit } from './lib/team.mjs'

/** Presses Tab until the element of that test id has the focus. */
async function tabTo(person, testId) {
  for (let i = 0; i < 40; i++) {
    const focused = await person.page.evaluate(() => document.activeElement?.dataset.testid)
    if (focused === testId) return
    await person.page.keyboard.press('Tab')
  }
  assert.fail(`Tab never reaches ${testId}`)
}

test('everything can be done from the keyboard', async (t) => {
  const server = await startServer(t)
  const context = await newContext(t, server)
  const ada = new Person(await context.newPage(), 'Ada')
  const { keyboard } = ada.page
  await ada.page.goto('/')

  await tabTo(ada, 'name-input')
  await keyboard.type('Ada')
  await keyboard.press('Enter')
  await ada.find('composer-input').waitFor()
  await tabTo(ada, 'composer-input')
  await keyboard.type('typed')
  await keyboard.press('Enter')
  await ada.seesExactly('typed')

  await keyboard.press('ArrowUp')
  await keyboard.type(' and edited')
  await keyboard.press('Enter')
  await ada.seesExactly('typed and edited')

  await keyboard.press('Control+k')
  await keyboard.type('garden')
  await ada.find('join-create').waitFor()
  await keyboard.press('Enter')
  await ada.isIn('garden')
  await tabTo(ada, 'composer-input')
  await keyboard.type('over here')
  await keyboard.press('Enter')
  await ada.seesExactly('over here')

  await tabTo(ada, 'message')
  await tabTo(ada, 'message-menu')
  await keyboard.press('Enter')
  await ada.find('delete-message').waitFor()
  await keyboard.press('End')
  await keyboard.press('Enter')
  await ada.find('confirm-action').waitFor()
  await tabTo(ada, 'confirm-action')
  await keyboard.press('Enter')
  await ada.find('message-deleted').waitFor()
})

/** axe runs as a script of the debugger's, which the page's Content-Security-Policy lets be. */
async function seriousViolations(page) {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`))
}

const desktop = { viewport: { width: 1280, height: 800 } }
const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }

for (const [device, options] of Object.entries({ desktop, phone })) {
  for (const colorScheme of ['light', 'dark']) {
    test(`axe finds nothing serious on a ${device}, ${colorScheme}`, async (t) => {
      const server = await startServer(t)
      const context = await newContext(t, server, { ...options, colorScheme, reducedMotion: 'reduce' })
      const ada = new Person(await context.newPage(), 'Ada')
      await ada.page.goto('/')
      await ada.find('name-input').waitFor()
      assert.deepEqual(await seriousViolations(ada.page), [])

      await ada.signIn('launch')
      const bot = await server.user('Bot')
      await bot.ok({ op: 'join', room: 'launch' })
      const { seq } = await bot.ok({ op: 'send', room: 'launch', key: 'a', text: 'see https://example.org and `code`' })
      await bot.ok({ op: 'react', room: 'launch', target: seq, emoji: '🎉', on: true, key: 'b' })
      await bot.ok({ op: 'send', room: 'launch', key: 'c', text: '🚀' })
      await ada.find('reaction').waitFor()
      await ada.find('message').last().waitFor()
      assert.deepEqual(await seriousViolations(ada.page), [])

      if (device === 'phone') {
        await ada.find('burger').click()
        await ada.find('join-box').waitFor()
      } else {
        await ada.find('online-count').click()
        await ada.find('member-list').waitFor()
        assert.deepEqual(await seriousViolations(ada.page), [])
        await ada.find('details-button').click()
        await ada.find('room-member').last().waitFor()
      }
      assert.deepEqual(await seriousViolations(ada.page), [])
      for (const [button, part] of [['new-rooms', 'new-room-name'], ['new-direct', 'person-option']]) {
        await ada.find(button).click()
        await ada.find(part).first().waitFor()
        assert.deepEqual(await seriousViolations(ada.page), [])
        await ada.page.keyboard.press('Escape')
        await ada.find('form-dialog').waitFor({ state: 'detached' })
      }
    })
  }
}

for (const [what, options] of Object.entries({ 'a desktop, light': { ...desktop, colorScheme: 'light' }, 'a phone, dark': { ...phone, colorScheme: 'dark' } })) {
  test(`axe finds nothing serious where one signs in, in one’s account and in the administration, on ${what}`, async (t) => {
    const server = await startServer(t, { open: false })
    const olga = await visit(t, server, 'Olga', '/', { ...options, reducedMotion: 'reduce' })
    const isFine = async (place) => assert.deepEqual(await seriousViolations(olga.page), [], place)
    await olga.find('team-input').waitFor()
    await isFine('the first form')
    await fill(olga, OWNER)
    await olga.find('team').waitFor({ state: 'attached' })
    const ada = await invite(await deviceOf(server, olga), 'member', 'ada')
    const peer = await ada.socket()
    await peer.ok({ op: 'join', room: 'general' })
    const { seq } = await peer.ok({ op: 'send', room: 'general', text: 'rude words', key: 'k' })
    const device = await deviceOf(server, olga)
    await device.ok('POST', '/reports', { room: 'general', target: seq, reason: 'Not nice.' }, 204)
    await device.ok('POST', '/me/blocks', { user: peer.me.me.id, on: true }, 204)
    await olga.page.goto(new URL('/settings', olga.page.url()).href)
    await olga.find('blocked').waitFor()
    await olga.find('leave-open').click()
    await olga.find('leave-password-input').fill('x')
    await isFine('settings')
    await olga.page.goto(new URL('/admin', olga.page.url()).href)
    for (const [tab, part] of Object.entries({ people: 'person', invites: 'invite-make', rooms: 'team-room', reports: 'report', team: 'team-save', figures: 'figure', audit: 'audit-entry' })) {
      await olga.find(`tab-${tab}`).click()
      await olga.find(part).first().waitFor()
      await isFine(tab)
    }
    await olga.page.goto(new URL('/r/general', olga.page.url()).href)
    await olga.find('message-hidden').waitFor()
    await isFine('a message of somebody who is blocked')
  })
}
