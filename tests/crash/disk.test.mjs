// A short run of the machines whose disk fails.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from '../protocol/lib/wait.mjs'
import { torture } from './lib/torture.mjs'

for (const [fault, what] of [['disk', 'full'], ['io', 'broken']]) {
  test(`the disk is ${what} now and then: nothing is acknowledged falsely, and it goes on by itself`, async (t) => {
    const rounds = load(10)
    const { status, summary, stderr } = await torture(fault, 'tests/crash/hubbub-faulty', rounds, 1, 'rounds')
    assert.equal(status, 0, stderr)
    assert.ok(summary.rounds === rounds && summary.acknowledged > 0, JSON.stringify(summary))
    if (fault === 'disk') assert.ok(summary.refused >= 10 * rounds, JSON.stringify(summary))
    assert.equal(summary.stored, summary.resent)
    t.diagnostic(JSON.stringify(summary))
  })
}
