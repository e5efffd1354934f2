// A short run of each machine against the server as it is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from '../protocol/lib/wait.mjs'
import { torture } from './lib/torture.mjs'

for (const [fault, server] of [['crash', 'hubbub'], ['power', 'tests/crash/hubbub-disk']]) {
  test(`${fault}: nothing is lost, doubled or out of order, and the server is back at once`, async (t) => {
    const kills = load(12)
    const { status, summary, stderr } = await torture(fault, server, kills, 1)
    assert.equal(status, 0, stderr)
    assert.ok(summary.kills >= kills && summary.acknowledged > 0 && summary.resent >= summary.acknowledged, JSON.stringify(summary))
    assert.equal(summary.stored, summary.resent)
    for (const kind of ['message', 'edit', 'delete', 'react']) assert.ok(summary.kinds[kind] > 0, JSON.stringify(summary))
    if (fault === 'power') {
      assert.ok(summary.power_losses > 0, JSON.stringify(summary))
      assert.equal(summary.power_losses + summary.plain_kills, summary.kills)
    }
    t.diagnostic(JSON.stringify(summary))
  })
}
