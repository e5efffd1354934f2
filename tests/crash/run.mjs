// The crash machine and the power-loss machine: see HELP.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { FAULTS } from './lib/faults.mjs'

const HELP = `Kills the server at random moments under load, starts it again, and checks that it kept its word:
what was acknowledged is there under its seq, once, in order, with no hole, and nothing else is.

  ./dev torture crash [option ...]   by SIGKILL, also while it starts
  ./dev torture power [option ...]   by power loss: what was written since the last sync of each file
                                     is lost, torn or kept at random

  --kills N   deaths (default 100)
  --seed N    repeats the random choices of an earlier run (default: new ones)
  --keep      leave the data behind, as after a failure
  --help      print this

Progress goes to standard error, a summary of one line of JSON to standard output.  The exit status is
0 when nothing is wrong, 1 when something is, 2 when the command line is.  The server is the one that
HUBBUB_BIN names; for power it has the test's disk built in (build/tests/crash/hubbub-disk).
`

function natural(name, text) {
  const n = Number(text)
  if (!Number.isInteger(n) || n < 0) throw new Error(`--${name} takes a whole number, not "${text}"`)
  return n
}

function parseOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      kills: { type: 'string', default: '100' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return { help: true }
  const [fault] = positionals
  if (positionals.length !== 1 || !Object.hasOwn(FAULTS, fault)) {
    throw new Error(`say which: ${Object.keys(FAULTS).join(' or ')}`)
  }
  return { fault, kills: natural('kills', values.kills), seed: natural('seed', values.seed), keep: values.keep }
}

async function torture({ fault, kills, seed, keep }) {
  const say = (line) => console.error(`== ${line}`)
  const dir = await mkdtemp(path.join(tmpdir(), 'hubbub-crash-'))
  say(`${kills} deaths by ${fault}, seed ${seed}`)
  const { Machine } = await import('./lib/machine.mjs')
  const summary = await new Machine({ fault: FAULTS[fault], kills, seed, dir, say }).run()
  for (const complaint of summary.wrong) console.error(complaint)
  if (!summary.ok) say(`WRONG; again with: ./dev torture ${fault} --kills ${kills} --seed ${seed}`)
  if (!summary.ok || keep) say(`its data: ${dir}`)
  else await rm(dir, { recursive: true })
  console.log(JSON.stringify({ fault, ...summary }))
  return summary.ok ? 0 : 1
}

let options
try {
  options = parseOptions()
} catch (err) {
  console.error(err.message)
  process.exit(2)
}
if (options.help) process.stdout.write(HELP)
else process.exitCode = await torture(options)
