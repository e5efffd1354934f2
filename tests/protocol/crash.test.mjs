// SIGKILL under load: every acknowledged message is there once, in order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wholeLog } from './lib/log.mjs'
import { Sender, checkLogs } from './lib/sender.mjs'
import { Server } from './lib/server.mjs'
import { load } from './lib/wait.mjs'

const SENDERS = 4
const ROOMS = ['crash-a', 'crash-b']

test('thirty kills under load lose and repeat nothing that was acknowledged', async (t) => {
  const server = await Server.start(t)
  const senders = Array.from({ length: SENDERS }, (_, i) => new Sender(`s${i}`, ROOMS[i % 2]))
  const rounds = 30
  const perRound = load(60)
  for (let round = 0; round < rounds; round++) {
    await Promise.all(senders.map((s) => s.attach(server)))
    let acks = 0, kill
    const enough = new Promise((resolve) => (kill = resolve))
    const onAck = () => {
      if (++acks === perRound + round) kill() // another moment each time
    }
    const running = Promise.all(senders.map((s) => s.run(onAck)))
    await enough
    await server.restart('SIGKILL')
    await running
  }
  await Promise.all(senders.map((s) => s.attach(server)))
  for (const s of senders) for (const n of s.unsure.splice(0)) await s.write(n)

  await checkLogs(senders)
  t.diagnostic(`${senders.reduce((sum, s) => sum + s.acked.size, 0)} messages over ${rounds} kills`)
})

test('a kill in the middle of edits, deletions and reactions leaves each done or not done', async (t) => {
  const server = await Server.start(t)
  const ada = await server.user()
  const acked = []
  let n = 0
  for (let round = 0; round < 5; round++) {
    const p = await server.again(ada)
    await p.ok({ op: 'join', room: 'mixed' })
    const { seq } = await p.ok({ op: 'send', room: 'mixed', key: `m${round}`, text: 'x' })
    const writes = []
    for (let i = 0; i < load(40); i++) {
      const key = `k${n++}`
      const w = i % 2 ? { op: 'edit', target: seq, text: `v${i}` } : { op: 'react', target: seq, emoji: `e${i}`, on: true }
      writes.push(p.ok({ room: 'mixed', key, ...w }).then((r) => acked.push({ key, seq: r.seq }), () => {}))
    }
    writes.push(p.ok({ op: 'delete', room: 'mixed', target: seq, key: `d${round}` }).then((r) => acked.push({ seq: r.seq }), () => {}))
    await Promise.race(writes)
    await server.restart('SIGKILL')
    await Promise.all(writes)
  }
  const p = await server.again(ada)
  await p.ok({ op: 'join', room: 'mixed' })
  const { events, head } = await wholeLog(p, 'mixed')
  assert.deepEqual(events.map((e) => e.seq), Array.from({ length: head }, (_, i) => i + 1))
  for (const a of acked) assert.ok(a.seq <= head)
  assert.equal(new Set(acked.map((a) => a.seq)).size, acked.length)
})
