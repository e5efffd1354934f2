// Bounded waiting.  Nothing in these tests sleeps: they wait for something that happens, and say
// what it was when it did not.

/** How much slower than a release build the server is (sanitizers): stretches limits, thins loads. */
export const SLOW = Number(process.env.HUBBUB_TEST_SLOW ?? 1)

/** How long anything may take that is not measured in its own right. */
export const PATIENCE_MS = 8000

/** Await `promise`, at most `ms` times the slowness; `what` completes "waited for". */
export function within(promise, what, ms = PATIENCE_MS) {
  let timer
  const limit = new Promise((_, reject) => {
    // The error is made here for its stack: inside the timer it would not name the test.
    const late = new Error(`waited ${ms * SLOW} ms for ${typeof what === 'function' ? '' : what}`)
    timer = setTimeout(() => {
      if (typeof what === 'function') late.message += what()
      reject(late)
    }, ms * SLOW)
  })
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer))
}

/** A promise with its ends outside. */
export function deferred() {
  const d = {}
  d.promise = new Promise((resolve, reject) => Object.assign(d, { resolve, reject }))
  d.promise.catch(() => {}) // whoever awaits it still sees the rejection
  return d
}

/** A load of `n`, thinned where the server is slow. */
export const load = (n) => Math.max(1, Math.ceil(n / SLOW))

let serial = 0
/** A name that no other test of this run uses. */
export const fresh = (stem) => `${stem}-${process.pid.toString(36)}${(serial++).toString(36)}`
