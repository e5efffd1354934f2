// The ways to die: what `./dev torture` calls crash and power.
//
// A plan is drawn from the round's own random numbers: `early` deaths, each while the server starts
// on what the last one left or its first guests come, then the `moment` of death under load (round.mjs).

/** SIGKILL: what the process had given to the system stays. */
const crash = {
  plan(rng) {
    const early = Array.from({ length: rng.pick([0, 0, 0, 1, 1, 2]) }, () => ({ ms: rng.int(0, 30) }))
    const n = rng.int(1, 150)
    const moment = rng.pick([
      { kind: 'acks', n }, { kind: 'acks', n }, { kind: 'quiet', n },
      { kind: 'time', ms: rng.int(0, 80) }, { kind: 'stop', n, ms: rng.int(0, 30) },
    ])
    return { early, moment, env: {} }
  },
}

/**
 * Power loss: what was written since the last sync is lost, torn, or kept, at random.  The server is
 * one that has the test's disk built in (disk/disk.c), which counts writes and syncs.
 */
const power = {
  loses: true,
  plan(rng) {
    const seed = () => String(rng.int(1, 2 ** 31))
    const early = Array.from({ length: rng.pick([0, 0, 0, 1, 1, 2]) },
      () => ({ env: { DISK_CUT: String(rng.int(0, 20)), DISK_SEED: seed(), DISK_ARMED: '1' } }))
    const n = rng.int(1, 150)
    // Mostly within some batches; now and then far enough for a checkpoint.
    const cut = rng.chance(0.8) ? rng.int(0, 120) : rng.int(0, 2000)
    const moment = rng.pick([{ kind: 'cut' }, { kind: 'cut' }, { kind: 'cut' }, { kind: 'cut-stop', n }])
    return { early, moment, env: { DISK_CUT: String(cut), DISK_SEED: seed() } }
  },
}

export const FAULTS = { crash, power }
