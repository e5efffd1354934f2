// The results of all runs, kept in one JSON file that is complete after every single run: an
// interrupted benchmark goes on where it was.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const VERSION = 1

export class Results {
  constructor(folder) {
    this.file = join(folder, 'results.json')
    this.data = { version: VERSION, runs: [] }
  }

  /** Reads what is there; false where nothing is. */
  load() {
    if (!existsSync(this.file)) return false
    const data = JSON.parse(readFileSync(this.file, 'utf8'))
    if (data.version !== VERSION) throw new Error(`${this.file} is of another version`)
    this.data = data
    return true
  }

  /** A new file; the last one is kept beside it. */
  begin(about) {
    if (existsSync(this.file)) renameSync(this.file, this.file.replace(/json$/, 'previous.json'))
    this.data = { version: VERSION, ...about, runs: [] }
  }

  save() {
    const fresh = `${this.file}.new`
    writeFileSync(fresh, `${JSON.stringify(this.data, null, 1)}\n`)
    renameSync(fresh, this.file)
  }

  /** A run of the same round, case and contender is replaced. */
  add(run) {
    this.data.runs = this.data.runs.filter((old) => !isSame(old, run))
    this.data.runs.push(run)
    this.save()
  }

  find(wanted) {
    return this.data.runs.find((run) => isSame(run, wanted))
  }

  /** All good runs of a contender in a case, in the order in which they were made. */
  goodRuns(caseId, contender) {
    return this.data.runs.filter((run) => run.case === caseId && run.contender === contender && run.ok)
  }

  /** Their results. */
  of(caseId, contender) {
    return this.goodRuns(caseId, contender).map((run) => run.result)
  }

  /** {least, most}: the good rounds that each case has with each of its contenders. */
  rounds() {
    const counts = new Map()
    for (const run of this.data.runs.filter(({ ok }) => ok)) {
      const id = `${run.case} ${run.contender}`
      counts.set(id, (counts.get(id) ?? 0) + 1)
    }
    return { least: Math.min(...counts.values()), most: Math.max(...counts.values()) }
  }

  failures() {
    return this.data.runs.filter((run) => !run.ok)
  }
}

const isSame = (a, b) => a.round === b.round && a.case === b.case && a.contender === b.contender
