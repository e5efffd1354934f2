// One server whose machine fails on demand, for one test, and what is asked of it again and again.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fetchRaw } from '../../protocol/lib/http.mjs'
import { Server } from '../../protocol/lib/server.mjs'
import { wholeLog } from '../../protocol/lib/log.mjs'
import { SLOW } from '../../protocol/lib/wait.mjs'
import { Faults } from './faulty.mjs'

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** `server` (not started) with `server.faults`; its data lies in a directory below another. */
export async function patient(t, options = {}) {
  const above = await mkdtemp(path.join(tmpdir(), 'hubbub-faulty-'))
  const faults = new Faults(path.join(above, 'faults'))
  const server = new Server({ data: path.join(above, 'data'), ...options, env: faults.env })
  t.after(async () => {
    faults.heal()
    try {
      await server.dispose()
    } finally {
      faults.close()
      await rm(above, { recursive: true, force: true })
    }
  })
  return Object.assign(server, { faults, above })
}

/** The same, serving. */
export async function servingPatient(t, options) {
  const server = await patient(t, options)
  await server.start()
  return server
}

/** Until `ask` gives something true.  What is waited for tells of itself by being asked only. */
export async function eventually(ask, what, ms = 8000) {
  const until = performance.now() + ms * SLOW
  for (;;) {
    const found = await ask()
    if (found) return found
    assert.ok(performance.now() < until, `waited ${ms * SLOW} ms for ${what}`)
    await pause(20)
  }
}

export const readyz = async (server) => (await fetchRaw(server, '/readyz')).status

export async function isHealthy(server) {
  const text = (await fetchRaw(server, '/metrics')).body.toString()
  return /^hubbub_store_healthy ([01])$/m.exec(text)?.[1] === '1'
}

/** Sends under keys of its own, and knows what was acknowledged. */
export class Sender {
  acked = new Map()
  #n = 0

  constructor(peer, room) {
    Object.assign(this, { peer, room })
  }

  /** The next message; gives the reply. */
  async send(key = `key-${this.#n++}`, text = `${key} ${'x'.repeat(100)}`) {
    const reply = await this.peer.request({ op: 'send', room: this.room, key, text }, 15000)
    if (reply.ok) this.acked.set(key, reply.seq)
    return { key, reply }
  }

  async sendAll(n) {
    for (let i = 0; i < n; i++) {
      const { reply } = await this.send()
      assert.equal(reply.ok, true, JSON.stringify(reply))
    }
  }

  /** One that must be refused as unavailable; gives its key. */
  async refused() {
    const { key, reply } = await this.send()
    assert.equal(reply.err?.code, 'unavailable', JSON.stringify(reply))
    assert.ok(reply.err.retry_ms > 0)
    return key
  }

  /** Until it is taken. */
  async again(key, ms) {
    await eventually(async () => (await this.send(key)).reply.ok, `${key} to be taken`, ms)
  }

  /** Everything that was acknowledged is there as it was, and nothing twice, as `peer` reads it. */
  async check(peer) {
    const { events, head } = await wholeLog(peer, this.room)
    assert.deepEqual(events.map((e) => e.seq), Array.from({ length: head }, (_, i) => i + 1))
    for (const [key, seq] of this.acked) assert.ok(events[seq - 1]?.text.startsWith(`${key} `), `${key} was acknowledged as ${seq}`)
    assert.equal(new Set(events.map((e) => e.text)).size, events.length, 'nothing twice')
  }
}

/** After SIGKILL and a start `sender` finds what it was promised. */
export async function checkAfterKill(server, sender) {
  await server.restart('SIGKILL')
  const peer = await server.again(sender.peer)
  await peer.ok({ op: 'join', room: sender.room })
  await sender.check(peer)
  return peer
}

/** The part of a core that the server takes over some time. */
export async function cpuShare(pid, ms) {
  const ticks = async () => {
    const fields = (await readFile(`/proc/${pid}/stat`, 'latin1')).replace(/^.*\) /, '').split(' ')
    return Number(fields[11]) + Number(fields[12])
  }
  const before = await ticks(), begun = performance.now()
  await pause(ms)
  return ((await ticks()) - before) * 10 / (performance.now() - begun)
}
