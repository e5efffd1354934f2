// The benchmark's driver: see HELP in lib/options.mjs, or ./dev bench --help.
//
// The order is round, then case, then contender, a fresh server for each run: what drifts on the
// machine meets all of them alike.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { assignCores, describeCommit, describeMachine, versionOf } from './lib/machine.mjs'
import { HELP, parseOptions } from './lib/options.mjs'
import { cleanUp, makeFolder } from './lib/process.mjs'
import { writeReport } from './lib/report.mjs'
import { Results } from './lib/results.mjs'
import { run } from './lib/runners.mjs'
import { chooseCases, contender } from './lib/scenarios.mjs'
import { headline, printTables } from './lib/tables.mjs'

const say = (text) => process.stderr.write(`${text}\n`)

function findPrograms(build) {
  const bench = join(build, 'tests', 'bench')
  const programs = {
    hubbub: process.env.HUBBUB_BIN ?? join(build, 'hubbub'),
    load: join(bench, 'bench-load'),
    floor: join(bench, 'bench-floor'),
    sqlite: join(bench, 'bench-sqlite'),
  }
  for (const name of ['hubbub', 'load', 'floor']) {
    if (!existsSync(programs[name])) throw new Error(`there is no ${programs[name]}: build it first`)
  }
  return programs
}

/** Without the cases that need a setting which this server does not have. */
function possibleCases(cases, programs) {
  const settings = execFileSync(programs.hubbub, ['settings'], { encoding: 'utf8' })
  return cases.filter((one) => {
    const isPossible = one.needs === undefined || settings.includes(one.needs)
    if (!isPossible) say(`without ${one.id}: this server has no ${one.needs}`)
    return isPossible
  })
}

/** The runs to make, in their order. */
function plan(cases, rounds) {
  return Array.from({ length: rounds }, (_, i) => i + 1).flatMap((round) =>
    cases.flatMap((one) => one.contenders.map((name) => ({ round, one, name }))))
}

const withTimes = ({ seconds, quick }) => (one) => ({
  ...one,
  seconds: one.isFixed ? one.seconds : (seconds ?? one.seconds),
  warmup: quick ? Math.min(one.warmup, 0.3) : one.warmup,
})

function timeText(seconds) {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`
}

class Estimate {
  #took = new Map()

  of({ one, name }) {
    return this.#took.get(`${one.id} ${name}`) ?? (one.seconds ?? 2) + one.setup
  }

  learn({ one, name }, seconds) {
    this.#took.set(`${one.id} ${name}`, seconds)
  }

  left(runs) {
    return timeText(runs.reduce((sum, item) => sum + this.of(item), 0))
  }
}

async function measure(options, bench, cases) {
  const { results } = bench
  const isMissing = ({ round, one, name }) =>
    !results.find({ round, case: one.id, contender: name })?.ok
  const all = plan(cases, options.rounds).filter(isMissing)
  const estimate = new Estimate()

  for (const [index, item] of all.entries()) {
    const { round, one, name } = item
    const title = `round ${round} of ${options.rounds}, ${one.scenario} ${one.id}, ${contender(name).title ?? name}`
    process.stderr.write(`[${index + 1}/${all.length}, ${estimate.left(all.slice(index))} left] ${title} … `)
    const begin = performance.now()
    const record = { round, scenario: one.scenario, case: one.id, contender: name, load: one.load.join(' ') }
    try {
      record.result = await run(bench, one, name, round)
      record.ok = true
      say(headline(one.scenario, record.result))
    } catch (error) {
      if (bench.isStopping) {
        throw new Error(`stopped; what was measured is in ${results.file}, and --resume goes on from there`)
      }
      record.ok = false
      record.error = error.message
      record.result = error.result ?? null
      say(`failed: ${error.message}`)
    }
    record.took_s = Math.round(performance.now() - begin) / 1000
    record.seconds = one.seconds
    estimate.learn(item, record.took_s)
    results.add(record)
  }
}

async function main() {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) return process.stdout.write(HELP)
  const cases = chooseCases(options.only, options.peers).map(withTimes(options))
  if (options.list) {
    for (const one of cases) console.log(`${one.scenario} ${one.id}: ${one.title} (${one.contenders.join(', ')})`)
    return
  }

  const out = resolve(options.out)
  const results = new Results(out)
  if (options.report) {
    if (!results.load()) throw new Error(`there is no ${results.file}: measure first`)
    return writeReport(results, options.docs)
  }

  const programs = findPrograms(resolve(options.build))
  mkdirSync(out, { recursive: true })
  const cores = assignCores()
  if (cores.server === null) {
    say('fewer than 2 cores: server and generator share one, and the figures say little')
  }
  if (!options.resume || !results.load()) {
    const peers = Object.fromEntries(options.peers.map((name) => [name, versionOf(name, programs)]))
    results.begin({
      at: new Date().toISOString(), commit: describeCommit(), machine: describeMachine(out), cores, peers,
      quick: options.quick,
    })
  }

  const bench = { programs, cores, results, folder: await makeFolder(out, 'run'), isStopping: false }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => {
      bench.isStopping = true
      process.exitCode = 130
      cleanUp()
    })
  }
  await measure(options, bench, possibleCases(cases, programs))
  printTables(results, cases)
  const failed = results.failures()
  for (const { round, case: id, contender: who, error } of failed) {
    say(`failed: round ${round}, ${id}, ${who}: ${error}`)
  }
  say(`the results are in ${results.file}`)
  process.exitCode = failed.length === 0 ? 0 : 1
}

try {
  await main()
} catch (error) {
  say(`bench: ${error.message}`)
  process.exitCode ??= 1
} finally {
  await cleanUp()
}
