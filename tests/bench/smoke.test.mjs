// The driver, the generator and two servers together, in the smallest case.  It shows that they
// work; how fast they are is none of a test's business.
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

async function runSmallest(t) {
  const out = await mkdtemp(join(tmpdir(), 'hubbub-bench-'))
  t.after(() => rm(out, { recursive: true, force: true }))
  await promisify(execFile)(process.execPath,
    [DRIVER, '--build', BUILD, '--out', out, '--only', 'smoke', '--peers', 'hubbub,floor', '--rounds', '1'])
  const { runs } = JSON.parse(await readFile(join(out, 'results.json'), 'utf8'))
  return { runs, left: await readdir(out) }
}

test('the smallest case delivers every message once, in order, and tells what it took', async (t) => {
  const { runs, left } = await runSmallest(t)
  assert.deepEqual(runs.map((run) => [run.contender, run.ok]), [['hubbub', true], ['floor', true]])
  for (const { contender, result } of runs) {
    assert.ok(result.deliveries > 0, `${contender} delivered nothing`)
    const { lost, repeated, reordered } = result
    assert.deepEqual({ lost, repeated, reordered }, { lost: 0, repeated: 0, reordered: 0 })
    for (const name of ['per_second', 'cpu_us_per_delivery']) assert.equal(typeof result[name], 'number', name)
    for (const name of ['p50', 'p99', 'max']) assert.equal(typeof result.latency_us[name], 'number', name)
  }
  assert.deepEqual(left, ['results.json'], 'the servers’ folders are gone')
})
