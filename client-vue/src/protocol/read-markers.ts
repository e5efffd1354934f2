import type { Env } from './env'

/** Not more often than this is a moving marker told to the server, per room. */
const EVERY_MS = 500

/**
 * The read markers on their way to the server: the latest of each room only, now and then, and
 * again on the next link if this one broke.
 */
export class ReadMarkers {
  readonly #env: Env
  readonly #send: (rid: string, seq: number) => Promise<unknown>
  readonly #pending = new Map<string, number>()
  readonly #resting = new Set<string>()

  constructor(env: Env, send: (rid: string, seq: number) => Promise<unknown>) {
    this.#env = env
    this.#send = send
  }

  unsent(rid: string): boolean {
    return this.#pending.has(rid)
  }

  move(rid: string, seq: number): void {
    this.#pending.set(rid, seq)
    if (!this.#resting.has(rid)) this.#go(rid)
  }

  /** Send all that is pending: a new link is up. */
  flush(): void {
    for (const rid of [...this.#pending.keys()]) this.#go(rid)
  }

  #go(rid: string): void {
    const seq = this.#pending.get(rid)
    if (seq === undefined) return
    this.#resting.add(rid)
    this.#env.after(EVERY_MS, () => {
      this.#resting.delete(rid)
      if ((this.#pending.get(rid) ?? 0) > seq) this.#go(rid)
    })
    this.#send(rid, seq).then(
      () => {
        if (this.#pending.get(rid) === seq) this.#pending.delete(rid)
      },
      () => undefined, // kept for the next link
    )
  }
}
