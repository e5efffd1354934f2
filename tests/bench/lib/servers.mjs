// The servers that are measured: how each is started, and when it is ready.
import { readFileSync, readdirSync } from 'node:fs'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import http from 'node:http'
import net from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as pause } from 'node:timers/promises'
import { Child, makeFolder, removeFolder } from './process.mjs'

const HERE = join(dirname(fileURLToPath(import.meta.url)), '..', 'peers')
const HOST = '127.0.0.1'
const READY_MS = 15000

/** A port that is free now; the servers that cannot choose one themselves get it. */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().on('error', reject)
    probe.listen(0, HOST, () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

/** As many descriptors as the hard limit lets a process have. */
function descriptors() {
  const line = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))
  const hard = Number(line[1])
  return Number.isNaN(hard) ? 65536 : Math.min(hard, 65536)
}

async function fill(template, folder, port) {
  const text = await readFile(join(HERE, template), 'utf8')
  const values = { DIR: folder, PORT: port, DESCRIPTORS: descriptors() }
  const file = join(folder, template)
  await writeFile(file, text.replace(/@([A-Z]+)@/g, (_, name) => values[name]))
  return file
}

function upgrades(port, path) {
  return new Promise((resolve) => {
    const request = http.get({
      host: HOST, port, path, agent: false, timeout: 2000,
      headers: {
        Connection: 'Upgrade', Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'aHViYnViLWJlbmNobWFyaw==',
      },
    })
    const answer = (yes) => {
      resolve(yes)
      request.destroy()
    }
    request.on('upgrade', (_, socket) => {
      socket.destroy()
      answer(true)
    })
    request.on('response', () => answer(false))
    request.on('timeout', () => answer(false))
    request.on('error', () => answer(false))
  })
}

/** All processes below one, itself included. */
function family(pid) {
  const parents = new Map()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    } catch {
      // It ended while we looked.
    }
  }
  const found = [pid]
  for (const one of found) {
    for (const [child, parent] of parents) if (parent === one) found.push(child)
  }
  return found
}

/**
 * What can be measured.  `kind` is the protocol that bench-load speaks with it; `command` gives
 * program, arguments and environment.  The servers of others end as they like; an exit status other
 * than 0 of our own tells of a fault.
 */
export const PEERS = {
  hubbub: {
    title: 'Hubbub',
    kind: 'hubbub',
    path: '/ws',
    isOurs: true,
    command: ({ programs, folder, port, args }) => ({
      program: programs.hubbub,
      args: ['serve', '--open', '--no-limits', ...(args.includes('--workers') ? [] : ['--workers', '1']),
        '--listen', `${HOST}:${port}`, '--data', join(folder, 'data'), '--log-level', 'warn', ...args],
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HUBBUB_'))),
    }),
  },
  floor: {
    title: 'floor',
    kind: 'plain',
    path: '/ready',
    isOurs: true,
    command: ({ programs, port }) => ({ program: programs.floor, args: ['--listen', `${HOST}:${port}`] }),
  },
  ws: {
    title: 'Node ws',
    kind: 'plain',
    path: '/ready',
    command: ({ port }) => ({ program: process.execPath, args: [join(HERE, 'ws-rooms.mjs'), port] }),
  },
  nchan: {
    title: 'nchan',
    kind: 'nchan',
    path: '/ws/ready',
    command: async ({ folder, port }) => ({
      program: '/usr/sbin/nginx',
      args: ['-c', await fill('nginx.conf', folder, port), '-p', folder],
    }),
  },
  nats: {
    title: 'nats-server',
    kind: 'nats',
    path: '/',
    command: async ({ folder, port }) => ({
      program: '/usr/sbin/nats-server',
      args: ['-c', await fill('nats.conf', folder, port)],
      env: { ...process.env, GOMAXPROCS: '1' },
    }),
  },
}

/** A server that runs, in a folder of its own below `parent`. */
export class Server {
  constructor(name, { programs, parent, cores, args = [] }) {
    Object.assign(this, { name, peer: PEERS[name], programs, parent, cores, args })
    this.kind = this.peer.kind
  }

  async start() {
    this.folder ??= await makeFolder(this.parent, this.name)
    // nginx's worker runs as another user where its master is root.
    await chmod(this.folder, 0o755)
    this.port ??= await freePort()
    const { program, args, env } = await this.peer.command(this)
    this.child = new Child(program, args, { cores: this.cores, env })
    const limit = performance.now() + READY_MS
    while (!(await upgrades(this.port, this.peer.path))) {
      if (this.child.ended !== null) throw new Error(`it did not start: ${this.child.complaint()}`)
      if (performance.now() > limit) throw new Error(`${this.name} answered nothing within ${READY_MS / 1000} s`)
      await pause(5)
    }
    this.pids = family(this.child.pid)
    return this
  }

  get address() {
    return `${HOST}:${this.port}`
  }

  /** SIGKILL, then the same again on the same port and data. */
  async cut() {
    await this.child.stop('SIGKILL')
    await this.start()
  }

  /** The counters of /metrics by name, or null where it has none. */
  async metrics() {
    if (this.name !== 'hubbub') return null
    try {
      const text = await (await fetch(`http://${this.address}/metrics`)).text()
      const lines = text.split('\n').map((line) => line.split(' ')).filter(([name]) => /^hubbub_/.test(name))
      return Object.fromEntries(lines.map(([name, value]) => [name, Number(value)]))
    } catch {
      return null
    }
  }

  /** {code, signal} with which it ended, or undefined where it never ran. */
  async stop() {
    const how = await this.child?.stop()
    if (this.folder !== undefined) await removeFolder(this.folder)
    this.folder = undefined
    return how
  }
}
