// One Chromium for all the tests of a file; each person in a test has a browser context, so that
// two people share nothing but the server.
import { after, before } from 'node:test'
import { chromium } from 'playwright-core'

/** How long anything may take that is not measured in its own right: the machine may be busy. */
export const PATIENCE_MS = 20000

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

let browser

before(async () => {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
  browser = await chromium.launch({ executablePath, args: FLAGS })
})
after(() => browser?.close())

/** A context of one person's browser; what went wrong in its pages fails the test at its end. */
export async function newContext(t, server, options = {}) {
  const context = await browser.newContext({
    baseURL: `http://127.0.0.1:${server.port}`,
    locale: 'en-GB',
    timezoneId: 'UTC',
    viewport: { width: 1100, height: 720 },
    ...options,
  })
  const errors = []
  context.setDefaultTimeout(PATIENCE_MS)
  context.on('weberror', (event) => errors.push(event.error()))
  context.on('console', (message) => {
    // Chromium reports a refused connection as an error of the page, and a refused request: here
    // servers are killed and stopped, and wrong passwords are tried.
    if (message.type() === 'error' && !/WebSocket connection to|net::ERR_|status of (40[1349]|503)/.test(message.text())) {
      errors.push(new Error(`the console said: ${message.text()}`))
    }
  })
  t.after(async () => {
    await context.close()
    if (errors.length > 0) throw errors[0]
  })
  return context
}
