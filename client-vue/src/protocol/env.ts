/** Time and chance, so that tests can bring their own. */
export interface Env {
  /** Unix time in milliseconds. */
  now(): number
  /** A number from 0 up to, not including, 1. */
  random(): number
  /** Call @fn once after @ms milliseconds; the function returned calls it off. */
  after(ms: number, fn: () => void): () => void
}

export const browserEnv: Env = {
  now: () => Date.now(),
  random: () => Math.random(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms)
    return () => clearTimeout(timer)
  },
}
