// Kills a server over and over and checks after each death that it kept its word.
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { wholeLog } from '../../protocol/lib/log.mjs'
import { Server } from '../../protocol/lib/server.mjs'
import { SLOW, within } from '../../protocol/lib/wait.mjs'
import { Count } from './count.mjs'
import { checkDatabase } from './database.mjs'
import { Era, digest } from './era.mjs'
import { Random } from './random.mjs'
import { Round } from './round.mjs'

const ROUNDS_OF_ERA = 20
const SERVES_WITHIN_MS = 2000
const FIRST_GUESTS = 10
const LOST_POWER = /the disk lost power\n/ // disk/disk.c says so
const DATABASE_CHECKED = 0.2 // of the rounds, and at the end of each era

export class Machine {
  deaths = 0
  wrong = []
  #early = 0
  #cuts = 0
  #acks = 0
  #stored = new Count()
  #resent = 0
  #slowest = 0
  #digests = new Map()
  #fail = (complaint) => this.wrong.push(complaint)

  /** `dir` exists and is empty; `say` takes lines about the progress. */
  constructor({ fault, kills, seed, dir, say }) {
    Object.assign(this, { fault, kills, seed, dir, say, data: path.join(dir, 'data') })
  }

  get #goesOn() {
    return this.deaths < this.kills && this.wrong.length === 0
  }

  async run() {
    await mkdir(this.data)
    try {
      for (let i = 0; this.#goesOn; i++) await this.#runEra(i)
      if (this.wrong.length === 0) await this.#lookAtAll()
    } catch (err) {
      this.#fail(err.stack)
    } finally {
      if (this.wrong.length > 0) this.say(`the server's last words: ${this.server?.stderr.slice(-2000) ?? ''}`)
      this.server?.child?.kill('SIGKILL')
    }
    return {
      ok: this.wrong.length === 0, seed: this.seed, kills: this.deaths, while_starting: this.#early,
      ...(this.fault.loses && { power_losses: this.#cuts, plain_kills: this.deaths - this.#cuts }),
      acknowledged: this.#acks, stored: this.#stored.sum, kinds: this.#stored.kinds, resent: this.#resent,
      slowest_start_ms: Math.round(this.#slowest), wrong: this.wrong.slice(0, 10),
    }
  }

  async #runEra(number) {
    const era = new Era({ name: `e${number}`, dir: this.dir })
    for (let i = 0; i < ROUNDS_OF_ERA && this.#goesOn; i++) await this.#runRound(era, `${this.seed}/${number}/${i}`)
    if (this.wrong.length === 0) await this.#endEra(era)
    const { stored, digests } = era.close()
    this.#stored.add(stored)
    for (const [room, sum] of digests) this.#digests.set(room, sum)
    this.say(`${this.deaths} deaths, ${this.#acks} acknowledged, ${this.#stored.sum} stored`)
  }

  async #runRound(era, seed) {
    const rng = new Random(seed)
    const { early, moment, env } = this.fault.plan(rng)
    for (const one of early) await this.#dieEarly(one)
    const server = await this.#serve(era, env)
    this.wrong.push(...(await era.look()))
    if (rng.chance(DATABASE_CHECKED)) await this.#checkDatabase()
    if (this.wrong.length > 0) return
    const round = new Round({ server, moment, seed, fail: this.#fail })
    await round.run(era.writers)
    this.#noteDeath(server)
    this.#acks += round.acks
  }

  /** A death while the server starts, or right behind that. */
  async #dieEarly({ ms, env }) {
    const server = (this.server = new Server({ data: this.data, env }))
    const started = server.start().catch(() => {})
    const timer = ms !== undefined && setTimeout(() => server.child.kill('SIGKILL'), ms)
    if (ms === undefined) {
      await started
      await this.#writeFirst(server)
      server.child.kill('SIGKILL')
    }
    const { code, signal } = await server.exited
    clearTimeout(timer)
    if (signal !== 'SIGKILL') this.#fail(`the server ended with ${code ?? signal} at its start: ${server.stderr.slice(-2000)}`)
    server.checkReports()
    this.#noteDeath(server)
    this.#early++
  }

  /** A start alone hardly writes: the first guests do, and a cut comes between or within them. */
  async #writeFirst(server) {
    try {
      for (let i = 0; i < FIRST_GUESTS; i++) await (await server.user('early')).drop()
    } catch (err) {
      if (server.child.signalCode === null) await within(server.exited, `the server to die: ${err.message}`)
    }
  }

  /** A cut that was not reached is a death like another. */
  #noteDeath(server) {
    this.deaths++
    this.#cuts += LOST_POWER.test(server.stderr)
  }

  /** Start, and have everyone back; how long that takes is held against the server. */
  async #serve(era, env) {
    const server = (this.server = new Server({ data: this.data, env }))
    const begun = performance.now()
    await server.start()
    const first = await server.user('first')
    const took = performance.now() - begun
    this.#slowest = Math.max(this.#slowest, took)
    if (took > SERVES_WITHIN_MS * SLOW) this.#fail(`it served again after ${Math.round(took)} ms only`)
    await first.drop()
    await era?.attach(server)
    return server
  }

  async #checkDatabase() {
    this.wrong.push(...(await checkDatabase(await this.server.database())))
  }

  async #endEra(era) {
    await this.#serve(era)
    this.wrong.push(...(await era.look()))
    if (this.wrong.length === 0) this.#resent += await era.resend(this.#fail)
    if (this.wrong.length === 0) this.wrong.push(...(await era.look({ complete: true })))
    await this.#checkDatabase()
    await this.server.stop()
  }

  /** The logs of all eras are as they were when each ended. */
  async #lookAtAll() {
    const server = await this.#serve()
    const reader = await server.user('reader')
    for (const [room, sum] of this.#digests) {
      await reader.ok({ op: 'join', room, limit: 1 })
      if (digest(await wholeLog(reader, room)) !== sum) this.#fail(`${room}: it is not what it was`)
    }
    await this.#checkDatabase()
    await server.stop()
  }
}
