// What was written to a room, and whether its log says the same.

export class Ledger {
  acked = 0
  stored = 0
  #byKey = new Map() // what is not yet both acknowledged and found in the log
  #bySeq = new Map() // acknowledged and not yet found
  #early = new Map() // seq -> event: found before it was acknowledged, without its key
  #deleted = new Set()
  #checked = 0

  constructor(room, fail) {
    Object.assign(this, { room, fail })
  }

  get checked() {
    return this.#checked
  }

  /** What `op` is about to be sent under `key`; `text` begins with the key. */
  sent(op, key, { text, target } = {}) {
    this.#byKey.set(key, { op, key, text, target })
    if (op === 'delete') this.#deleted.add(target)
  }

  /** It was refused for good, and is never sent again. */
  refused(key) {
    const entry = this.#byKey.get(key)
    if (entry?.foundAt !== undefined) this.fail(`${this.room}: ${key} was refused and is stored as ${entry.foundAt}`)
    this.#byKey.delete(key)
  }

  acknowledged(key, seq) {
    const entry = this.#byKey.get(key)
    if (entry === undefined) return this.fail(`${this.room}: ${key} was acknowledged twice`)
    this.acked++
    entry.seq = seq
    const found = this.#early.get(seq)
    if (entry.foundAt !== undefined) {
      if (entry.foundAt !== seq) this.fail(`${this.room}: ${key} was acknowledged as ${seq} and is stored as ${entry.foundAt}`)
      this.#byKey.delete(key)
    } else if (found !== undefined) {
      this.#early.delete(seq)
      this.#compare(entry, found)
      this.#byKey.delete(key)
    } else if (seq <= this.#checked) {
      this.fail(`${this.room}: ${key} was acknowledged as ${seq} and is not stored`)
    } else this.#bySeq.set(seq, entry)
  }

  #compare(entry, event) {
    const kind = entry.op === 'send' ? 'message' : entry.op
    const isGone = event.deleted === true || (event.ev === 'edit' && event.text === undefined)
    const sameText = entry.text === undefined || event.text === entry.text || (isGone && this.#deleted.has(entry.target ?? event.seq))
    if (event.ev !== kind || !sameText || (entry.target !== undefined && event.target !== entry.target)) {
      this.fail(`${this.room}: ${entry.key} is stored as ${JSON.stringify(event).slice(0, 200)}`)
    }
  }

  /** The log's next event. */
  found(event) {
    if (event.seq !== this.#checked + 1) this.fail(`${this.room}: seq ${event.seq} comes behind ${this.#checked}`)
    this.#checked = event.seq
    this.stored++
    const entry = this.#bySeq.get(event.seq) ?? this.#byKey.get(event.text?.split(' ', 1)[0])
    if (entry === undefined) {
      // A deletion or a reaction does not show its key; nor does what was deleted.
      if (event.text !== undefined) return this.fail(`${this.room}: ${event.seq} was never sent, or is stored twice: ${event.text.slice(0, 60)}`)
      this.#early.set(event.seq, event)
      return undefined
    }
    if (entry.foundAt !== undefined) this.fail(`${this.room}: ${entry.key} is stored twice, as ${entry.foundAt} and ${event.seq}`)
    this.#compare(entry, event)
    this.#bySeq.delete(event.seq)
    if (entry.seq === undefined) entry.foundAt = event.seq
    else this.#byKey.delete(entry.key)
    return undefined
  }

  /** Everything was answered, and the log was read to its end. */
  end() {
    for (const [seq, entry] of this.#bySeq) this.fail(`${this.room}: ${entry.key} was acknowledged as ${seq} and is not stored`)
    for (const [seq, event] of this.#early) this.fail(`${this.room}: nobody sent ${seq}: ${JSON.stringify(event).slice(0, 200)}`)
  }
}
