import { fullJitter } from './backoff'
import { decodeWrite } from './decode'
import type { Reply, Write } from './messages'

export interface OutboxEntry {
  /** The idempotency key, and the entry's name. */
  key: string
  /** Entries of a room go out in the order of this number. */
  order: number
  /** Whose write it is: another user on the same browser does not send it. */
  user: string
  rid: string
  write: Write
  /** When it was written, Unix time in milliseconds. */
  created: number
  state: 'waiting' | 'sending' | 'sent' | 'failed'
  /** The tries so far; after the first one the server may know the key. */
  tries: number
  /** Why it failed: the protocol's code. */
  reason?: string
  /** The server's words for it. */
  detail?: string
  /** Where it is in the log, once it was sent. */
  seq?: number
}

export interface OutboxStore {
  all(): Promise<OutboxEntry[]>
  put(entry: OutboxEntry): Promise<void>
  remove(key: string): Promise<void>
}

/** What one tab tells the others. */
export type OutboxNote = { kind: 'stored' } | { kind: 'gone'; key: string; seq: number | null }

/** Refusals that pass: the same key is tried again. */
const PASSING = new Set(['unavailable', 'rate_limited', 'internal'])
/** An internal error that comes again and again is the message's own. */
const INTERNAL_TRIES = 5

/** What an answer makes of an entry, and how long to wait before the next try. */
export function settle(
  entry: OutboxEntry,
  reply: Reply,
  random: () => number,
): { entry: OutboxEntry; retryMs: number | null } {
  if (reply.ok) {
    const done = decodeWrite(reply.body)
    return { entry: { ...entry, state: 'sent', seq: done?.seq ?? 0 }, retryMs: null }
  }
  const { code, msg, retry_ms } = reply.err
  const hopeless = code === 'internal' && entry.tries >= INTERNAL_TRIES
  if (PASSING.has(code) && !hopeless) {
    const retryMs = retry_ms ?? 500 + fullJitter(entry.tries, random)
    return { entry: { ...entry, state: 'waiting', reason: code }, retryMs }
  }
  return { entry: { ...entry, state: 'failed', reason: code, detail: msg }, retryMs: null }
}
