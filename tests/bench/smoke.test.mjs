// The driver and all programs of the benchmark together, each kind of load at its smallest.  It shows
// that they work; how fast they are is none of a test's business.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const DRIVER = join(dirname(fileURLToPath(import.meta.url)), 'run.mjs')
const BUILD = process.env.BENCH_BUILD ?? assert.fail('BENCH_BUILD names the build directory')

/** All runs, and what is left in the folder. */
async function runSmallest() {
  const out = await mkdtemp(join(tmpdir(), 'hubbub-bench-'))
  try {
    await promisify(execFile)(process.execPath,
      [DRIVER, '--build', BUILD, '--out', out, '--only', 'smoke', '--peers', 'hubbub,floor', '--rounds', '1'])
    const { runs } = JSON.parse(await readFile(join(out, 'results.json'), 'utf8'))
    return { runs, left: await readdir(out) }
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}

const hasDelivered = ({ result }) => {
  assert.ok(result.deliveries > 0)
  const { lost, repeated, reordered } = result
  assert.deepEqual({ lost, repeated, reordered }, { lost: 0, repeated: 0, reordered: 0 })
  for (const name of ['per_second', 'cpu_us_per_delivery']) assert.equal(typeof result[name], 'number', name)
  for (const name of ['p50', 'p99', 'max']) assert.equal(typeof result.latency_us[name], 'number', name)
}

const hasStored = ({ result }, rooms, authors) => {
  assert.ok(result.messages > 0 && result.cpu_us_per_message > 0)
  assert.deepEqual([result.rooms, result.authors], [rooms, authors])
}

/** What each run must show, by case and server, beside that it went well. */
const WANTED = {
  'smoke-closed hubbub': hasDelivered,
  'smoke-closed floor': hasDelivered,
  'smoke-closed sqlite': (run) => hasStored(run, 2, 4),
  'smoke-open hubbub': hasDelivered,
  'smoke-sends hubbub': ({ result }) => assert.ok(result.acked > 0 && result.batch >= 1),
  'smoke-sends sqlite': (run) => hasStored(run, 2, 4),
  'smoke-history hubbub': ({ result }) => assert.ok(result.alone.per_second > 0 && result.during.per_second > 0),
  'smoke-joins hubbub': ({ result }) => assert.ok(result.joins_per_second > 0),
  'smoke-idle hubbub': ({ result }) => assert.ok(result.resident > 0),
  'smoke-connect hubbub': ({ result }) => assert.ok(result.cpu_us_per_connection > 0),
  'smoke-connect floor': ({ result }) => assert.ok(result.cpu_us_per_connection > 0),
  'smoke-resume hubbub': ({ result }) => assert.ok(result.ms_from_cut > 0),
}

const { runs, left } = await runSmallest()

for (const [name, check] of Object.entries(WANTED)) {
  test(`${name} runs, with nothing lost, and tells what it took`, () => {
    const run = runs.find((one) => `${one.case} ${one.contender}` === name)
    assert.equal(run?.ok, true)
    check(run)
  })
}

test('these are all runs, and nothing is left behind', () => {
  assert.equal(runs.length, Object.keys(WANTED).length)
  assert.deepEqual(left, ['results.json'])
})
