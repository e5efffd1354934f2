// What one member was told of a room: every event once, in order.

export class Cursor {
  #held = null // live events, while older ones are fetched

  constructor(who, room, fail) {
    Object.assign(this, { who, room, fail })
  }

  take(event) {
    if (this.#held !== null) return this.#held.push(event)
    if (event.seq !== this.seq + 1) this.fail(`${this.who} was told ${event.seq} of ${this.room} behind ${this.seq}`)
    this.seq = event.seq
    return this.taken(event)
  }

  /** The cursor has moved to this event. */
  taken() {}

  /** Join on `peer`, and be told what came since the last time. */
  async join(peer, ms) {
    this.#held = []
    const since = this.seq === undefined ? {} : { since: this.seq, epoch: this.epoch }
    const reply = await peer.ok({ op: 'join', room: this.room, limit: 50, ...since }, ms)
    if (reply.state === 'reset') this.fail(`${this.who} was told to forget ${this.room} at ${this.seq} of ${reply.head}`)
    const live = this.#held
    this.#held = null
    if (this.seq === undefined) this.seq = reply.head
    else for (const event of reply.events) this.take(event)
    this.epoch = reply.epoch
    this.#held = live
    await this.#page(peer, reply.head, ms)
    this.#held = null
    for (const event of live) this.take(event)
    return reply
  }

  async #page(peer, head, ms) {
    const live = this.#held
    while (this.seq < head) {
      const { events } = await peer.ok({ op: 'history', room: this.room, after: this.seq, limit: 200 }, ms)
      this.#held = null
      // What is above the head comes, or came, by itself.
      for (const event of events) if (event.seq <= head) this.take(event)
      this.#held = live
      if (events.length === 0) return this.fail(`${this.who} found no events of ${this.room} above ${this.seq} of ${head}`)
    }
    return undefined
  }
}
