// A server whose disk fails and works again, over and over, under load.  It is not restarted for
// that: it has to notice by itself.
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { fetchRaw } from '../../protocol/lib/http.mjs'
import { Server } from '../../protocol/lib/server.mjs'
import { SLOW, deferred, within } from '../../protocol/lib/wait.mjs'
import { Count } from './count.mjs'
import { checkDatabase } from './database.mjs'
import { Era } from './era.mjs'
import { openFiles } from './files.mjs'
import { Faults } from './faulty.mjs'
import { Random } from './random.mjs'

const ROUNDS_OF_ERA = 10
const RECOVERS_WITHIN_MS = 2000
const RETRY_MS = 30
const SPARE_DESCRIPTORS = 6 // what SQLite may keep of closed connections

/** The disk is full: files cannot grow past some point, then nothing can be written. */
const full = {
  strict: true,
  begin(faults, rng) {
    if (rng.chance(0.5)) faults.space(rng.int(0, 100_000))
    else faults.set('write', 'ENOSPC', { skip: rng.int(0, 100) })
  },
}

const ERRORS = [
  ['read', 'EIO'], ['read', 'EINTR'], ['write', 'EIO'], ['write', 'ENOSPC'], ['write', 'EINTR'], ['sync', 'EIO'],
  ['truncate', 'EIO'], ['shortWrite', 'EIO'], ['open', 'EIO'], ['open', 'EMFILE'], ['map', 'ENOMEM'], ['unlink', 'EIO'],
]

/** Some calls fail, now and then or always, on some of the files or all; or it is read-only. */
const io = {
  strict: false,
  begin(faults, rng) {
    if (rng.chance(0.1)) return faults.readOnly()
    if (rng.chance(0.3)) faults.only(rng.pick(['db', 'wal', 'shm']))
    // So that files are opened anew, and fail at that as well.
    if (rng.chance(0.5)) faults.set('sync', 'EIO', { chance: rng.pick([0.05, 0.3]) })
    for (let i = rng.int(1, 3); i > 0; i--) {
      const [what, err] = rng.pick(ERRORS)
      // What is interrupted is tried again until it is not.
      faults.set(what, err, { chance: rng.pick(err === 'EINTR' ? [0.05, 0.5] : [0.005, 0.05, 0.3, 1]), skip: rng.int(0, 50) })
    }
  },
}

export const DISKS = { disk: full, io }

/** The load of one round; it goes on through refusals. */
class DiskRound {
  closing = false
  outstanding = 0
  acks = 0
  refusals = 0
  #waiting = new Set()

  constructor({ seed, fail }) {
    Object.assign(this, { seed, fail })
  }

  random(name) {
    return new Random(`${this.seed}/${name}`)
  }

  /** Until `done` says so, looked at with each reply. */
  until(done, what, ms) {
    const wait = { done, ...deferred() }
    this.#waiting.add(wait)
    this.#changed()
    return within(wait.promise, what, ms).finally(() => this.#waiting.delete(wait))
  }

  #changed() {
    for (const { done, resolve } of this.#waiting) if (done(this)) resolve()
  }

  onAnswer({ ok }) {
    this.acks += ok
    this.#changed()
  }

  onRefusal({ err }) {
    this.refusals++
    if (err.code !== 'unavailable' || !(err.retry_ms > 0)) this.fail(`a write was refused: ${JSON.stringify(err)}`)
    this.#changed()
  }

  /** Sooner than the server asks for, so that a round has many tries. */
  async mayGoOn() {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    return !this.closing
  }
}

export class DiskMachine {
  rounds = 0
  wrong = []
  #acks = 0
  #refusals = 0
  #restarts = 0
  #stored = new Count()
  #resent = 0
  #slowest = 0
  #given = {}
  #fail = (complaint) => this.wrong.push(complaint)

  /** `dir` exists and is empty; `say` takes lines about the progress. */
  constructor({ fault, rounds, seed, dir, say }) {
    Object.assign(this, { fault, n: rounds, seed, dir, say, data: path.join(dir, 'data') })
  }

  get #goesOn() {
    return this.rounds < this.n && this.wrong.length === 0
  }

  async run() {
    await mkdir(this.data)
    this.faults = new Faults(path.join(this.dir, 'faults'))
    this.faults.seed(new Random(this.seed).int(0, 2 ** 31))
    try {
      for (let i = 0; this.#goesOn; i++) await this.#runEra(i)
    } catch (err) {
      this.#fail(err.stack)
    } finally {
      if (this.wrong.length > 0) this.say(`the server's last words: ${this.server?.stderr.slice(-2000) ?? ''}`)
      this.server?.child?.kill('SIGKILL')
      this.#given = this.faults.allGiven
      this.faults.close()
    }
    return {
      ok: this.wrong.length === 0, seed: this.seed, rounds: this.rounds, restarts: this.#restarts,
      acknowledged: this.#acks, refused: this.#refusals, stored: this.#stored.sum, kinds: this.#stored.kinds,
      resent: this.#resent,
      slowest_recovery_ms: Math.round(this.#slowest), faults: this.#given, wrong: this.wrong.slice(0, 10),
    }
  }

  async #runEra(number) {
    const era = new Era({ name: `e${number}`, dir: this.dir })
    await this.#serve(era)
    for (let i = 0; i < ROUNDS_OF_ERA && this.#goesOn; i++) await this.#runRound(era, `${this.seed}/${number}/${i}`)
    if (this.wrong.length === 0) this.#resent += await era.resend(this.#fail)
    if (this.wrong.length === 0) await this.#look(era, { complete: true })
    this.wrong.push(...(await checkDatabase(await this.server.database())))
    this.#stored.add(era.close().stored)
    await this.server.stop()
    this.say(`${this.rounds} rounds, ${this.#acks} acknowledged, ${this.#refusals} refused, ${this.#stored.sum} stored`)
  }

  async #serve(era) {
    this.server = new Server({ data: this.data, env: this.faults.env })
    await this.server.start()
    await era.attach(this.server)
    this.reader = await this.server.user('reader')
    await this.reader.ok({ op: 'join', room: era.rooms[0], limit: 1 })
    this.room = era.rooms[0]
    this.open = await openFiles(this.server.pid)
  }

  async #look(era, options) {
    this.wrong.push(...(await era.look(options)))
  }

  async #runRound(era, seed) {
    const rng = new Random(seed)
    const round = new DiskRound({ seed, fail: this.#fail })
    const dies = rng.chance(0.2)
    const writing = Promise.all(era.writers.map((writer) => writer.run(round)))
    const before = rng.int(1, 100)
    await round.until(() => round.acks >= before, 'messages to be acknowledged on a disk that works')
    this.fault.begin(this.faults, rng)
    await this.#suffer(round, rng)
    if (dies) {
      await this.server.stop('SIGKILL')
      await this.#startOnBroken()
    }
    this.faults.heal()
    if (!dies) await this.#recover(round, rng.int(1, 100))
    round.closing = true
    await writing
    if (dies) await this.#serve(era)
    await this.#look(era)
    this.rounds++
    this.#acks += round.acks
    this.#refusals += round.refusals
    this.#restarts += dies
  }

  /** It serves or says why not; whatever it did to the files then, nothing is lost. */
  async #startOnBroken() {
    const server = (this.server = new Server({ data: this.data, env: this.faults.env }))
    await server.start().catch(() => {})
    server.child.kill('SIGKILL')
    const { code, signal } = await server.exited
    server.checkReports()
    if (signal !== 'SIGKILL' && (code !== 1 || !/ error /.test(server.stderr))) {
      this.#fail(`the server ended with ${code ?? signal} on a disk that fails: ${server.stderr.slice(-2000)}`)
    }
  }

  /** The disk fails: until some were refused, or for some acknowledgements where it seldom fails. */
  async #suffer(round, rng) {
    const refusals = round.refusals + rng.int(1, 60), acks = round.acks + 150
    await round.until(() => round.refusals >= refusals || round.acks >= acks, 'replies while the disk fails', 20000)
    if (this.fault.strict) {
      this.faults.set('write', 'ENOSPC')
      const more = round.refusals + 10
      await round.until(() => round.refusals >= more, 'refusals while the disk is full')
      await this.#lookAtFull()
    } else {
      // Whatever they say.
      await Promise.all(Array.from({ length: 10 }, () => this.reader.request({ op: 'history', room: this.room, limit: 200 })))
    }
  }

  async #lookAtFull() {
    const reply = await this.reader.request({ op: 'history', room: this.room, limit: 20 })
    if (!reply.ok) this.#fail(`history while the disk is full: ${JSON.stringify(reply)}`)
    const ready = await fetchRaw(this.server, '/readyz')
    if (ready.status !== 503) this.#fail(`/readyz while the disk is full: ${ready.status}`)
    const metrics = (await fetchRaw(this.server, '/metrics')).body.toString()
    if (!/^hubbub_store_healthy 0$/m.test(metrics)) this.#fail('/metrics says that the store is healthy while the disk is full')
  }

  async #recover(round, n) {
    const begun = performance.now(), acks = round.acks
    await round.until(() => round.acks > acks, 'an acknowledgement on a disk that works again')
    // Where calls fail now and then only, that may be of a batch before the last that failed.
    while ((await fetchRaw(this.server, '/readyz')).status !== 200 && performance.now() - begun < RECOVERS_WITHIN_MS * SLOW);
    const took = performance.now() - begun
    this.#slowest = Math.max(this.#slowest, took)
    if (took > RECOVERS_WITHIN_MS * SLOW) this.#fail(`it took messages again, and was ready, after ${Math.round(took)} ms only`)
    await round.until(() => round.acks >= acks + n, 'messages to be acknowledged on a disk that works again')
    const open = await openFiles(this.server.pid)
    // Where SQLite cannot open a file to write it opens it to read, and keeps that one.
    const spare = SPARE_DESCRIPTORS + this.faults.given('open')
    const more = Object.keys(open).filter((name) => open[name] > (this.open[name] ?? 0) + spare)
    if (more.length > 0) this.#fail(`${JSON.stringify(open)} are open, ${JSON.stringify(this.open)} were at first`)
  }
}
