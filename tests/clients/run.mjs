// Thousands of clients come back: see HELP.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'

const HELP = `Connects many clients, each in three rooms, one of them everybody's; some of them write.  Under that
the server is killed and started, taken over by another program (SIGUSR2), and stopped and started.
The clients come back by themselves, as the web client does: with full jitter, by hello with their
token and joins that say how far they are.  It fails when one of them does not come back, or does not
have each room's log in the end as it is stored, with nothing lost, doubled or out of order.

  ./dev torture clients [option ...]

  --clients N  how many (default 10000)
  --rounds N   how often each befalls the server (default 1)
  --hasty      strike again before links have held for 10 s: the clients' waits get longer each time
  --seed N     repeats the choices of an earlier run, not the timing (default: new ones)
  --help       print this

Progress goes to standard error, a summary of one line of JSON to standard output: for each blow, the
milliseconds from it until the first, half and the last of the clients were back, why links and tries
ended meanwhile, and the server's peak resident memory.  The exit status is 0 when nothing is wrong, 1
when something is, 2 when the command line is.  The server is the one that HUBBUB_BIN names.
`

function natural(name, text) {
  const n = Number(text)
  if (!Number.isInteger(n) || n < 1) throw new Error(`--${name} takes a whole number above 0, not "${text}"`)
  return n
}

function parseOptions() {
  const { values } = parseArgs({
    options: {
      clients: { type: 'string', default: '10000' },
      rounds: { type: 'string', default: '1' },
      hasty: { type: 'boolean', default: false },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
      help: { type: 'boolean', default: false },
    },
  })
  return { ...values, clients: natural('clients', values.clients), rounds: natural('rounds', values.rounds) }
}

async function run({ seed, ...options }) {
  const say = (line) => console.error(`== ${line}`)
  const dir = await mkdtemp(path.join(tmpdir(), 'hubbub-clients-'))
  say(`${options.clients} clients, seed ${seed}`)
  const { Swarm } = await import('./lib/swarm.mjs')
  const summary = await new Swarm({ ...options, seed, dir, say }).run()
  for (const complaint of summary.wrong) console.error(complaint)
  await rm(dir, { recursive: true })
  console.log(JSON.stringify(summary))
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
else process.exit(await run(options))
