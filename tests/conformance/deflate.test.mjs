// Groups 12 and 13: permessage-deflate (RFC 7692), messages of five kinds and the offers of clients.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { KINDS } from './lib/data.mjs'
import { AGREED, DEFAULT_OFFER, DEMANDS, ROWS, exchange } from './lib/deflated.mjs'
import { echo } from './lib/targets.mjs'

before(() => echo.start())
after(() => echo.stop())

const row = ([size, fragment]) => `messages of ${size} bytes${fragment === undefined ? '' : `, compressed and in fragments of ${fragment}`}`

for (const [g, kind] of Object.entries(KINDS)) {
  for (const [i, [size, fragment]] of ROWS.entries()) {
    test(`echo 12.${g}.${i + 1} ${kind.what}: ${row([size, fragment])}`, async () => {
      const { agreed, n, compressed } = await exchange(echo, { offer: DEFAULT_OFFER, kind, size, fragment })
      assert.deepEqual(agreed, AGREED)
      // What compressing makes shorter is compressed, down to what gains nothing worth inflating.
      if (kind.isText && size >= 1024) assert.equal(compressed, n)
      if (size < 256) assert.equal(compressed, 0)
    })
  }
}

for (const [g, { what, offer, bits }] of Object.entries(DEMANDS)) {
  for (const [i, [size, fragment]] of ROWS.entries()) {
    test(`echo 13.${g}.${i + 1} ${what}: ${row([size, fragment])}`, async () => {
      const { agreed, n, compressed } = await exchange(echo, { offer, kind: KINDS[1], size, fragment })
      assert.deepEqual(agreed, bits === undefined ? AGREED : { ...AGREED, server_max_window_bits: bits })
      // Frames are compressed once for all, with the full window; who has a smaller one gets plain ones.
      if (bits === 9) assert.equal(compressed, 0)
      else if (size >= 1024) assert.equal(compressed, n)
    })
  }
}
