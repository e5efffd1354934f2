// The clients: members who listen, and those of them who write as well.
import { Random } from './random.mjs'

/** A text that its key alone decides, most short, some over several pages of the database. */
function textOf(key) {
  const rng = new Random(key)
  const length = rng.chance(0.05) ? rng.int(1000, 6000) : rng.int(0, 200)
  return `${key} ${rng.int(10, 99).toString().repeat(length / 2)}`
}

export class Member {
  #visits = 0

  constructor({ name, rooms, ledger }) {
    Object.assign(this, { name, rooms, ledger })
  }

  /** Connect and join.  A name is tried once: a server that died may have kept it. */
  async attach(server) {
    const visit = `${this.name}#${++this.#visits}`
    this.peer = await server.user(this.name, this.token === undefined ? { name: visit } : { token: this.token })
    this.token = this.peer.token
    this.peer.onMessage = (m) => {
      if (m.ev === 'message') this.ledger.seen(visit, m)
    }
    await Promise.all(this.rooms.map(async (room) => {
      const { head } = await this.peer.ok({ op: 'join', room, limit: 1 })
      this.ledger.joined(visit, room, head)
    }))
  }
}

/** Writes to all its rooms at once, several messages on their way in each. */
export class Writer extends Member {
  constructor(fields) {
    super(fields)
    // unsure: numbers sent and not acknowledged, in their order.
    this.streams = this.rooms.map((room) => ({ id: `${this.name}.${room}`, room, next: 0, unsure: new Set() }))
  }

  /**
   * Until the link is dead or the round is closing.  What was not acknowledged goes first, again;
   * behind a refusal the round says whether there is an again.
   */
  async run(round) {
    await Promise.all(this.streams.map((stream) => this.#pump(stream, round)))
  }

  async #pump(stream, round) {
    const rng = round.random(stream.id)
    let again = [...stream.unsure]
    while (!round.closing) {
      const size = rng.int(1, 12)
      const old = again.splice(0, size)
      const fresh = Array.from({ length: size - old.length }, () => stream.next++)
      this.ledger.sent(fresh.map((n) => this.#message(stream, n)))
      const done = await Promise.all([...old, ...fresh].map((n) => this.#write(stream, n, round)))
      if (!done.includes(false)) continue
      if (this.peer.ended !== undefined || !(await round.mayGoOn())) return
      again = [...stream.unsure]
    }
  }

  #message(stream, n) {
    const key = `${stream.id}.${n}`
    return { room: stream.room, stream: stream.id, n, key, text: textOf(key) }
  }

  #request(stream, n) {
    const { room, key, text } = this.#message(stream, n)
    return this.peer.request({ op: 'send', room, key, text })
  }

  async #write(stream, n, round) {
    stream.unsure.add(n)
    round.outstanding++
    let reply
    try {
      reply = await this.#request(stream, n)
    } catch (err) {
      if (this.peer.ended === undefined) round.fail(err.message)
      return false
    } finally {
      round.outstanding--
    }
    if (!reply.ok) {
      this.ledger.refused(`${stream.id}.${n}`)
      round.onRefusal(reply)
      return false
    }
    this.ledger.acked(`${stream.id}.${n}`, reply.seq)
    stream.unsure.delete(n)
    round.onAck()
    return true
  }

  /** Everything under its old key: stored (by key, as history has it) keeps its seq.  Gives the count. */
  async resend(stored, fail) {
    let count = 0
    const again = async (stream, n) => {
      const key = `${stream.id}.${n}`
      const reply = await this.#request(stream, n)
      const seq = stored.get(key)
      count++
      if (!reply.ok) fail(`${key} was sent again and refused: ${JSON.stringify(reply.err)}`)
      else if (seq !== undefined && (reply.seq !== seq || reply.dup !== true)) {
        fail(`${key} is stored as ${seq}, and sent again it got ${JSON.stringify(reply)}`)
      } else this.ledger.acked(key, reply.seq)
      stream.unsure.delete(n)
    }
    for (const stream of this.streams) {
      for (let n = 0; n < stream.next; n += 100) {
        const some = Array.from({ length: Math.min(100, stream.next - n) }, (_, i) => n + i)
        await Promise.all(some.map((m) => again(stream, m)))
      }
    }
    return count
  }
}
