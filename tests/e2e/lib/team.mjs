// People with accounts at browsers.
import { Device, OWNER } from '../../protocol/lib/device.mjs'
import { newContext } from './browser.mjs'
import { Person } from './person.mjs'

export async function visit(t, server, name, path = '/', options = {}) {
  const context = await newContext(t, server, options)
  const person = new Person(await context.newPage(), name)
  await person.page.goto(path)
  return person
}

export async function fill(person, fields) {
  for (const [name, value] of Object.entries(fields)) await person.find(`${name}-input`).fill(value)
  await person.find('enter-button').click()
}

export const isIn = (person) => person.find('my-name', { hasText: person.name }).waitFor()

/** The owner, who has just made the team in a browser. */
export async function firstRun(t, server, options) {
  const olga = await visit(t, server, 'Olga', '/', options)
  await fill(olga, OWNER)
  await isIn(olga)
  return olga
}

/** The API as the page's cookie has it. */
export async function deviceOf(server, person) {
  const device = new Device(server)
  const [{ name, value }] = await person.page.context().cookies()
  device.cookie = `${name}=${value}`
  return device
}

/** Opens a page from the menu under one's name. */
export async function open(person, entry) {
  await person.find('me-menu').click()
  await person.find(entry).click()
}
