// Random choices that a seed repeats.

export class Random {
  #state

  /** Any text or number is a seed. */
  constructor(seed) {
    this.#state = 2166136261
    for (const c of String(seed)) this.#state = Math.imul(this.#state ^ c.charCodeAt(0), 16777619)
  }

  /** From 0 up to but not including 1 (mulberry32). */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /** A whole number from `low` to `high`, both included. */
  int(low, high) {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  chance(p) {
    return this.next() < p
  }

  pick(list) {
    return list[this.int(0, list.length - 1)]
  }
}
