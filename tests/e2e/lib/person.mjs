// A person at a browser: what they do, and what they wait to see.
import assert from 'node:assert/strict'
import { newContext, PATIENCE_MS } from './browser.mjs'

const byId = (id) => `[data-testid="${id}"]`

/** What each message on the page shows; runs in the page. */
function readMessages() {
  return [...document.querySelectorAll('[data-testid="message"]')].map((row) => ({
    author: row.getAttribute('aria-label').split(', ')[0],
    text: row.querySelector('[data-testid="message-text"]')?.innerText ?? null,
    isPending: !row.hasAttribute('data-seq'),
  }))
}

/** One tab of a person's browser. */
export class Person {
  constructor(page, name) {
    this.page = page
    this.name = name
  }

  /** A new person in a room, who got there as anybody does: by a name and a room. */
  static async enter(t, server, name, room, options) {
    const context = await newContext(t, server, options)
    const person = new Person(await context.newPage(), name)
    await person.page.goto('/')
    await person.signIn(room)
    return person
  }

  async signIn(room) {
    await this.find('name-input').fill(this.name)
    if (room !== undefined) await this.find('room-input').fill(room)
    await this.find('enter-button').click()
    await this.find('composer-input').waitFor()
  }

  /** The same person in another tab. */
  async openTab(path = '/') {
    const tab = new Person(await this.page.context().newPage(), this.name)
    await tab.page.goto(path)
    await tab.find('composer-input').waitFor()
    return tab
  }

  find(testId, options) {
    return this.page.locator(byId(testId), options)
  }

  async isIn(title) {
    await this.find('room-title', { hasText: title }).waitFor()
  }

  async goToRoom(room) {
    await this.find('join-box').fill(room)
    await this.page.locator(`${byId('join-option')}, ${byId('join-create')}`).first().click()
    await this.isIn(room)
    await this.find('composer-input').waitFor()
  }

  async send(...texts) {
    for (const text of texts) {
      await this.find('composer-input').fill(text)
      await this.page.keyboard.press('Enter')
    }
  }

  message(text) {
    return this.find('message', { has: this.page.getByText(text, { exact: true }) })
  }

  messages() {
    return this.page.evaluate(readMessages)
  }

  /** Waits until the room shows exactly these texts, all stored, in this order. */
  async seesExactly(...texts) {
    await this.waitUntil(
      (wanted) => {
        const rows = [...document.querySelectorAll('[data-testid="message"]')]
        const shown = rows.map((row) => row.querySelector('[data-testid="message-text"]')?.innerText)
        return rows.every((row) => row.hasAttribute('data-seq')) && JSON.stringify(shown) === wanted
      },
      JSON.stringify(texts),
      `exactly ${JSON.stringify(texts)}`,
    )
  }

  /** Waits for a message, stored, under its author's name. */
  async seesFrom(author, text) {
    const row = this.message(text).and(this.page.locator('[data-seq]'))
    await row.waitFor()
    const label = await row.getAttribute('aria-label')
    assert.ok(label.startsWith(`${author}, `), `${text} is from ${label}`)
  }

  async waitUntil(inPage, argument, what) {
    try {
      await this.page.waitForFunction(inPage, argument, { timeout: PATIENCE_MS })
    } catch (cause) {
      const shown = JSON.stringify(await this.messages())
      throw new Error(`${this.name} waited to see ${what}; the page shows ${shown}`, { cause })
    }
  }

  /** Opens the menu of a message and chooses an entry. */
  async choose(text, entry) {
    await this.message(text).hover()
    await this.message(text).locator(byId('message-menu')).click()
    await this.find(entry).click()
  }

  /** The link to the server is up, or known to be down. */
  async isCutOff() {
    await this.page.locator(`${byId('link-strip')}.warn`).waitFor()
  }

  async isConnected() {
    await this.page.locator(`${byId('link-strip')}.warn`).waitFor({ state: 'detached' })
  }
}
