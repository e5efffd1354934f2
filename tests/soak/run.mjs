// The soak: see HELP.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'

const HELP = `Serves mixed traffic for a long time: members who write, edit, delete, react, read history and come
back, visitors, slow readers and peers that break every rule.  It fails when memory, descriptors,
threads or a queue of the server drift upwards after the warm-up (a quarter of the time, at most a
quarter of an hour), and when anything is lost, doubled, out of order or not as it was sent.

  ./dev torture soak [option ...]

  --minutes N  how long (default 60; fractions are fine)
  --seed N     repeats the choices of an earlier run, not the timing (default: new ones)
  --out DIR    where soak.csv and the curves go (default: nowhere)
  --help       print this

Progress goes to standard error, a summary of one line of JSON to standard output.  The exit status is
0 when nothing is wrong, 1 when something is, 2 when the command line is.  The server is the one that
HUBBUB_BIN names.
`

function parseOptions() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const minutes = Number(values.minutes)
  if (!(minutes > 0)) throw new Error(`--minutes takes a number above 0, not "${values.minutes}"`)
  return { ...values, minutes }
}

async function run({ minutes, seed, out }) {
  const say = (line) => console.error(`== ${line}`)
  const dir = await mkdtemp(path.join(tmpdir(), 'hubbub-soak-'))
  say(`${minutes} minutes of mixed traffic, seed ${seed}`)
  const [{ Soak }, { writeReport }] = await Promise.all([import('./lib/soak.mjs'), import('./lib/report.mjs')])
  const soak = new Soak({ seconds: minutes * 60, seed, dir, say })
  const summary = await soak.run()
  if (out !== undefined) await writeReport(out, soak.samples, `seed ${seed}; ${summary.acknowledged} writes acknowledged`)
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
