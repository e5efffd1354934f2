/**
 * From messages to the rows of the list: day pills, the "new" line, and which messages stand under
 * their author's head.  Pure, so that it can be tested without a browser.
 */
import type { ChatMessage, NoteEvent } from '@/protocol/fold'
import type { OutboxEntry } from '@/protocol/outbox'
import { noteText } from './notes'

export interface PendingMessage {
  entry: OutboxEntry
  text: string
}

export type Row =
  | { kind: 'start'; key: string }
  | { kind: 'day'; key: string; ts: number }
  | { kind: 'new'; key: string }
  | { kind: 'note'; key: string; text: string }
  | { kind: 'message'; key: string; message: ChatMessage; head: boolean; changes: OutboxEntry[] }
  | { kind: 'pending'; key: string; entry: OutboxEntry; text: string; head: boolean }

/** Messages of one author this close together stand under one head. */
const GROUP_MS = 5 * 60_000

function dayOf(ts: number): string {
  const d = new Date(ts)
  return `${d.getFullYear()}-${d.getMonth() + 1}-${d.getDate()}`
}

export interface RowsInput {
  messages: readonly ChatMessage[]
  /** In rising `seq`. */
  notes?: readonly NoteEvent[]
  /** The room's writes on their way, in order. */
  outbox: readonly OutboxEntry[]
  me: string
  /** The "new" line stands before the first message of another above this `seq`. */
  newAfter: number | null
  hasOlder: boolean
  hasNewer: boolean
}

const NO_CHANGES: OutboxEntry[] = []

export function toRows(input: RowsInput): Row[] {
  const { messages, outbox, me, newAfter } = input
  const rows: Row[] = []
  if (!input.hasOlder) rows.push({ kind: 'start', key: 'start' })

  const changes = new Map<number, OutboxEntry[]>()
  for (const e of outbox) {
    if (e.write.op === 'send') continue
    changes.set(e.write.target, [...(changes.get(e.write.target) ?? []), e])
  }

  let author = ''
  let ts = 0
  let day = ''
  // A day comes twice where the server's clock was set back.
  const timesOf = new Map<string, number>()
  let newPending = newAfter !== null
  const place = (from: string, at: number): boolean => {
    const today = dayOf(at)
    const newDay = today !== day
    if (newDay) {
      const times = timesOf.get(today) ?? 0
      timesOf.set(today, times + 1)
      rows.push({ kind: 'day', key: times === 0 ? `day-${today}` : `day-${today}-${times}`, ts: at })
    }
    const head = newDay || from !== author || Math.abs(at - ts) >= GROUP_MS
    author = from
    ts = at
    day = today
    return head
  }
  // What lies beyond the messages that are loaded has no place among them yet.
  const first = input.hasOlder ? (messages[0]?.seq ?? Infinity) : 0
  const notes = (input.notes ?? []).filter((n) => n.seq > first)
  let noted = 0
  const placeNotes = (before: number) => {
    for (; noted < notes.length && notes[noted]!.seq < before; noted++) {
      const note = notes[noted]!
      place('', note.ts)
      rows.push({ kind: 'note', key: `n${note.seq}`, text: noteText(note) })
    }
  }
  for (const message of messages) {
    placeNotes(message.seq)
    let head = place(message.from.id, message.ts)
    if (newPending && message.seq > newAfter! && message.from.id !== me) {
      rows.push({ kind: 'new', key: 'new' })
      newPending = false
      head = true
    }
    const key = `m${message.seq}`
    rows.push({ kind: 'message', key, message, head, changes: changes.get(message.seq) ?? NO_CHANGES })
  }
  if (input.hasNewer) return rows
  placeNotes(Infinity)
  for (const entry of outbox) {
    if (entry.write.op !== 'send') continue
    const head = place(me, entry.created)
    rows.push({ kind: 'pending', key: `k${entry.key}`, entry, text: entry.write.text, head })
  }
  return rows
}

/** A message as it will stand when the changes on their way have arrived. */
export function withChanges(message: ChatMessage, changes: readonly OutboxEntry[]): ChatMessage {
  return changes.reduce((m, { write, state, created }) => {
    if (state === 'failed' || m.deleted) return m
    if (write.op === 'edit') return { ...m, text: write.text, edited: created }
    if (write.op === 'delete') return { ...m, text: '', deleted: true, reactions: [] }
    if (write.op !== 'react') return m
    const { emoji, on } = write
    const old = m.reactions.find((r) => r.emoji === emoji)
    if ((old?.me ?? false) === on) return m
    const count = (old?.count ?? 0) + (on ? 1 : -1)
    const rest = m.reactions.filter((r) => r.emoji !== emoji)
    if (count <= 0) return { ...m, reactions: rest }
    if (old === undefined) return { ...m, reactions: [...rest, { emoji, count, me: on }] }
    return { ...m, reactions: m.reactions.map((r) => (r === old ? { emoji, count, me: on } : r)) }
  }, message)
}
