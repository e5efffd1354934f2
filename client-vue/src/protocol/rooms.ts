/**
 * The rooms of the user, and how their logs are kept whole.
 *
 * A room is joined from where its log was read to, and what the reply leaves out is read from
 * history; live events that come meanwhile are held back, so each log is read in its order with
 * nothing missing and nothing twice.
 */
import { LinkDown } from './connection'
import { decodeHistory, decodeJoin } from './decode'
import { dispatch } from './dispatch'
import * as fold from './fold'
import type { Body, HistoryReply, JoinReply, LogEvent, RoomEntry, ServerEvent, TypingEvent } from './messages'
import {
  foldName,
  roomFromJoin,
  withJoin,
  withLogEvent,
  withPresence,
  withRead,
  type RoomState,
} from './room-state'

const PAGE = 60
const RESUME_PAGE = 200
/** Further behind than this, a room is read afresh from its newest end. */
const RESUME_MAX = 1000
/** The messages that are kept of the room in sight, and of one that is out of sight. */
export const WINDOW_MAX = 1000
const REST_MAX = 120

export interface RoomsOptions {
  /** Ask the server; rejects on a refusal, and when the link is down. */
  ask(op: string, fields: Body): Promise<Body>
  onRoom(state: RoomState): void
  onTyping(rid: string, event: TypingEvent): void
  /** The room's log is another one, with nothing of the old one kept. */
  onReset(rid: string): void
  /** Somebody has added the user to a room. */
  onAdded(entry: RoomEntry): void
  /** The user belongs to the room no longer. */
  onRemoved(rid: string): void
  /** A live event was taken in. */
  onLive(state: RoomState, event: LogEvent): void
}

export class Rooms {
  me = ''
  readonly #o: RoomsOptions
  readonly #states = new Map<string, RoomState>()
  readonly #byName = new Map<string, string>()
  /** Live events of rooms whose older events are being fetched. */
  readonly #held = new Map<string, LogEvent[]>()

  constructor(options: RoomsOptions) {
    this.#o = options
  }

  get(rid: string): RoomState | undefined {
    return this.#states.get(rid)
  }

  all(): RoomState[] {
    return [...this.#states.values()]
  }

  /** The room of that name, if the user is in it. */
  find(name: string): RoomState | undefined {
    const rid = name.startsWith('~') ? name.slice(1) : this.#byName.get(foldName(name))
    return rid === undefined ? undefined : this.#states.get(rid)
  }

  set(state: RoomState): void {
    this.#states.set(state.rid, state)
    this.#byName.set(state.room, state.rid)
    this.#o.onRoom(state)
  }

  update(rid: string, fn: (state: RoomState) => RoomState): void {
    const state = this.#states.get(rid)
    const next = state && fn(state)
    if (next !== undefined && next !== state) this.set(next)
  }

  remove(rid: string): void {
    this.#states.delete(rid)
  }

  /** No room is joined any more: the link is gone. */
  unjoin(): void {
    for (const s of this.all()) if (s.joined) this.set({ ...s, joined: false })
  }

  /** Join a room that is known, from where its log was read to; @ask is how. */
  async join(rid: string, ask = this.#o.ask): Promise<RoomState> {
    const state = this.#states.get(rid)!
    const since = { since: state.log.cursor, epoch: state.epoch, limit: RESUME_PAGE }
    const reply = await this.#askJoin({ room: `~${rid}`, ...since }, ask)
    const joined = withJoin(this.#states.get(rid)!, reply)
    if (reply.state === 'reset') {
      this.#o.onReset(rid)
      const read = Math.min(state.read, reply.head)
      this.set({ ...joined, read, log: fold.emptyLog(reply.head), countedTo: reply.head })
      if (state.log.loaded) await this.loadNewest(rid)
    } else {
      // Complete and partial differ only in whether something is still missing after this.
      this.set(this.#apply(joined, reply.events))
      await this.#catchUp(rid)
    }
    return this.#states.get(rid)!
  }

  /** Join a room by its name, made by this if nobody has. */
  async joinByName(name: string): Promise<RoomState> {
    const known = this.find(name)
    if (known?.joined) return known
    if (known !== undefined) return this.join(known.rid)
    const reply = await this.#askJoin({ room: name.trim(), limit: 1 })
    const old = this.#states.get(reply.rid)
    this.set(old === undefined ? roomFromJoin(reply) : withJoin(old, reply))
    await this.#catchUp(reply.rid)
    return this.#states.get(reply.rid)!
  }

  /** The server does not know the room @rid any more: join the one that has its name now. */
  async replace(rid: string): Promise<RoomState> {
    const reply = await this.#askJoin({ room: this.#states.get(rid)!.title, limit: 1 })
    if (reply.rid !== rid) this.remove(rid)
    this.set(roomFromJoin(reply))
    await this.#catchUp(reply.rid)
    return this.#states.get(reply.rid)!
  }

  /** Fetch the newest messages, unless there are some already or @again is set. */
  async loadNewest(rid: string, again = false): Promise<void> {
    if (this.#states.get(rid)?.log.loaded && !again) return
    await this.#page(rid, {}, (log, page) => fold.mergeNewest(log, page, this.me))
  }

  async loadOlder(rid: string): Promise<void> {
    const log = this.#states.get(rid)?.log
    const before = log?.messages[0]?.seq
    if (!log?.hasOlder || before === undefined) return
    await this.#page(rid, { before }, (l, page) => fold.mergeOlder(l, page, this.me))
  }

  async loadNewer(rid: string): Promise<void> {
    const log = this.#states.get(rid)?.log
    const after = log?.messages.at(-1)?.seq
    if (!log?.hasNewer || after === undefined) return
    await this.#page(rid, { after }, (l, page) => fold.mergeNewer(l, page, this.me))
  }

  /** Let go of messages at the far side of what is looked at. */
  trim(rid: string, keep: 'older' | 'newer'): void {
    this.update(rid, (s) => ({ ...s, log: fold.trim(s.log, keep, WINDOW_MAX) }))
  }

  /** The room is out of sight: keep its newest messages only. */
  rest(rid: string): void {
    this.update(rid, (s) => {
      if (s.log.hasNewer) return { ...s, log: fold.emptyLog(s.log.cursor) }
      return { ...s, log: fold.trim(s.log, 'newer', REST_MAX) }
    })
  }

  onEvent(event: ServerEvent): void {
    const log = (e: LogEvent) => this.#onLogEvent(e)
    dispatch(event, {
      message: log,
      edit: log,
      delete: log,
      react: log,
      topic: log,
      rename: log,
      member: log,
      archive: log,
      keep: log,
      expire: log,
      other: log,
      added: (e) => this.#o.onAdded(e.entry),
      removed: (e) => this.#o.onRemoved(e.rid ?? this.#ridOf(e.room)),
      presence: (e) => this.update(this.#ridOf(e.room), (s) => withPresence(s, e)),
      typing: (e) => this.#o.onTyping(this.#ridOf(e.room), e),
      read: (e) => this.update(this.#ridOf(e.room), (s) => withRead(s, e.seq, this.me)),
    })
  }

  #onLogEvent(event: LogEvent): void {
    // A private room has no name: its events always say which it is.
    const hasName = event.ev === 'rename' && !event.room.startsWith('~')
    const renamed = hasName ? this.#ridOf(foldName(event.was)) : ''
    const rid = renamed === '' ? this.#ridOf(event.room) : renamed
    const state = this.#states.get(rid)
    if (state === undefined) return
    const held = this.#held.get(rid)
    if (held !== undefined) {
      held.push(event)
    } else if (event.seq > state.log.cursor + 1) {
      // A hole: read what is missing from the log, this event included.
      this.set({ ...state, head: Math.max(state.head, event.seq) })
      this.#catchUp(rid).catch(() => undefined)
    } else {
      const next = withLogEvent(state, event, this.me)
      if (next === state) return
      this.set(next)
      this.#o.onLive(next, event)
    }
  }

  #apply(state: RoomState, events: readonly LogEvent[]): RoomState {
    return events.reduce((s, e) => withLogEvent(s, e, this.me), state)
  }

  /** Read the log from the cursor up to the head that the server is known to have. */
  async #catchUp(rid: string): Promise<void> {
    const missing = () => {
      const s = this.#states.get(rid)
      return s === undefined ? 0 : s.head - s.log.cursor
    }
    if (missing() <= 0 || this.#held.has(rid)) return
    const held: LogEvent[] = []
    this.#held.set(rid, held)
    try {
      if (missing() > RESUME_MAX) await this.#skip(rid)
      while (missing() > 0) {
        const after = this.#states.get(rid)!.log.cursor
        const page = await this.#askHistory({ room: `~${rid}`, after, limit: RESUME_PAGE })
        this.update(rid, (s) => this.#apply(s, page.events))
        if (page.events.length === 0) break
      }
      this.update(rid, (s) => this.#apply(s, held))
    } finally {
      // Where the link broke, what was held is dropped: the next join reads it again, in order.
      this.#held.delete(rid)
    }
  }

  /** Too much was missed to replay it: go to the head, and show the room as it stands there. */
  async #skip(rid: string): Promise<void> {
    const old = this.#states.get(rid)!
    const { head } = old
    this.set({ ...old, log: fold.emptyLog(head), countedTo: Math.max(old.countedTo, head) })
    if (old.log.loaded) await this.loadNewest(rid)
  }

  async #page(
    rid: string,
    bounds: Body,
    merge: (log: fold.RoomLog, page: HistoryReply) => fold.RoomLog | null,
  ): Promise<void> {
    for (;;) {
      const page = await this.#askHistory({ room: `~${rid}`, ...bounds, limit: PAGE, fold: true })
      const state = this.#states.get(rid)
      if (state === undefined || page.epoch !== state.epoch) return
      const log = merge(state.log, page)
      if (log === null) continue
      this.set({ ...state, log, head: Math.max(state.head, page.head) })
      return
    }
  }

  #ridOf(room: string): string {
    return room.startsWith('~') ? room.slice(1) : (this.#byName.get(room) ?? '')
  }

  async #askJoin(fields: Body, ask = this.#o.ask): Promise<JoinReply> {
    const reply = decodeJoin(await ask('join', fields))
    if (reply === null) throw new LinkDown()
    return reply
  }

  async #askHistory(fields: Body): Promise<HistoryReply> {
    const reply = decodeHistory(await this.#o.ask('history', fields))
    if (reply === null) throw new LinkDown()
    return reply
  }
}
