// Every test that a page of docs/ names is there.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..')
const pages = readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'))
let named = 0
const missing = []
for (const page of pages) {
  const text = readFileSync(path.join(root, 'docs', page), 'utf8')
  for (const [, file] of text.matchAll(/`((?:tests|client-vue\/tests)\/[\w./-]+\.(?:mjs|c|ts|sh))`/g)) {
    named++
    if (!existsSync(path.join(root, file))) missing.push(`docs/${page} names ${file}, which is not there`)
  }
}
if (missing.length > 0 || named < 50) {
  console.error(missing.join('\n') || `only ${named} tests are named: is the pattern right?`)
  process.exit(1)
}
