// Those who stay: they listen to their rooms, check what they are told, and write.
import { setTimeout as pause } from 'node:timers/promises'
import { Cursor } from './cursor.mjs'

const PATIENT_MS = 60000
const KEPT = 40

export class Member {
  returns = 0
  #serial = 0
  #unsure = null // a write that was not answered: it goes first, again
  #own = new Map() // room -> the last messages of their own

  constructor(soak, name, rooms) {
    Object.assign(this, { soak, name, rng: soak.random(name) })
    this.cursors = new Map(rooms.map((room) => [room, new Cursor(name, room, soak.fail)]))
    for (const room of rooms) this.#own.set(room, [])
  }

  async attach() {
    this.peer = await this.soak.server.user(this.name, { token: this.token })
    this.soak.server.forget(this.peer)
    this.token = this.peer.token
    this.peer.seen = this.peer.raw = this.peer.frames = { push() {}, slice: () => [] }
    this.peer.onMessage = (m) => {
      if (m.seq !== undefined && m.room !== undefined && m.ev !== 'read') this.cursors.get(m.room)?.take(m)
    }
    for (const cursor of this.cursors.values()) await cursor.join(this.peer, PATIENT_MS)
  }

  /** Until the soak is over; a link that dies is taken up again, and what was unanswered is sent again. */
  async run() {
    while (!this.soak.isOver) {
      await pause(this.rng.int(...this.soak.pace))
      try {
        await this.#act()
      } catch (err) {
        if (this.peer.ended === undefined) return this.soak.fail(`${this.name}: ${err.stack}`)
        await this.#comeBack()
      }
    }
    for (let tries = 0; this.#unsure !== null && tries < 10; tries++) {
      await this.#write(this.#unsure).catch(() => this.#comeBack())
    }
    if (this.#unsure !== null) this.soak.fail(`${this.name}: ${this.#unsure.key} was never answered`)
    return undefined
  }

  async #comeBack() {
    this.returns++
    for (let tries = 0; ; tries++) {
      try {
        return await this.attach()
      } catch (err) {
        if (tries === 20) return this.soak.fail(`${this.name} cannot come back: ${err.stack}`)
        await pause(200)
      }
    }
  }

  async #act() {
    if (this.#unsure !== null) return this.#write(this.#unsure)
    const room = this.rng.pick([...this.cursors.keys()])
    const seq = this.cursors.get(room).seq
    const p = this.rng.next()
    const own = this.#own.get(room)
    if (p < 0.6) return this.#write({ op: 'send', room, text: this.#text() })
    if (p < 0.68 && own.length > 0) return this.#write({ op: 'edit', room, target: this.rng.pick(own), text: this.#text() })
    if (p < 0.73 && own.length > 10) return this.#write({ op: 'delete', room, target: own.splice(this.rng.int(0, 5), 1)[0] })
    if (p < 0.83 && own.length > 0) return this.#write({ op: 'react', room, target: this.rng.pick(own), emoji: this.rng.pick(['+', '-', '!']), on: this.rng.chance(0.7) })
    if (p < 0.89) return this.#history(room, seq)
    if (p < 0.93) return this.peer.ok({ op: 'read', room, seq }, PATIENT_MS)
    if (p < 0.97) return this.peer.ok({ op: 'typing', room }, PATIENT_MS)
    if (p < 0.985) return this.peer.ok({ op: 'rooms', query: 'soak' }, PATIENT_MS)
    return this.peer.drop()
  }

  #text() {
    const length = this.rng.chance(0.05) ? this.rng.int(500, 5000) : this.rng.int(0, 200)
    return `KEY ${'x'.repeat(length)}`
  }

  async #write(write) {
    const ledger = this.soak.ledger(write.room)
    if (write.key === undefined) {
      write.key = `${this.name}.${this.#serial++}`
      write.text = write.text?.replace('KEY', write.key)
      ledger.sent(write.op, write.key, write)
    }
    this.#unsure = write
    const reply = await this.peer.request(write, PATIENT_MS)
    this.#unsure = null
    if (reply.ok) {
      ledger.acknowledged(write.key, reply.seq)
      const own = this.#own.get(write.room)
      if (write.op === 'send') own.push(reply.seq)
      if (own.length > KEPT) own.shift()
    } else if (reply.err.retry_ms !== undefined) {
      this.#unsure = write
      await pause(reply.err.retry_ms)
    } else {
      this.soak.fail(`${this.name}: ${JSON.stringify(write).slice(0, 200)} got ${JSON.stringify(reply.err)}`)
    }
  }

  async #history(room, seq) {
    const where = this.rng.pick([{}, { before: this.rng.int(1, seq + 1) }, { after: this.rng.int(0, seq) }, { around: this.rng.int(1, seq + 1) }])
    const { events } = await this.peer.ok({ op: 'history', room, limit: this.rng.int(1, 100), fold: this.rng.chance(0.3), ...where }, PATIENT_MS)
    for (let i = 1; i < events.length; i++) {
      if (events[i].seq <= events[i - 1].seq) this.soak.fail(`${room}: history gave ${events[i].seq} behind ${events[i - 1].seq}`)
    }
  }
}
