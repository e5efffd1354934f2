// The machine as the tests run it: a process of its own, on one of the build's servers.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const BUILD = process.env.CRASH_BUILD ?? assert.fail('CRASH_BUILD names the build directory')
const MACHINE = fileURLToPath(new URL('../run.mjs', import.meta.url))

/** Gives the exit status, the summary, and what was printed beside it. */
export function torture(fault, server, n, seed, count = 'kills') {
  const bin = path.join(BUILD, server)
  const args = [MACHINE, fault, `--${count}`, String(n), '--seed', String(seed)]
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env: { ...process.env, HUBBUB_BIN: bin } }, (err, stdout, stderr) => {
      if (err !== null && err.code !== 1) return reject(new Error(`${err.message}\n${stderr}`))
      const left = /^== its data: (.*)$/m.exec(stderr)?.[1]
      const done = () => resolve({ status: err === null ? 0 : 1, summary: JSON.parse(stdout), stderr })
      // A failure that a test looks for is no reason to leave anything behind.
      if (left === undefined) done()
      else rm(left, { recursive: true, force: true }).then(done, reject)
    })
  })
}
