// Child processes that never outlive the benchmark: each is ended by its own id and waited for,
// also on Ctrl-C and after a failure, and the kernel ends what is left if the driver itself is killed.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'

const STOP_MS = 12000
const KEPT_OUTPUT = 1 << 20

const alive = new Set()
const folders = new Set()
let isOver = false

export class Child {
  stdout = ''
  stderr = ''
  ended = null

  /** `cores` is a list for taskset, or null; `onLine` is told each line of standard output. */
  constructor(command, args, { cores = null, env, cwd, onLine } = {}) {
    if (isOver) throw new Error('no process is started any more')
    const pinned = cores === null ? [] : ['taskset', '-c', cores]
    const line = [...pinned, 'setpriv', '--pdeathsig', 'TERM', command, ...args.map(String)]
    this.name = command.split('/').pop()
    this.process = spawn(line[0], line.slice(1), { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    alive.add(this)
    this.exited = new Promise((resolve) => {
      const end = (how) => {
        alive.delete(this)
        this.ended ??= how
        resolve(this.ended)
      }
      this.process.on('error', (error) => end({ code: null, error }))
      this.process.on('close', (code, signal) => end({ code, signal }))
    })
    this.process.stdout.setEncoding('utf8').on('data', (text) => {
      const from = this.stdout.lastIndexOf('\n') + 1
      this.stdout += text
      const to = this.stdout.lastIndexOf('\n')
      if (onLine && to >= from) this.stdout.slice(from, to).split('\n').forEach(onLine)
    })
    this.process.stderr.setEncoding('utf8').on('data', (text) => {
      this.stderr = (this.stderr + text).slice(-KEPT_OUTPUT)
    })
  }

  get pid() {
    return this.process.pid
  }

  /** What went wrong, for people. */
  complaint() {
    const { code, signal, error } = this.ended ?? {}
    const how = error?.message ?? (signal ? `ended by ${signal}` : `exit status ${code}`)
    return `${this.name}: ${how}${this.stderr === '' ? '' : `: ${this.stderr.trim().slice(-600)}`}`
  }

  /** Ends it and waits for that. */
  async stop(signal = 'SIGTERM') {
    if (this.ended !== null) return this.ended
    this.process.kill(signal)
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_MS)
    try {
      return await this.exited
    } finally {
      clearTimeout(timer)
    }
  }

  /** Waits for its end, at most `ms`. */
  async finish(ms) {
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.process.kill('SIGKILL')
    }, ms)
    const how = await this.exited
    clearTimeout(timer)
    if (late) throw new Error(`${this.name} did not end within ${Math.round(ms / 1000)} s`)
    return how
  }
}

/** A new folder below `parent`, removed by removeFolder() or cleanUp(). */
export async function makeFolder(parent, stem) {
  const folder = await mkdtemp(join(parent, `${stem}-`))
  folders.add(folder)
  return folder
}

export async function removeFolder(folder) {
  await rm(folder, { recursive: true, force: true })
  folders.delete(folder)
}

/** Ends whatever runs, for good, and removes whatever was made. */
export async function cleanUp() {
  isOver = true
  await Promise.all([...alive].map((child) => child.stop()))
  await Promise.all([...folders].map(removeFolder))
}
