/**
 * What is known of one room: pure functions from what the server says to the next state.
 */
import { dispatch } from './dispatch'
import { applyEvent, emptyLog, type RoomLog } from './fold'
import type {
  JoinReply,
  LogEvent,
  MemberEvent,
  PresenceEvent,
  RoomEntry,
  RoomFacts,
  RoomKind,
  RoomRole,
  User,
} from './messages'

export interface RoomState {
  /** The id that never changes: what everything about the room is kept by. */
  rid: string
  /** The folded name, as events carry it; `~rid` where the room has none. */
  room: string
  /** Empty for a direct room: it is called after its people. */
  title: string
  topic: string
  kind: RoomKind
  archived: boolean
  /** The days that what is said is kept; null: as the team has it, 0: for ever. */
  keepDays: number | null
  /** The user's own. */
  role: RoomRole
  /** Until when the user may not write, in Unix milliseconds; 0: never silenced. */
  muted: number
  /** Of a direct room: everybody. */
  people: readonly User[]
  epoch: string
  /** The newest event that the server is known to have. */
  head: number
  /** The newest event that the user has seen. */
  read: number
  unread: number
  mentions: number
  /** Events up to this `seq` are in `unread` already. */
  countedTo: number
  members: readonly User[]
  online: number
  /** Joined on the present link: live events come, writes are taken. */
  joined: boolean
  log: RoomLog
}

/** What is told of the room, where it is told. */
function withFacts(state: RoomState, facts: RoomFacts): RoomState {
  return {
    ...state,
    title: facts.title ?? state.title,
    kind: facts.kind ?? state.kind,
    archived: facts.archived ?? state.archived,
    role: facts.role ?? state.role,
    muted: facts.muted ?? state.muted,
    people: facts.people ?? state.people,
  }
}

export function roomFromEntry(entry: RoomEntry): RoomState {
  return {
    rid: entry.rid,
    room: entry.room,
    title: entry.title ?? entry.room,
    topic: '',
    kind: entry.kind ?? 'public',
    archived: entry.archived ?? false,
    keepDays: null,
    role: entry.role ?? 'member',
    muted: entry.muted ?? 0,
    people: entry.people ?? [],
    epoch: entry.epoch,
    head: entry.head,
    read: entry.read,
    unread: entry.unread,
    mentions: entry.mentions,
    countedTo: entry.head,
    members: [],
    online: 0,
    joined: false,
    log: emptyLog(entry.head),
  }
}

/** A room joined for the first time: nothing in it counts as unread. */
export function roomFromJoin(reply: JoinReply): RoomState {
  const { rid, room, epoch, head } = reply
  const entry = { rid, room, epoch, head, read: head, unread: 0, mentions: 0 }
  return withJoin(roomFromEntry(entry), reply)
}

/**
 * The counts of a new link's hello.  A marker that this client has moved and not yet told the
 * server stays where it is.
 */
export function withEntry(state: RoomState, entry: RoomEntry, unsentRead: boolean): RoomState {
  const told = withFacts(state, { ...entry, muted: entry.muted ?? 0 })
  const renamed = { ...told, room: entry.room, joined: false }
  if (unsentRead && state.read >= entry.head) {
    return { ...renamed, unread: 0, mentions: 0, countedTo: entry.head }
  }
  const { read, unread, mentions, head, epoch } = entry
  const counted = { ...renamed, read, unread, mentions, countedTo: head }
  // Where no message is shown, there is nothing to catch up with.
  return state.log.loaded ? counted : { ...counted, head, epoch, log: emptyLog(head) }
}

/** What is kept of a room between visits. */
export function toEntry(state: RoomState): RoomEntry {
  const { rid, room, head, epoch, read, unread, mentions } = state
  const { title, kind, archived, role, muted, people } = state
  const facts = { title, kind, archived, role, muted, people: [...people] }
  return { rid, room, head, epoch, read, unread, mentions, ...facts }
}

/** What a join's reply says of the room itself; its events are another matter. */
export function withJoin(state: RoomState, reply: JoinReply): RoomState {
  const { room, topic, keepDays, epoch, members, online } = reply
  const head = reply.head
  return { ...withFacts(state, reply), room, topic, keepDays, epoch, members, online, head, joined: true }
}

/** What an event about somebody says of the user. */
function ownShare(event: MemberEvent, me: string): Partial<RoomState> {
  if (event.owner === me) return { role: 'owner' }
  if (event.user.id !== me) return {}
  if (event.act === 'add') return { role: event.from.id === me && event.seq === 1 ? 'owner' : 'member', muted: 0 }
  if (event.act === 'role' && event.role !== undefined) return { role: event.role }
  return event.act === 'mute' ? { muted: event.until ?? 0 } : {}
}

/** What the room is called: a direct one after the others in it. */
export function titleOf(room: Pick<RoomState, 'title' | 'room' | 'people' | 'kind'>, me: string): string {
  if (room.kind !== 'direct') return room.title || room.room
  const others = room.people.filter((u) => u.id !== me).map((u) => u.name)
  return others.join(', ') || 'Direct message'
}

/** Why the user may not write in the room at @now; empty where they may. */
export function silence(room: RoomState, now: number, isAdmin: boolean): 'archived' | 'muted' | 'announcement' | '' {
  if (room.archived) return 'archived'
  if (room.muted > now) return 'muted'
  const may = room.kind !== 'announcement' || room.role !== 'member' || isAdmin
  return may ? '' : 'announcement'
}

/** Whether the user moderates the room. */
export function moderates(room: RoomState, isAdmin: boolean): boolean {
  return room.kind !== 'direct' && (isAdmin || room.role !== 'member')
}

export function withPresence(state: RoomState, event: PresenceEvent): RoomState {
  const gone = new Set([...event.leave, ...event.join].map((u) => u.id))
  const members = [...state.members.filter((u) => !gone.has(u.id)), ...event.join]
  return { ...state, members, online: event.online }
}

/** Take in an event of the room's log: the messages, the counts, the room's own facts. */
export function withLogEvent(state: RoomState, event: LogEvent, me: string): RoomState {
  if (event.seq <= state.log.cursor) return state
  const next: RoomState = {
    ...state,
    log: applyEvent(state.log, event, me),
    head: Math.max(state.head, event.seq),
  }
  dispatch(event, {
    message(e) {
      if (e.seq <= state.countedTo || e.seq <= state.read || e.from.id === me) return
      next.unread++
      if (e.mentions.includes(me)) next.mentions++
    },
    topic: (e) => void (next.topic = e.topic),
    rename(e) {
      next.room = e.room
      next.title = e.title ?? e.room
    },
    member: (e) => void Object.assign(next, ownShare(e, me)),
    archive: (e) => void (next.archived = e.on),
    keep: (e) => void (next.keepDays = e.days),
  })
  next.countedTo = Math.max(next.countedTo, event.seq)
  return next
}

/** Move the read marker, here or in another tab. */
export function withRead(state: RoomState, seq: number, me: string): RoomState {
  if (seq >= state.head) return { ...state, read: seq, unread: 0, mentions: 0 }
  const { messages, loaded, hasNewer } = state.log
  const above = messages.filter((m) => m.seq > seq && m.from.id !== me)
  const covered = loaded && !hasNewer && (messages[0]?.seq ?? Infinity) <= seq + 1
  if (covered) {
    const mentions = above.filter((m) => m.mentions.includes(me)).length
    return { ...state, read: seq, unread: above.length, mentions }
  }
  // The messages in between are not here: the distance in the log is the bound that is known.
  const unread = seq > state.read ? Math.min(state.unread, state.head - seq) : state.unread
  return { ...state, read: seq, unread, mentions: Math.min(state.mentions, unread) }
}

/** The form of a name that the server judges by, as near as a browser knows it. */
export function foldName(name: string): string {
  return name.trim().normalize('NFKC').toLowerCase().normalize('NFKC')
}

const NAME = /^[\p{L}\p{Mn}\p{Mc}\p{Nd}](?:[\p{L}\p{Mn}\p{Mc}\p{Nd}._-]{0,78}[\p{L}\p{Mn}\p{Mc}\p{Nd}])?$/u

/** Whether the server would take this for a room's name. */
export function isRoomName(name: string): boolean {
  return NAME.test(foldName(name))
}
