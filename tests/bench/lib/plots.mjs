// The plots of docs/performance/, from the results alone.
import { reader } from './goals.mjs'
import { CURVE, LOADS, SCENARIOS } from './scenarios.mjs'
import { duration, number, spread } from './stats.mjs'
import { titleOf } from './tables.mjs'
import { barChart, lineChart } from './svg.mjs'

const NOTE = 'median of the rounds; the thin line goes from the lowest to the highest'
const ticks = (us) => duration(us).replace(/\.0+(?= )/, '')
const cpu = (result) => result.cpu_us_per_delivery

/** A bar for each contender that has results. */
function bars(results, one, get, text) {
  return one.contenders.filter((name) => name !== 'sqlite').flatMap((name) => {
    const { median, min, max, n } = spread(results.of(one.id, name).map(get))
    return n === 0 ? [] : [{ name, label: titleOf(name), value: median, low: min, high: max, text: text(median) }]
  })
}

function groups(results, cases, get, text, label = (one) => one.title) {
  return cases.map((one) => ({ label: label(one), bars: bars(results, one, get, text) }))
    .filter((group) => group.bars.length > 0)
}

/** p50 full, on to p99 pale. */
function latencyGroups(results, cases, label) {
  const of = reader(results)
  return cases.map((one) => ({
    label: label(one),
    bars: one.contenders.flatMap((name) => {
      const value = of(one.id, name, (r) => r.latency_us?.p50)
      const to = of(one.id, name, (r) => r.latency_us?.p99)
      return Number.isFinite(value)
        ? [{ name, label: titleOf(name), value, to, text: `${duration(value)} / ${duration(to)}` }]
        : []
    }),
  })).filter((group) => group.bars.length > 0)
}

function curve(results) {
  const series = ['hubbub', 'floor'].map((name) => ({
    name,
    label: titleOf(name),
    points: CURVE.flatMap((members) => {
      const { median, min, max, n } = spread(results.of(`curve-${members}`, name).map(cpu))
      return n === 0 ? [] : [{ x: members, y: median, low: min, high: max }]
    }),
  }))
  return lineChart({
    title: 'Server CPU per delivery as one room grows, µs',
    note: NOTE,
    series: series.filter((one) => one.points.length > 0),
    xTitle: 'members of the room (logarithmic)',
    xTick: (members) => members.toLocaleString('en-US'),
  })
}

/** {file name: SVG text}; a plot without results is left out. */
export function drawPlots(results) {
  const caseId = (one) => one.id.replace('hold-', '')
  const named = (one) => `${caseId(one)}: ${LOADS[caseId(one)].title}`
  const plots = {
    'fanout.svg': barChart({
      title: 'Server CPU per delivered message, µs (logarithmic)', note: NOTE,
      groups: groups(results, SCENARIOS.fanout, cpu, number, named),
    }),
    'open.svg': barChart({
      title: 'Latency at a steady rate: p50, and paler up to p99 (logarithmic)',
      note: 'from the intended time of sending to the receipt; medians of the rounds',
      groups: latencyGroups(results, SCENARIOS.open, named), tick: ticks,
    }),
    'gather.svg': barChart({
      title: 'Latency with and without holding output: p50, and paler up to p99 (logarithmic)',
      note: 'from the intended time of sending to the receipt; medians of the rounds',
      groups: latencyGroups(results, SCENARIOS.gather, named), tick: ticks,
    }),
    'memory.svg': barChart({
      title: 'Resident bytes of the server per idle connection (logarithmic)', note: NOTE,
      groups: groups(results, [SCENARIOS.idle[0]], (r) => r.bytes_per_connection, number, () => ''),
    }),
    'curve.svg': curve(results),
  }
  return Object.fromEntries(Object.entries(plots).filter(([, svg]) => svg !== null))
}
