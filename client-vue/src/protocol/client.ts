/**
 * The client without its face: one connection, the rooms on it, and the outbox.
 *
 * On every new link each room is joined again from where its log was read to, so nothing that
 * happened meanwhile is missed, and then what waits in the outbox goes out.  Rooms that are known are
 * asked for in the same breath as hello is said.
 */
import { Connection, LinkDown, type Link, type Socket } from './connection'
import { decodeEntry, decodeMembers, decodePeople, decodeRooms } from './decode'
import type { Env } from './env'
import type {
  Body,
  HelloReply,
  LogEvent,
  Member,
  Person,
  ProtocolError,
  Reply,
  RoomEntry,
  RoomKind,
  RoomListing,
  RoomRole,
  TypingEvent,
} from './messages'
import { Outbox, type OutboxEntry, type OutboxOptions } from './outbox'
import { ReadMarkers } from './read-markers'
import { foldName, roomFromEntry, withEntry, withRead, type RoomState } from './room-state'
import { Rooms } from './rooms'

/** The server said no. */
export class Refused extends Error {
  readonly code: string

  constructor(err: ProtocolError) {
    super(err.msg || err.code)
    this.name = 'Refused'
    this.code = err.code
  }
}

function bodyOf(reply: Reply): Body {
  if (!reply.ok) throw new Refused(reply.err)
  return reply.body
}

type TooSoon = Extract<Reply, { ok: false }>

function isTooSoon(reply: Reply): reply is TooSoon {
  return !reply.ok && reply.err.code === 'rate_limited'
}

/** When to ask again where the server does not say. */
const RETRY_MS = 1000

/** What can be done to a room by those who may. */
export type RoomChange =
  | { op: 'invite' | 'remove'; user: string }
  | { op: 'role'; user: string; role: RoomRole }
  | { op: 'mute'; user: string; for_ms: number }
  | { op: 'topic'; topic: string }
  | { op: 'rename'; name: string }
  | { op: 'archive'; on: boolean }
  | { op: 'keep'; days?: number }

export interface ClientOptions {
  env: Env
  open(): Socket
  credentials(): Body
  outbox: Pick<OutboxOptions, 'store' | 'exclusive' | 'onChange' | 'tell'>
  onLink(link: Link): void
  onHello(hello: HelloReply): void
  onRefused(err: ProtocolError): 'retry' | 'wait' | 'stop'
  onRoom(state: RoomState): void
  /** The room is not there any more. */
  onGone(rid: string): void
  onTyping(rid: string, event: TypingEvent): void
  onLive(state: RoomState, event: LogEvent): void
  /** All rooms are up to date after a loss; @missed messages of others came in between. */
  onCaughtUp(missed: number): void
}

export class Client {
  readonly outbox: Outbox
  readonly connection: Connection
  readonly rooms: Rooms
  readonly #o: ClientOptions
  readonly #reads: ReadMarkers
  /** Joins that were asked for with the hello under way; undefined where they came to nothing. */
  readonly #early = new Map<string, Promise<RoomState | undefined>>()
  /** What was asked too soon is asked again one behind the other. */
  #late: Promise<unknown> = Promise.resolve()
  #links = 0

  constructor(options: ClientOptions) {
    this.#o = options
    this.connection = new Connection({
      env: options.env,
      open: options.open,
      credentials: options.credentials,
      onLink: (link) => {
        if (link.phase !== 'ready') this.rooms.unjoin()
        options.onLink(link)
      },
      onGreeting: () => this.#joinEarly(),
      onReady: (hello) => void this.#onReady(hello),
      onEvent: (event) => this.rooms.onEvent(event),
      onRefused: options.onRefused,
    })
    this.rooms = new Rooms({
      ask: (op, fields) => this.#ask(op, fields),
      onRoom: (state) => {
        options.onRoom(state)
        this.outbox.forgetSent(state.rid, state.log.cursor)
      },
      onReset: (rid) => this.outbox.resend(rid),
      onTyping: options.onTyping,
      onLive: options.onLive,
      onAdded: (entry) => void this.#enter(entry).catch(() => undefined),
      onRemoved: (rid) => this.#drop(rid),
    })
    this.outbox = new Outbox({
      ...options.outbox,
      env: options.env,
      onChange: (entries) => {
        options.outbox.onChange(entries)
        this.#forgetSeen(entries)
      },
      send: (entry) => this.#write(entry),
      canSend: (rid) => this.connection.ready && this.rooms.get(rid)?.joined === true,
    })
    this.#reads = new ReadMarkers(options.env, (rid, seq) =>
      this.#ask('read', { room: `~${rid}`, seq }),
    )
  }

  /** An event may be seen before the answer: that of another tab's write, or of one sent twice. */
  #forgetSeen(entries: readonly OutboxEntry[]): void {
    for (const { rid, state } of entries) {
      const room = state === 'sent' ? this.rooms.get(rid) : undefined
      if (room !== undefined) this.outbox.forgetSent(rid, room.log.cursor)
    }
  }

  /** Show these rooms until the server has told which there are. */
  seed(rooms: readonly RoomEntry[]): void {
    for (const entry of rooms) this.rooms.set(roomFromEntry(entry))
  }

  /** Join a room by its name, made by this if nobody has. */
  async joinByName(name: string): Promise<RoomState> {
    const isNew = this.rooms.find(name) === undefined
    const state = await this.rooms.joinByName(name)
    // What was said before one came does not wait to be read.
    if (isNew && state.head > 0) this.#reads.move(state.rid, state.read)
    this.outbox.flush()
    return state
  }

  /** Rooms whose names contain @query. */
  async search(query: string): Promise<RoomListing[]> {
    const folded = foldName(query)
    const fields = folded === '' ? { limit: 20 } : { query: folded, limit: 20 }
    return decodeRooms(await this.#ask('rooms', fields)) ?? []
  }

  /** Join a room that the user belongs to since just now. */
  async #enter(entry: RoomEntry): Promise<RoomState> {
    if (this.rooms.get(entry.rid) === undefined) this.rooms.set(roomFromEntry(entry))
    const state = await this.rooms.join(entry.rid)
    this.outbox.flush()
    return state
  }

  /** The room is not the user's any more. */
  #drop(rid: string): void {
    if (this.rooms.get(rid) === undefined) return
    this.rooms.remove(rid)
    this.#o.onGone(rid)
  }

  async #askEntry(op: string, fields: Body): Promise<RoomState> {
    const entry = decodeEntry(await this.#ask(op, fields))
    if (entry === null) throw new LinkDown()
    return this.#enter(entry)
  }

  /** Make a room. Under the same @key it is made once. */
  createRoom(room: { name: string; kind: RoomKind; topic?: string }, key: string): Promise<RoomState> {
    return this.#askEntry('create', { ...room, key })
  }

  /** The direct room with these others. */
  openDirect(users: readonly string[]): Promise<RoomState> {
    return this.#askEntry('direct', { users })
  }

  /** People of the team whose names contain @query. */
  async people(query: string): Promise<Person[]> {
    const folded = foldName(query)
    const fields = folded === '' ? { limit: 50 } : { query: folded, limit: 50 }
    return decodePeople(await this.#ask('people', fields)) ?? []
  }

  /** All who belong to a room. */
  async members(rid: string): Promise<Member[]> {
    const all: Member[] = []
    for (;;) {
      const after = all.at(-1)?.id
      const fields = { room: `~${rid}`, limit: 200, ...(after === undefined ? {} : { after }) }
      const page = decodeMembers(await this.#ask('members', fields))
      if (page === null) throw new LinkDown()
      all.push(...page.members)
      if (!page.more || page.members.length === 0) return all
    }
  }

  /** Change a room, or who belongs to it; under the same @key it is done once. */
  async administer(rid: string, change: RoomChange, key: string): Promise<void> {
    const { op, ...fields } = change
    await this.#ask(op, { room: `~${rid}`, key, ...fields })
  }

  /** Leave for good: the room is no longer the user's. */
  async forget(rid: string): Promise<void> {
    await this.#ask('leave', { room: `~${rid}`, forget: true })
    this.#drop(rid)
  }

  /** The user has seen everything up to @seq. */
  markRead(rid: string, seq: number): void {
    const state = this.rooms.get(rid)
    if (state === undefined || seq <= state.read) return
    this.rooms.set(withRead(state, seq, this.rooms.me))
    this.#reads.move(rid, seq)
  }

  /** Tell the room that the user is writing. */
  typing(rid: string): void {
    this.connection.request('typing', { room: `~${rid}` }).catch(() => undefined)
  }

  #joinEarly(): void {
    const ask = async (op: string, fields: Body) =>
      this.#take(op, fields, await this.connection.early(op, fields))
    this.#early.clear()
    for (const { rid } of this.rooms.all()) {
      this.#early.set(
        rid,
        this.rooms.join(rid, ask).catch(() => undefined),
      )
    }
  }

  async #onReady(hello: HelloReply): Promise<void> {
    const link = ++this.#links
    this.rooms.me = hello.me.id
    const before = new Map(this.rooms.all().map((s) => [s.rid, s.log.cursor]))
    for (const entry of hello.rooms) {
      const old = this.rooms.get(entry.rid)
      const unsent = this.#reads.unsent(entry.rid)
      this.rooms.set(old === undefined ? roomFromEntry(entry) : withEntry(old, entry, unsent))
    }
    this.#o.onHello(hello)
    const missed = await Promise.all(
      this.rooms.all().map(async ({ rid, log }) => {
        const since = before.get(rid) ?? log.cursor
        try {
          const early = await this.#early.get(rid)
          if (link !== this.#links) return 0
          const state = early ?? (await this.rooms.join(rid))
          this.outbox.flush()
          return this.#missed(state, since)
        } catch (err) {
          // A new link joins again; a room that was refused stays unjoined, and says so.
          if (err instanceof Refused && err.code === 'not_found') await this.#replace(rid, hello)
          return 0
        }
      }),
    )
    if (link !== this.#links || !this.connection.ready) return
    this.#reads.flush()
    if (link > 1) this.#o.onCaughtUp(missed.reduce((sum, n) => sum + n, 0))
  }

  /**
   * A backup was restored that does not have the room, or the user was removed from it meanwhile. One
   * without a name cannot be found.
   */
  async #replace(rid: string, hello: HelloReply): Promise<void> {
    if (this.rooms.get(rid)?.room.startsWith('~') !== false) {
      if (!hello.rooms.some((r) => r.rid === rid)) this.#drop(rid)
      return
    }
    try {
      const state = await this.rooms.replace(rid)
      if (state.rid === rid) return
      this.#o.onGone(rid)
      await this.outbox.move(rid, state.rid)
    } catch {
      // As above: it stays as it is.
    }
  }

  /** How many messages of others came after @since. */
  #missed(state: RoomState, since: number): number {
    const { messages, loaded, cursor } = state.log
    if (!loaded) return Math.min(state.unread, cursor - since)
    return messages.filter((m) => m.seq > since && m.from.id !== this.rooms.me).length
  }

  #write(entry: OutboxEntry) {
    const { op, ...fields } = entry.write
    return this.connection.request(op, { room: `~${entry.rid}`, key: entry.key, ...fields })
  }

  /** Ask, again if it was too soon, for as long as this link holds. */
  async #ask(op: string, fields: Body): Promise<Body> {
    return this.#take(op, fields, await this.connection.request(op, fields))
  }

  #take(op: string, fields: Body, reply: Reply): Body | Promise<Body> {
    if (!isTooSoon(reply)) return bodyOf(reply)
    const link = this.#links
    const due = this.#dueAfter(reply)
    const again = this.#late.then(() => this.#askAgain(op, fields, due, link))
    this.#late = again.catch(() => undefined)
    return again
  }

  async #askAgain(op: string, fields: Body, due: number, link: number): Promise<Body> {
    for (;;) {
      const ms = due - this.#o.env.now()
      if (ms > 0) await new Promise<void>((resolve) => this.#o.env.after(ms, resolve))
      // A new link asks for what it needs by itself, and from where the log stands then.
      if (link !== this.#links) throw new LinkDown()
      const reply = await this.connection.request(op, fields)
      if (!isTooSoon(reply)) return bodyOf(reply)
      due = this.#dueAfter(reply)
    }
  }

  /** When what was asked too soon may be asked again, on this clock. */
  #dueAfter(refusal: TooSoon): number {
    return this.#o.env.now() + (refusal.err.retry_ms ?? RETRY_MS)
  }
}
