/**
 * A room's log, folded into the messages that are shown.  Pure functions: each takes a log and
 * gives the next one, and messages that did not change stay the same objects.
 *
 * What is held is a window of the folded log, in rising `seq` with nothing left out in between;
 * the cursor is the `seq` up to which every event was seen.  A folded page of history is as of its
 * reply's `head`, which may lie on either side of the cursor:
 *
 * - head above the cursor: events up to head are still to come; each message remembers `asOf`, and
 *   an event at or below it changes nothing.
 * - head below the cursor: events above head came before the page; `recent` has kept them, and they
 *   are applied to the page when it is merged.
 */
import { dispatch } from './dispatch'
import type {
  ArchiveEvent,
  HistoryReply,
  KeepEvent,
  LogEvent,
  MemberEvent,
  MessageEvent,
  Reaction,
  RenameEvent,
  TopicEvent,
  User,
} from './messages'

export interface ChatMessage {
  seq: number
  ts: number
  from: User
  text: string
  deleted: boolean
  mentions: readonly string[]
  /** When it was last edited. */
  edited: number | null
  reactions: readonly Reaction[]
  /** The events up to this `seq` are folded in. */
  asOf: number
}

/** What happened to the room itself, or to who belongs to it. */
export type NoteEvent = MemberEvent | TopicEvent | RenameEvent | ArchiveEvent | KeepEvent

export interface RoomLog {
  cursor: number
  messages: readonly ChatMessage[]
  /** Whether messages have been loaded at all. */
  loaded: boolean
  hasOlder: boolean
  /** The window ends before the newest message. */
  hasNewer: boolean
  recent: readonly LogEvent[]
  /** Those that came while the room was watched: a folded history has none. */
  notes: readonly NoteEvent[]
}

const RECENT_MAX = 500
const NOTES_MAX = 200
/** However long a window stays open, it does not grow past this. */
const HARD_MAX = 4000

export function emptyLog(cursor: number): RoomLog {
  return { cursor, messages: [], loaded: false, hasOlder: true, hasNewer: false, recent: [], notes: [] }
}

/** The index of the first message whose seq is not below @seq. */
export function lowerBound(messages: readonly ChatMessage[], seq: number): number {
  let lo = 0
  let hi = messages.length
  while (lo < hi) {
    const mid = (lo + hi) >>> 1
    if (messages[mid]!.seq < seq) lo = mid + 1
    else hi = mid
  }
  return lo
}

export function findMessage(messages: readonly ChatMessage[], seq: number): ChatMessage | null {
  const m = messages[lowerBound(messages, seq)]
  return m?.seq === seq ? m : null
}

function fromEvent(event: MessageEvent, asOf: number): ChatMessage {
  return {
    seq: event.seq,
    ts: event.ts,
    from: event.from,
    text: event.text,
    deleted: event.deleted,
    mentions: event.mentions,
    edited: event.edited ?? null,
    reactions: event.reactions ?? [],
    asOf,
  }
}

function withReaction(
  reactions: readonly Reaction[],
  emoji: string,
  count: number,
  me: boolean | null,
): readonly Reaction[] {
  const old = reactions.find((r) => r.emoji === emoji)
  if (count === 0) return reactions.filter((r) => r.emoji !== emoji)
  const next = { emoji, count, me: me ?? old?.me ?? false }
  if (old === undefined) return [...reactions, next]
  return reactions.map((r) => (r === old ? next : r))
}

/** Whether an event of the log makes a message, or what it changes in one. */
function applyToMessages(
  messages: readonly ChatMessage[],
  event: LogEvent,
  atEnd: boolean,
  me: string,
): readonly ChatMessage[] {
  let next = messages
  const change = (target: number, fn: (m: ChatMessage) => Partial<ChatMessage>) => {
    const i = lowerBound(messages, target)
    const old = messages[i]
    if (old?.seq !== target || event.seq <= old.asOf) return
    next = messages.with(i, { ...old, ...(old.deleted ? {} : fn(old)), asOf: event.seq })
  }
  dispatch(event, {
    message(e) {
      const last = messages.at(-1)
      if (atEnd && (last === undefined || last.seq < e.seq)) {
        next = [...messages, fromEvent(e, e.seq)]
      }
    },
    edit(e) {
      const { text } = e
      if (text !== undefined) change(e.target, () => ({ text, edited: e.ts }))
    },
    expire: (e) => void (next = messages.slice(lowerBound(messages, e.first))),
    delete: (e) => change(e.target, () => ({ text: '', deleted: true, reactions: [] })),
    react: (e) =>
      change(e.target, (m) => ({
        reactions: withReaction(m.reactions, e.emoji, e.count, e.from.id === me ? e.on : null),
      })),
  })
  return next
}

function isNote(event: LogEvent): event is NoteEvent {
  return ['member', 'topic', 'rename', 'archive', 'keep'].includes(event.ev)
}

/** Take in the next event of the log. One at or below the cursor was seen already. */
export function applyEvent(log: RoomLog, event: LogEvent, me: string): RoomLog {
  if (event.seq <= log.cursor) return log
  const recent =
    log.recent.length < RECENT_MAX * 2
      ? [...log.recent, event]
      : [...log.recent.slice(-RECENT_MAX), event]
  const messages = log.loaded
    ? applyToMessages(log.messages, event, !log.hasNewer, me)
    : log.messages
  const notes = isNote(event) ? [...log.notes.slice(1 - NOTES_MAX), event] : log.notes
  const next = { ...log, cursor: event.seq, messages, recent, notes }
  return messages.length > HARD_MAX ? trim(next, 'newer', HARD_MAX / 2) : next
}

/** Whether what came between @head and the cursor is still known. */
function reachesBack(log: RoomLog, head: number): boolean {
  return head >= log.cursor || (log.recent[0] !== undefined && log.recent[0].seq <= head + 1)
}

function pageMessages(log: RoomLog, page: HistoryReply, atEnd: boolean, me: string) {
  const rows: ChatMessage[] = []
  for (const e of page.events) dispatch(e, { message: (m) => rows.push(fromEvent(m, page.head)) })
  return log.recent
    .filter((e) => e.seq > page.head)
    .reduce<readonly ChatMessage[]>((ms, e) => applyToMessages(ms, e, atEnd, me), rows)
}

/**
 * Start over with the newest page of folded history.
 * Null if the log moved on too far since: ask again.
 */
export function mergeNewest(log: RoomLog, page: HistoryReply, me: string): RoomLog | null {
  if (!reachesBack(log, page.head)) return null
  const messages = pageMessages(log, page, true, me)
  return { ...log, messages, loaded: true, hasOlder: page.more, hasNewer: false }
}

/** Put a folded page that was asked for with `before` in front of the window. */
export function mergeOlder(log: RoomLog, page: HistoryReply, me: string): RoomLog | null {
  if (!reachesBack(log, page.head)) return null
  const from = log.messages[0]?.seq ?? Infinity
  const older = pageMessages(log, page, false, me).filter((m) => m.seq < from)
  return { ...log, messages: [...older, ...log.messages], loaded: true, hasOlder: page.more }
}

/** Put a folded page that was asked for with `after` behind the window. */
export function mergeNewer(log: RoomLog, page: HistoryReply, me: string): RoomLog | null {
  if (!reachesBack(log, page.head)) return null
  const upTo = log.messages.at(-1)?.seq ?? 0
  const newer = pageMessages(log, page, !page.more, me).filter((m) => m.seq > upTo)
  return { ...log, messages: [...log.messages, ...newer], loaded: true, hasNewer: page.more }
}

/** Let go of what lies far from the side that is looked at, so that memory stays bounded. */
export function trim(log: RoomLog, keep: 'older' | 'newer', max: number): RoomLog {
  if (log.messages.length <= max) return log
  return keep === 'newer'
    ? { ...log, messages: log.messages.slice(-max), hasOlder: true }
    : { ...log, messages: log.messages.slice(0, max), hasNewer: true }
}
