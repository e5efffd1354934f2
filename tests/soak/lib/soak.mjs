// Mixed traffic for a long time, with an eye on what must not grow and on what must not be lost.
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { checkDatabase } from '../../crash/lib/database.mjs'
import { Random } from '../../crash/lib/random.mjs'
import { Server } from '../../protocol/lib/server.mjs'
import { judge } from './drift.mjs'
import { Ledger } from './ledger.mjs'
import { Member } from './member.mjs'
import { break_rules, flood, readSlowly, visit } from './passers.mjs'
import { metrics, sample } from './sampler.mjs'

const ROOMS = 6
const MEMBERS = 12
const VISITORS = 8
const SLOW = 3
const RULE_BREAKERS = 2
const FLOODED = 'soak-flood'
const WARM_UP_S = 900
const PATIENT_MS = 60000
// Small, so that who does not read for some seconds is let go.
const ARGS = ['--no-limits', '--max-output', '131072', '--heartbeat-ms', '5000', '--request-timeout-ms', '2000']

const range = (n) => Array.from({ length: n }, (_, i) => i)

export class Soak {
  isOver = false
  wrong = []
  samples = []
  counts = { visits: 0, troubles: 0, slow_visits: 0, outrages: 0 }
  pace = [20, 150]
  rooms = range(ROOMS).map((i) => `soak-${i}`)
  #ledgers = new Map()
  fail = (complaint) => {
    this.wrong.push(complaint)
    this.isOver = true
  }

  /** `dir` exists and is empty; `say` takes lines about the progress. */
  constructor({ seconds, seed, dir, say }) {
    Object.assign(this, { seconds, seed, dir, say })
    for (const room of [...this.rooms, FLOODED]) this.#ledgers.set(room, new Ledger(room, this.fail))
  }

  ledger(room) {
    return this.#ledgers.get(room)
  }

  random(name) {
    return new Random(`${this.seed}/${name}`)
  }

  /** A short run has no time for long pauses. */
  scaled(ms) {
    return Math.min(1, this.seconds / 120) * ms
  }

  async run() {
    const data = path.join(this.dir, 'data')
    await mkdir(data)
    this.server = new Server({ data, args: ARGS })
    try {
      await this.server.start()
      this.server.exited.then(({ code, signal }) => !this.isOver && this.fail(`the server ended with ${code ?? signal}`))
      await this.#serve()
      if (this.wrong.length === 0) await this.#end()
    } catch (err) {
      this.fail(err.stack)
    }
    if (this.wrong.length > 0) this.say(`the server's last words: ${this.server.stderr.slice(-2000)}`)
    this.server.child?.kill('SIGKILL')
    return this.#summary()
  }

  async #serve() {
    const members = range(MEMBERS).map((i) => new Member(this, `Member${i}`, range(3).map((k) => this.rooms[(i + k) % ROOMS])))
    for (const member of members) await member.attach()
    this.members = members
    this.begun = performance.now()
    const all = [
      ...members.map((m) => m.run()),
      ...range(VISITORS).map((i) => visit(this, `Visitor${i}`)),
      ...range(SLOW).map((i) => readSlowly(this, `Slow${i}`, FLOODED)),
      ...range(RULE_BREAKERS).map((i) => break_rules(this, `Breaker${i}`)),
      flood(this, FLOODED),
    ].map((work) => work.catch((err) => this.fail(err.stack)))
    await Promise.all([this.#watch(), this.#look()])
    this.isOver = true
    await Promise.all(all)
    await Promise.all(members.map((m) => m.peer.drop()))
  }

  get #elapsed() {
    return (performance.now() - this.begun) / 1000
  }

  async #watch() {
    const every = Math.max(0.25, Math.min(5, this.seconds / 60))
    while (!this.isOver && this.#elapsed < this.seconds) {
      const now = await sample(this.server, this.#elapsed)
      this.samples.push(now)
      if (this.samples.length % 60 === 0) {
        this.say(`${Math.round(now.seconds)} s: ${now.rss_kib} KiB, ${now.fds} descriptors, ${this.#acked} acknowledged, ` +
          `${now.slow_readers_total} cut off, ${JSON.stringify(this.counts)} ${this.lastTrouble ?? ''}`)
      }
      await pause(every * 1000)
    }
    this.isOver = true
  }

  /** Read on in every room's log, over and over, and compare. */
  async #look() {
    const reader = await this.server.user('Reader')
    reader.onMessage = () => {}
    this.reader = reader
    for (const room of this.#ledgers.keys()) await reader.ok({ op: 'join', room, limit: 1 }, PATIENT_MS)
    while (!this.isOver) {
      await this.#lookOnce()
      await pause(this.scaled(20000))
    }
  }

  async #lookOnce() {
    const { reader } = this
    reader.seen.length = reader.raw.length = reader.frames.length = 0
    for (const [room, ledger] of this.#ledgers) {
      for (let more = true; more;) {
        const page = await reader.ok({ op: 'history', room, after: ledger.checked, limit: 200 }, PATIENT_MS)
        for (const event of page.events) ledger.found(event)
        more = page.more
      }
    }
  }

  async #end() {
    await this.#lookOnce()
    for (const ledger of this.#ledgers.values()) ledger.end()
    await this.reader.drop()
    // Only who asks is left, once the server has heard of all that went.
    for (let tries = 0; ; tries++) {
      const { connections, rooms_joined } = await metrics(this.server)
      if (connections === 1 && rooms_joined === 0) break
      if (tries === 200) {
        this.fail(`${connections - 1} connections and ${rooms_joined} memberships are left`)
        break
      }
      await pause(100)
    }
    this.wrong.push(...(await checkDatabase(await this.server.database())))
    await this.server.stop()
  }

  get #acked() {
    return [...this.#ledgers.values()].reduce((sum, l) => sum + l.acked, 0)
  }

  #summary() {
    const from = Math.min(WARM_UP_S, this.seconds / 4)
    const drift = judge(this.samples, from)
    const { slow_readers_total = 0, deliveries_total = 0, cpu_s = 0 } = this.samples.at(-1) ?? {}
    for (const [name, { drift: by, allowed, median, ok }] of Object.entries(drift)) {
      if (!ok) this.wrong.push(`${name} grew by ${by} from ${from} s on, at a median of ${median}; ${allowed} is allowed`)
    }
    return {
      ok: this.wrong.length === 0, seed: this.seed, seconds: this.seconds, warm_up: from,
      acknowledged: this.#acked, stored: [...this.#ledgers.values()].reduce((sum, l) => sum + l.stored, 0),
      deliveries: deliveries_total, slow_readers: slow_readers_total, cpu_s,
      returns: this.members?.reduce((sum, m) => sum + m.returns, 0), ...this.counts, drift, wrong: this.wrong.slice(0, 10),
    }
  }
}
