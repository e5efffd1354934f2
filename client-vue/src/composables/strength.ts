/** A hint on how hard a password is to guess; the server's rule is its length alone. */

export type Strength = 'short' | 'weak' | 'fair' | 'strong'

export const STRENGTH_WORDS: Record<Strength, string> = {
  short: 'At least 8 characters.',
  weak: 'Easy to guess. A few unrelated words are better.',
  fair: 'Fair. Longer is better.',
  strong: 'Strong.',
}

const MIN_BYTES = 8

const COMMON = /^(?:pass ?word|qwerty|letmein|welcome|hubbub|admin|iloveyou|abc|1234|0000|1111)/i

function poolOf(password: string): number {
  let pool = 0
  if (/[a-z]/.test(password)) pool += 26
  if (/[A-Z]/.test(password)) pool += 26
  if (/[0-9]/.test(password)) pool += 10
  if (/[^a-zA-Z0-9]/.test(password)) pool += 30
  return pool
}

/** The letters that tell something: one that repeats or continues the one before does not. */
function lettersThatCount(password: string): number {
  let n = 0
  let last = -10
  for (const letter of password) {
    const code = letter.codePointAt(0) ?? 0
    if (Math.abs(code - last) > 1) n++
    last = code
  }
  return n
}

export function strengthOf(password: string): Strength {
  if (new TextEncoder().encode(password).length < MIN_BYTES) return 'short'
  let letters = lettersThatCount(password)
  if (COMMON.test(password)) letters -= 6
  const bits = Math.max(0, letters) * Math.log2(Math.max(2, poolOf(password)))
  if (bits < 40) return 'weak'
  return bits < 64 ? 'fair' : 'strong'
}
