// Nobody finds out about what they may not see: random requests of all roles get the same answers,
// and are told the same, in a team that has secrets and in one that has none.
//
// HUBBUB_TEST_SEED repeats a run, HUBBUB_TEST_ROUNDS makes it longer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { World, randomOf } from './lib/twins.mjs'
import { fresh, load } from './lib/wait.mjs'

const SEED = Number(process.env.HUBBUB_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))
const ROUNDS = Number(process.env.HUBBUB_TEST_ROUNDS ?? load(600))
const OBSERVERS = ['olga', 'mo', 'ada', 'out', 'gus']
const EVENTS = ['message', 'edit', 'delete', 'react', 'topic', 'rename', 'archive', 'member', 'keep', 'expire', 'added', 'removed', 'read']

/** A request by what it is about; rooms that one world has not stand for themselves. */
function makeRequest(random, users, me) {
  const pick = (list) => list[random(list.length)]
  const key = fresh('k')
  const room = pick(['(secret)', '(secret)', '(hushed)', '(direct)', 'hall', 'news', 'attic', '~zzzzzzzzzzzzzzzz', 'the-secret-plans', `new${random(4)}`])
  const user = pick([...users, 'u99'])
  const target = 1 + random(9)
  return pick([
    { op: 'join', room }, { op: 'join', room, since: random(6), epoch: 'x' }, { op: 'leave', room, forget: random(2) === 0 },
    { op: 'send', room, text: 'hello', key, ...(random(3) === 0 && { quote: target }) },
    { op: 'edit', room, target, text: 'better', key }, { op: 'delete', room, target, key },
    { op: 'react', room, target, emoji: '👍', on: random(2) === 0, key },
    { op: 'history', room, limit: 5, ...pick([{}, { before: target }, { after: target }, { around: target, fold: true }]) },
    { op: 'read', room, seq: target }, { op: 'typing', room }, { op: 'members', room }, { op: 'rooms', query: pick(['', 'secret', 'h', 'plans']) },
    { op: 'people', query: pick(['', 's']) }, { op: 'direct', users: [user === me ? 'u99' : user] },
    { op: 'invite', room, user, key }, { op: 'remove', room, user, key }, { op: 'role', room, user, role: pick(['member', 'moderator', 'owner']), key },
    { op: 'mute', room, user, for_ms: 0, key }, { op: 'topic', room, topic: 'about', key }, { op: 'rename', room, name: pick(['the-secret-plans', 'hall', `new${random(4)}`]), key },
    { op: 'archive', room, on: random(4) === 0, key }, { op: 'keep', room, days: 0, key },
    { op: 'create', name: 'The secret plans', kind: 'private', key }, { op: 'create', name: pick(['the-secret-plans', `new${random(4)}`]), kind: pick(['public', 'announcement']), key },
    { http: ['GET', '/me'] }, { http: ['GET', '/users'] }, { http: ['GET', '/invites'] }, { http: ['GET', '/reports'] }, { http: ['GET', '/me/export'] },
    { http: ['GET', '/me/blocks'] }, { http: ['GET', '/team'] },
    { http: ['POST', '/reports'], room, body: { target } },
    { http: ['POST', '/invites'], room, body: { role: 'guest' } },
  ])
}

async function ask(world, who, request) {
  const room = request.room?.replace(/^\((.*)\)$/, (_, what) => world.rooms[what])
  if (request.http === undefined) {
    const reply = await world.people[who].request({ ...request, ...(room !== undefined && { room }) })
    // What is made in one world is made in the other.
    if (reply.rid !== undefined && !Object.values(world.rooms).includes(`~${reply.rid}`)) world.name(reply, `made ${reply.title} ${JSON.stringify(reply.people ?? '')}`)
    return reply
  }
  const [method, path] = request.http
  const { status, json } = await world.devices[who].ask(method, path, method === 'GET' ? undefined : { ...request.body, ...(room !== undefined && { room }) })
  return { status, json }
}

test('no answer and no event depends on what one may not see', async (t) => {
  t.diagnostic(`HUBBUB_TEST_SEED=${SEED}`)
  const random = randomOf(SEED)
  const without = await World.start(t, false)
  const having = await World.start(t, true)
  const users = Object.values(without.people).map((p) => p.me.me.id)
  assert.deepEqual(Object.values(having.people).map((p) => p.me.me.id), users)
  const seen = new Set()
  for (let i = 0; i < ROUNDS; i++) {
    const who = OBSERVERS[random(OBSERVERS.length)]
    const request = makeRequest(random, users, without.people[who].me.me.id)
    // Of what one wrote and did oneself, in rooms that one was removed from, one is told.
    if (who === 'out' && request.http?.[1].startsWith('/me/export')) continue
    await having.whisper(random)
    const [a, b] = [await ask(without, who, request), await ask(having, who, request)]
    assert.deepEqual(having.plain(b), without.plain(a), `seed ${SEED}, round ${i}: ${who} asked ${JSON.stringify(request)}`)
    seen.add(`${request.op ?? request.http.join(' ')} ${a.ok ?? a.status}`)
  }
  for (const who of OBSERVERS) {
    for (const world of [without, having]) await world.people[who].settle()
    for (const ev of EVENTS)
      assert.deepEqual(having.plain(having.people[who].untaken(ev)), without.plain(without.people[who].untaken(ev)), `seed ${SEED}: what ${who} was told`)
  }
  assert.ok(seen.size > Math.min(40, ROUNDS / 20), `requests of many kinds, and both their ways: ${[...seen].sort()}`)
})
