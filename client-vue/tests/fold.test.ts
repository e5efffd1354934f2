import { describe, expect, it } from 'vitest'
import {
  applyEvent,
  emptyLog,
  findMessage,
  mergeNewer,
  mergeNewest,
  mergeOlder,
  trim,
  type RoomLog,
} from '@/protocol/fold'
import type { HistoryReply, LogEvent, MessageEvent } from '@/protocol/messages'

const ME = 'u1'
const from = { id: 'u2', name: 'Bob' }
const base = (seq: number) => ({ room: 'r', seq, ts: seq * 1000, from })

const msg = (seq: number, text = `m${seq}`): MessageEvent => ({
  ev: 'message',
  ...base(seq),
  text,
  deleted: false,
  mentions: [],
})
const edit = (seq: number, target: number, text: string): LogEvent => ({ ev: 'edit', ...base(seq), target, text })
const del = (seq: number, target: number): LogEvent => ({ ev: 'delete', ...base(seq), target })
const react = (seq: number, target: number, count: number, on = true, who = 'u2'): LogEvent => ({
  ev: 'react',
  ...base(seq),
  from: { id: who, name: who },
  target,
  emoji: '👍',
  on,
  count,
})
const page = (head: number, events: LogEvent[], more = false): HistoryReply => ({
  events,
  head,
  first: 1,
  epoch: 'e',
  more,
})

const apply = (log: RoomLog, ...events: LogEvent[]) =>
  events.reduce((l, e) => applyEvent(l, e, ME), log)
const shown = (log: RoomLog) => log.messages.map((m) => (m.deleted ? `(${m.seq})` : m.text))
const loaded = (head: number, events: LogEvent[], more = false) =>
  mergeNewest(emptyLog(head), page(head, events, more), ME)!

describe('live events', () => {
  it('come in order after a loaded page', () => {
    expect(shown(apply(loaded(2, [msg(1), msg(2)]), msg(3), msg(4)))).toEqual(['m1', 'm2', 'm3', 'm4'])
  })

  it('are taken once', () => {
    const log = apply(loaded(1, [msg(1)]), msg(2))
    expect(apply(log, msg(2), msg(1))).toBe(log)
  })

  it('edit, react to and delete the message they name, and leave the others the same objects', () => {
    const before = loaded(2, [msg(1), msg(2)])
    const after = apply(before, edit(3, 1, 'new'), react(4, 1, 1), react(5, 1, 2, true, ME))
    expect(findMessage(after.messages, 1)).toMatchObject({
      text: 'new',
      edited: 3000,
      reactions: [{ emoji: '👍', count: 2, me: true }],
    })
    expect(after.messages[1]).toBe(before.messages[1])
    const gone = apply(after, react(6, 1, 0, false), del(7, 1))
    expect(findMessage(gone.messages, 1)).toMatchObject({ deleted: true, text: '', reactions: [] })
  })

  it('take back a reaction without losing whose the others are', () => {
    const log = apply(loaded(1, [msg(1)]), react(2, 1, 1, true, ME), react(3, 1, 2), react(4, 1, 1, false))
    expect(log.messages[0]!.reactions).toEqual([{ emoji: '👍', count: 1, me: true }])
    const off = apply(log, react(5, 1, 0, false, ME))
    expect(off.messages[0]!.reactions).toEqual([])
  })

  it('change nothing in a deleted message', () => {
    const log = apply(loaded(1, [msg(1)]), del(2, 1), edit(3, 1, 'back'))
    expect(shown(log)).toEqual(['(1)'])
  })

  it('of an unknown kind move the cursor', () => {
    expect(apply(loaded(1, [msg(1)]), { ev: 'other', room: 'r', seq: 2 }).cursor).toBe(2)
  })

  it('move the cursor only, where no message is loaded', () => {
    const log = apply(emptyLog(4), msg(5))
    expect(log.cursor).toBe(5)
    expect(log.messages).toEqual([])
  })
})

describe('a folded page whose head is ahead of the cursor', () => {
  it('is not changed again by events that it holds already', () => {
    const ahead = { ...msg(1, 'newest'), edited: 9, reactions: [{ emoji: '👍', count: 3, me: false }] }
    const log = mergeNewest(emptyLog(2), page(5, [ahead, msg(4)]), ME)!
    const after = apply(log, edit(3, 1, 'older'), msg(4), react(5, 1, 2), msg(6))
    expect(shown(after)).toEqual(['newest', 'm4', 'm6'])
    expect(after.messages[0]!.reactions[0]!.count).toBe(3)
    expect(after.cursor).toBe(6)
  })
})

describe('a folded page whose head is behind the cursor', () => {
  it('gets what came meanwhile: messages, edits and deletions', () => {
    const log = apply(emptyLog(2), msg(3), edit(4, 1, 'new'), del(5, 2))
    expect(shown(mergeNewest(log, page(2, [msg(1), msg(2)]), ME)!)).toEqual(['new', '(2)', 'm3'])
  })

  it('is refused where what came meanwhile is no longer known', () => {
    const log = { ...apply(emptyLog(2), msg(3), msg(4)), recent: [msg(4)] }
    expect(mergeNewest(log, page(2, [msg(1)]), ME)).toBeNull()
  })
})

describe('paging', () => {
  it('puts older messages in front, each once', () => {
    const log = loaded(6, [msg(5), msg(6)], true)
    const older = mergeOlder(log, page(6, [msg(3), msg(4), msg(5)], false), ME)!
    expect(shown(older)).toEqual(['m3', 'm4', 'm5', 'm6'])
    expect(older.hasOlder).toBe(false)
  })

  it('applies to an older page the events that came after it was read', () => {
    const log = apply(loaded(6, [msg(5), msg(6)], true), edit(7, 3, 'late'), msg(8))
    expect(shown(mergeOlder(log, page(6, [msg(3), msg(4)]), ME)!)).toEqual(['late', 'm4', 'm5', 'm6', 'm8'])
  })

  it('stops adding live messages while the window ends before the newest, and goes on after', () => {
    const cut = trim(loaded(6, [msg(3), msg(4), msg(5), msg(6)]), 'older', 2)
    expect(shown(cut)).toEqual(['m3', 'm4'])
    const later = apply(cut, msg(7))
    expect(shown(later)).toEqual(['m3', 'm4'])
    const part = mergeNewer(later, page(7, [msg(5)], true), ME)!
    expect(shown(part)).toEqual(['m3', 'm4', 'm5'])
    const whole = mergeNewer(part, page(7, [msg(6), msg(7)]), ME)!
    expect(shown(apply(whole, msg(8)))).toEqual(['m3', 'm4', 'm5', 'm6', 'm7', 'm8'])
  })

  it('adds what came while the last newer page was on its way', () => {
    const cut = trim(loaded(4, [msg(3), msg(4)]), 'older', 1)
    const later = apply(cut, msg(5), msg(6))
    expect(shown(mergeNewer(later, page(5, [msg(4), msg(5)]), ME)!)).toEqual(['m3', 'm4', 'm5', 'm6'])
  })

  it('lets go of the side that is not looked at', () => {
    const log = trim(loaded(4, [msg(1), msg(2), msg(3), msg(4)]), 'newer', 2)
    expect(shown(log)).toEqual(['m3', 'm4'])
    expect(log.hasOlder).toBe(true)
  })
})

it('a log that stays open for long does not grow without bound', () => {
  let log = loaded(0, [])
  for (let seq = 1; seq <= 9000; seq++) log = applyEvent(log, msg(seq), ME)
  expect(log.messages.length).toBeLessThanOrEqual(4000)
  expect(log.recent.length).toBeLessThanOrEqual(1000)
  expect(log.messages.at(-1)!.seq).toBe(9000)
})

describe('what expires', () => {
  const expire = (seq: number, first: number): LogEvent => ({ ev: 'expire', ...base(seq), first })

  it('goes from what is shown', () => {
    expect(shown(apply(loaded(3, [msg(1), msg(2), msg(3)]), msg(4), expire(5, 3)))).toEqual(['m3', 'm4'])
    expect(shown(apply(loaded(2, [msg(1), msg(2)]), expire(3, 3)))).toEqual([])
  })

  it('stays gone from a page of before', () => {
    const log = apply(loaded(3, [msg(2), msg(3)], true), expire(4, 3))
    expect(shown(mergeOlder(log, page(3, [msg(1)]), ME)!)).toEqual(['m3'])
  })

  it('is noted where somebody said for how long', () => {
    const log = apply(loaded(1, [msg(1)]), { ev: 'keep', ...base(2), days: 30 })
    expect(log.notes.map((n) => n.ev)).toEqual(['keep'])
  })
})
