// The soak at its shortest; and it can fail: servers that are wrong on purpose are found out.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SLOW } from '../protocol/lib/wait.mjs'
import { judge, slope } from './lib/drift.mjs'

const BUILD = process.env.SOAK_BUILD ?? assert.fail('SOAK_BUILD names the build directory')
const MACHINE = fileURLToPath(new URL('run.mjs', import.meta.url))

function soak(server, seconds) {
  const env = { ...process.env, HUBBUB_BIN: path.join(BUILD, server) }
  const args = [MACHINE, '--minutes', String(seconds / 60), '--seed', '1']
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env }, (err, stdout, stderr) => {
      if (err !== null && err.code !== 1) return reject(new Error(`${err.message}\n${stderr}`))
      return resolve({ status: err === null ? 0 : 1, summary: JSON.parse(stdout), stderr })
    })
  })
}

test('a slope is that of the many, not of the few that stand out', () => {
  const flat = Array.from({ length: 50 }, (_, i) => ({ x: i, y: i % 7 === 0 ? 1000 : 10 + (i % 2) }))
  assert.equal(slope(flat), 0)
  const rising = Array.from({ length: 50 }, (_, i) => ({ x: i, y: i % 7 === 0 ? 0 : 3 * i }))
  assert.equal(slope(rising), 3)
})

test('what grows within its bound is no drift', () => {
  const samples = Array.from({ length: 100 }, (_, i) => ({ seconds: i, rss_kib: 30000 + i, threads: 7, fds: i }))
  const { rss_kib, threads, fds } = judge(samples, 20)
  assert.deepEqual([rss_kib.ok, threads.ok, fds.ok], [true, true, false])
})

const WRONG = {
  'keeps memory of each request': ['leak', /rss_kib grew by/],
  'keeps descriptors': ['fds', /fds grew by/],
  'does not tell an event': ['hole', /was told \d+ of soak-\S+ behind/],
}

// Two at a time.
const first = soak('hubbub', 8)
const second = soak('tests/soak/hubbub-leak', 6)
const runs = {
  hubbub: first,
  leak: second,
  hole: first.then(() => soak('tests/soak/hubbub-hole', 6)),
  fds: second.then(() => soak('tests/soak/hubbub-fds', 6)),
}
for (const run of Object.values(runs)) run.catch(() => {}) // its test sees it

test('a short soak finds nothing wrong with the server', async (t) => {
  const { status, summary, stderr } = await runs.hubbub
  // A sanitizer keeps what was freed for a while: that grows.
  const wrong = summary.wrong.filter((line) => SLOW === 1 || !line.startsWith('rss_kib'))
  assert.deepEqual(wrong, [], stderr)
  assert.ok(SLOW > 1 || status === 0)
  assert.ok(summary.acknowledged > 0 && summary.stored >= summary.acknowledged)
  t.diagnostic(JSON.stringify(summary))
})

for (const [what, [name, complaint]] of Object.entries(WRONG)) {
  test(`a short soak finds out a server that ${what}`, async () => {
    const { status, summary, stderr } = await runs[name]
    assert.equal(status, 1, stderr)
    assert.match(summary.wrong.join('\n'), complaint)
  })
}
