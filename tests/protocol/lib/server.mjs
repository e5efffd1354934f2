// The server under test: a real process on a free port with its own data directory.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before } from 'node:test'
import { commonCert } from './certs.mjs'
import { Peer } from './peer.mjs'
import { fresh, within } from './wait.mjs'

export const BIN = process.env.HUBBUB_BIN ?? assert.fail('HUBBUB_BIN names the server to test')

const REPORT = /(Address|Thread|Leak|Memory|UndefinedBehavior)Sanitizer|runtime error:|Assertion .* failed/

/** The environment without this run's own settings. */
export function cleanEnv(more = {}) {
  const env = { ...process.env, ...more }
  for (const k of Object.keys(env)) if (k.startsWith('HUBBUB_') && !(k in more)) delete env[k]
  return env
}

/** Run the binary to its end, as `hubbub ...args`. */
export async function runToEnd(args, { env, cwd, bin = [BIN] } = {}) {
  const child = spawn(bin[0], [...bin.slice(1), ...args], { env: cleanEnv(env), cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const out = { stdout: '', stderr: '' }
  child.stdout.on('data', (b) => (out.stdout += b))
  child.stderr.on('data', (b) => (out.stderr += b))
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })))
  try {
    Object.assign(out, await within(ended, `hubbub ${args.join(' ')} to end by itself`))
  } finally {
    child.kill('SIGKILL')
  }
  assert.doesNotMatch(out.stderr, REPORT)
  return out
}

/** What each thread of a process that hangs waits for, and its signals (proc(5)). */
async function threadsOf(pid) {
  const about = async (tid) => {
    const read = (file) => readFile(`/proc/${pid}/task/${tid}/${file}`, 'utf8').catch((err) => err.code)
    const status = (await read('status')).match(/^(Name|State|SigPnd|ShdPnd|SigBlk|SigIgn|SigCgt):.*$/gm) ?? []
    return [...status, `syscall ${(await read('syscall')).trim()}`].join(' ').replaceAll('\t', ' ')
  }
  const tids = await readdir(`/proc/${pid}/task`).catch(() => [])
  return (await Promise.all(tids.map(about))).join('\n')
}

export class Server {
  host = '127.0.0.1'
  #peers = new Set()

  /**
   * `args` come behind the usual ones; `data` is kept (and left) where it is given; `bin` wraps.
   * Not `open`: with accounts.
   * `cert` has it speak TLS; HUBBUB_TEST_TLS in the environment has all servers do so.
   */
  constructor({ args = ['--no-limits'], env = {}, data, usual = true, bin = [BIN], listen = '127.0.0.1:0', open = true, cert = process.env.HUBBUB_TEST_TLS && commonCert() } = {}) {
    if (cert) Object.assign(this, { tls: { ca: cert.ca }, args: [...cert.flags, ...args] })
    else this.args = args
    Object.assign(this, { env, data, usual, bin, listen, open, ownsData: data === undefined })
  }

  /** A server for one test, ended and cleaned up with it. */
  static async start(t, options) {
    const server = new Server(options)
    t.after(() => server.dispose())
    await server.start()
    return server
  }

  async start() {
    this.data ??= await mkdtemp(path.join(tmpdir(), 'hubbub-test-'))
    const usual = ['serve', ...(this.open ? ['--open'] : []), '--listen', this.listen, '--data', this.data]
    const args = [...this.bin.slice(1), ...(this.usual ? usual : ['serve']), ...this.args]
    this.stdout = this.stderr = ''
    const child = spawn(this.bin[0], args, { env: cleanEnv(this.env), stdio: ['ignore', 'pipe', 'pipe'] })
    this.child = child
    this.exited = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })))
    child.stderr.on('data', (b) => (this.stderr += b))
    const announced = new Promise((resolve, reject) => {
      child.on('error', reject)
      child.stdout.on('data', (b) => {
        this.stdout += b
        if (this.stdout.includes('\n')) resolve(this.stdout)
      })
      this.exited.then(({ code, signal }) => reject(new Error(`the server ended with ${code ?? signal} before it listened: ${this.stderr.slice(-2000)}`)))
    })
    const line = await within(announced, 'the line "listening on"')
    const [, host, port] = /^listening on https?:\/\/(.*):(\d+)\n/.exec(line) ?? assert.fail(`it printed ${JSON.stringify(line)}`)
    this.host = host.replace(/[[\]]/g, '')
    this.port = Number(port)
    return this
  }

  get pid() {
    return this.child.pid
  }

  /** End it by a signal; a clean stop must exit with 0 and leave no report behind. */
  async stop(signal = 'SIGTERM', ms = 12000) {
    if (this.child === undefined) return
    this.child.kill(signal)
    await this.ended(signal, ms)
  }

  /** It was told to end by `signal`: await that. */
  async ended(signal, ms = 12000) {
    const { code, signal: by } = await within(this.exited, `the server to end on ${signal}`, ms).catch(async (late) => {
      late.message += `: ${this.stderr.slice(-1000)}\n${await threadsOf(this.child.pid)}`
      throw late
    })
    this.child = undefined
    this.checkReports()
    if (signal !== 'SIGKILL') assert.equal(code, 0, `${signal}: it ended with ${code ?? by}: ${this.stderr.slice(-2000)}`)
  }

  /** The file in the data directory that is the database. */
  async database() {
    for (const name of await readdir(this.data)) {
      const file = path.join(this.data, name)
      const bytes = (await stat(file)).isFile() ? await readFile(file) : Buffer.alloc(0)
      if (bytes.subarray(0, 16).toString('latin1') === 'SQLite format 3\0') return file
    }
    return assert.fail(`no database among ${await readdir(this.data)}`)
  }

  /** Awaits that the log says so. */
  logs(wanted) {
    const said = new Promise((resolve) => {
      const look = () => wanted.test(this.stderr) && resolve()
      this.child.stderr.on('data', look)
      look()
    })
    return within(said, () => `the log to say ${wanted}; it says ${this.stderr.slice(-1000)}`)
  }

  checkReports() {
    assert.doesNotMatch(this.stderr, REPORT, `the server reported: ${this.stderr.slice(0, 6000)}`)
  }

  /** SIGKILL, then the same again on the same data. */
  async restart(signal = 'SIGKILL') {
    await this.stop(signal)
    await this.start()
  }

  async dispose() {
    try {
      const gone = this.child !== undefined && (this.child.exitCode !== null || this.child.signalCode !== null)
      assert.ok(!gone, `the server had ended with ${this.child?.exitCode ?? this.child?.signalCode}: ${this.stderr?.slice(0, 6000)}`)
      await this.stop()
    } finally {
      this.child?.kill('SIGKILL')
      for (const peer of this.#peers) peer.socket.destroy()
      if (this.ownsData && this.data !== undefined) await rm(this.data, { recursive: true, force: true })
    }
  }

  /** A connection that has not said hello. */
  async connect(options) {
    const peer = await Peer.open(this, options)
    this.#peers.add(peer)
    return peer
  }

  /** The peer is its user's to close: a long run makes too many to keep. */
  forget(peer) {
    this.#peers.delete(peer)
  }

  /** A connection that has; `peer.me` and `peer.token` tell who it is. */
  async user(stem = 'Ada', { token, name = token === undefined ? fresh(stem) : undefined, ...options } = {}) {
    const peer = await this.connect(options)
    peer.hello = await peer.ok({ op: 'hello', name, token })
    peer.me = peer.hello.me
    peer.token = peer.hello.token ?? token
    return peer
  }

  /** The same user on another connection. */
  again(peer, options) {
    return this.user(undefined, { token: peer.token, ...options })
  }

  /** Several users who have all joined one room; `room` is a fresh one unless given. */
  async room(stems = ['Ada', 'Bob'], room = fresh('room')) {
    const peers = []
    for (const stem of stems) {
      const peer = await this.user(stem)
      peer.join = await peer.ok({ op: 'join', room })
      peers.push(peer)
    }
    return Object.assign(peers, { room })
  }
}

/** One server for all the tests of a file; `setup` runs once it is there. */
export function sharedServer(options, setup = async () => {}) {
  const server = new Server(options)
  before(async () => setup(await server.start()))
  after(() => server.dispose())
  return server
}
