/**
 * From a frame's text to typed values.
 *
 * Nothing that the server sends is trusted to have its shape: each field is looked at once, here,
 * and what does not fit is refused as a whole, so that no half-read event reaches the log.
 */
import type {
  Body,
  Frame,
  HelloReply,
  HistoryReply,
  JoinReply,
  JoinState,
  Limits,
  LogEvent,
  Member,
  MemberEvent,
  MessageEvent,
  Person,
  ProtocolError,
  Rate,
  Reaction,
  Reply,
  RoomEntry,
  RoomFacts,
  RoomKind,
  RoomListing,
  RoomRole,
  ServerEvent,
  TeamRole,
  User,
  WriteReply,
} from './messages'

class Malformed extends Error {}

function object(value: unknown): Body {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed()
  return value as Body
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw new Malformed()
  return value
}

function boolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new Malformed()
  return value
}

function count(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Malformed()
  return value
}

function seq(value: unknown): number {
  const n = count(value)
  if (n === 0) throw new Malformed()
  return n
}

function list<T>(value: unknown, item: (value: unknown) => T): T[] {
  if (!Array.isArray(value)) throw new Malformed()
  return value.map(item)
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value)
}

function user(value: unknown): User {
  const o = object(value)
  return { id: string(o['id']), name: string(o['name']) }
}

const KINDS: readonly string[] = ['public', 'private', 'direct', 'announcement'] satisfies RoomKind[]
const ROOM_ROLES: readonly string[] = ['member', 'moderator', 'owner'] satisfies RoomRole[]
const ACTS: readonly string[] = ['add', 'remove', 'leave', 'role', 'mute'] satisfies MemberEvent['act'][]

function oneOf<T extends string>(value: unknown, names: readonly string[]): T {
  if (typeof value !== 'string' || !names.includes(value)) throw new Malformed()
  return value as T
}

const roomRole = (value: unknown) => oneOf<RoomRole>(value, ROOM_ROLES)
const roomKind = (value: unknown) => oneOf<RoomKind>(value, KINDS)

/** Only what is there: what is not stays as it was known. */
function facts(o: Body): RoomFacts {
  const found: RoomFacts = {}
  const title = optional(o['title'], string)
  const kind = optional(o['kind'], roomKind)
  const role = optional(o['role'], roomRole)
  const muted = optional(o['muted'], count)
  const people = optional(o['people'], (v) => list(v, user))
  if (title !== undefined) found.title = title
  if (kind !== undefined) found.kind = kind
  if (role !== undefined) found.role = role
  if (muted !== undefined) found.muted = muted
  if (people !== undefined) found.people = people
  found.archived = optional(o['archived'], boolean) ?? false
  return found
}

function reaction(value: unknown): Reaction {
  const o = object(value)
  return { emoji: string(o['emoji']), count: count(o['count']), me: boolean(o['me']) }
}

function logFields(o: Body) {
  return {
    room: string(o['room']),
    seq: seq(o['seq']),
    ts: count(o['ts']),
    from: user(o['from']),
  }
}

function message(o: Body): MessageEvent {
  const deleted = optional(o['deleted'], boolean) ?? false
  const event: MessageEvent = {
    ev: 'message',
    ...logFields(o),
    text: deleted ? '' : string(o['text']),
    deleted,
    mentions: optional(o['mentions'], (v) => list(v, string)) ?? [],
  }
  const edited = optional(o['edited'], count)
  if (edited !== undefined) event.edited = edited
  const reactions = optional(o['reactions'], (v) => list(v, reaction))
  if (reactions !== undefined) event.reactions = reactions
  return event
}

const LOG: Record<string, (o: Body) => LogEvent> = {
  message,
  edit(o) {
    const text = optional(o['text'], string)
    const event = { ev: 'edit' as const, ...logFields(o), target: seq(o['target']) }
    return text === undefined ? event : { ...event, text }
  },
  delete: (o) => ({ ev: 'delete', ...logFields(o), target: seq(o['target']) }),
  react: (o) => ({
    ev: 'react',
    ...logFields(o),
    target: seq(o['target']),
    emoji: string(o['emoji']),
    on: boolean(o['on']),
    count: count(o['count']),
  }),
  topic: (o) => ({ ev: 'topic', ...logFields(o), topic: string(o['topic']) }),
  rename(o) {
    const title = optional(o['title'], string)
    const event = { ev: 'rename' as const, ...logFields(o), was: string(o['was']) }
    return title === undefined ? event : { ...event, title }
  },
  member(o) {
    // What a later server may make of it moves the cursor and nothing else.
    if (!ACTS.includes(string(o['act']))) return { ev: 'other', room: string(o['room']), seq: seq(o['seq']) }
    const act = oneOf<MemberEvent['act']>(o['act'], ACTS)
    const event: MemberEvent = { ev: 'member', ...logFields(o), user: user(o['user']), act }
    if (act === 'role') event.role = roomRole(o['role'])
    if (act === 'mute') event.until = count(o['until'])
    const owner = optional(o['owner'], string)
    if (owner !== undefined) event.owner = owner
    return event
  },
  archive: (o) => ({ ev: 'archive', ...logFields(o), on: boolean(o['on']) }),
  keep: (o) => ({ ev: 'keep', ...logFields(o), days: optional(o['days'], count) ?? null }),
  expire: (o) => ({ ev: 'expire', ...logFields(o), first: seq(o['first']) }),
}

const LOOSE: Record<string, (o: Body) => ServerEvent> = {
  presence: (o) => ({
    ev: 'presence',
    room: string(o['room']),
    join: optional(o['join'], (v) => list(v, user)) ?? [],
    leave: optional(o['leave'], (v) => list(v, user)) ?? [],
    online: count(o['online']),
  }),
  typing: (o) => ({ ev: 'typing', room: string(o['room']), from: user(o['from']) }),
  read: (o) => ({ ev: 'read', room: string(o['room']), seq: count(o['seq']) }),
  added: (o) => ({ ev: 'added', entry: roomEntry(o) }),
  removed(o) {
    const rid = optional(o['rid'], string)
    const event = { ev: 'removed' as const, room: string(o['room']) }
    return rid === undefined ? event : { ...event, rid }
  },
  ping: () => ({ ev: 'ping' }),
}

function logEvent(value: unknown): LogEvent {
  const o = object(value)
  const name = string(o['ev'])
  const read = Object.hasOwn(LOG, name) ? LOG[name] : undefined
  if (read !== undefined) return read(o)
  return { ev: 'other', room: string(o['room']), seq: seq(o['seq']) }
}

function event(o: Body): ServerEvent {
  const name = string(o['ev'])
  const loose = Object.hasOwn(LOOSE, name) ? LOOSE[name] : undefined
  if (loose !== undefined) return loose(o)
  // An unknown event with a `seq` still moves the cursor; one without says nothing to us.
  if (!Object.hasOwn(LOG, name) && o['seq'] === undefined) return { ev: 'unknown' }
  return logEvent(o)
}

function error(value: unknown): ProtocolError {
  const o = object(value)
  const err: ProtocolError = { code: string(o['code']), msg: optional(o['msg'], string) ?? '' }
  const retry = optional(o['retry_ms'], count)
  if (retry !== undefined) err.retry_ms = retry
  return err
}

function reply(o: Body): Reply {
  const re = o['re']
  if (re !== null && typeof re !== 'number' && typeof re !== 'string') throw new Malformed()
  if (boolean(o['ok'])) return { re, ok: true, body: o }
  return { re, ok: false, err: error(o['err']) }
}

function attempt<T>(read: () => T): T | null {
  try {
    return read()
  } catch (e) {
    if (e instanceof Malformed || e instanceof SyntaxError) return null
    throw e
  }
}

/** One text frame, or null if it is neither a reply nor an event as the protocol has them. */
export function decodeFrame(text: string): Frame | null {
  return attempt((): Frame => {
    const o = object(JSON.parse(text))
    if ('re' in o) return { kind: 'reply', reply: reply(o) }
    return { kind: 'event', event: event(o) }
  })
}

function rate(value: unknown): Rate {
  const o = object(value)
  return { n: count(o['n']), per_ms: count(o['per_ms']) }
}

function limits(value: unknown): Limits {
  const o = object(value)
  const known: Limits = { frame: count(o['frame']), text: count(o['text']), send: rate(o['send']) }
  // These tell what to expect, no more: one that cannot be read is as good as none.
  const request = attempt(() => rate(o['request']))
  const failed = attempt(() => rate(o['failed']))
  const connections = attempt(() => count(o['connections']))
  if (request !== null) known.request = request
  if (failed !== null) known.failed = failed
  if (connections !== null) known.connections = connections
  return known
}

/** One that was just added has no counts yet. */
function roomEntry(value: unknown): RoomEntry {
  const o = object(value)
  return {
    ...facts(o),
    room: string(o['room']),
    rid: string(o['rid']),
    head: optional(o['head'], count) ?? 0,
    epoch: optional(o['epoch'], string) ?? '',
    read: optional(o['read'], count) ?? 0,
    unread: optional(o['unread'], count) ?? 0,
    mentions: optional(o['mentions'], count) ?? 0,
  }
}

/** The room in the reply to `create` and `direct`. */
export function decodeEntry(o: Body): RoomEntry | null {
  return attempt(() => roomEntry(o))
}

export function decodeMembers(o: Body): { members: Member[]; more: boolean } | null {
  return attempt(() => ({
    members: list(o['members'], (value) => {
      const m = object(value)
      return { ...user(m), role: roomRole(m['role']), muted: optional(m['muted'], count) ?? 0 }
    }),
    more: boolean(o['more']),
  }))
}

export function decodePeople(o: Body): Person[] | null {
  return attempt(() =>
    list(o['people'], (value) => {
      const role = decodeRole(object(value)['role'])
      if (role === null) throw new Malformed()
      return { ...user(value), role }
    }),
  )
}

/** A user; null where it is none. */
export function decodeUser(value: unknown): User | null {
  return attempt(() => user(value))
}

const ROLES: readonly string[] = ['guest', 'member', 'admin', 'owner'] satisfies TeamRole[]

/** A role in the team; null where it is none. */
export function decodeRole(value: unknown): TeamRole | null {
  return typeof value === 'string' && ROLES.includes(value) ? (value as TeamRole) : null
}

export function decodeHello(o: Body): HelloReply | null {
  return attempt(() => {
    const hello: HelloReply = {
      me: user(o['me']),
      heartbeat_ms: count(o['heartbeat_ms']),
      limits: limits(o['limits']),
      rooms: list(o['rooms'], roomEntry),
    }
    const token = optional(o['token'], string)
    if (token !== undefined) hello.token = token
    const role = decodeRole(object(o['me'])['role'])
    if (role !== null) hello.role = role
    return hello
  })
}

const STATES: readonly string[] = ['complete', 'partial', 'reset'] satisfies JoinState[]

export function decodeJoin(o: Body): JoinReply | null {
  return attempt(() => {
    const state = string(o['state'])
    if (!STATES.includes(state)) throw new Malformed()
    return {
      ...facts(o),
      room: string(o['room']),
      rid: string(o['rid']),
      title: string(o['title']),
      epoch: string(o['epoch']),
      head: count(o['head']),
      first: optional(o['first'], count) ?? 1,
      topic: string(o['topic']),
      keepDays: optional(o['keep_days'], count) ?? null,
      state: state as JoinState,
      events: list(o['events'], logEvent),
      members: list(o['members'], user),
      online: count(o['online']),
    }
  })
}

export function decodeHistory(o: Body): HistoryReply | null {
  return attempt(() => ({
    events: list(o['events'], logEvent),
    head: count(o['head']),
    first: optional(o['first'], count) ?? 1,
    epoch: string(o['epoch']),
    more: boolean(o['more']),
  }))
}

export function decodeWrite(o: Body): WriteReply | null {
  return attempt(() => ({
    seq: seq(o['seq']),
    ts: count(o['ts']),
    dup: optional(o['dup'], boolean) ?? false,
  }))
}

export function decodeRooms(o: Body): RoomListing[] | null {
  return attempt(() =>
    list(o['rooms'], (value) => {
      const r = object(value)
      return {
        room: string(r['room']),
        title: string(r['title']),
        kind: optional(r['kind'], roomKind) ?? 'public',
        head: count(r['head']),
        topic: string(r['topic']),
        online: count(r['online']),
      }
    }),
  )
}
