// How many of each kind.

export class Count {
  kinds = {}

  note(kind, n = 1) {
    this.kinds[kind] = (this.kinds[kind] ?? 0) + n
  }

  add({ kinds }) {
    for (const [kind, n] of Object.entries(kinds)) this.note(kind, n)
  }

  get sum() {
    return Object.values(this.kinds).reduce((a, b) => a + b, 0)
  }
}
