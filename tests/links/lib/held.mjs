// A server of which parts can be made to stand still (held.c), and what its counters say.
import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { HttpPeer } from '../../protocol/lib/http.mjs'
import { Server } from '../../protocol/lib/server.mjs'
import { SLOW } from '../../protocol/lib/wait.mjs'

export class HeldServer extends Server {
  constructor({ env = {}, ...options } = {}) {
    const dir = mkdtempSync(path.join(tmpdir(), 'hubbub-held-'))
    super({ ...options, env: { HELD: dir, ...env } })
    this.holds = dir
  }

  static async start(t, options) {
    const server = new HeldServer(options)
    t.after(() => server.dispose())
    return server.start()
  }

  hold(what) {
    return writeFile(path.join(this.holds, what), '')
  }

  release(what) {
    return rm(path.join(this.holds, what), { force: true })
  }

  async dispose() {
    this.watcher?.destroy()
    await rm(this.holds, { recursive: true, force: true })
    await super.dispose()
  }

  /** The counters of /metrics, without their prefix, over one connection that stays. */
  async metrics() {
    this.watcher ??= new HttpPeer(this)
    this.watcher.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n')
    const { body } = await this.watcher.response()
    return Object.fromEntries([...body.toString().matchAll(/^hubbub_(\w+) ([\d.]+)$/gm)].map(([, name, value]) => [name, Number(value)]))
  }

  /** Await that the counters are so. */
  async counts(wanted, ms = 8000) {
    const begun = performance.now()
    for (;;) {
      const now = await this.metrics()
      if (Object.entries(wanted).every(([name, n]) => (typeof n === 'function' ? n(now[name]) : now[name] === n))) return now
      const seen = Object.keys(wanted).map((name) => `${name} ${now[name]}`).join(', ')
      assert.ok(performance.now() - begun < ms * SLOW, `after ${ms} ms: ${seen} instead of ${JSON.stringify(wanted)}`)
    }
  }
}
