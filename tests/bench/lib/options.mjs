// The command line.
import { parseArgs } from 'node:util'
import { SCENARIOS } from './scenarios.mjs'
import { PEERS } from './servers.mjs'

export const HELP = `Measures Hubbub beside other servers, each pinned to one core, in turn, several rounds.

  ./dev bench [option ...]

  --rounds N      rounds of everything (default 5)
  --quick         one round with short times: shows that all works, its figures mean little
  --only LIST     scenarios or single cases, by commas: ${Object.keys(SCENARIOS).join(', ')};
                  cases are A, B7, B16, C, D, O1, O2 and what the list of results calls them
  --peers LIST    of ${Object.keys(PEERS).join(', ')} (default all)
  --seconds N     the measured time of a run, where it is not fixed (default 3)
  --resume        keep the runs that are in the results already, make the missing ones
  --report        measure nothing: write docs/performance.md and its plots from the results
  --out DIR       where results.json is kept (default build/bench)
  --build DIR     where the programs are (default build)
  --docs DIR      where performance.md is (default docs)
  --list          print the cases and end
  --help          print this

Progress goes to standard error, the tables to standard output.  All of it takes about an hour.
`

const OPTIONS = {
  rounds: { type: 'string' },
  quick: { type: 'boolean', default: false },
  only: { type: 'string' },
  peers: { type: 'string' },
  seconds: { type: 'string' },
  resume: { type: 'boolean', default: false },
  report: { type: 'boolean', default: false },
  out: { type: 'string' },
  build: { type: 'string', default: 'build' },
  docs: { type: 'string', default: 'docs' },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
}

function positive(name, text, fallback) {
  if (text === undefined) return fallback
  const value = Number(text)
  if (!(value > 0)) throw new Error(`--${name} takes a number above 0, not "${text}"`)
  return value
}

const list = (text) => text?.split(',').filter((name) => name !== '') ?? null

/** Throws an error with a text for people. */
export function parseOptions(argv) {
  const { values } = parseArgs({ args: argv, options: OPTIONS, allowPositionals: false })
  const peers = list(values.peers) ?? Object.keys(PEERS)
  const unknown = peers.find((name) => !(name in PEERS))
  if (unknown !== undefined) throw new Error(`there is no peer ${unknown}`)
  return {
    ...values,
    out: values.out ?? `${values.build}/bench`,
    rounds: Math.round(positive('rounds', values.rounds, values.quick ? 1 : 5)),
    seconds: positive('seconds', values.seconds, values.quick ? 1 : null),
    only: list(values.only),
    peers,
  }
}
