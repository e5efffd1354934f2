// What the clients know, in a file of their own: sent, acknowledged, seen as members.
//
// What is about to be sent is on the disk before it goes out, so that nothing can be stored that the
// ledger does not know of.  Everything else is on the disk before it is checked.
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'

export class Ledger {
  #file
  #fd
  #lines = []

  constructor(file) {
    this.#file = file
    this.#fd = openSync(file, 'ax')
  }

  #note(...fields) {
    this.#lines.push(`${JSON.stringify(fields)}\n`)
  }

  /** `writes` ({key, room, stream, n, op, and its fields}) are about to be sent. */
  sent(writes) {
    for (const { key, ...write } of writes) this.#note('sent', key, write)
    this.sync()
  }

  acked(key, seq) {
    this.#note('acked', key, seq)
  }

  /** It was refused, and will be tried again. */
  refused(key) {
    this.#note('refused', key)
  }

  /** It was refused for good, since the message that it is about was deleted. */
  missed(key) {
    this.#note('missed', key)
  }

  /** `visit` names one connection: it joined the room, whose head was this. */
  joined(visit, room, head) {
    this.#note('joined', visit, room, head)
  }

  /** It was sent this event. */
  seen(visit, event) {
    this.#note('seen', visit, event)
  }

  sync() {
    if (this.#lines.length === 0) return
    writeSync(this.#fd, this.#lines.join(''))
    this.#lines = []
    fdatasyncSync(this.#fd)
  }

  /** All of it, as the file has it; see check.mjs. */
  read() {
    this.sync()
    const sent = new Map(), acked = [], visits = new Map()
    const visitOf = (visit, room) => {
      const id = `${visit} ${room}`
      if (!visits.has(id)) visits.set(id, { visit, room, events: [] })
      return visits.get(id)
    }
    const take = {
      sent: (key, write) => sent.set(key, write),
      refused: (key) => (sent.get(key).late = true),
      missed: (key) => (sent.get(key).missed = true),
      acked: (key, seq) => acked.push({ key, seq }),
      joined: (visit, room, head) => (visitOf(visit, room).head = head),
      seen: (visit, event) => visitOf(visit, event.room).events.push(event),
    }
    for (const line of readFileSync(this.#file, 'utf8').split('\n')) {
      if (line === '') continue
      const [what, ...fields] = JSON.parse(line)
      take[what](...fields)
    }
    return { sent, acked, visits: [...visits.values()] }
  }

  close() {
    this.sync()
    closeSync(this.#fd)
  }
}
