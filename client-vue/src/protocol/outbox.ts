/**
 * Writes on their way: each is stored under its key before it is sent, and is let go only when the
 * server has answered.  A write whose answer was lost is sent again under the same key, and the
 * server stores it once; so what is shown here is true whatever happens to the link or the tab.
 *
 * One write per room is under way at a time, in the order in which they were written: the order in
 * the log is the author's.  Several tabs may share the storage; at best one of them sends (the
 * `exclusive` hook), and if two do, the keys keep it to one message.
 */
import type { Env } from './env'
import type { Reply, Write } from './messages'
import { settle, type OutboxEntry, type OutboxNote, type OutboxStore } from './outbox-entry'

export type { OutboxEntry, OutboxNote, OutboxStore } from './outbox-entry'

/** After a broken link, this long until the next try, should nothing else cause one. */
const PAUSE_MS = 100

export interface OutboxOptions {
  env: Env
  store: OutboxStore
  /** Send; rejects when the link breaks before the answer. */
  send(entry: OutboxEntry): Promise<Reply>
  /** Whether writes to the room can be sent now. */
  canSend(rid: string): boolean
  /** Run @work while no other tab runs its own. */
  exclusive(work: () => Promise<void>): Promise<void>
  onChange(entries: readonly OutboxEntry[]): void
  /** Tell the other tabs. */
  tell(note: OutboxNote): void
}

export class Outbox {
  readonly #o: OutboxOptions
  #user: string | null = null
  #entries: OutboxEntry[] = []
  /** Rooms that wait before they go on, each with what calls its timer off: no clock, which may jump. */
  #paused = new Map<string, () => void>()
  /** Keys being written to the storage: not sent yet. */
  #storing = new Set<string>()
  /** Keys that the storage refused: they live in this page alone, and are sent from it. */
  #volatile = new Set<string>()
  /** Waiting for the turn to send, or having it. */
  #flushing = false
  /** While this tab has its turn: the rooms whose writes are being sent. */
  #running = new Set<string>()
  #turnOver: (() => void) | null = null
  #again = false

  constructor(options: OutboxOptions) {
    this.#o = options
  }

  get entries(): readonly OutboxEntry[] {
    return this.#entries
  }

  /** Take up what @user left to be sent, in this tab or another. */
  async open(user: string): Promise<void> {
    this.#user = user
    await this.reload()
  }

  /** Look at the storage anew: another tab has changed it. */
  async reload(): Promise<void> {
    const stored = (await this.#o.store.all()).filter((e) => e.user === this.#user)
    const mine = new Map(this.#entries.map((e) => [e.key, e]))
    const known = new Set(stored.map((e) => e.key))
    const sent = this.#entries.filter(
      (e) => !known.has(e.key) && (e.state === 'sent' || this.#unstored(e.key)),
    )
    // An entry that this tab is sending is newer here than in the storage.
    const merged = stored.map((e) => {
      const own = mine.get(e.key)
      return own?.state === 'sending' || own?.state === 'sent' ? own : e
    })
    this.#entries = [...sent, ...merged].sort((a, b) => a.order - b.order)
    this.#changed()
    this.flush()
  }

  /** Store a write and send it as soon as it can be.  Resolves when it is stored. */
  async add(key: string, rid: string, write: Write): Promise<void> {
    if (this.#user === null) throw new Error('the outbox has no user yet')
    const now = this.#o.env.now()
    const last = this.#entries.at(-1)?.order ?? 0
    const entry: OutboxEntry = {
      key,
      order: Math.max(now, last + 1),
      user: this.#user,
      rid,
      write,
      created: now,
      state: 'waiting',
      tries: 0,
    }
    this.#entries = [...this.#entries, entry]
    this.#storing.add(key)
    this.#changed()
    try {
      await this.#o.store.put(entry)
      this.#o.tell({ kind: 'stored' })
    } catch {
      this.#volatile.add(key)
    }
    this.#storing.delete(key)
    this.flush()
  }

  /** Try a failed write again, under its key. */
  async retry(key: string): Promise<void> {
    const entry = this.#find(key)
    if (entry?.state !== 'failed') return
    const { reason: _reason, detail: _detail, ...rest } = entry
    await this.#update({ ...rest, state: 'waiting' })
    this.flush()
  }

  /** Give a write up. One that may have reached the server can still turn up in the log. */
  async discard(key: string): Promise<void> {
    const entry = this.#find(key)
    if (entry === undefined || entry.state === 'sending') return
    await this.#gone(entry, null)
  }

  /** Drop the entries that have been seen in their room's log. */
  forgetSent(rid: string, cursor: number): void {
    const kept = this.#entries.filter(
      (e) => !(e.state === 'sent' && e.rid === rid && (e.seq ?? 0) <= cursor),
    )
    if (kept.length === this.#entries.length) return
    this.#entries = kept
    this.#changed()
  }

  /**
   * The room's log is that of a backup: what was acknowledged and not seen yet may not be in it, and
   * its `seq` means nothing there. It is sent again, under its key.
   */
  resend(rid: string): void {
    const again = this.#entries.filter((e) => e.rid === rid && e.state === 'sent')
    if (again.length === 0) return
    this.#entries = this.#entries.map((e) => {
      if (!again.includes(e)) return e
      const { seq: _seq, ...rest } = e
      return { ...rest, state: 'waiting' }
    })
    // They have left the storage when they were acknowledged.
    for (const e of again) this.#volatile.add(e.key)
    this.#changed()
    this.flush()
  }

  /**
   * The room @from is gone and @to has its name: what was to be said there is said here. What was to
   * be done to a message has nothing to be done to.
   */
  async move(from: string, to: string): Promise<void> {
    this.resend(from)
    for (const e of this.#entries.filter((entry) => entry.rid === from)) {
      if (e.write.op === 'send') await this.#update({ ...e, rid: to })
      else await this.#update({ ...e, rid: to, state: 'failed', reason: 'not_found' })
    }
    this.flush()
  }

  /** Another tab says that it stored or finished something. */
  onNote(note: OutboxNote): void {
    if (note.kind === 'stored') {
      void this.reload()
      return
    }
    const { key, seq } = note
    this.#entries =
      seq === null
        ? this.#entries.filter((e) => e.key !== key)
        : this.#entries.map((e) => (e.key === key ? { ...e, state: 'sent', seq } : e))
    this.#changed()
  }

  /** Send what can be sent. Called whenever something has changed that may allow it. */
  flush(): void {
    if (this.#turnOver !== null) {
      this.#startRooms()
    } else if (this.#flushing) {
      this.#again = true
    } else if (this.#sendable().length > 0) {
      this.#flushing = true
      void this.#o
        .exclusive(() => this.#takeTurn())
        .catch(() => undefined)
        .then(() => {
          this.#flushing = false
          if (!this.#again) return
          this.#again = false
          this.flush()
        })
    }
  }

  #sendable(): string[] {
    const rids = [...new Set(this.#entries.map((e) => e.rid))]
    return rids.filter((rid) => this.#next(rid) !== undefined && !this.#paused.has(rid))
  }

  /** What is to be sent next in a room, if anything can be. */
  #next(rid: string): OutboxEntry | undefined {
    const entry = this.#entries.find((e) => e.rid === rid && e.state === 'waiting')
    if (entry === undefined || this.#storing.has(entry.key)) return undefined
    return this.#o.canSend(rid) ? entry : undefined
  }

  async #takeTurn(): Promise<void> {
    // The tab that had the turn before may have sent some of these.
    const stored = new Set((await this.#o.store.all()).map((e) => e.key))
    this.#entries = this.#entries.filter(
      (e) => e.state !== 'waiting' || stored.has(e.key) || this.#unstored(e.key),
    )
    this.#changed()
    await new Promise<void>((resolve) => {
      this.#turnOver = resolve
      this.#startRooms()
      this.#endTurn()
    })
  }

  #startRooms(): void {
    for (const rid of this.#sendable()) {
      if (this.#running.has(rid)) continue
      this.#running.add(rid)
      void this.#runRoom(rid)
        .catch(() => this.#pause(rid, PAUSE_MS))
        .then(() => {
          this.#running.delete(rid)
          // Something may have been added since the room found nothing more to send.
          this.#startRooms()
          this.#endTurn()
        })
    }
  }

  #endTurn(): void {
    if (this.#running.size > 0) return
    this.#turnOver?.()
    this.#turnOver = null
  }

  async #runRoom(rid: string): Promise<void> {
    for (;;) {
      const entry = this.#next(rid)
      if (entry === undefined) return
      const sending = { ...entry, state: 'sending' as const, tries: entry.tries + 1 }
      await this.#update(sending)
      let reply: Reply
      try {
        reply = await this.#o.send(sending)
      } catch {
        await this.#update({ ...sending, state: 'waiting' })
        this.#pause(rid, PAUSE_MS)
        return
      }
      const { entry: next, retryMs } = settle(sending, reply, () => this.#o.env.random())
      if (next.state === 'sent') await this.#gone(next, next.seq ?? 0)
      else await this.#update(next)
      if (retryMs !== null) {
        this.#pause(rid, retryMs)
        return
      }
    }
  }

  #pause(rid: string, ms: number): void {
    this.#paused.get(rid)?.()
    const over = () => {
      this.#paused.delete(rid)
      this.flush()
    }
    this.#paused.set(rid, this.#o.env.after(ms, over))
  }

  async #gone(entry: OutboxEntry, seq: number | null): Promise<void> {
    this.onNote({ kind: 'gone', key: entry.key, seq })
    try {
      await this.#o.store.remove(entry.key)
    } catch {
      // It stays stored, is sent again some day, and the server knows its key.
    }
    this.#o.tell({ kind: 'gone', key: entry.key, seq })
  }

  async #update(entry: OutboxEntry): Promise<void> {
    this.#entries = this.#entries.map((e) => (e.key === entry.key ? entry : e))
    this.#changed()
    // What is being sent is stored as waiting: a tab that dies now leaves it to be sent again.
    if (this.#volatile.has(entry.key)) return
    try {
      await this.#o.store.put(entry.state === 'sending' ? { ...entry, state: 'waiting' } : entry)
    } catch {
      this.#volatile.add(entry.key)
    }
  }

  #unstored(key: string): boolean {
    return this.#storing.has(key) || this.#volatile.has(key)
  }

  #find(key: string): OutboxEntry | undefined {
    return this.#entries.find((e) => e.key === key)
  }

  #changed(): void {
    this.#o.onChange(this.#entries)
  }
}
