// Senders that keep what they wrote until it is acknowledged, whatever becomes of the server.
import assert from 'node:assert/strict'
import { wholeLog } from './log.mjs'

/** One sender: an outbox that resends what was not acknowledged, in order, as a client would. */
export class Sender {
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

/** Each sender's room holds all that was acknowledged and sent, each message once, with no hole. */
export async function checkLogs(senders) {
  for (const room of new Set(senders.map((s) => s.room))) {
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
}
