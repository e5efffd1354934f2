// The clients: members who listen, and those of them who write as well.
import { isLogged } from './events.mjs'
import { Stream } from './stream.mjs'

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
      if (!isLogged(m)) return
      this.ledger.seen(visit, m)
      this.onEvent(m)
    }
    await Promise.all(this.rooms.map(async (room) => {
      const { head } = await this.peer.ok({ op: 'join', room, limit: 1 })
      this.ledger.joined(visit, room, head)
    }))
  }

  onEvent() {}
}

/** Writes to all its rooms at once, several writes on their way in each. */
export class Writer extends Member {
  constructor(fields) {
    super(fields)
    this.streams = this.rooms.map((room) => new Stream(this.name, room))
  }

  onEvent(event) {
    this.streams.find((stream) => stream.room === event.room).heard(event, this.peer.me.id)
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
      const fresh = Array.from({ length: size - old.length }, () => stream.compose(rng))
      this.ledger.sent(fresh.map((n) => ({ key: stream.keyOf(n), stream: stream.id, n, ...stream.writes[n] })))
      const done = await Promise.all([...old, ...fresh].map((n) => this.#write(stream, n, round)))
      if (!done.includes(false)) continue
      if (this.peer.ended !== undefined || !(await round.mayGoOn())) return
      again = [...stream.unsure]
    }
  }

  #request(stream, n) {
    return this.peer.request({ key: stream.keyOf(n), ...stream.writes[n] })
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
    if (!reply.ok && !this.#isMissed(stream, n, reply)) {
      this.ledger.refused(stream.keyOf(n))
      round.onRefusal(reply)
      return false
    }
    this.#take(stream, n, reply)
    round.onAnswer(reply)
    return true
  }

  /** Whether it was a reaction to a message that was deleted meanwhile. */
  #isMissed(stream, n, { err }) {
    return err.code === 'not_found' && stream.writes[n].op === 'react'
  }

  #take(stream, n, reply) {
    if (reply.ok) this.ledger.acked(stream.keyOf(n), reply.seq)
    else this.ledger.missed(stream.keyOf(n))
    if (reply.ok) stream.acknowledged(n, reply.seq)
    else stream.unsure.delete(n)
  }

  /**
   * Everything under its old key: stored (key to seq, as history has it) keeps its seq.  Gives the
   * count of what has one then.
   */
  async resend(stored, fail) {
    let count = 0
    const again = async (stream, n) => {
      const key = stream.keyOf(n)
      const reply = await this.#request(stream, n)
      const seq = stored.get(key)
      if (!reply.ok && !(seq === undefined && this.#isMissed(stream, n, reply))) {
        fail(`${key} was sent again and refused: ${JSON.stringify(reply.err)}`)
      } else if (seq !== undefined && (reply.seq !== seq || reply.dup !== true)) {
        fail(`${key} is stored as ${seq}, and sent again it got ${JSON.stringify(reply)}`)
      } else this.#take(stream, n, reply)
      count += reply.ok
    }
    for (const stream of this.streams) {
      for (let n = 0; n < stream.writes.length; n += 100) {
        const some = Array.from({ length: Math.min(100, stream.writes.length - n) }, (_, i) => n + i)
        await Promise.all(some.map((m) => again(stream, m)))
      }
    }
    return count
  }
}
