// The machines can fail: each server that is wrong on purpose is found out, and by what it does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { torture } from './lib/torture.mjs'

/** What was acknowledged is gone; a client may notice that first when it edits it, or shows its token. */
const LOST = [/was acknowledged as \d+ and is (not stored|stored as \d+)/, /was read before/, /There is no such (room|message)/,
  /refused for good, and \d+ is not deleted/, /"unauthorized"/]
const MIXED_UP = [/seq \d+ comes behind/, /its head is/, /a hole between/]
const BROKEN = [/The storage failed/, /cannot (use|open) .*hubbub\.db/]

const WRONG = {
  'tells a batch before it is committed': ['crash', 'early', LOST],
  'does not keep keys unique': ['crash', 'keys', [/is stored twice/, /and sent again it got/]],
  'takes seq from memory': ['crash', 'seq', [...LOST, ...MIXED_UP]],
  'does not sync': ['power', 'unsynced', [...LOST, ...BROKEN]],
  'forgets reactions': ['crash', 'forgetful', [/is folded to/, /counts \d+, and \d+ have/]],
  'keeps what is deleted': ['crash', 'keeping', [/still holds the text of/, /is folded to/]],
  'takes a failed commit for a good one': ['io', 'deaf', [...LOST, ...MIXED_UP]],
}

for (const [what, [fault, name, complaints]] of Object.entries(WRONG)) {
  test(`a server that ${what} is found out`, async (t) => {
    const count = fault === 'io' ? 'rounds' : 'kills'
    const { status, summary, stderr } = await torture(fault, `tests/crash/hubbub-${name}`, 40, 1, count)
    assert.equal(status, 1, stderr)
    assert.equal(summary.ok, false)
    const said = summary.wrong.join('\n')
    assert.ok(complaints.some((complaint) => complaint.test(said)), said)
    t.diagnostic(`after ${summary[count]} ${count}: ${summary.wrong[0]}`)
  })
}
