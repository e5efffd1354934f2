// Compressed messages and the offers of clients against the product: each text is a request.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compressedCases } from './cases/compressed.mjs'
import { KINDS } from './lib/data.mjs'
import { AGREED, DEMANDS, exchange } from './lib/deflated.mjs'
import { register } from './lib/run.mjs'
import { hubbub } from './lib/targets.mjs'

register(hubbub, compressedCases(hubbub))

const SIZES = [16, 64, 256, 1024, 4096, 8192, 16384, 32768]

for (const [g, kind] of Object.entries(KINDS).filter(([, { isText }]) => isText)) {
  for (const [i, size] of SIZES.entries()) {
    test(`hubbub 12.${g}.${i + 1} ${kind.what}: requests with ${size} bytes`, async () => {
      const { agreed } = await exchange(hubbub, { offer: DEMANDS[1].offer, kind, size, messageOf: hubbub.text })
      assert.deepEqual(agreed, AGREED)
    })
  }
}

for (const [g, { what, offer, bits }] of Object.entries(DEMANDS)) {
  for (const [i, size] of SIZES.entries()) {
    test(`hubbub 13.${g}.${i + 1} ${what}: requests with ${size} bytes`, async () => {
      const { agreed } = await exchange(hubbub, { offer, kind: KINDS[1], size, messageOf: hubbub.text })
      assert.deepEqual(agreed, bits === undefined ? AGREED : { ...AGREED, server_max_window_bits: bits })
    })
  }
}
