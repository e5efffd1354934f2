// Many clients on one server that is killed, taken over and stopped under them.
import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Random } from '../../crash/lib/random.mjs'
import { checkDatabase } from '../../crash/lib/database.mjs'
import { Server } from '../../protocol/lib/server.mjs'
import { wholeLog } from '../../protocol/lib/log.mjs'
import { deferred, within } from '../../protocol/lib/wait.mjs'
import { Client, STEADY_MS, mix } from './client.mjs'

const LOBBY = 'lobby'     // everyone is in it
const ROOMS_OF_ONE = 3
const MEMBERS_OF_ROOM = 50
const PATIENCE_MS = 90_000

/** What befalls the server; each ends when it serves again. */
const BLOWS = {
  async kill(server) {
    await server.stop('SIGKILL')
    await server.start()
  },
  async takeover(server) {
    const said = () => server.stdout.split('listening on').length
    const before = said()
    const back = new Promise((resolve) => server.child.stdout.on('data', () => said() > before && resolve()))
    server.child.kill('SIGUSR2')
    await within(back, 'the next program to listen', 20_000)
  },
  async stop(server) {
    await server.stop()
    await server.start()
  },
}

const range = (n) => Array.from({ length: n }, (_, i) => i)

export class Swarm {
  isOver = false
  isClosing = false
  wrong = []
  acks = 0
  told = 0
  blows = []
  #waiting = new Set()
  #begun = deferred()
  #closing = deferred()
  #back = 0      // clients that came back since the last blow
  #tries = {}    // why links ended since then, by how many
  #behind = null // where all is written: cursors that are not at the end
  #done = new Set()

  /** `dir` exists and is empty; `say` takes lines about the progress. */
  constructor({ clients, rounds, hasty, seed, dir, say }) {
    Object.assign(this, { n: clients, rounds, hasty, seed, dir, say })
    const rooms = range(Math.max(ROOMS_OF_ONE, Math.round((ROOMS_OF_ONE - 1) * clients / MEMBERS_OF_ROOM))).map((i) => `room${i}`)
    const writers = Math.max(2, Math.round(clients / 50))
    this.clients = range(clients).map((i) => {
      const own = range(ROOMS_OF_ONE - 1).map((k) => rooms[(i + k) % rooms.length])
      return new Client(this, i, [LOBBY, ...own], i === 0 ? LOBBY : i < writers ? own[i % own.length] : undefined)
    })
    this.rooms = [LOBBY, ...rooms]
    this.writers = this.clients.filter((client) => client.writes !== undefined)
  }

  random(name) {
    return new Random(`${this.seed}/${name}`)
  }

  fail = (complaint) => {
    this.wrong.push(complaint)
    this.#changed()
  }

  /** Everyone is there, so that nobody misses what is written from now on. */
  get begun() {
    return this.#begun.promise
  }

  get closing() {
    return this.#closing.promise
  }

  /** Until `done` says so, looked at with whatever happens. */
  #until(done, what) {
    const wait = { done, ...deferred() }
    this.#waiting.add(wait)
    this.#changed()
    return within(wait.promise, what, PATIENCE_MS).finally(() => this.#waiting.delete(wait))
  }

  #changed() {
    for (const { done, resolve } of this.#waiting) if (this.wrong.length > 0 || done()) resolve()
  }

  onReady(client) {
    client.backAt = performance.now()
    client.isBack = client.wasLost !== false
    this.#back += client.isBack
    this.#changed()
  }

  onLost(client, err) {
    this.#back -= client.isBack ?? 0
    client.isBack = false
    client.wasLost = true
    if (err.retryMs === undefined) this.fail(`${client.name}: ${err.stack}`)
    this.#tries[err.message] = (this.#tries[err.message] ?? 0) + 1
  }

  onAck() {
    this.acks++
    this.#changed()
  }

  /** It has nothing left to write. */
  onDone(client) {
    this.#done.add(client)
    this.#changed()
  }

  onTold = (cursor) => {
    this.told++
    if (this.#behind?.get(cursor.room) !== cursor.seq) return
    this.left--
    this.#changed()
  }

  async run() {
    const data = path.join(this.dir, 'data')
    await mkdir(data)
    this.server = new Server({ data, args: [] })
    try {
      await this.server.start()
      this.server.listen = `127.0.0.1:${this.server.port}`
      await this.#run(Object.keys(BLOWS))
    } catch (err) {
      this.fail(err.stack)
    }
    this.isOver = true
    if (this.wrong.length > 0) this.say(`the server's last words: ${this.server.stderr.slice(-2000)}`)
    this.server.child?.kill('SIGKILL')
    for (const client of this.clients) client.link?.drop()
    return {
      ok: this.wrong.length === 0, seed: this.seed, clients: this.n, rooms: this.rooms.length, memberships: this.n * ROOMS_OF_ONE,
      writers: this.writers.length, acknowledged: this.acks, told: this.told, blows: this.blows, wrong: this.wrong.slice(0, 10),
    }
  }

  async #run(kinds) {
    const begun = performance.now()
    for (const client of this.clients) client.run()
    await this.#allBack()
    this.say(`${this.n} clients in ${this.rooms.length} rooms after ${Math.round(performance.now() - begun)} ms`)
    this.#begun.resolve()
    for (let i = 0; i < this.rounds && this.wrong.length === 0; i++) {
      for (const kind of kinds) if (this.wrong.length === 0) await this.#strike(kind)
    }
    if (this.wrong.length === 0) await this.#close()
  }

  #allBack() {
    return this.#until(() => this.#back === this.n, () => `all to be back: ${this.#back} of ${this.n} are`)
  }

  /** Under load, until everyone is back. */
  async #strike(kind) {
    if (!this.hasty) await pause(STEADY_MS)
    const loaded = this.acks + 2 * this.writers.length
    await this.#until(() => this.acks >= loaded, 'writes to be acknowledged')
    const before = await this.#peakKib()
    const { pid } = this.server, cpu = await this.#cpuSeconds(), own = process.cpuUsage()
    await this.#allBack() // also who lost a link by itself
    for (const client of this.clients) client.isBack = client.wasLost = false
    this.#back = 0
    this.#tries = {}
    const begun = performance.now(), acks = this.acks
    await BLOWS[kind](this.server)
    const served = performance.now()
    await this.#allBack()
    if (this.wrong.length > 0) return
    const times = this.clients.map((client) => Math.round(client.backAt - begun)).sort((a, b) => a - b)
    const blow = {
      kind, served_ms: Math.round(served - begun), first_ms: times[0], half_ms: times[Math.floor(this.n / 2)], last_ms: times.at(-1),
      ended: { ...this.#tries }, acknowledged_meanwhile: this.acks - acks, peak_mib_before: mib(before), peak_mib: mib(await this.#peakKib()),
      server_cpu_s: tenths(await this.#cpuSeconds() - (this.server.pid === pid ? cpu : 0)), clients_cpu_s: tenths(seconds(process.cpuUsage(own))),
    }
    this.blows.push(blow)
    this.say(JSON.stringify(blow))
  }

  /** The most memory that the program has had resident. */
  async #peakKib() {
    return Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${this.server.pid}/status`, 'utf8'))[1])
  }

  async #cpuSeconds() {
    const fields = (await readFile(`/proc/${this.server.pid}/stat`, 'latin1')).replace(/^.*\) /, '').split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  }

  /** Everything is acknowledged; then everyone has every room's whole log. */
  async #close() {
    this.isClosing = true
    this.#closing.resolve()
    await this.#until(() => this.#done.size >= this.writers.length, 'all that was written to be acknowledged')
    const logs = new Map()
    for (const room of this.rooms) {
      const member = this.clients.find((client) => client.cursors.has(room))
      if (member !== undefined) logs.set(room, await wholeLog(member.link, room))
    }
    this.#checkLogs(logs)
    await this.#allTold(logs)
    this.wrong.push(...(await checkDatabase(await this.server.database())))
    this.isOver = true
    await this.server.stop()
  }

  /** What was acknowledged is stored once, under its seq, and nothing else is. */
  #checkLogs(logs) {
    for (const [room, { events, head }] of logs) {
      const writers = this.writers.filter((client) => client.writes === room)
      const seqs = new Map(events.map(({ seq, text }) => [text.split(' ', 1)[0], seq]))
      if (events.some(({ seq }, i) => seq !== i + 1) || events.length !== head) this.fail(`${room}: its seqs have holes`)
      if (seqs.size !== events.length) this.fail(`${room}: ${events.length - seqs.size} are stored twice`)
      if (seqs.size !== writers.reduce((sum, client) => sum + client.wrote, 0)) this.fail(`${room}: other events than were sent`)
      for (const { key, seq } of writers.flatMap((client) => client.acked)) {
        if (seqs.get(key) !== seq) this.fail(`${room}: ${key} was acknowledged as ${seq} and is stored as ${seqs.get(key)}`)
      }
    }
  }

  async #allTold(logs) {
    this.#behind = new Map([...logs].map(([room, { head }]) => [room, head]))
    const cursors = this.clients.flatMap((client) => [...client.cursors.values()])
    this.left = cursors.filter((cursor) => cursor.seq < this.#behind.get(cursor.room)).length
    await this.#until(() => this.left === 0, () => `everyone to be told everything: ${this.left} are behind`)
    const hashes = new Map([...logs].map(([room, { events }]) => [room, events.reduce(mix, 0)]))
    for (const { who, room, seq, hash } of cursors) {
      if (seq !== this.#behind.get(room) || hash !== hashes.get(room)) this.fail(`${who}: what it was told of ${room} is not its log`)
    }
  }
}

const tenths = (n) => Math.round(n * 10) / 10
const mib = (kib) => tenths(kib / 1024)
const seconds = ({ user, system }) => (user + system) / 1e6
