// Resuming: no gap, no repeat, whatever happens meanwhile.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Server, sharedServer } from './lib/server.mjs'
import { deferred, fresh, load, within } from './lib/wait.mjs'

const server = sharedServer({ args: ['--no-limits', '--workers', '4'] })
const range = (from, to) => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)

test('the state tells what the events are', async () => {
  const [ada] = await server.room(['Ada'])
  const { room, epoch } = ada.join
  for (let i = 1; i <= 60; i++) await ada.ok({ op: 'send', room, key: fresh('k'), text: `m${i}` })
  const newest = (n) => [61 - n, 60]
  const table = [
    [{ since: 60, epoch }, 'complete', [1, 0]],
    [{ since: 59, epoch }, 'complete', [60, 60]],
    [{ since: 10, epoch }, 'complete', [11, 60]],
    [{ since: 9, epoch }, 'partial', [10, 59]],
    [{ since: 0, epoch }, 'partial', [1, 50]],
    [{ since: 0, epoch, limit: 60 }, 'complete', [1, 60]],
    [{ since: 0, epoch, limit: 59 }, 'partial', [1, 59]],
    [{ since: 58, epoch, limit: 1 }, 'partial', [59, 59]],
    [{ since: 61, epoch }, 'reset', newest(50)],
    [{ since: Number.MAX_SAFE_INTEGER, epoch, limit: 3 }, 'reset', newest(3)],
    [{ since: 10 }, 'reset', newest(50)],
    [{ since: 10, epoch: 'another' }, 'reset', newest(50)],
    [{ since: 10, epoch: epoch + 'x', limit: 5 }, 'reset', newest(5)],
    [{ since: 10, epoch: '' }, 'reset', newest(50)],
    [{ epoch }, 'partial', newest(50)],
    [{ epoch: 'another', limit: 60 }, 'complete', [1, 60]],
    [{ limit: 59 }, 'partial', [2, 60]],
  ]
  for (const [fields, state, [from, to]] of table) {
    const r = await ada.ok({ op: 'join', room, ...fields })
    assert.equal(r.state, state, JSON.stringify(fields))
    assert.deepEqual(r.events.map((e) => e.seq), range(from, to), JSON.stringify(fields))
    assert.deepEqual([r.head, r.epoch, r.first], [60, epoch, 1])
  }
})

test('edits, deletions and reactions missed come by resuming as well', async () => {
  const [ada, bob] = await server.room()
  const { room, epoch } = ada.join
  await ada.ok({ op: 'send', room, key: fresh('k'), text: 'one' })
  await bob.drop()
  await ada.ok({ op: 'edit', room, target: 1, text: 'two', key: fresh('k') })
  await ada.ok({ op: 'react', room, target: 1, emoji: '+', on: true, key: fresh('k') })
  await ada.ok({ op: 'delete', room, target: 1, key: fresh('k') })
  const again = await server.again(bob)
  const r = await again.ok({ op: 'join', room, since: 1, epoch })
  assert.deepEqual([r.state, r.events.map((e) => e.ev)], ['complete', ['edit', 'react', 'delete']])
})

/** Senders that write without pause until stopped; `stop()` gives how many were acknowledged. */
async function traffic(s, room, senders = 2) {
  const peers = []
  for (let i = 0; i < senders; i++) {
    const p = await s.user('Busy')
    await p.ok({ op: 'join', room })
    p.onMessage = () => {}
    peers.push(p)
  }
  let on = true, n = 0
  const pump = async (p) => {
    while (on) {
      await Promise.all(Array.from({ length: 4 }, () => p.ok({ op: 'send', room, key: fresh('k'), text: `t${n}` })))
      n += 4
    }
  }
  const done = Promise.all(peers.map(pump))
  return { stop: async () => ((on = false), await done, n) }
}

/** Follow a room: the join's reply and the live events must be one rising run without a hole. */
async function follow(peer, room, fields, wanted) {
  const enough = deferred()
  const before = peer.seen.length
  let reply, live = 0
  peer.onMessage = (m) => {
    if (reply !== undefined && m.seq !== undefined && ++live >= wanted) enough.resolve()
  }
  reply = await peer.ok({ op: 'join', room, ...fields })
  await within(enough.promise, `${wanted} live events`)
  const mine = peer.seen.slice(before).filter((m) => m.re === reply.re || m.seq !== undefined)
  const at = mine.findIndex((m) => m.re === reply.re)
  const seqs = mine.slice(at + 1).map((m) => m.seq)
  assert.deepEqual(seqs, range(reply.head + 1, reply.head + seqs.length), `live events go on above head ${reply.head}`)
  const caught = reply.events.map((e) => e.seq)
  if (caught.length > 0) assert.deepEqual(caught, range(caught[0], reply.head), 'the newest events reach up to head')
  return { reply, before: at }
}

test('joins during full traffic have no gap and no repeat', async () => {
  const room = fresh('rush')
  const flow = await traffic(server, room, 3)
  await Promise.all(Array.from({ length: 6 }, async () => {
    for (let i = 0; i < load(12); i++) {
      const p = await server.user('Joiner')
      const { before } = await follow(p, room, {}, 20)
      assert.equal(before, 0, 'no live event before the reply')
      await p.drop()
    }
  }))
  assert.ok((await flow.stop()) > 0)
})

test('a join that has to read the database under traffic has no gap and no repeat either', async () => {
  const room = fresh('deep')
  const flow = await traffic(server, room, 3)
  const first = await server.user('First')
  const { epoch } = await first.ok({ op: 'join', room })
  while ((await first.ok({ op: 'join', room, limit: 1 })).head < load(1500)) await first.settle()
  await first.close()
  await Promise.all(Array.from({ length: 4 }, async () => {
    for (let i = 0; i < load(15); i++) {
      const p = await server.user('Deep')
      const enough = deferred()
      let live = 0
      p.onMessage = (m) => m.ev === 'message' && ++live === 20 && enough.resolve()
      const r = await p.ok({ op: 'join', room, since: i, epoch, limit: 200 })
      assert.deepEqual([r.state, r.events.map((e) => e.seq)], ['partial', range(i + 1, i + 200)])
      await within(enough.promise, '20 live events')
      assert.deepEqual(p.seen.filter((m) => m.ev === 'message').map((m) => m.seq).slice(0, 20), range(r.head + 1, r.head + 20))
      assert.ok(p.seen.findIndex((m) => m.re === r.re) < p.seen.findIndex((m) => m.ev === 'message'))
      await p.drop()
    }
  }))
  await flow.stop()
})

test('rejoining and leaving on one connection under traffic never skips or repeats above the reply', async () => {
  const room = fresh('rejoin')
  const flow = await traffic(server, room)
  const p = await server.user('Rejoiner')
  for (let i = 0; i < load(30); i++) {
    await follow(p, room, { limit: 5 }, 5)
    if (i % 3 === 0) await p.ok({ op: 'leave', room })
  }
  await flow.stop()
})

test('a client that resumes again and again has the whole log, each event once', async () => {
  const room = fresh('resumer')
  const flow = await traffic(server, room)
  const me = await server.user('Resumer')
  const first = await me.ok({ op: 'join', room, limit: 200 })
  const { epoch } = first
  let have = first.head
  await me.drop()
  for (let i = 0; i < load(25); i++) {
    const p = await server.again(me)
    p.onMessage = (m) => {
      if (m.ev === undefined || m.seq === undefined) return
      pending.push(m.seq)
    }
    const pending = []
    const r = await p.ok({ op: 'join', room, since: have, epoch, limit: 3 })
    assert.notEqual(r.state, 'reset')
    let events = r.events.map((e) => e.seq), upto = events.at(-1) ?? have
    while (upto < r.head) {
      const h = await p.ok({ op: 'history', room, after: upto, limit: 200 })
      events.push(...h.events.map((e) => e.seq).filter((s) => s <= r.head))
      upto = h.events.at(-1).seq
    }
    assert.deepEqual(events, range(have + 1, r.head))
    await p.settle()
    assert.deepEqual(pending, range(r.head + 1, r.head + pending.length))
    have = r.head + pending.length
    await p.drop()
  }
  await flow.stop()
})

test('a storm of resumes is served, each whole', async () => {
  const room = fresh('storm')
  const peers = await Promise.all(Array.from({ length: load(80) }, () => server.user('Stormy')))
  for (const p of peers) p.join = await p.ok({ op: 'join', room })
  await Promise.all(peers.map((p) => p.drop()))
  const writer = await server.user('Writer')
  await writer.ok({ op: 'join', room })
  for (let i = 0; i < 40; i++) await writer.ok({ op: 'send', room, key: fresh('k'), text: `s${i}` })
  await Promise.all(peers.map(async (old) => {
    const p = await server.again(old)
    const r = await p.ok({ op: 'join', room, since: 0, epoch: old.join.epoch }, 20000)
    assert.deepEqual([r.state, r.events.map((e) => e.seq)], ['complete', range(1, 40)])
  }))
})

test('what was seen before a crash fits what comes after it', async (t) => {
  const own = await Server.start(t)
  const [ada, bob] = await own.room(['Ada', 'Bob'], 'crash')
  const { epoch } = ada.join
  const write = (p, i) => p.ok({ op: 'send', room: 'crash', key: `k${i}`, text: `m${i}` })
  for (let i = 1; i <= 10; i++) await write(ada, i)
  await bob.event({ ev: 'message', seq: 10 })
  await own.restart('SIGKILL')
  const [a, b] = [await own.again(ada), await own.again(bob)]
  await a.ok({ op: 'join', room: 'crash', since: 10, epoch })
  for (let i = 11; i <= 15; i++) await write(a, i)
  const r = await b.ok({ op: 'join', room: 'crash', since: 10, epoch })
  assert.deepEqual([r.state, r.epoch, r.events.map((e) => e.text)], ['complete', epoch, range(11, 15).map((i) => `m${i}`)])
})
