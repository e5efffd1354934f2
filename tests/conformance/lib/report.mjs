// A reporter for node's test runner: a line for each case, then a table of the groups.  A case's name
// begins with its server and its number.

const TITLES = {
  1: 'framing', 2: 'pings and pongs', 3: 'reserved bits', 4: 'opcodes', 5: 'fragmentation', 6: 'UTF-8', 7: 'closing', 9: 'large messages', 10: 'automatic fragments',
  12: 'compressed messages', 13: 'offers of compression', B: 'beyond the suite', C: 'compression beyond the suite', H: 'HTTP', 0: 'still serving',
}

function* table(groups) {
  const rows = [...groups.values()].sort((a, b) => a.target.localeCompare(b.target) || a.group.localeCompare(b.group, 'en', { numeric: true }))
  let cases = 0, passed = 0
  yield '\nserver   group                              cases  passed\n'
  for (const row of rows) {
    cases += row.cases
    passed += row.passed
    yield `${row.target.padEnd(8)} ${`${row.group} ${TITLES[row.group] ?? ''}`.padEnd(34)} ${String(row.cases).padStart(5)} ${String(row.passed).padStart(7)}\n`
  }
  yield `\n${cases} cases, ${passed} passed (${cases === 0 ? 0 : Math.floor((100 * passed) / cases)} %)\n`
}

export default async function* report(source) {
  const groups = new Map()
  for await (const { type, data } of source) {
    if (type === 'test:stderr' || type === 'test:stdout') yield data.message
    if (type !== 'test:pass' && type !== 'test:fail') continue
    // The runner counts each file as a case around its own, where it has none of them.
    if (data.details?.type === 'suite' || data.name.endsWith('.mjs')) {
      if (type === 'test:fail') yield `FAILED  ${data.name}\n`
      continue
    }
    const [target, id] = data.name.split(' ', 2)
    const group = id.split('.')[0]
    const row = groups.get(`${target} ${group}`) ?? { target, group, cases: 0, passed: 0 }
    row.cases++
    row.passed += type === 'test:pass'
    groups.set(`${target} ${group}`, row)
    yield `${type === 'test:pass' ? 'passed' : 'FAILED'} ${data.details.duration_ms.toFixed(1).padStart(8)} ms  ${data.name}\n`
    if (type === 'test:fail') yield `       ${String(data.details.error?.cause?.message ?? data.details.error).split('\n').slice(0, 6).join('\n       ')}\n`
  }
  yield* table(groups)
}
