// Which figures of a scenario are shown, and the tables of them for the terminal.
import { contender } from './scenarios.mjs'
import { PEERS } from './servers.mjs'
import { count, duration, number, spreadText } from './stats.mjs'

const percent = (share) => `${number(share * 100)} %`
const perSecond = (n) => count(n)
const bytes = (n) => number(n)

const latency = (from = (r) => r.latency_us, title = '') => [
  { title: `${title}p50`, get: (r) => from(r)?.p50, text: duration },
  { title: `${title}p99`, get: (r) => from(r)?.p99, text: duration },
]

const DELIVERIES = [
  { title: 'CPU µs per delivery', get: (r) => r.cpu_us_per_delivery, text: number },
  { title: 'deliveries/s', get: (r) => r.per_second, text: perSecond },
  ...latency(),
  { title: 'server busy', get: (r) => r.server_cpu_fraction, text: percent },
  { title: 'generator busy', get: (r) => r.generator_cpu_fraction, text: percent },
]

/** The first column of each is the headline. */
export const COLUMNS = {
  fanout: DELIVERIES,
  open: DELIVERIES,
  gather: DELIVERIES,
  curve: DELIVERIES,
  workers: [...DELIVERIES, { title: 'waiting for locks', get: (r) => r.lock_wait_share, text: percent }],
  smoke: DELIVERIES,
  idle: [
    { title: 'bytes per connection', get: (r) => r.bytes_per_connection, text: bytes },
    { title: 'in the kernel', get: (r) => r.kernel_bytes_per_connection, text: bytes },
    { title: 'CPU while idle', get: (r) => r.idle_cpu_fraction, text: percent },
  ],
  connect: [
    { title: 'CPU µs each', get: (r) => r.cpu_us_per_connection, text: number },
    { title: 'connections/s', get: (r) => r.per_second, text: perSecond },
  ],
  joins: [
    { title: 'joins/s', get: (r) => r.joins_per_second, text: perSecond },
    ...latency((r) => r.before_latency_us, 'before: '),
    ...latency((r) => r.during_latency_us, 'during: '),
  ],
  resume: [
    { title: 'from the cut', get: (r) => r.ms_from_cut * 1000, text: duration },
    { title: 'from the server being back', get: (r) => r.ms_from_back * 1000, text: duration },
  ],
  sends: [
    { title: 'sends/s', get: (r) => r.per_second, text: perSecond },
    { title: 'store CPU µs per message', get: (r) => storeCpu(r), text: number },
    { title: 'messages per transaction', get: (r) => r.batch, text: number },
    ...latency(),
  ],
  history: [
    { title: 'reads/s alone', get: (r) => r.alone?.per_second, text: perSecond },
    { title: 'reads/s during sends', get: (r) => r.during?.per_second, text: perSecond },
  ],
}

export function titleOf(name) {
  return contender(name).title ?? PEERS[name].title
}

/** The CPU of the thread that writes, per message; SQLite alone has but one. */
export function storeCpu(result) {
  return result.cpu_us_per_message ?? result.store_cpu_us_per_message
}

export function headline(scenario, result) {
  return COLUMNS[scenario]
    .map(({ title, get, text }) => ({ title, value: get(result), text }))
    .filter(({ value }) => Number.isFinite(value))
    .slice(0, 4)
    .map(({ title, value, text }) => `${title} ${text(value)}`)
    .join(', ')
}

/** "3 × 2 s": how many rounds, and how long each measured where that is set. */
function roundsText(runs) {
  const times = [...new Set(runs.map((run) => run.seconds))]
  return times.length === 1 && times[0] !== null ? `${runs.length} × ${times[0]} s` : `${runs.length}`
}

/** {head, rows}: a row for each contender of each case, with the median and the spread. */
export function tableOf(results, cases, scenario) {
  const columns = COLUMNS[scenario]
  const rows = cases.flatMap((one) => one.contenders.map((name) => {
    const runs = results.goodRuns(one.id, name)
    const cells = columns.map(({ get, text }) => spreadText(runs.map((run) => get(run.result)), text))
    return { runs, row: [one.title, titleOf(name), ...cells, roundsText(runs)] }
  }))
  return {
    head: ['', 'server', ...columns.map(({ title }) => title), 'rounds'],
    rows: rows.filter(({ runs }) => runs.length > 0).map(({ row }) => row),
  }
}

function printTable({ head, rows }) {
  const all = [head, ...rows]
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i].length)))
  for (const row of all) console.log(row.map((cell, i) => cell.padEnd(widths[i])).join('  ').trimEnd())
}

/** What was measured, on standard output. */
export function printTables(results, cases) {
  for (const scenario of new Set(cases.map((one) => one.scenario))) {
    const table = tableOf(results, cases.filter((one) => one.scenario === scenario), scenario)
    if (table.rows.length === 0) continue
    console.log(`\n${scenario}: median (lowest–highest)`)
    printTable(table)
  }
}
