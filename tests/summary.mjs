// Adds up the results of `meson test` in build directories, and fails if anything failed.
//
//   node summary.mjs BUILD_DIR ...
//
// meson counts programs.  Here each case of a program that speaks TAP counts, and a program that
// failed in another way than by a case (a crash, a timeout) counts as one failure.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Of what failed, as many are repeated at the end. */
const LINES_OF_A_CASE = 40
const PASSING = new Set(['OK', 'EXPECTEDFAIL'])

function readLog(buildDir) {
  try {
    const lines = readFileSync(join(buildDir, 'meson-logs', 'testlog.json'), 'utf8').split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
  } catch {
    return []
  }
}

function count({ stdout = '', result }) {
  const lines = stdout.split('\n')
  const isTap = lines.some((line) => /^1\.\.\d+/.test(line))
  const points = isTap ? lines.filter((line) => /^(not )?ok\b/.test(line)) : []
  const failed = points.filter((line) => line.startsWith('not ')).length
  const passed = points.length - failed

  if (PASSING.has(result)) return { passed: passed || 1, failed: 0 }
  return { passed, failed: failed || 1 }
}

/** What a failed program said of the cases that failed, or else its last words. */
function reasons({ stdout = '', stderr = '' }) {
  const lines = stdout.split('\n')
  const blocks = lines.flatMap((line, i) => {
    if (!/^\s*not ok\b/.test(line)) return []
    const rest = lines.slice(i + 1, i + LINES_OF_A_CASE)
    const end = rest.findIndex((l) => /^\s*(\.\.\.|(not )?ok\b.*)$/.test(l))
    return [line, ...rest.slice(0, end < 0 ? rest.length : end)]
  })
  return blocks.length > 0 ? blocks : [...lines.slice(-LINES_OF_A_CASE), ...stderr.split('\n').slice(-LINES_OF_A_CASE)]
}

let passed = 0
let failed = 0
for (const buildDir of process.argv.slice(2)) {
  const tests = readLog(buildDir)
  if (tests.length === 0) {
    console.log(`${buildDir}: no test ran`)
    failed += 1
  }
  for (const test of tests) {
    const counts = count(test)
    if (counts.failed > 0) {
      console.log(`${buildDir}: ${test.name} failed (${test.result})`)
      for (const line of reasons(test)) console.log(`    ${line}`)
    }
    passed += counts.passed
    failed += counts.failed
  }
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
