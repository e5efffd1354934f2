// One writer's writes to one room: what it makes up, and what it knows of each.
import { Random } from './random.mjs'

const EMOJI = ['👍', '🎉', '-', 'no']
const KEPT = 30

/** A text that its key alone decides, most short, some over several pages of the database. */
function textOf(key) {
  const rng = new Random(key)
  const length = rng.chance(0.05) ? rng.int(1000, 6000) : rng.int(0, 200)
  return `${key} ${rng.int(10, 99).toString().repeat(length / 2)}`
}

/** The newest at the end; the oldest go. */
function keep(list, item) {
  list.push(item)
  if (list.length > KEPT) list.shift()
}

export class Stream {
  writes = []         // by their numbers
  unsure = new Set()  // numbers sent and not answered, in their order
  #own = []           // {seq, edits}: its messages, and how many edits of each are unsure
  #others = []        // seqs of other writers' messages
  #said = new Set()   // the reactions, so that no two look alike in the log

  constructor(writer, room) {
    Object.assign(this, { id: `${writer}.${room}`, room })
  }

  keyOf(n) {
    return `${this.id}.${n}`
  }

  /** Make one up; gives its number. */
  compose(rng) {
    const n = this.writes.length
    const fields = this.#pick(rng, rng.next()) ?? { op: 'send' }
    const text = fields.op === 'send' || fields.op === 'edit' ? { text: textOf(this.keyOf(n)) } : {}
    this.writes.push({ room: this.room, ...fields, ...text })
    return n
  }

  #pick(rng, p) {
    if (p < 0.6) return undefined
    if (p < 0.73) return this.#edit(rng)
    if (p < 0.8) return this.#delete(rng)
    return this.#react(rng)
  }

  #edit(rng) {
    if (this.#own.length === 0) return undefined
    const message = rng.pick(this.#own)
    message.edits++
    return { op: 'edit', target: message.seq }
  }

  /** An edit that is not acknowledged would not be known in the log once its text is gone. */
  #delete(rng) {
    const ripe = this.#own.filter((message) => message.edits === 0)
    if (ripe.length === 0) return undefined
    const message = rng.pick(ripe)
    this.#own.splice(this.#own.indexOf(message), 1)
    return { op: 'delete', target: message.seq }
  }

  /** To anyone's; another writer may be deleting it.  Some change nothing. */
  #react(rng) {
    const targets = [...this.#own.map((message) => message.seq), ...this.#others]
    if (targets.length === 0) return undefined
    const reaction = { target: rng.pick(targets), emoji: rng.pick(EMOJI), on: rng.chance(0.7) }
    const look = JSON.stringify(reaction)
    if (this.#said.has(look)) return undefined
    this.#said.add(look)
    return { op: 'react', ...reaction }
  }

  /** It is stored as `seq`. */
  acknowledged(n, seq) {
    if (!this.unsure.delete(n)) return
    const { op, target } = this.writes[n]
    if (op === 'send') keep(this.#own, { seq, edits: 0 })
    const edited = op === 'edit' && this.#own.find((message) => message.seq === target)
    if (edited) edited.edits--
  }

  /** Its room was told this event. */
  heard({ ev, seq, from, target }, me) {
    if (from.id === me) return
    if (ev === 'message') keep(this.#others, seq)
    if (ev === 'delete') this.#others = this.#others.filter((other) => other !== target)
  }
}
