// Some rooms with their writers, a listener and a ledger, over a number of deaths.
//
// Eras bound the work: after each death the whole history of the era's rooms is read and checked
// against the whole ledger of the era.
import { createHash } from 'node:crypto'
import path from 'node:path'
import { wholeLog } from '../../protocol/lib/log.mjs'
import { check } from './check.mjs'
import { Count } from './count.mjs'
import { keysOf } from './events.mjs'
import { Ledger } from './ledger.mjs'
import { Member, Writer } from './member.mjs'

const WRITERS = 4

export const digest = (log) => createHash('sha256').update(JSON.stringify(log)).digest('hex')

export class Era {
  #ledger
  #listener
  #stored = new Map()

  constructor({ name, dir }) {
    this.rooms = ['a', 'b', 'c'].map((room) => `${name}-${room}`)
    this.#ledger = new Ledger(path.join(dir, `${name}.ledger`))
    const ledger = this.#ledger
    this.#listener = new Member({ name: `${name}l`, rooms: this.rooms, ledger })
    this.writers = Array.from({ length: WRITERS }, (_, i) => new Writer({
      name: `${name}w${i}`, ledger, rooms: [this.rooms[i % 3], this.rooms[(i + 1) % 3]],
    }))
  }

  async attach(server) {
    await Promise.all([this.#listener, ...this.writers].map((member) => member.attach(server)))
  }

  /** Read all history, as a log and folded, and give all that is wrong with it. */
  async look({ complete = false } = {}) {
    const stored = new Map(), folded = new Map()
    for (const room of this.rooms) {
      stored.set(room, await wholeLog(this.#listener.peer, room))
      const { peer } = this.writers.find((writer) => writer.rooms.includes(room))
      folded.set(room, { me: peer.me.id, ...(await wholeLog(peer, room, { fold: true })) })
    }
    const wrong = check({ ...this.#ledger.read(), stored, folded, before: this.#stored, complete })
    this.#stored = stored
    return wrong
  }

  /** Everything again under its old key; gives the count of what that must leave stored. */
  async resend(fail) {
    const stored = this.#stored, seqs = new Map()
    for (const [room, keys] of keysOf({ ...this.#ledger.read(), stored })) {
      for (const [i, key] of keys.entries()) seqs.set(key, stored.get(room).events[i].seq)
    }
    const counts = await Promise.all(this.writers.map((writer) => writer.resend(seqs, fail)))
    return counts.reduce((a, b) => a + b)
  }

  /** What was read last: its events counted by kinds, and a digest of each room's log. */
  close() {
    this.#ledger.close()
    const stored = new Count()
    for (const { events } of this.#stored.values()) for (const { ev } of events) stored.note(ev)
    return { stored, digests: new Map([...this.#stored].map(([room, log]) => [room, digest(log)])) }
  }
}
