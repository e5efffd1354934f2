// What of src/ the tests reach, by lines: node tests/coverage.mjs BUILD_DIR [fuzz]
//
// Of a build by clang with -fprofile-instr-generate -fcoverage-mapping whose tests have run; see
// `./dev coverage`.  With `fuzz` each target's corpus is judged by the files that it is meant for.
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'

const [build, only] = process.argv.slice(2)
const root = path.resolve(import.meta.dirname, '..')
const profiles = path.join(build, 'profiles')
const OPTIONS = { maxBuffer: 1 << 28, encoding: 'utf8' }

/** The lines of each file under src/: {count, covered}. */
function export_(profile, programs) {
  const [first, ...others] = programs
  const args = ['export', '-summary-only', first, ...others.flatMap((p) => ['-object', p]), `-instr-profile=${profile}`]
  const { data } = JSON.parse(execFileSync('llvm-cov', args, { ...OPTIONS, stdio: ['ignore', 'pipe', 'ignore'] }))
  return data[0].files.map((f) => ({ name: path.relative(root, f.filename), ...f.summary.lines })).filter((f) => f.name.startsWith('src/'))
}

function merge(profile, raw) {
  execFileSync('llvm-profdata', ['merge', '-sparse', '-o', profile, ...raw])
  return profile
}

const sum = (files) => files.reduce((a, f) => ({ count: a.count + f.count, covered: a.covered + f.covered }), { count: 0, covered: 0 })
const percent = ({ count, covered }) => `${(100 * covered / count).toFixed(1)} %`.padStart(8)

function print(name, files) {
  const all = sum(files)
  console.log(`${name.padEnd(24)} ${String(all.covered).padStart(6)} of ${String(all.count).padStart(6)} lines ${percent(all)}`)
}

function fuzz() {
  for (const line of readFileSync(path.join(root, 'tests/fuzz/covers.txt'), 'utf8').split('\n').filter((l) => l !== '' && l[0] !== '#')) {
    const [target, ...wanted] = line.split(' ')
    const profile = merge(path.join(profiles, `${target}.profdata`), [path.join(profiles, `${target}.profraw`)])
    const files = export_(profile, [path.join(build, 'tests/fuzz', `fuzz_${target}`)]).filter((f) => wanted.includes(f.name))
    const missing = wanted.filter((name) => !files.some((f) => f.name === name))
    if (missing.length > 0) throw new Error(`tests/fuzz/covers.txt: ${target} has nothing of ${missing.join(', ')}`)
    print(target, files)
    for (const f of files) if (f.covered < 0.9 * f.count) print(`  ${f.name}`, [f])
  }
}

/** Every program of the build that carries a coverage map. */
function programs(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) => {
    const name = path.join(dir, e.name)
    if (e.isDirectory()) return e.name.endsWith('.p') || e.name === 'profiles' || e.name === 'html' ? [] : programs(name)
    return e.isFile() && (statSync(name).mode & 0o111) !== 0 && readFileSync(name).subarray(0, 4).toString('latin1') === '\x7fELF' ? [name] : []
  })
}

function everything() {
  const raw = readdirSync(profiles).filter((n) => n.endsWith('.profraw')).map((n) => path.join(profiles, n))
  const profile = merge(path.join(profiles, 'all.profdata'), raw)
  const built = programs(build)
  const files = export_(profile, built)
  for (const folder of [...new Set(files.map((f) => path.dirname(f.name)))].sort()) print(folder, files.filter((f) => path.dirname(f.name) === folder))
  print('all', files)
  const [first, ...others] = built
  const html = path.join(build, 'html')
  rmSync(html, { recursive: true, force: true })
  // It knows the files as the compiler was told them, BUILD_DIR/../src/…, and finds none by another name.
  execFileSync('llvm-cov', ['show', '-format=html', `-output-dir=${html}`, first, ...others.flatMap((p) => ['-object', p]),
    `-instr-profile=${profile}`, `-ignore-filename-regex=^/usr/|/\\.\\./(include|tests|third_party)/|/${path.basename(build)}/[^.]`], { ...OPTIONS, stdio: 'ignore' })
  const pages = readdirSync(html, { recursive: true }).filter((n) => n.endsWith('.c.html')).length
  const sources = files.filter((f) => f.name.endsWith('.c')).length
  if (pages !== sources) throw new Error(`${html} has ${pages} of ${sources} files`)
  console.log(`line by line: ${path.join(html, 'index.html')}`)
}

if (only === 'fuzz') fuzz()
else everything()
