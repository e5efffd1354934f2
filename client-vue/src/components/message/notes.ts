/**
 * What happened to a room or its people, in words.
 */
import type { NoteEvent } from '@/protocol/fold'
import type { MemberEvent } from '@/protocol/messages'

function ofMember({ from, user, act, role, until }: MemberEvent): string {
  const byself = from.id === user.id
  switch (act) {
    case 'add':
      return byself ? `${user.name} came in.` : `${from.name} added ${user.name}.`
    case 'remove':
      return `${from.name} removed ${user.name}.`
    case 'leave':
      return `${user.name} left.`
    case 'role':
      return role === 'member'
        ? `${from.name} made ${user.name} a member again.`
        : `${from.name} made ${user.name} ${role === 'owner' ? 'an owner' : 'a moderator'}.`
    case 'mute':
      return until === 0 ? `${user.name} may write again.` : `${from.name} muted ${user.name} for a time.`
  }
}

/** How long messages are kept, in a few words; null: as the team has it. */
export function keepText(days: number | null): string {
  if (days === null) return 'as in the whole team'
  if (days === 0) return 'for ever'
  return days === 1 ? 'a day' : days % 365 === 0 ? (days === 365 ? 'a year' : `${days / 365} years`) : `${days} days`
}

export function noteText(event: NoteEvent): string {
  switch (event.ev) {
    case 'member':
      return ofMember(event)
    case 'topic':
      return event.topic === '' ? `${event.from.name} took the topic away.` : `${event.from.name} set the topic: ${event.topic}`
    case 'rename':
      return `${event.from.name} renamed the room ${event.title ?? event.room}; it was ${event.was}.`
    case 'keep':
      return `${event.from.name} set how long messages are kept here: ${keepText(event.days)}.`
    case 'archive':
      return `${event.from.name} ${event.on ? 'archived the room' : 'opened the room again'}.`
  }
}
