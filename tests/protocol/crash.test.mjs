// SIGKILL under load: every acknowledged message is there once, in order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wholeLog } from './lib/log.mjs'
import { Server } from './lib/server.mjs'
import { load } from './lib/wait.mjs'

const SENDERS = 4
const ROOMS = ['crash-a', 'crash-b']

/** One sender: an outbox that resends what was not acknowledged, in order, as a client would. */
class Sender {
  acked = new Map() // text -> {seq, ts}
  next = 0
  unsure = [] // sent, not acknowledged

  constructor(name, room) {
    Object.assign(this, { name, room })
  }

  async attach(server) {
    this.peer = await server.user(this.name, this.token ? { token: this.token } : { name: this.name })
    this.token = this.peer.token
    this.peer.onMessage = () => {}
    await this.peer.ok({ op: 'join', room: this.room, limit: 1 })
  }

  async write(n) {
    const text = `${this.name}:${n}`
    const { seq, ts } = await this.peer.ok({ op: 'send', room: this.room, key: `${this.name}-${n}`, text })
    const before = this.acked.get(text)
    if (before !== undefined) assert.deepEqual({ seq, ts }, before)
    this.acked.set(text, { seq, ts })
  }

  /** Write until the link dies. */
  async run(onAck) {
    const resend = this.unsure
    this.unsure = []
    try {
      for (;;) {
        const batch = []
        while (batch.length < 4) batch.push(resend.shift() ?? this.next++)
        const done = batch.map((n) => this.write(n).then(onAck, () => this.unsure.push(n)))
        await Promise.all(done)
        if (this.unsure.length > 0) break
      }
    } finally {
      this.unsure = [...this.unsure, ...resend].sort((a, b) => a - b)
    }
  }
}

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

  for (const room of ROOMS) {
    const own = senders.filter((s) => s.room === room)
    const { events, head } = await wholeLog(own[0].peer, room)
    assert.deepEqual(events.map((e) => e.seq), Array.from({ length: head }, (_, i) => i + 1), 'no hole')
    const bySeq = new Map(events.map((e) => [e.text, e]))
    assert.equal(bySeq.size, events.length, 'no message twice')
    for (const s of own) {
      for (const [text, { seq, ts }] of s.acked) assert.deepEqual([bySeq.get(text)?.seq, bySeq.get(text)?.ts], [seq, ts], text)
      assert.equal(events.filter((e) => e.text.startsWith(`${s.name}:`)).length, s.next, 'everything sent is there once')
    }
    assert.equal(head, own.reduce((sum, s) => sum + s.next, 0))
  }
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
