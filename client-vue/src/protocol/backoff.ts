const BASE_MS = 500
const CAP_MS = 30_000

/**
 * How long to wait before try number @attempt (from 0), with full jitter: anything from nothing
 * to a bound that doubles, so that the clients of a restarted server come back spread out.
 * (Marc Brooker, "Exponential Backoff And Jitter", 2015.)
 */
export function fullJitter(attempt: number, random: () => number): number {
  const bound = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt, 10))
  return Math.round(random() * bound)
}
