/**
 * The client without its face: one connection, the rooms on it, and the outbox.
 *
 * On every new link each room is joined again from where its log was read to, so nothing that
 * happened meanwhile is missed; live events that come while older ones are still being fetched are
 * held back, so each log is read in its order.
 */
import { Connection, LinkDown, type Link, type Socket } from './connection'
import { decodeHistory, decodeJoin, decodeRooms } from './decode'
import { dispatch } from './dispatch'
import type { Env } from './env'
import * as fold from './fold'
import type {
  Body,
  HelloReply,
  HistoryReply,
  JoinReply,
  LogEvent,
  ProtocolError,
  RoomListing,
  ServerEvent,
  TypingEvent,
} from './messages'
import { Outbox, type OutboxEntry, type OutboxOptions } from './outbox'
import { ReadMarkers } from './read-markers'
import {
  foldName,
  roomFromEntry,
  roomFromJoin,
  withEntry,
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
/** The messages of a room that are kept in memory. */
export const WINDOW_MAX = 1200
const REST_MAX = 120

export class Refused extends Error {
  readonly code: string
  readonly retryMs: number | null

  constructor(err: ProtocolError) {
    super(err.msg || err.code)
    this.name = 'Refused'
    this.code = err.code
    this.retryMs = err.retry_ms ?? null
  }
}

export interface ClientOptions {
  env: Env
  open(): Socket
  credentials(): Body
  outbox: Pick<OutboxOptions, 'store' | 'exclusive' | 'onChange' | 'tell'>
  onLink(link: Link): void
  onHello(hello: HelloReply): void
  onRefused(err: ProtocolError): 'retry' | 'wait' | 'stop'
  onRoom(state: RoomState): void
  onTyping(rid: string, event: TypingEvent): void
  onMessage(state: RoomState, event: LogEvent): void
  /** All rooms are up to date after a loss; @missed messages of others came in between. */
  onCaughtUp(missed: number): void
}

export class Client {
  readonly outbox: Outbox
  readonly connection: Connection
  readonly #o: ClientOptions
  readonly #rooms = new Map<string, RoomState>()
  readonly #byName = new Map<string, string>()
  /** Live events of rooms whose older events are being fetched. */
  readonly #held = new Map<string, LogEvent[]>()
  readonly #reads: ReadMarkers
  #me = ''
  #links = 0

  constructor(options: ClientOptions) {
    this.#o = options
    this.connection = new Connection({
      env: options.env,
      open: options.open,
      credentials: options.credentials,
      onLink: (link) => this.#onLink(link),
      onReady: (hello) => void this.#onReady(hello),
      onEvent: (event) => this.#onEvent(event),
      onRefused: options.onRefused,
    })
    this.outbox = new Outbox({
      ...options.outbox,
      env: options.env,
      send: (entry) => this.#write(entry),
      canSend: (rid) => this.connection.ready && this.#rooms.get(rid)?.joined === true,
    })
    this.#reads = new ReadMarkers(options.env, (rid, seq) =>
      this.#ask('read', { room: `~${rid}`, seq }),
    )
  }

  room(rid: string): RoomState | undefined {
    return this.#rooms.get(rid)
  }

  /** The room of that name, if the user is in it. */
  find(name: string): RoomState | undefined {
    const rid = name.startsWith('~') ? name.slice(1) : this.#byName.get(foldName(name))
    return rid === undefined ? undefined : this.#rooms.get(rid)
  }

  /** Join a room by its name, made by this if nobody has. */
  async joinByName(name: string): Promise<RoomState> {
    const known = this.find(name)
    if (known?.joined) return known
    if (known !== undefined) return this.#join(known.rid)
    const reply = await this.#askJoin({ room: name.startsWith('~') ? name : name.trim(), limit: 1 })
    const old = this.#rooms.get(reply.rid)
    this.#set(old === undefined ? roomFromJoin(reply) : withJoin(old, reply))
    await this.#catchUp(reply.rid)
    this.outbox.flush()
    return this.#rooms.get(reply.rid)!
  }

  /** Rooms whose names contain @query. */
  async search(query: string): Promise<RoomListing[]> {
    return decodeRooms(await this.#ask('rooms', { query: foldName(query), limit: 20 })) ?? []
  }

  /** Leave for good: the room is no longer the user's. */
  async forget(rid: string): Promise<void> {
    await this.#ask('leave', { room: `~${rid}`, forget: true })
    this.#rooms.delete(rid)
  }

  /** Fetch the newest messages, unless there are some already or @again is set. */
  async loadNewest(rid: string, again = false): Promise<void> {
    if (this.#rooms.get(rid)?.log.loaded && !again) return
    await this.#page(rid, {}, PAGE, (log, page) => fold.mergeNewest(log, page, this.#me))
  }

  async loadOlder(rid: string): Promise<void> {
    const log = this.#rooms.get(rid)?.log
    const first = log?.messages[0]?.seq
    if (!log?.hasOlder || first === undefined) return
    await this.#page(rid, { before: first }, PAGE, (l, page) => {
      const merged = fold.mergeOlder(l, page, this.#me)
      return merged && fold.trim(merged, 'older', WINDOW_MAX)
    })
  }

  async loadNewer(rid: string): Promise<void> {
    const log = this.#rooms.get(rid)?.log
    const last = log?.messages.at(-1)?.seq
    if (!log?.hasNewer || last === undefined) return
    await this.#page(rid, { after: last }, PAGE, (l, page) => {
      const merged = fold.mergeNewer(l, page, this.#me)
      return merged && fold.trim(merged, 'newer', WINDOW_MAX)
    })
  }

  /** The room is out of sight: keep its newest messages only. */
  rest(rid: string): void {
    this.#update(rid, (s) => {
      if (s.log.hasNewer) return { ...s, log: fold.emptyLog(s.log.cursor) }
      return { ...s, log: fold.trim(s.log, 'newer', REST_MAX) }
    })
  }

  /** The user has seen everything up to @seq. */
  markRead(rid: string, seq: number): void {
    const state = this.#rooms.get(rid)
    if (state === undefined || seq <= state.read) return
    this.#set(withRead(state, seq, this.#me))
    this.#reads.move(rid, seq)
  }

  typing(rid: string): void {
    this.#ask('typing', { room: `~${rid}` }).catch(() => undefined)
  }

  async #onReady(hello: HelloReply): Promise<void> {
    const again = this.#links++ > 0
    this.#me = hello.me.id
    for (const entry of hello.rooms) {
      const old = this.#rooms.get(entry.rid)
      const unsent = this.#reads.unsent(entry.rid)
      this.#set(old === undefined ? roomFromEntry(entry) : withEntry(old, entry, unsent))
    }
    this.#o.onHello(hello)
    const link = this.#links
    const before = new Map([...this.#rooms.values()].map((s) => [s.rid, s.log.cursor]))
    let missed = 0
    await Promise.all(
      [...this.#rooms.keys()].map(async (rid) => {
        try {
          missed += this.#missed(await this.#join(rid), before.get(rid) ?? 0)
        } catch {
          // A new link joins again; a room that was refused stays unjoined, and says so.
        }
      }),
    )
    if (link !== this.#links || !this.connection.ready) return
    this.#reads.flush()
    if (again) this.#o.onCaughtUp(missed)
  }

  #missed(state: RoomState, since: number): number {
    const { messages, loaded } = state.log
    if (loaded) return messages.filter((m) => m.seq > since && m.from.id !== this.#me).length
    return Math.min(state.unread, state.log.cursor - since)
  }

  async #join(rid: string): Promise<RoomState> {
    const state = this.#rooms.get(rid)!
    const since = { since: state.log.cursor, epoch: state.epoch, limit: RESUME_PAGE }
    const reply = await this.#askJoin({ room: `~${rid}`, ...since })
    const joined = withJoin(state, reply)
    if (reply.state === 'reset') {
      const read = Math.min(state.read, reply.head)
      this.#set({ ...joined, read, log: fold.emptyLog(reply.head), countedTo: reply.head })
      if (state.log.loaded) await this.loadNewest(rid)
    } else {
      // Seen from here the two differ only in whether something is still missing.
      this.#set(reply.events.reduce((s, e) => withLogEvent(s, e, this.#me), joined))
      await this.#catchUp(rid)
    }
    this.outbox.flush()
    return this.#rooms.get(rid)!
  }

  /** Read the log from the cursor up to the head that the server is known to have. */
  async #catchUp(rid: string): Promise<void> {
    const missing = () => {
      const s = this.#rooms.get(rid)
      return s === undefined ? 0 : s.head - s.log.cursor
    }
    if (missing() <= 0 || this.#held.has(rid)) return
    this.#held.set(rid, [])
    try {
      if (missing() > RESUME_MAX) await this.#skip(rid)
      while (missing() > 0) {
        const after = this.#rooms.get(rid)!.log.cursor
        const page = await this.#askHistory({ room: `~${rid}`, after, limit: RESUME_PAGE })
        this.#update(rid, (s) => page.events.reduce((t, e) => withLogEvent(t, e, this.#me), s))
        if (page.events.length === 0) break
      }
    } finally {
      const held = this.#held.get(rid) ?? []
      this.#held.delete(rid)
      // Where the link broke, the cursor must not jump over what was not fetched.
      if (missing() <= held.length) {
        this.#update(rid, (s) => held.reduce((t, e) => withLogEvent(t, e, this.#me), s))
      }
    }
  }

  /** Too much was missed to replay it: go to the head, and show the room as it stands there. */
  async #skip(rid: string): Promise<void> {
    const old = this.#rooms.get(rid)!
    const { head } = old
    this.#set({ ...old, log: fold.emptyLog(head), countedTo: Math.max(old.countedTo, head) })
    if (old.log.loaded) await this.loadNewest(rid)
  }

  async #page(
    rid: string,
    bounds: Body,
    limit: number,
    merge: (log: fold.RoomLog, page: HistoryReply) => fold.RoomLog | null,
  ): Promise<void> {
    for (;;) {
      const page = await this.#askHistory({ room: `~${rid}`, ...bounds, limit, fold: true })
      const state = this.#rooms.get(rid)
      if (state === undefined || page.epoch !== state.epoch) return
      const log = merge(state.log, page)
      if (log === null) continue
      this.#set({ ...state, log, head: Math.max(state.head, page.head) })
      return
    }
  }

  #onLink(link: Link): void {
    if (link.phase !== 'ready') {
      for (const s of this.#rooms.values()) if (s.joined) this.#set({ ...s, joined: false })
    }
    this.#o.onLink(link)
  }

  #onEvent(event: ServerEvent): void {
    const log = (e: LogEvent) => this.#onLogEvent(e)
    dispatch(event, {
      message: log,
      edit: log,
      delete: log,
      react: log,
      topic: log,
      rename: log,
      other: log,
      presence: (e) => this.#update(this.#ridOf(e.room), (s) => withPresence(s, e)),
      typing: (e) => this.#o.onTyping(this.#ridOf(e.room), e),
      read: (e) => this.#update(this.#ridOf(e.room), (s) => withRead(s, e.seq, this.#me)),
    })
  }

  #onLogEvent(event: LogEvent): void {
    const name = event.ev === 'rename' ? event.was : event.room
    const rid = this.#rooms.has(this.#ridOf(name)) ? this.#ridOf(name) : this.#ridOf(event.room)
    const state = this.#rooms.get(rid)
    if (state === undefined) return
    const held = this.#held.get(rid)
    if (held !== undefined) {
      held.push(event)
    } else if (event.seq > state.log.cursor + 1) {
      // A hole: read what is missing from the log, this event included.
      this.#set({ ...state, head: Math.max(state.head, event.seq) })
      void this.#catchUp(rid).catch(() => undefined)
    } else {
      const next = withLogEvent(state, event, this.#me)
      if (next === state) return
      this.#set(next)
      this.#o.onMessage(next, event)
    }
  }

  #ridOf(room: string): string {
    return room.startsWith('~') ? room.slice(1) : (this.#byName.get(room) ?? '')
  }

  #update(rid: string, fn: (state: RoomState) => RoomState): void {
    const state = this.#rooms.get(rid)
    if (state !== undefined) this.#set(fn(state))
  }

  #set(state: RoomState): void {
    this.#rooms.set(state.rid, state)
    this.#byName.set(state.room, state.rid)
    this.#o.onRoom(state)
    this.outbox.forgetSent(state.rid, state.log.cursor)
  }

  #write(entry: OutboxEntry) {
    const { op, ...fields } = entry.write
    return this.connection.request(op, { room: `~${entry.rid}`, key: entry.key, ...fields })
  }

  async #ask(op: string, fields: Body): Promise<Body> {
    const reply = await this.connection.request(op, fields)
    if (!reply.ok) throw new Refused(reply.err)
    return reply.body
  }

  async #askJoin(fields: Body): Promise<JoinReply> {
    const reply = decodeJoin(await this.#ask('join', fields))
    if (reply === null) throw new LinkDown()
    return reply
  }

  async #askHistory(fields: Body): Promise<HistoryReply> {
    const reply = decodeHistory(await this.#ask('history', fields))
    if (reply === null) throw new LinkDown()
    return reply
  }
}
