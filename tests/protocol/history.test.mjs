// history: paging, folding, the bound in bytes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Server, sharedServer } from './lib/server.mjs'
import { fresh } from './lib/wait.mjs'

const key = () => fresh('k')
const range = (from, to) => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)

let ada, room // a room of 260 messages
const server = sharedServer({}, async (s) => {
  [ada] = await s.room(['Ada'])
  room = ada.join.room
  await Promise.all(range(1, 260).map((i) => ada.ok({ op: 'send', room, key: key(), text: `m${i}` })))
})

test('the events asked for come in rising seq; more tells of the direction paged', async () => {
  const table = [
    [{}, [211, 260], true],
    [{ limit: 200 }, [61, 260], true],
    [{ limit: 1000 }, [61, 260], true],
    [{ limit: 1 }, [260, 260], true],
    [{ before: 261, limit: 10 }, [251, 260], true],
    [{ before: 11, limit: 10 }, [1, 10], false],
    [{ before: 12, limit: 10 }, [2, 11], true],
    [{ before: 5 }, [1, 4], false],
    [{ before: 1 }, [1, 0], false],
    [{ before: 9999, limit: 3 }, [258, 260], true],
    [{ before: Number.MAX_SAFE_INTEGER, limit: 3 }, [258, 260], true],
    [{ after: 0, limit: 5 }, [1, 5], true],
    [{ after: 250, limit: 10 }, [251, 260], false],
    [{ after: 250, limit: 9 }, [251, 259], true],
    [{ after: 100 }, [101, 150], true],
    [{ after: 259 }, [260, 260], false],
    [{ after: 260 }, [1, 0], false],
    [{ after: 9999 }, [1, 0], false],
  ]
  for (const [fields, [from, to], more] of table) {
    for (const fold of [false, true]) {
      const r = await ada.ok({ op: 'history', room, fold, ...fields })
      const said = JSON.stringify({ ...fields, fold })
      assert.deepEqual(r.events.map((e) => e.seq), range(from, to), said)
      assert.equal(r.more, more, said)
      assert.deepEqual([r.head, r.epoch, r.first], [260, ada.join.epoch, 1], said)
    }
  }
})

test('around takes the seq itself and splits the limit between the sides', async () => {
  for (const fold of [false, true]) {
    for (const [around, limit] of [[130, 11], [130, 10], [130, 1], [130, 2], [1, 11], [260, 11], [3, 20], [258, 20], [130, 200]]) {
      const r = await ada.ok({ op: 'history', room, around, limit, fold })
      const seqs = r.events.map((e) => e.seq)
      const said = `around ${around} limit ${limit} fold ${fold}: ${seqs[0]}..${seqs.at(-1)}`
      assert.deepEqual(seqs, range(seqs[0], seqs.at(-1)), said)
      assert.ok(seqs.includes(around), said)
      assert.ok(seqs.length <= limit, said)
      const below = around - seqs[0], above = seqs.at(-1) - around
      assert.ok(below <= Math.ceil(limit / 2) || above === 260 - around, said)
      assert.ok(above <= Math.ceil(limit / 2) || below === around - 1, said)
      if (around > limit && around < 260 - limit) assert.ok(seqs.length === limit && Math.abs(below - above) <= 1, said)
      assert.equal(r.more, seqs[0] > 1 || seqs.at(-1) < 260, said)
    }
    const all = await ada.ok({ op: 'history', room: (await smallRoom(3)).room, around: 2, limit: 50, fold })
    assert.deepEqual([all.events.length, all.more], [3, false])
  }
})

async function smallRoom(n) {
  const small = fresh('small')
  await ada.ok({ op: 'join', room: small })
  for (let i = 0; i < n; i++) await ada.ok({ op: 'send', room: small, key: key(), text: `s${i}` })
  return { room: small }
}

test('an empty room has an empty history', async () => {
  const { room: empty } = await smallRoom(0)
  for (const fields of [{}, { before: 5 }, { after: 0 }, { fold: true }]) {
    const { re, ok, room: _, ...rest } = await ada.ok({ op: 'history', room: empty, ...fields })
    assert.deepEqual(rest, { events: [], head: 0, epoch: ada.join.epoch, first: 1, more: false })
  }
})

test('bounds that contradict each other and limits below 1 are bad requests', async () => {
  for (const fields of [{ before: 3, after: 1 }, { around: 3, after: 1 }, { before: 3, around: 1 }, { limit: 0 }, { limit: -1 }, { before: -1 }, { after: 1.5 }]) {
    await ada.refused({ op: 'history', room, ...fields }, 'bad_request')
  }
})

test('paging by after and by before gives the whole log once', async () => {
  let forward = [], after = 0, more = true
  while (more) {
    const r = await ada.ok({ op: 'history', room, after, limit: 37 })
    forward.push(...r.events.map((e) => e.seq))
    after = forward.at(-1)
    more = r.more
  }
  assert.deepEqual(forward, range(1, 260))
  let back = [], bound
  do {
    const r = await ada.ok({ op: 'history', room, before: bound, limit: 41 })
    back.unshift(...r.events.map((e) => e.seq))
    bound = back[0]
    more = r.more
  } while (more)
  assert.deepEqual(back, range(1, 260))
})

test('folded, messages come as they stand now', async () => {
  const [eve, bob] = await server.room(['Eve', 'Bob'])
  const { room: r } = eve.join
  const send = (who, text, o) => who.ok({ op: 'send', room: r, key: key(), text, ...o })
  const react = (who, target, emoji, on = true) => who.ok({ op: 'react', room: r, target, emoji, on, key: key() })
  const m1 = await send(eve, 'one')
  const m2 = await send(bob, 'two', { thread: 1, quote: 1, mentions: [eve.me.id] })
  const m3 = await send(eve, 'three')
  await eve.ok({ op: 'edit', room: r, target: 1, text: 'one!', key: key() })
  const last = await eve.ok({ op: 'edit', room: r, target: 1, text: 'one!!', key: key() })
  await react(eve, 1, '+')
  await react(bob, 1, '+')
  await react(bob, 1, '-')
  await react(bob, 2, 'x')
  await react(bob, 2, 'x', false)
  await react(bob, 3, '+')
  await eve.ok({ op: 'delete', room: r, target: 3, key: key() })
  const folded = await eve.ok({ op: 'history', room: r, fold: true })
  assert.equal(folded.head, 12)
  assert.equal(folded.more, false)
  const [one, two, three, ...rest] = folded.events
  assert.deepEqual(rest, [], 'messages alone')
  const { reactions, ...plain } = one
  assert.deepEqual(plain, { ev: 'message', room: r, seq: 1, ts: m1.ts, from: eve.me, text: 'one!!', edited: last.ts })
  assert.deepEqual(new Map(reactions.map((x) => [x.emoji, [x.count, x.me]])), new Map([['+', [2, true]], ['-', [1, false]]]))
  assert.deepEqual({ ...two, reactions: two.reactions ?? [] }, { ev: 'message', room: r, seq: 2, ts: m2.ts, from: bob.me, text: 'two', thread: 1, quote: 1, mentions: [eve.me.id], reactions: [] })
  assert.deepEqual([three.seq, three.ts, three.from, three.deleted, 'text' in three, three.edited], [3, m3.ts, eve.me, true, false, undefined])
  const asBob = await bob.ok({ op: 'history', room: r, fold: true })
  assert.deepEqual(new Map(asBob.events[0].reactions.map((x) => [x.emoji, x.me])), new Map([['+', true], ['-', true]]))
})

test('folded and plain, all is the same after a crash', async (t) => {
  const own = await Server.start(t)
  const [eve, bob] = await own.room(['Eve', 'Bob'], 'Kept')
  const write = (who, w) => who.ok({ room: 'kept', key: key(), ...w })
  await write(eve, { op: 'send', text: 'one' })
  await write(bob, { op: 'send', text: 'two', thread: 1, quote: 1, mentions: [eve.me.id] })
  await write(eve, { op: 'edit', target: 1, text: 'uno' })
  for (const who of [eve, bob]) await write(who, { op: 'react', target: 2, emoji: '+', on: true })
  await write(bob, { op: 'send', text: 'gone' })
  await write(bob, { op: 'delete', target: 6 })
  const state = async (peer) => {
    const list = []
    for (const r of [{ op: 'history', fold: true }, { op: 'history' }, { op: 'join' }]) {
      const { re, members, online, ...rest } = await peer.ok({ room: 'kept', ...r })
      list.push(rest)
    }
    return list
  }
  const before = await state(eve)
  for (const signal of ['SIGKILL', 'SIGTERM']) {
    await own.restart(signal)
    const again = await own.again(eve)
    await again.ok({ op: 'join', room: 'kept' })
    assert.deepEqual(await state(again), before)
    assert.equal((await write(again, { op: 'react', target: 2, emoji: '+', on: true })).seq, before[0].head + 1, 'the log goes on')
    before.splice(0, 3, ...(await state(again)))
  }
})

test('folded, limit and more count messages', async () => {
  const { room: r } = await smallRoom(4)
  for (let i = 0; i < 30; i++) await ada.ok({ op: 'react', room: r, target: 1 + (i % 4), emoji: `e${i}`, on: true, key: key() })
  await ada.ok({ op: 'send', room: r, key: key(), text: 'last' })
  const seqs = async (f) => {
    const h = await ada.ok({ op: 'history', room: r, fold: true, ...f })
    return [h.events.map((e) => e.seq), h.more]
  }
  assert.deepEqual(await seqs({ limit: 2 }), [[4, 35], true])
  assert.deepEqual(await seqs({ limit: 5 }), [[1, 2, 3, 4, 35], false])
  assert.deepEqual(await seqs({ before: 35, limit: 2 }), [[3, 4], true])
  assert.deepEqual(await seqs({ after: 4 }), [[35], false])
  assert.deepEqual(await seqs({ after: 1, limit: 2 }), [[2, 3], true])
  assert.deepEqual(await seqs({ around: 4, limit: 3 }), [[3, 4, 35], true])
})

test('a reply\'s events stop at 256 KiB, with at least one, and paging goes on from there', async () => {
  const { room: big } = await smallRoom(0)
  const n = 80
  const text = 'x'.repeat(8000)
  for (let i = 0; i < n; i++) await ada.ok({ op: 'send', room: big, key: key(), text })
  const size = (events) => Buffer.byteLength(JSON.stringify(events))
  const within256 = (events, said) => assert.ok(events.length >= 1 && events.length < n && size(events) <= 256 * 1024 + 8500, `${said}: ${events.length} events, ${size(events)} bytes`)
  let seen = [], more = true
  while (more) {
    const r = await ada.ok({ op: 'history', room: big, after: seen.at(-1) ?? 0, limit: 200 })
    within256(r.events, 'after')
    seen.push(...r.events.map((e) => e.seq))
    more = r.more
  }
  assert.deepEqual(seen, range(1, n))
  const newest = await ada.ok({ op: 'history', room: big, limit: 200 })
  within256(newest.events, 'newest')
  assert.deepEqual([newest.events.at(-1).seq, newest.more], [n, true])
  const folded = await ada.ok({ op: 'history', room: big, limit: 200, fold: true })
  within256(folded.events, 'folded')
  const around = await ada.ok({ op: 'history', room: big, around: 40, limit: 200 })
  within256(around.events, 'around')
  assert.ok(around.more && around.events.some((e) => e.seq === 40))
  const join = await ada.ok({ op: 'join', room: big, limit: 200 })
  within256(join.events, 'join')
  assert.deepEqual([join.state, join.events.at(-1).seq], ['partial', n])
  const resumed = await ada.ok({ op: 'join', room: big, limit: 200, since: 0, epoch: join.epoch })
  within256(resumed.events, 'resume')
  assert.deepEqual([resumed.state, resumed.events[0].seq], ['partial', 1])
})

test('a single event that is longer in JSON than any bound still comes', async () => {
  const { room: r } = await smallRoom(0)
  const text = '\u0001'.repeat(8000) // six bytes each in JSON
  for (let i = 0; i < 8; i++) await ada.ok({ op: 'send', room: r, key: key(), text })
  const h = await ada.ok({ op: 'history', room: r })
  assert.ok(h.events.length >= 1 && h.more)
  for (const e of h.events) assert.equal(e.text, text)
})
