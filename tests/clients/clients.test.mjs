// A few hundred clients come back, each knows all rooms' logs; and servers that are wrong are found out.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { load } from '../protocol/lib/wait.mjs'

const BUILD = process.env.CLIENTS_BUILD ?? assert.fail('CLIENTS_BUILD names the build directory')
const MACHINE = fileURLToPath(new URL('run.mjs', import.meta.url))

function swarm(server, clients) {
  const env = { ...process.env, HUBBUB_BIN: path.join(BUILD, server) }
  const args = [MACHINE, '--clients', String(clients), '--hasty', '--seed', '1']
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env }, (err, stdout, stderr) => {
      if (err !== null && err.code !== 1) reject(new Error(`${err.message}\n${stderr}`))
      else resolve({ status: err === null ? 0 : 1, summary: JSON.parse(stdout), stderr })
    })
  })
}

test('killed, taken over, stopped: everyone comes back and has every room\'s whole log', async (t) => {
  const clients = load(300)
  const { status, summary, stderr } = await swarm('hubbub', clients)
  assert.equal(status, 0, stderr)
  assert.deepEqual(summary.blows.map(({ kind }) => kind), ['kill', 'takeover', 'stop'])
  assert.ok(summary.acknowledged > 0 && summary.told > summary.acknowledged * clients / 10, JSON.stringify(summary))
  t.diagnostic(JSON.stringify(summary))
})

for (const [what, server, complaint] of [
  ['does not tell one event of a thousand', 'tests/soak/hubbub-hole', /was told \d+ of \w+ behind \d+|waited \d+ ms for everyone to be told everything/],
  ['tells a batch before it is committed', 'tests/crash/hubbub-early', /was told to forget|was acknowledged as \d+ and is stored as|other events than were sent|behind|unauthorized/],
]) {
  test(`a server that ${what} is found out`, async (t) => {
    const { status, summary, stderr } = await swarm(server, 150)
    assert.equal(status, 1, stderr)
    assert.match(summary.wrong.join('\n'), complaint)
    t.diagnostic(summary.wrong[0].slice(0, 200))
  })
}
