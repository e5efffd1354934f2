import { describe, expect, it } from 'vitest'
import { toRows, withChanges, type RowsInput } from '@/components/message/rows'
import { dayOf } from '@/components/message/time'
import type { ChatMessage } from '@/protocol/fold'
import type { Write } from '@/protocol/messages'
import type { OutboxEntry } from '@/protocol/outbox'

const NOON = new Date(2026, 2, 10, 12).getTime()
const MINUTE = 60_000

const message = (seq: number, user: string, ts: number): ChatMessage => ({
  seq,
  ts,
  from: { id: user, name: user },
  text: `m${seq}`,
  deleted: false,
  mentions: [],
  edited: null,
  reactions: [],
  asOf: seq,
})
const entry = (key: string, write: Write, state: OutboxEntry['state'] = 'waiting'): OutboxEntry => ({
  key,
  order: 1,
  user: 'me',
  rid: 'r',
  write,
  created: NOON + 10 * MINUTE,
  state,
  tries: 0,
})
const rows = (messages: ChatMessage[], more: Partial<RowsInput> = {}) =>
  toRows({
    messages,
    outbox: [],
    me: 'me',
    newAfter: null,
    hasOlder: true,
    hasNewer: false,
    ...more,
  })
const shape = (list: ReturnType<typeof rows>) =>
  list.map((r) => (r.kind === 'message' || r.kind === 'pending' ? `${r.key}${r.head ? '*' : ''}` : r.kind))

describe('rows', () => {
  it('put messages of one author within five minutes under one head', () => {
    const list = rows([
      message(1, 'a', NOON),
      message(2, 'a', NOON + 5 * MINUTE - 1),
      message(3, 'a', NOON + 10 * MINUTE),
      message(4, 'b', NOON + 10 * MINUTE),
    ])
    expect(shape(list)).toEqual(['day', 'm1*', 'm2', 'm3*', 'm4*'])
  })

  it('begin each local day with its pill, and a head', () => {
    const evening = new Date(2026, 2, 10, 23, 59).getTime()
    const list = rows([message(1, 'a', evening), message(2, 'a', evening + 2 * MINUTE)])
    expect(shape(list)).toEqual(['day', 'm1*', 'day', 'm2*'])
  })

  it('keep the order of the log, and keys of their own, where the clock of the server was set back', () => {
    const day = 24 * 60 * MINUTE
    const list = rows([message(1, 'a', NOON), message(2, 'a', NOON + day), message(3, 'a', NOON), message(4, 'a', NOON + day)])
    expect(shape(list)).toEqual(['day', 'm1*', 'day', 'm2*', 'day', 'm3*', 'day', 'm4*'])
    expect(new Set(list.map((row) => row.key)).size).toBe(list.length)
  })

  it('have the new line before the first unread message of another', () => {
    const messages = [message(1, 'a', NOON), message(2, 'me', NOON), message(3, 'a', NOON), message(4, 'a', NOON)]
    expect(shape(rows(messages, { newAfter: 1 }))).toEqual(['day', 'm1*', 'm2*', 'new', 'm3*', 'm4'])
    expect(shape(rows(messages, { newAfter: 4 }))).not.toContain('new')
  })

  it('say where the room begins only when there is nothing older', () => {
    expect(shape(rows([], { hasOlder: false }))).toEqual(['start'])
    expect(shape(rows([]))).toEqual([])
  })

  it('end with what is on its way, unless the newest messages are not loaded', () => {
    const outbox = [entry('x', { op: 'send', text: 'hi' }), entry('y', { op: 'send', text: 'ho' })]
    const messages = [message(1, 'me', NOON + 8 * MINUTE)]
    expect(shape(rows(messages, { outbox }))).toEqual(['day', 'm1*', 'kx', 'ky'])
    expect(shape(rows(messages, { outbox, hasNewer: true }))).toEqual(['day', 'm1*'])
  })

  it('give each message the changes on their way to it', () => {
    const outbox = [entry('x', { op: 'edit', target: 1, text: 'new' })]
    const [, first, second] = rows([message(1, 'a', NOON), message(2, 'a', NOON)], { outbox })
    expect(first).toMatchObject({ changes: outbox })
    expect(second).toMatchObject({ changes: [] })
  })
})

describe('a message with changes on their way', () => {
  const base = { ...message(1, 'me', NOON), reactions: [{ emoji: '👍', count: 2, me: true }] }

  it('is shown as it will stand', () => {
    expect(withChanges(base, [entry('x', { op: 'edit', target: 1, text: 'new' })]).text).toBe('new')
    expect(withChanges(base, [entry('x', { op: 'delete', target: 1 })]).deleted).toBe(true)
    const off = withChanges(base, [entry('x', { op: 'react', target: 1, emoji: '👍', on: false })])
    expect(off.reactions).toEqual([{ emoji: '👍', count: 1, me: false }])
    const on = withChanges(base, [entry('x', { op: 'react', target: 1, emoji: '🎉', on: true })])
    expect(on.reactions.at(-1)).toEqual({ emoji: '🎉', count: 1, me: true })
  })

  it('is not changed by what failed, or by what it already has', () => {
    expect(withChanges(base, [entry('x', { op: 'delete', target: 1 }, 'failed')])).toBe(base)
    expect(withChanges(base, [entry('x', { op: 'react', target: 1, emoji: '👍', on: true })])).toBe(base)
  })
})

describe('a day', () => {
  it('is named as people say it', () => {
    expect(dayOf(NOON, NOON)).toBe('Today')
    expect(dayOf(NOON - 24 * 60 * MINUTE, NOON)).toBe('Yesterday')
    expect(dayOf(new Date(2025, 0, 2).getTime(), NOON)).toContain('2025')
  })
})

describe('what happened to the room', () => {
  const from = { id: 'a', name: 'Ada' }
  const user = { id: 'b', name: 'Bob' }
  const base = { room: 'r', ts: NOON, from }
  const notes = [
    { ev: 'member' as const, ...base, seq: 2, user, act: 'add' as const },
    { ev: 'topic' as const, ...base, seq: 5, topic: 'Deeds' },
  ]
  const shown = (more: Partial<RowsInput>) =>
    rows([message(3, 'a', NOON), message(4, 'a', NOON)], { notes, ...more })
      .filter((r) => r.kind === 'note' || r.kind === 'message')
      .map((r) => (r.kind === 'note' ? r.text : r.key))

  it('stands where it happened', () => {
    expect(shown({ hasOlder: false })).toEqual(['Ada added Bob.', 'm3', 'm4', 'Ada set the topic: Deeds'])
  })

  it('waits for the messages around it', () => {
    expect(shown({ hasOlder: true })).toEqual(['m3', 'm4', 'Ada set the topic: Deeds'])
    expect(shown({ hasOlder: false, hasNewer: true })).toEqual(['Ada added Bob.', 'm3', 'm4'])
  })

  it('parts what one author wrote before and after it', () => {
    const note = { ...notes[0]!, seq: 4 }
    const all = rows([message(3, 'a', NOON), message(5, 'a', NOON)], { notes: [note], hasOlder: false })
    expect(all.filter((r) => r.kind === 'message').map((r) => r.head)).toEqual([true, true])
  })
})
