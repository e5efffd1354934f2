/**
 * What goes over the wire, as types.  The contract is docs/protocol.md; a reader ignores fields
 * that are not named here.
 */

export type TeamRole = 'guest' | 'member' | 'admin' | 'owner'

export interface User {
  id: string
  name: string
}

/** What a room is for: private and direct ones are there for those who belong to them alone. */
export type RoomKind = 'public' | 'private' | 'direct' | 'announcement'

export type RoomRole = 'member' | 'moderator' | 'owner'

/** Somebody who belongs to a room. */
export interface Member extends User {
  role: RoomRole
  /** Until when they may not write, in Unix milliseconds; 0: never silenced. */
  muted: number
}

/** Somebody of the team. */
export interface Person extends User {
  role: TeamRole
}

export interface Reaction {
  emoji: string
  count: number
  me: boolean
}

/** What every event of a room's log has. */
interface LogFields {
  room: string
  seq: number
  /** Unix time in milliseconds, given by the server; it orders nothing. */
  ts: number
  from: User
}

/** A message as it was sent, or, from a folded history, as it stands now. */
export interface MessageEvent extends LogFields {
  ev: 'message'
  /** Empty for a tombstone. */
  text: string
  deleted: boolean
  mentions: string[]
  /** When it was last edited; folded histories only. */
  edited?: number
  /** Folded histories only. */
  reactions?: Reaction[]
}

export interface EditEvent extends LogFields {
  ev: 'edit'
  target: number
  /** Missing where the message was deleted later. */
  text?: string
}

export interface DeleteEvent extends LogFields {
  ev: 'delete'
  target: number
}

export interface ReactEvent extends LogFields {
  ev: 'react'
  target: number
  emoji: string
  on: boolean
  /** The users with that emoji on that message after this event. */
  count: number
}

export interface TopicEvent extends LogFields {
  ev: 'topic'
  topic: string
}

export interface RenameEvent extends LogFields {
  ev: 'rename'
  was: string
  /** Missing in what older servers said. */
  title?: string
}

/** What became of somebody in a room. */
export interface MemberEvent extends LogFields {
  ev: 'member'
  user: User
  act: 'add' | 'remove' | 'leave' | 'role' | 'mute'
  role?: RoomRole
  until?: number
  /** Who is the owner since somebody left. */
  owner?: string
}

export interface ArchiveEvent extends LogFields {
  ev: 'archive'
  on: boolean
}

/** How many days the room keeps what is said; null: as the team has it, 0: for ever. */
export interface KeepEvent extends LogFields {
  ev: 'keep'
  days: number | null
}

/** What was said before `first` is gone. */
export interface ExpireEvent extends LogFields {
  ev: 'expire'
  first: number
}

/** An event of the log that this client does not know: it moves the cursor and nothing else. */
export interface OtherLogEvent {
  ev: 'other'
  room: string
  seq: number
}

/** Everything durable that happens in a room: what `seq` counts. */
export type LogEvent =
  | MessageEvent
  | EditEvent
  | DeleteEvent
  | ReactEvent
  | TopicEvent
  | RenameEvent
  | MemberEvent
  | ArchiveEvent
  | KeepEvent
  | ExpireEvent
  | OtherLogEvent

export interface PresenceEvent {
  ev: 'presence'
  room: string
  join: User[]
  leave: User[]
  online: number
}

export interface TypingEvent {
  ev: 'typing'
  room: string
  from: User
}

/** The read marker was moved by another connection of the same user. */
export interface ReadEvent {
  ev: 'read'
  room: string
  seq: number
}

/** Somebody has added the user to a room. */
export interface AddedEvent {
  ev: 'added'
  entry: RoomEntry
}

/** The user belongs to a room no longer: nothing more of it comes. */
export interface RemovedEvent {
  ev: 'removed'
  room: string
  rid?: string
}

/** What the server says unasked. */
export type ServerEvent =
  | LogEvent
  | PresenceEvent
  | TypingEvent
  | ReadEvent
  | AddedEvent
  | RemovedEvent
  | { ev: 'ping' }
  | { ev: 'unknown' }

export type ErrorCode =
  | 'bad_request'
  | 'unsupported'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'name_taken'
  | 'too_large'
  | 'rate_limited'
  | 'key_conflict'
  | 'unavailable'
  | 'internal'

export interface ProtocolError {
  /** One of `ErrorCode`, or one that a later server added. */
  code: ErrorCode | (string & {})
  /** For people. */
  msg: string
  retry_ms?: number
}

export type Body = Readonly<Record<string, unknown>>

export type Reply =
  | { re: number | string | null; ok: true; body: Body }
  | { re: number | string | null; ok: false; err: ProtocolError }

export type Frame = { kind: 'reply'; reply: Reply } | { kind: 'event'; event: ServerEvent }

/** What a room is to the user.  What is missing is as in the simplest of rooms. */
export interface RoomFacts {
  title?: string
  kind?: RoomKind
  archived?: boolean
  role?: RoomRole
  muted?: number
  /** Of a direct room: everybody, oneself included. */
  people?: User[]
}

/** A room in the reply to `hello`: those that the user belongs to. */
export interface RoomEntry extends RoomFacts {
  room: string
  rid: string
  head: number
  epoch: string
  read: number
  unread: number
  mentions: number
}

/** So many in each so many milliseconds, as many at once; none is no limit. */
export interface Rate {
  n: number
  per_ms: number
}

export interface Limits {
  /** Bytes of a whole message. */
  frame: number
  /** Bytes of a text. */
  text: number
  send: Rate
  /** What a user may ask besides; not there where it is not limited. */
  request?: Rate
  /** How many refusals a user may have before they are made to wait. */
  failed?: Rate
  /** How many connections a user may have open. */
  connections?: number
}

export interface HelloReply {
  me: User
  /** With accounts: the user's role in the team. */
  role?: TeamRole
  token?: string
  heartbeat_ms: number
  limits: Limits
  rooms: RoomEntry[]
}

export type JoinState = 'complete' | 'partial' | 'reset'

export interface JoinReply extends RoomFacts {
  room: string
  rid: string
  title: string
  epoch: string
  head: number
  first: number
  topic: string
  /** As in a `keep` event. */
  keepDays: number | null
  state: JoinState
  events: LogEvent[]
  members: User[]
  online: number
}

export interface HistoryReply {
  events: LogEvent[]
  head: number
  first: number
  epoch: string
  more: boolean
}

export interface WriteReply {
  seq: number
  ts: number
  dup: boolean
}

/** A room in the reply to `rooms`: those that the user may see. */
export interface RoomListing {
  room: string
  title: string
  kind: RoomKind
  head: number
  topic: string
  online: number
}

/** A write, as the outbox keeps it and the server hashes it under its key. */
export type Write =
  | { op: 'send'; text: string; mentions?: string[] }
  | { op: 'edit'; target: number; text: string }
  | { op: 'delete'; target: number }
  | { op: 'react'; target: number; emoji: string; on: boolean }
