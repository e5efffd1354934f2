import { mentionPattern } from '@/components/message/rich-text'
import type { User } from '@/protocol/messages'

/** The most that one message may call. */
const MAX = 50

/** The `@…` that is being written at the caret, if there is one. */
export function mentionAt(text: string, caret: number): { from: number; query: string } | null {
  const m = /(?:^|[\s(])@([\p{L}\p{N}._-]{0,40})$/u.exec(text.slice(0, caret))
  return m === null ? null : { from: caret - m[1]!.length - 1, query: m[1]!.toLowerCase() }
}

/** Who may be meant: names that begin as written first, then those that contain it. */
export function matching(people: readonly User[], query: string): User[] {
  const named = people.map((user) => ({ user, name: user.name.toLowerCase() }))
  const begin = named.filter((p) => p.name.startsWith(query))
  const contain = named.filter((p) => !p.name.startsWith(query) && p.name.includes(query))
  return [...begin, ...contain].slice(0, 6).map((p) => p.user)
}

/** The ids of those whom a text calls by name. */
export function mentioned(text: string, people: readonly User[]): string[] {
  const pattern = mentionPattern(people.map((u) => u.name))
  if (pattern === null) return []
  const names = new Set([...text.matchAll(pattern)].map((m) => m[1]!.toLowerCase()))
  return people.filter((u) => names.has(u.name.toLowerCase())).map((u) => u.id).slice(0, MAX)
}
