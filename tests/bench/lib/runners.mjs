// One run: a fresh server, one load, one result.
import { setTimeout as pause } from 'node:timers/promises'
import { Child } from './process.mjs'
import { contender, sendersOf } from './scenarios.mjs'
import { Server } from './servers.mjs'

const PATIENCE_MS = 120000
const SAMPLE_MS = 500

/** bench-load's result; `onReady` is called where it says that it is ready for what comes next. */
async function applyLoad(server, { programs, cores }, one, { sharesCores }, onReady) {
  const times = one.seconds === null ? [] : ['--seconds', one.seconds, '--warmup', one.warmup]
  const args = [...one.load, '--kind', server.kind, '--connect', server.address,
    '--pid', server.pids.join(','), ...times]
  let last = null
  const generator = new Child(programs.load, args, {
    cores: sharesCores ? cores.both : cores.load,
    onLine: (line) => {
      if (!line.startsWith('{')) return
      const said = JSON.parse(line)
      if (said.ready === true) onReady?.()
      else last = said
    },
  })
  const { code } = await generator.finish((one.seconds ?? 0) * 1000 + PATIENCE_MS)
  if (last === null || code !== 0) {
    throw Object.assign(new Error(generator.complaint()), { result: last })
  }
  return last
}

/** How many messages the store put into one transaction, over the last two seconds or so. */
function watchBatches(server) {
  const samples = []
  let isOver = false
  const sampling = (async () => {
    while (!isOver) {
      const metrics = await server.metrics()
      if (metrics !== null) samples.push(metrics)
      await pause(SAMPLE_MS)
    }
  })()
  return async () => {
    isOver = true
    await sampling
    samples.push(await server.metrics())
    const [from, to] = [samples.at(-5) ?? samples[0], samples.at(-1)]
    const grown = (name) => (to?.[name] ?? 0) - (from?.[name] ?? 0)
    const commits = grown('hubbub_store_commits_total')
    return commits > 0 ? grown('hubbub_store_ops_total') / commits : null
  }
}

/**
 * Starts to watch the locks of a server.  The function returned tells for which part of the time since
 * its threads waited for each other's locks (all threads together), and how often in a second.
 */
async function watchLocks(server) {
  const [before, begin] = [await server.metrics(), performance.now()]
  return async () => {
    const [after, seconds] = [await server.metrics(), (performance.now() - begin) / 1000]
    const rate = (name) => ((after?.[name] ?? NaN) - (before?.[name] ?? NaN)) / seconds
    const share = rate('hubbub_lock_wait_seconds_total')
    return Number.isFinite(share)
      ? { lock_wait_share: share, lock_waits_per_second: rate('hubbub_lock_waits_total') }
      : {}
  }
}

async function runServer(bench, one, who) {
  const server = new Server(who.peer, {
    programs: bench.programs,
    parent: bench.folder,
    cores: who.sharesCores ? bench.cores.both : bench.cores.server,
    args: who.args,
  })
  try {
    await server.start()
    const needsBatches = who.peer === 'hubbub' && one.contenders.includes('sqlite')
    const batches = needsBatches ? watchBatches(server) : null
    const locks = one.watchesLocks ? await watchLocks(server) : null
    let restarted = null
    const onReady = one.runner === 'resume' ? () => (restarted = server.cut()) : undefined
    const result = await applyLoad(server, bench, one, who, onReady)
    await restarted
    if (batches !== null) result.batch = await batches()
    if (locks !== null) Object.assign(result, await locks())
    result.server_metrics = await server.metrics()
    const { code } = await server.stop()
    if (code > 0 && server.peer.isOurs) throw Object.assign(new Error(server.child.complaint()), { result })
    return result
  } finally {
    await server.stop()
  }
}

/** SQLite alone with the rooms and the senders that the case's load has. */
async function runSqlite({ programs, cores, folder }, one, batch) {
  const { rooms, senders } = sendersOf(one.load)
  const child = new Child(programs.sqlite,
    ['--batch', batch, '--rooms', rooms, '--authors', senders, '--seconds', one.seconds, '--data', folder],
    { cores: cores.server })
  const { code } = await child.finish(PATIENCE_MS)
  if (code !== 0) throw new Error(child.complaint())
  return JSON.parse(child.stdout)
}

/**
 * `bench` holds {programs, cores, folder, results}.  Throws an error, with the generator's own
 * figures as its `result` where it gave some.
 */
export async function run(bench, one, name, round) {
  if (name !== 'sqlite') return runServer(bench, one, contender(name))
  const { result } = bench.results.find({ round, case: one.id, contender: 'hubbub' }) ?? {}
  if (!result?.batch) throw new Error('Hubbub told no batch size in this round')
  return runSqlite(bench, one, Math.max(1, Math.round(result.batch)))
}
