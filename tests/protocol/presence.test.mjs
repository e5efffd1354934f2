// What is not durable: presence and typing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedServer } from './lib/server.mjs'
import { SLOW, fresh } from './lib/wait.mjs'

const server = sharedServer()

/** Presence events at `peer` until one says `online`; gives them all. */
async function presenceUntil(peer, online) {
  const events = []
  while (events.at(-1)?.online !== online) events.push(await peer.event('presence', 15000))
  return events
}
const ids = (events, side) => new Set(events.flatMap((e) => e[side] ?? []).map((u) => u.id))

test('who comes and who goes is told to the members', async () => {
  const [ada] = await server.room(['Ada'])
  const { room } = ada.join
  const bob = await server.user('Bob')
  assert.equal((await bob.ok({ op: 'join', room })).online, 2)
  const came = (await presenceUntil(ada, 2)).at(-1)
  assert.equal(came.room, room)
  assert.deepEqual(came.join.filter((u) => u.id === bob.me.id), [bob.me])
  assert.equal('seq' in came, false)
  await bob.ok({ op: 'leave', room })
  assert.ok(ids(await presenceUntil(ada, 1), 'leave').has(bob.me.id))
  await bob.ok({ op: 'join', room })
  await presenceUntil(ada, 2)
  await bob.drop()
  assert.ok(ids(await presenceUntil(ada, 1), 'leave').has(bob.me.id))
})

test('a user with two connections comes once and goes with the last', async () => {
  const [ada] = await server.room(['Ada'])
  const { room } = ada.join
  const bob = await server.user('Bob'), second = await server.again(bob), cy = await server.user('Cy')
  for (const p of [bob, second]) assert.equal((await p.ok({ op: 'join', room })).online, 2)
  await presenceUntil(ada, 2)
  await bob.drop()
  await cy.ok({ op: 'join', room })
  const events = await presenceUntil(ada, 3)
  assert.ok(!ids(events, 'leave').has(bob.me.id), 'still there by the second connection')
  await second.drop()
  assert.ok(ids(await presenceUntil(ada, 2), 'leave').has(bob.me.id))
})

test('who was among the members of a join\'s reply is not left there: their going is told, however soon', async () => {
  await Promise.all(Array.from({ length: 5 }, async () => {
    const [ada] = await server.room(['Ada'])
    const { room } = ada.join
    const cy = await server.user('Cy'), bob = await server.user('Bob')
    await cy.ok({ op: 'join', room })
    const { members } = await bob.ok({ op: 'join', room })
    assert.ok(members.some((u) => u.id === cy.me.id))
    await cy.ok({ op: 'leave', room })
    const gone = await bob.take((m) => m.ev === 'presence' && m.leave?.some((u) => u.id === cy.me.id), 'the presence event')
    assert.equal(gone.online, 2)
  }))
})

test('at most one presence event a second and room; the last count is true', async () => {
  const [ada] = await server.room(['Ada'])
  const { room } = ada.join
  const times = []
  ada.socket.on('data', (b) => b.includes('"presence"') && times.push(performance.now()))
  const peers = await Promise.all(Array.from({ length: 30 }, () => server.user('Many')))
  for (const p of peers) await p.ok({ op: 'join', room })
  const joined = await presenceUntil(ada, 31)
  for (const p of peers.slice(0, 10)) await p.ok({ op: 'leave', room })
  const left = await presenceUntil(ada, 21)
  for (let i = 1; i < times.length; i++) assert.ok(times[i] - times[i - 1] > 800, `${Math.round(times[i] - times[i - 1])} ms apart`)
  const came = ids(joined, 'join')
  for (const p of peers) assert.ok(came.has(p.me.id))
  assert.equal(ids(left, 'leave').size, 10)
})

test('lists have at most 50 users each; past that only the count is told', async () => {
  const [ada] = await server.room(['Ada'])
  const { room } = ada.join
  const peers = await Promise.all(Array.from({ length: 120 }, () => server.user('Crowd')))
  await Promise.all(peers.map((p) => p.ok({ op: 'join', room })))
  const events = await presenceUntil(ada, 121)
  for (const e of events) {
    assert.ok((e.join ?? []).length <= 50 && (e.leave ?? []).length <= 50)
    assert.ok(Number.isInteger(e.online))
  }
  if (SLOW === 1) assert.ok(events.some((e) => (e.join ?? []).length === 0), 'a hundred at once are a count')
  await Promise.all(peers.map((p) => p.drop()))
  assert.equal((await presenceUntil(ada, 1)).at(-1).online, 1)
})

test('typing is told to the room, not to the connection that typed, and is not kept', async () => {
  const [ada, bob] = await server.room()
  const { room } = ada.join
  const second = await server.again(ada)
  await second.ok({ op: 'join', room })
  const outsider = await server.user('Eve')
  assert.deepEqual(Object.keys(await ada.ok({ op: 'typing', room })).sort(), ['ok', 're'])
  for (const p of [bob, second]) assert.deepEqual(await p.event('typing'), { ev: 'typing', room, from: ada.me })
  await ada.ok({ op: 'send', room, key: fresh('k'), text: 'mark' })
  await ada.event('message')
  await outsider.settle()
  for (const p of [ada, outsider]) assert.equal(p.untaken('typing').length, 0)
  assert.equal((await ada.ok({ op: 'history', room })).head, 1)
})

test('names in presence and typing are the names as of now', async () => {
  const [ada, bob] = await server.room()
  const { room } = ada.join
  const name = fresh('Renamed')
  const again = await server.again(bob, { name })
  await again.ok({ op: 'join', room })
  await again.ok({ op: 'typing', room })
  assert.deepEqual((await ada.event('typing')).from, { id: bob.me.id, name })
})
