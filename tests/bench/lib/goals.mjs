// The goals, and what was reached: each is a ratio or a figure of medians of one benchmark.
import { duration, median, number } from './stats.mjs'
import { storeCpu } from './tables.mjs'

const MEMBERS_OF_D = 10
const P99_ALLOWANCE_US = 5000

/** Medians by case and contender. */
export function reader(results) {
  return (caseId, name, get) => median(results.of(caseId, name).map(get))
}

const cpu = (result) => result.cpu_us_per_delivery
const p50 = (result) => result.latency_us?.p50
const p99 = (result) => result.latency_us?.p99
const times = (ratio) => `${number(ratio)} ×`
const percent = (share) => `${number(share * 100)} %`

/** {what, value, text, least, aim}: lower is better, unless `higher`. */
function goal(what, value, least, aim, { text = times, higher = false } = {}) {
  const reaches = (limit) => (higher ? value >= limit : value <= limit)
  let verdict = 'not measured'
  if (Number.isFinite(value)) {
    verdict = reaches(least) ? 'met' : 'missed'
    if (aim !== null && reaches(aim)) verdict = 'met, and its aim'
  }
  const sign = higher ? '≥' : '≤'
  return {
    what, verdict, value,
    measured: Number.isFinite(value) ? text(value) : '–',
    least: `${sign} ${text(least)}`,
    aim: aim === null ? '' : `${sign} ${text(aim)}`,
  }
}

function fanoutGoals(of) {
  const ratio = (id, name) => of(id, 'hubbub', cpu) / of(id, name, cpu)
  const sqlite = of('D', 'sqlite', storeCpu) / MEMBERS_OF_D
  return [
    goal('A: CPU per delivery, of the floor’s', ratio('A', 'floor'), 1, 0.6),
    goal('A: CPU per delivery, of Node ws’s', ratio('A', 'ws'), 0.35, null),
    goal('B7: CPU per delivery, of the floor’s', ratio('B7', 'floor'), 1.1, 1),
    goal('B7: CPU per delivery, of Node ws’s', ratio('B7', 'ws'), 1 / 25, null),
    goal('B16: CPU per delivery, of the floor’s', ratio('B16', 'floor'), 1.1, 1),
    goal('B16: CPU per delivery, of Node ws’s', ratio('B16', 'ws'), 1 / 50, null),
    goal('C: CPU per delivery, of the floor’s', ratio('C', 'floor'), 1.2, 1),
    goal('C: CPU per delivery, of Node ws’s', ratio('C', 'ws'), 0.45, null),
    goal('C: CPU per delivery, of nchan’s', ratio('C', 'nchan'), 0.45, null),
    goal('D: CPU per delivery, of the floor’s and SQLite’s own share together',
      of('D', 'hubbub', cpu) / (of('D', 'floor', cpu) + sqlite), 1.2, 1),
    goal('D: CPU per delivery, of Node ws’s', ratio('D', 'ws'), 0.7, null),
  ]
}

function openGoals(of) {
  return [['O1', '1 × 1000 at 30/s'], ['O2', '1000 × 10 at 2,500/s']].flatMap(([id, title]) =>
    [['CPU per delivery', cpu], ['p50', p50], ['p99', p99]].flatMap(([what, get]) => {
      const ratio = (name) => of(id, 'hubbub', get) / of(id, name, get)
      return [
        goal(`${title}: ${what}, of the floor’s`, ratio('floor'), 1.2, 1),
        goal(`${title}: ${what}, of Node ws’s`, ratio('ws'), 1, null),
      ]
    }))
}

/** The p99 of each fan-out over the floor's, without the fsync that would be allowed on top. */
function latencyGoals(of) {
  return ['A', 'B7', 'B16', 'C', 'D', 'O1', 'O2'].map((id) =>
    goal(`${id}: p99 above the floor’s`, of(id, 'hubbub', p99) - of(id, 'floor', p99), P99_ALLOWANCE_US, null,
      { text: (us) => (us < 0 ? `−${duration(-us)}` : duration(us)) }))
}

function otherGoals(of) {
  const memory = of('idle-memory', 'hubbub', (r) => r.bytes_per_connection)
  const rate = (name) => 1 / of('connect', name, (r) => r.cpu_us_per_connection)
  const store = of('sends', 'hubbub', storeCpu) / of('sends', 'sqlite', storeCpu)
  const scaling = (id) => of(id, 'workers-2', cpu) / of(id, 'workers-1', cpu)
  const locks = (id) => of(id, 'workers-2', (r) => r.lock_wait_share)
  const asBytes = { text: (n) => `${number(n)} B` }
  return [
    goal('resident bytes per idle joined connection', memory, 1000, 450, asBytes),
    goal('connections taken per second of CPU, of Node ws’s', rate('hubbub') / rate('ws'), 1.5, 3, { higher: true }),
    goal('10,000 clients back and whole after a restart',
      of('resume', 'hubbub', (r) => r.ms_from_cut * 1000), 5e6, 2e6, { text: duration }),
    goal('CPU of the store’s thread per message, of SQLite’s alone', store, 2, 1.3),
    goal('CPU per delivery with 2 workers, of 1 worker’s (B7)', scaling('workers-B7'), 1.15, 1.05),
    goal('CPU per delivery with 2 workers, of 1 worker’s (C)', scaling('workers-C'), 1.15, 1.05),
    goal('time waited for locks with 2 workers, of the time measured (B7)', locks('workers-B7'), 0.01, null, { text: percent }),
    goal('time waited for locks with 2 workers, of the time measured (C)', locks('workers-C'), 0.01, null, { text: percent }),
    goal('CPU of an idle server with 10,000 connections, of a core',
      of('idle-cpu', 'hubbub', (r) => r.idle_cpu_fraction), 0.015, 0.006, { text: percent }),
  ]
}

export function judge(results) {
  const of = reader(results)
  return {
    goals: [...fanoutGoals(of), ...openGoals(of), ...latencyGoals(of), ...otherGoals(of)],
    /** The comparison says nothing where even the floor is slow: then the machine was busy. */
    floorToWs: of('A', 'floor', cpu) / of('A', 'ws', cpu),
  }
}
