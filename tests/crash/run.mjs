// The crash machine, the power-loss machine and the machines whose disk fails: see HELP.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { FAULTS } from './lib/faults.mjs'

const DISKS = ['disk', 'io']

const HELP = `Kills the server at random moments under load, starts it again, and checks that it kept its word:
what was acknowledged is there under its seq, once, in order, with no hole, and nothing else is.

  ./dev torture crash [option ...]   by SIGKILL, also while it starts
  ./dev torture power [option ...]   by power loss: what was written since the last sync of each file
                                     is lost, torn or kept at random

Or makes its disk fail at random moments under load, and checks the same, and that it answers
\`unavailable\` meanwhile, reads, and takes messages again without a restart when the disk works:

  ./dev torture disk [option ...]    the disk is full
  ./dev torture io [option ...]      reads, writes, syncs and other calls fail now and then or always

  --kills N   deaths (default 100)
  --rounds N  failures of the disk (default 100)
  --seed N    repeats the random choices of an earlier run (default: new ones)
  --keep      leave the data behind, as after a failure
  --help      print this

Progress goes to standard error, a summary of one line of JSON to standard output.  Of power it counts
apart the deaths that were \`power_losses\` and the \`plain_kills\`, where no cut came.  The exit status is
0 when nothing is wrong, 1 when something is, 2 when the command line is.  The server is the one that
HUBBUB_BIN names; for power it has the test's disk built in (build/tests/crash/hubbub-disk), for disk
and io a machine that fails on demand (build/tests/crash/hubbub-faulty).
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
      rounds: { type: 'string', default: '100' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return { help: true }
  const [fault] = positionals
  const known = [...Object.keys(FAULTS), ...DISKS]
  if (positionals.length !== 1 || !known.includes(fault)) throw new Error(`say which: ${known.join(' or ')}`)
  const count = DISKS.includes(fault) ? 'rounds' : 'kills'
  return { fault, count, n: natural(count, values[count]), seed: natural('seed', values.seed), keep: values.keep }
}

/** The machine is loaded only now: it wants HUBBUB_BIN, which --help does without. */
async function machineFor({ fault, n, ...options }) {
  if (DISKS.includes(fault)) {
    const { DISKS: disks, DiskMachine } = await import('./lib/disk.mjs')
    return new DiskMachine({ fault: disks[fault], rounds: n, ...options })
  }
  const { Machine } = await import('./lib/machine.mjs')
  return new Machine({ fault: FAULTS[fault], kills: n, ...options })
}

async function torture({ fault, count, n, seed, keep }) {
  const say = (line) => console.error(`== ${line}`)
  const dir = await mkdtemp(path.join(tmpdir(), 'hubbub-crash-'))
  say(`${n} ${count} of ${fault}, seed ${seed}`)
  const summary = await (await machineFor({ fault, n, seed, dir, say })).run()
  for (const complaint of summary.wrong) console.error(complaint)
  if (!summary.ok) say(`WRONG; again with: ./dev torture ${fault} --${count} ${n} --seed ${seed}`)
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
