// One of many clients: it is in some rooms, comes back by itself as the web client does, and knows
// whether it was told everything.
import { setTimeout as pause } from 'node:timers/promises'
import { SLOW } from '../../protocol/lib/wait.mjs'
import { Cursor } from '../../soak/lib/cursor.mjs'
import { Link } from './link.mjs'

// As the web client has it (client-vue/src/protocol: backoff.ts, connection.ts).
const BASE_MS = 500
const CAP_MS = 30_000
const OPEN_MS = 15_000
/** A link that held this long was a good one: the next wait is short again. */
export const STEADY_MS = 10_000

const ADDRESSES = 20
const PACE_MS = [200, 800]

/** One number for a stretch of a log that begins with its first event. */
export function mix(hash, { seq, text, from }) {
  const said = `${seq} ${from.id} ${text}`
  for (let i = 0; i < said.length; i++) hash = Math.imul(hash ^ said.charCodeAt(i), 16777619)
  return hash
}

class Told extends Cursor {
  hash = 0

  constructor(who, room, { fail, onTold }) {
    super(who, room, fail)
    this.onTold = onTold
  }

  taken(event) {
    this.hash = mix(this.hash, event)
    this.onTold(this)
  }
}

export class Client {
  acked = []  // [{key, seq}] of what it wrote
  wrote = 0
  #attempt = 0
  #unsure = null

  /** `writes` names the room that it writes to, if to any. */
  constructor(swarm, i, rooms, writes) {
    this.name = `client${i}`
    Object.assign(this, { swarm, writes, rng: swarm.random(this.name), localAddress: `127.0.0.${2 + (i % ADDRESSES)}` })
    this.cursors = new Map(rooms.map((room) => [room, new Told(this.name, room, swarm)]))
  }

  /** Until the swarm is over: connect, resume, and when the link is lost again. */
  async run() {
    while (!this.swarm.isOver) {
      let readyAt
      const err = await this.#visit(() => (readyAt = performance.now()))
      this.swarm.onLost(this, err)
      if (this.swarm.isOver) return
      if (readyAt !== undefined && performance.now() - readyAt >= STEADY_MS) this.#attempt = 0
      const bound = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(this.#attempt++, 10))
      await pause(Math.max(err.retryMs ?? 0, Math.round(this.rng.next() * bound)))
    }
  }

  /** One link, from its beginning to its end; gives why it ended. */
  async #visit(onReady) {
    const { host, port } = this.swarm.server
    const link = (this.link = new Link({ host, port, localAddress: this.localAddress, onEvent: (m) => this.#onEvent(m) }))
    const timer = setTimeout(() => link.drop('late'), OPEN_MS * SLOW)
    try {
      await link.opened
      await this.#resume(link)
      clearTimeout(timer)
      onReady()
      this.swarm.onReady(this)
      if (this.writes !== undefined) await this.#write(link)
      return await link.ended
    } catch (err) {
      return err
    } finally {
      clearTimeout(timer)
      link.drop()
    }
  }

  /** In one breath, without waiting for the first reply. */
  async #resume(link) {
    const hello = link.ok({ op: 'hello', ...(this.token === undefined ? { name: this.name } : { token: this.token }) })
    const joins = [...this.cursors.values()].map((cursor) => cursor.join(link))
    const [{ token }] = await Promise.all([hello, ...joins])
    this.token = token ?? this.token
  }

  #onEvent(event) {
    if (event.seq !== undefined && event.ev === 'message') this.cursors.get(event.room)?.take(event)
  }

  /** One after the other; what was not acknowledged goes first, under its old key. */
  async #write(link) {
    await Promise.race([this.swarm.begun, link.ended])
    while (!this.swarm.isClosing || this.#unsure !== null) {
      this.#unsure ??= `${this.name}.${this.wrote++}`
      const { seq } = await link.ok({ op: 'send', room: this.writes, key: this.#unsure, text: `${this.#unsure} ${'x'.repeat(40)}` })
      this.acked.push({ key: this.#unsure, seq })
      this.#unsure = null
      this.swarm.onAck()
      await Promise.race([link.ended, this.swarm.closing, pause(this.rng.int(...PACE_MS))])
    }
    this.swarm.onDone(this)
  }
}
