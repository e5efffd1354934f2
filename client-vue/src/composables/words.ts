import { Refused } from '@/protocol/client'
import { LinkDown } from '@/protocol/connection'
import { ApiError } from '@/protocol/api'

const WORDS: Record<string, string> = {
  unauthorized: 'You are not signed in any more.',
  forbidden: 'You may not do that.',
  not_found: 'That is not there any more.',
  unreachable: 'Cannot reach the server. Try again in a moment.',
}

/** What to tell the user of a failed request; @own are the words that fit the place better. */
export function wordsFor(error: unknown, own: Record<string, string> = {}): string {
  if (error instanceof LinkDown) return 'The server cannot be reached.'
  if (error instanceof Refused) return own[error.code] ?? error.message
  if (!(error instanceof ApiError)) return 'Something went wrong.'
  const words = own[error.code] ?? WORDS[error.code]
  if (words !== undefined) return words
  if (error.code === 'rate_limited') {
    const s = Math.max(1, Math.ceil((error.retryMs ?? 1000) / 1000))
    return `Too many tries. Wait ${s < 120 ? `${s} s` : `${Math.ceil(s / 60)} minutes`}.`
  }
  return error.message
}
