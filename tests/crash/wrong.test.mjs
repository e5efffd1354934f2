// The machines can fail: each server that is wrong on purpose is found out, and by what it does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { torture } from './lib/torture.mjs'

const WRONG = {
  'tells a batch before it is committed': ['crash', 'early', /was acknowledged as \d+ and is not stored|"unauthorized"|There is no such room|was read before/],
  'does not keep keys unique': ['crash', 'keys', /is stored twice|and sent again it got/],
  'takes seq from memory': ['crash', 'seq', /was acknowledged as \d+ and is not stored|is stored as|seq \d+ comes behind|its head is/],
  'does not sync': ['power', 'unsynced', /was acknowledged as \d+ and is not stored|"unauthorized"|The storage failed|cannot (use|open) .*hubbub\.db|was read before/],
  'forgets reactions': ['crash', 'forgetful', /is folded to|counts \d+, and \d+ have/],
  'keeps what is deleted': ['crash', 'keeping', /still holds the text of|is folded to/],
  'takes a failed commit for a good one': ['io', 'deaf', /was acknowledged as \d+ and is not stored|is stored as \d+|a hole between/],
}

for (const [what, [fault, name, complaint]] of Object.entries(WRONG)) {
  test(`a server that ${what} is found out`, async (t) => {
    const count = fault === 'io' ? 'rounds' : 'kills'
    const { status, summary, stderr } = await torture(fault, `tests/crash/hubbub-${name}`, 40, 1, count)
    assert.equal(status, 1, stderr)
    assert.equal(summary.ok, false)
    assert.match(summary.wrong.join('\n'), complaint)
    t.diagnostic(`after ${summary[count]} ${count}: ${summary.wrong[0]}`)
  })
}
