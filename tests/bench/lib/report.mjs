// Writes the generated parts of docs/performance.md, and the plots beside it.
//
// A generated part stands between <!-- bench:NAME --> and <!-- /bench:NAME -->; all else on the page
// is written by people and left alone.  No figure comes from elsewhere than the results.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { judge, reader } from './goals.mjs'
import { drawPlots } from './plots.mjs'
import { LOADS, SCENARIOS } from './scenarios.mjs'
import { PEERS } from './servers.mjs'
import { count, number } from './stats.mjs'
import { tableOf } from './tables.mjs'

const GIB = 2 ** 30

const cpu = (result) => result.cpu_us_per_delivery

function markdown({ head, rows }) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const GOAL_ROUNDS = 5

function roundsText(results) {
  const { least, most } = results.rounds()
  return least === most ? `${most}` : `${least} to ${most}, as the last column of each table says`
}

function machine(results) {
  const { data } = results
  const { machine: m, peers, commit, at, cores } = data
  const pinning = cores.server === null
    ? 'one core for server and generator together, so these figures say little'
    : `server on core ${cores.server}, generator on core ${cores.load}`
  const versions = Object.entries(peers).map(([name, version]) =>
    `- ${PEERS[name].title} ${version}${name === 'hubbub' && commit ? `, commit ${commit}` : ''}`)
  return [
    `Measured on ${at.slice(0, 10)}: ${m.cpu}, ${m.cores} cores, ${number(m.memory_bytes / GIB)} GiB, ${m.system}, ` +
      `Linux ${m.kernel}, data on ${m.file_system}, ${m.compiler}; ${pinning}. Rounds: ${roundsText(results)}` +
      `${data.quick ? ', with short times (`--quick`): a trial, not a measurement' : ''}.`,
    '',
    ...versions,
  ].join('\n')
}

function goals(results) {
  const { goals: all, floorToWs } = judge(results)
  const rows = all.map(({ what, measured, least, aim, verdict }) => [what, measured, least, aim, verdict])
  const missed = all.filter(({ verdict }) => verdict === 'missed').length
  const met = all.filter(({ verdict }) => verdict.startsWith('met')).length
  const validity = Number.isFinite(floorToWs)
    ? `The floor takes ${number(floorToWs)} × the CPU of Node ws in A; above 0.35 the run would be void` +
      `${floorToWs > 0.35 ? ', as **this one is**' : ''}.`
    : 'Without the floor and Node ws in A nothing shows whether the machine was fit.'
  const { least } = results.rounds()
  const fewRounds = least < GOAL_ROUNDS
    ? ` The goals ask for medians of ${GOAL_ROUNDS} rounds; these cases had ${roundsText(results).replace(/,.*/, '')}.`
    : ''
  return `${met} met, ${missed} missed, ${all.length - met - missed} not measured. ${validity}${fewRounds}\n\n` +
    markdown({ head: ['goal', 'measured', 'at least', 'aim', ''], rows })
}

/** Cases down, servers across: CPU per delivery, and the ratios that matter. */
function matrix(results, cases) {
  const of = reader(results)
  const peers = Object.keys(PEERS).filter((name) => cases.some((one) => results.of(one.id, name).length > 0))
  const ratio = (id, name) => {
    const value = of(id, 'hubbub', cpu) / of(id, name, cpu)
    return Number.isFinite(value) ? `${number(value)} ×` : '–'
  }
  const rows = cases.map((one) => [
    `${one.id}: ${LOADS[one.id].title}`,
    ...peers.map((name) => number(of(one.id, name, cpu))),
    ratio(one.id, 'floor'), ratio(one.id, 'ws'),
  ])
  return markdown({ head: ['', ...peers.map((name) => PEERS[name].title), 'Hubbub/floor', 'Hubbub/ws'], rows })
}

function details(results, scenario) {
  const table = tableOf(results, SCENARIOS[scenario], scenario)
  return table.rows.length === 0 ? 'Not measured.' : markdown(table)
}

const folded = (summary, text) => `<details><summary>${summary}</summary>\n\n${text}\n\n</details>`

const image = (file, text) => `![${text}](performance/${file})\n\n`

function withMatrix(scenario, file, alt) {
  return (results, plots) => (file in plots ? image(file, alt) : '') +
    `Server CPU in µs per delivered message, medians:\n\n${matrix(results, SCENARIOS[scenario])}\n\n` +
    folded('Everything measured, with the lowest and the highest of the rounds', details(results, scenario))
}

function withPlot(scenario, file, alt) {
  return (results, plots) => (file in plots ? image(file, alt) : '') + details(results, scenario)
}

/** What a large machine would hold, from bytes and microseconds that were measured. */
function paper(results) {
  const of = reader(results)
  const own = of('idle-memory', 'hubbub', (r) => r.bytes_per_connection)
  const kernel = of('idle-memory', 'hubbub', (r) => r.kernel_bytes_per_connection)
  const idle = of('idle-cpu', 'hubbub', (r) => (r.idle_cpu_fraction * 1e6) / r.connections)
  const [memory, cores] = [60 * GIB, 16]
  if (![own, kernel, idle].every(Number.isFinite)) return 'Not measured.'
  const connections = memory / (own + kernel)
  const rows = [
    ['memory per connection: the server’s own, and the kernel’s', `${number(own)} B + ${number(kernel)} B`],
    ['connections in 60 of 64 GiB', count(connections)],
    ['CPU per idle connection, heartbeat included', `${number(idle)} µs a second`],
    ['cores that these connections take while idle', number((connections * idle) / 1e6)],
    ...['A', 'B16', 'D'].map((id) => [
      `deliveries a second on 16 cores, at the cost of ${id}`, count((cores * 1e6) / of(id, 'hubbub', cpu)),
    ]),
  ]
  return markdown({ head: ['', ''], rows })
}

const PARTS = {
  machine,
  goals,
  fanout: withMatrix('fanout', 'fanout.svg', 'CPU per delivery of each server in each case'),
  open: withMatrix('open', 'open.svg', 'Latency of each server at a steady rate'),
  gather: withPlot('gather', 'gather.svg', 'Latency with and without holding output'),
  curve: withPlot('curve', 'curve.svg', 'CPU per delivery from 10 to 15,000 members'),
  idle: withPlot('idle', 'memory.svg', 'Bytes per idle connection of each server'),
  ...Object.fromEntries(['connect', 'joins', 'resume', 'sends', 'history', 'workers']
    .map((scenario) => [scenario, (results) => details(results, scenario)])),
  paper,
}

function replacePart(page, name, text) {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`]
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`performance.md has no part ${name}`)
  return `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`
}

/** Writes into the folder `docs`. */
export function writeReport(results, docs) {
  const file = join(docs, 'performance.md')
  const folder = join(docs, 'performance')
  const plots = drawPlots(results)
  mkdirSync(folder, { recursive: true })
  for (const [name, svg] of Object.entries(plots)) writeFileSync(join(folder, name), svg)

  let page = readFileSync(file, 'utf8')
  for (const [name, write] of Object.entries(PARTS)) page = replacePart(page, name, write(results, plots))
  writeFileSync(file, page)
  console.log(`wrote ${file} and ${Object.keys(plots).length} plots`)
}
