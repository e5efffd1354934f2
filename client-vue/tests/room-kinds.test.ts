import { describe, expect, it } from 'vitest'
import { decodeEntry, decodeFrame, decodeMembers, decodePeople } from '@/protocol/decode'
import type { LogEvent, MemberEvent } from '@/protocol/messages'
import { moderates, roomFromEntry, silence, titleOf, toEntry, withEntry, withLogEvent } from '@/protocol/room-state'

const COUNTS = { head: 3, epoch: 'e', read: 3, unread: 0, mentions: 0 }
const entry = { room: '~x', rid: 'x', title: 'Plans', kind: 'private' as const, role: 'member' as const, ...COUNTS }
const ada = { id: 'u1', name: 'Ada' }
const bob = { id: 'u2', name: 'Bob' }

function about(user: { id: string; name: string }, more: Partial<MemberEvent>, seq = 4): MemberEvent {
  return { ev: 'member', room: '~x', seq, ts: 1, from: ada, user, act: 'add', ...more }
}

describe('a room’s entry', () => {
  it('survives being kept', () => {
    const state = roomFromEntry({ ...entry, muted: 9, archived: true, people: [ada, bob] })
    expect(roomFromEntry(toEntry(state))).toEqual(state)
  })

  it('of an older visit is a public room', () => {
    const state = roomFromEntry({ room: 'general', rid: 'g', ...COUNTS })
    expect([state.kind, state.title, state.role, state.archived]).toEqual(['public', 'general', 'member', false])
  })

  it('from a new link ends a silence that is over and takes the new role', () => {
    const muted = { ...roomFromEntry(entry), muted: 99, role: 'owner' as const }
    expect(withEntry(muted, entry, false)).toMatchObject({ muted: 0, role: 'member', title: 'Plans' })
  })

  it('is refused where its kind is none', () => {
    expect(decodeEntry({ ...entry, kind: 'stage' })).toBeNull()
    expect(decodeEntry({ ...entry })).toMatchObject({ title: 'Plans', kind: 'private', archived: false })
  })
})

describe('a direct room', () => {
  const room = { room: '~d', title: '', kind: 'direct' as const, people: [ada, bob, { id: 'u3', name: 'Eve' }] }

  it('is called after the others', () => {
    expect(titleOf(room, 'u1')).toBe('Bob, Eve')
    expect(titleOf({ ...room, people: [ada] }, 'u1')).toBe('Direct message')
  })
})

describe('what events say of oneself', () => {
  const apply = (...events: LogEvent[]) => events.reduce((s, e) => withLogEvent(s, e, 'u2'), roomFromEntry(entry))

  it('a role, a silence and its end', () => {
    expect(apply(about(bob, { act: 'role', role: 'moderator' })).role).toBe('moderator')
    expect(apply(about(bob, { act: 'mute', until: 77 })).muted).toBe(77)
    expect(apply(about(bob, { act: 'mute', until: 77 }), about(bob, { act: 'mute', until: 0 }, 5)).muted).toBe(0)
  })

  it('what happens to others is theirs', () => {
    expect(apply(about(ada, { act: 'role', role: 'owner' }), about(ada, { act: 'mute', until: 7 }, 5))).toMatchObject({ role: 'member', muted: 0 })
  })

  it('the room falls to who stays', () => {
    expect(apply(about(ada, { act: 'leave', owner: 'u2' })).role).toBe('owner')
  })

  it('a new name and an archive', () => {
    const from = ada
    const next = apply(
      { ev: 'rename', room: '~x', seq: 4, ts: 1, from, was: 'Plans', title: 'Deeds' },
      { ev: 'archive', room: '~x', seq: 5, ts: 1, from, on: true },
    )
    expect([next.title, next.archived, next.log.cursor]).toEqual(['Deeds', true, 5])
  })
})

describe('who may write', () => {
  const room = roomFromEntry(entry)

  it('nobody in an archived room, not even admins', () => {
    expect(silence({ ...room, archived: true, role: 'owner' }, 0, true)).toBe('archived')
  })

  it('a muted one later', () => {
    expect(silence({ ...room, muted: 10 }, 9, false)).toBe('muted')
    expect(silence({ ...room, muted: 10 }, 10, false)).toBe('')
  })

  it('moderators and admins in an announcement room', () => {
    const news = { ...room, kind: 'announcement' as const }
    expect(silence(news, 0, false)).toBe('announcement')
    expect(silence({ ...news, role: 'moderator' }, 0, false)).toBe('')
    expect(silence(news, 0, true)).toBe('')
  })

  it('nobody moderates a direct room', () => {
    expect(moderates({ ...room, kind: 'direct', role: 'owner' }, true)).toBe(false)
    expect(moderates(room, false)).toBe(false)
    expect(moderates(room, true)).toBe(true)
  })
})

describe('lists of people', () => {
  it('are read whole or not at all', () => {
    expect(decodeMembers({ members: [{ ...ada, role: 'owner' }, { ...bob, role: 'member', muted: 5 }], more: false })).toEqual({
      members: [{ ...ada, role: 'owner', muted: 0 }, { ...bob, role: 'member', muted: 5 }],
      more: false,
    })
    expect(decodeMembers({ members: [{ ...ada, role: 'king' }], more: false })).toBeNull()
    expect(decodePeople({ people: [{ ...ada, role: 'guest' }] })).toEqual([{ ...ada, role: 'guest' }])
    expect(decodePeople({ people: [{ ...ada, role: 'owner ' }] })).toBeNull()
  })

  it('an act that this client does not know moves the cursor', () => {
    const text = JSON.stringify({ ...about(bob, {}), act: 'promote' })
    expect(decodeFrame(text)).toEqual({ kind: 'event', event: { ev: 'other', room: '~x', seq: 4 } })
  })
})
