// What TLS and signing in cost, measured beside what one would have instead, in one run.
//
//   node tests/bench/secure.mjs tls|sign-in [--rounds N]     (./dev bench tls, ./dev bench sign-in)
//
// With --load-only signing in is measured by what it does to busy rooms alone.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { makeCert } from '../protocol/lib/certs.mjs'
import { Device, OWNER } from '../protocol/lib/device.mjs'
import { Server } from '../protocol/lib/server.mjs'
import { describeMachine } from './lib/machine.mjs'

const TICKS = 100 // per second, of /proc/PID/stat (sysconf(_SC_CLK_TCK) on Linux)
const sorted = (list) => [...list].sort((a, b) => a - b)
const quantile = (list, q) => sorted(list)[Math.min(list.length - 1, Math.floor(q * list.length))]
const median = (list) => quantile(list, 0.5)
const spread = (list) => `${Math.min(...list).toPrecision(3)} to ${Math.max(...list).toPrecision(3)}`
const say = (text) => console.log(text)

function cpuOf(pids) {
  return pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [utime, stime] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13)
    return sum + (Number(utime) + Number(stime)) / TICKS
  }, 0)
}

const residentOf = (pids) => pids.reduce((sum, pid) => sum + 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]), 0)
const freePort = () => new Promise((resolve) => {
  const probe = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address()
    probe.close(() => resolve(port))
  })
})

const scratch = mkdtempSync(path.join(tmpdir(), 'hubbub-secure-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
const cert = makeCert(scratch)

/** nginx that ends TLS in front of `backend`, one worker, as its documentation has it for WebSockets. */
async function startNginx(backend) {
  const port = await freePort()
  const conf = path.join(scratch, `nginx-${port}.conf`)
  writeFileSync(conf, `daemon off; worker_processes 1; error_log stderr error; pid ${scratch}/nginx-${port}.pid; worker_rlimit_nofile 20000;
events { worker_connections 20000; }
http {
  access_log off; tcp_nodelay on;
  client_body_temp_path ${scratch}/body; proxy_temp_path ${scratch}/proxy; fastcgi_temp_path ${scratch}/f; uwsgi_temp_path ${scratch}/u; scgi_temp_path ${scratch}/s;
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server {
    listen 127.0.0.1:${port} ssl backlog=4096;
    ssl_certificate ${cert.cert}; ssl_certificate_key ${cert.key}; ssl_protocols TLSv1.2 TLSv1.3;
    location / {
      proxy_pass http://127.0.0.1:${backend.port}; proxy_http_version 1.1; proxy_read_timeout 1h;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto https;
    }
  }
}
`)
  const child = spawn('nginx', ['-c', conf, '-p', scratch], { stdio: ['ignore', 'ignore', 'pipe'] })
  for (let i = 0; ; i++) {
    const up = await new Promise((resolve) => {
      const probe = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
      probe.on('connect', () => probe.destroy())
    })
    if (up) break
    if (i > 100 || child.exitCode !== null) throw new Error('nginx does not come up')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'latin1').trim().split(' ').map(Number)
  return { port, host: '127.0.0.1', pids: [child.pid, ...children], stop: () => new Promise((resolve) => child.once('close', resolve) && child.kill('SIGTERM')) }
}

async function withTls(kind, work) {
  const own = kind === 'hubbub'
  const server = await new Server({ cert: own ? cert : null, args: ['--no-limits', '--workers', '1', ...(own ? [] : ['--trusted-proxy', '127.0.0.1'])] }).start()
  const nginx = own ? undefined : await startNginx(server)
  try {
    if (nginx) {
      const backend = { host: server.host, port: server.port, tls: server.tls }
      Object.assign(server, { port: nginx.port, tls: { ca: cert.ca } })
      server.restoreBackend = () => Object.assign(server, backend)
    }
    return await work(server, [server.pid, ...(nginx?.pids ?? [])])
  } finally {
    server.restoreBackend?.()
    await nginx?.stop()
    await server.dispose()
  }
}

const ROOM = 100, PER_SECOND = 50, SECONDS = 5, IDLE = 1000

/** One room: what the servers spend on a delivery, how long one takes, and what idle connections hold. */
async function loadTls(server, pids) {
  const first = await server.user('First')
  await first.ok({ op: 'join', room: 'idle', limit: 1 })
  const before = residentOf(pids)
  const idle = []
  while (idle.length < IDLE) {
    idle.push(...await Promise.all(Array.from({ length: 50 }, async (_, k) => {
      const peer = await server.user('Idle')
      await peer.ok({ op: 'join', room: `idle-${Math.floor((idle.length + k) / 10)}`, limit: 1 })
      return peer
    })))
  }
  const bytes = (residentOf(pids) - before) / IDLE
  const peers = idle.slice(0, ROOM)
  const delays = []
  let left = 0
  await first.ok({ op: 'join', room: 'load', limit: 1 })
  for (const peer of peers) {
    await peer.ok({ op: 'join', room: 'load', limit: 1 })
    peer.onMessage = (m) => {
      if (m.ev !== 'message') return
      delays.push(performance.now() - Number(m.text.split(' ')[0]))
      left--
    }
  }
  const total = PER_SECOND * SECONDS
  left = total * ROOM
  const cpu = cpuOf(pids)
  const began = performance.now()
  for (let i = 0; i < total; i++) {
    const due = began + (i * 1000) / PER_SECOND
    if (due > performance.now()) await new Promise((resolve) => setTimeout(resolve, due - performance.now()))
    first.send({ id: 1000 + i, op: 'send', room: 'load', key: `k${i}`, text: `${performance.now()} ${'x'.repeat(100)}` })
  }
  for (let i = 0; left > 0 && i < 200; i++) await new Promise((resolve) => setTimeout(resolve, 50))
  if (left > 0) throw new Error(`${left} deliveries are missing`)
  return { micros: ((cpuOf(pids) - cpu) * 1e6) / (total * ROOM), p50: median(delays), p99: quantile(delays, 0.99), bytes }
}

async function benchTls(rounds) {
  const found = { hubbub: [], nginx: [] }
  for (let round = 0; round < rounds; round++) {
    for (const kind of round % 2 === 0 ? ['hubbub', 'nginx'] : ['nginx', 'hubbub']) {
      const r = await withTls(kind, loadTls)
      found[kind].push(r)
      say(`round ${round + 1}, ${kind}: ${r.micros.toFixed(2)} µs of CPU a delivery, ${Math.round(r.bytes)} bytes an idle connection, p50 ${r.p50.toFixed(2)} ms, p99 ${r.p99.toFixed(2)} ms`)
    }
  }
  say('')
  say('| | Hubbub’s own TLS | nginx ending TLS in front of it | ratio, median of the rounds (spread) |')
  say('| --- | --- | --- | --- |')
  const row = (name, key, unit, digits) => {
    const [a, b] = [found.hubbub, found.nginx].map((list) => list.map((r) => r[key]))
    const ratios = b.map((v, i) => v / a[i])
    say(`| ${name} | ${median(a).toFixed(digits)} ${unit} | ${median(b).toFixed(digits)} ${unit} | ${median(ratios).toFixed(2)} (${spread(ratios)}) |`)
  }
  row('CPU of the servers, a delivery', 'micros', 'µs', 2)
  row('resident memory, an idle connection', 'bytes', 'bytes', 0)
  row('delivery, p50', 'p50', 'ms', 2)
  row('delivery, p99', 'p99', 'ms', 2)
}

const UNLIMITED = ['--no-limits', '--workers', '1']

/** Who is wrong how, by the time of the answer: medians, and whether order tells them apart. */
async function benchWrong(n) {
  const server = await new Server({ open: false, cert: null, args: UNLIMITED }).start()
  try {
    const owner = new Device(server)
    await owner.ok('POST', '/setup', OWNER, 201)
    const { token } = await owner.ok('POST', '/invites', { role: 'member', uses: 2 }, 201)
    for (const name of ['ada', 'bob'])
      await new Device(server).ok('POST', '/invites/accept', { token, name, login: `${name}@example.org`, password: 'a password' }, 201)
    await owner.ok('POST', '/users/u3/disabled', { on: true }, 204)
    const kinds = { 'wrong password': 'ada@example.org', 'unknown login': 'eve@example.org', 'disabled account': 'bob@example.org' }
    const times = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]))
    const device = new Device(server)
    const queue = Object.keys(kinds).flatMap((kind) => Array.from({ length: n }, () => kind))
    for (let i = queue.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1))
      ;[queue[i], queue[j]] = [queue[j], queue[i]]
    }
    for (const kind of queue) {
      const began = performance.now()
      const { status } = await device.ask('POST', '/session', { login: kinds[kind], password: 'not the password' })
      times[kind].push(performance.now() - began)
      if (status !== 401) throw new Error(`${kind}: ${status}`)
    }
    say(`| ${n} each, in random order | median | quartiles | by chance larger than a wrong password's |`)
    say('| --- | --- | --- | --- |')
    const base = sorted(times['wrong password'])
    for (const [kind, list] of Object.entries(times)) {
      // The chance that one of these takes longer than one of those: 0.5 says nothing (Mann-Whitney).
      const above = list.reduce((sum, v) => sum + base.filter((b) => b < v).length, 0) / (list.length * base.length)
      const sigma = Math.sqrt((2 * n + 1) / (12 * n * n))
      say(`| ${kind} | ${median(list).toFixed(2)} ms | ${quantile(list, 0.25).toFixed(2)} to ${quantile(list, 0.75).toFixed(2)} ms | ${kind === 'wrong password' ? '' : `${above.toFixed(3)} (${((above - 0.5) / sigma).toFixed(1)} σ)`} |`)
    }
  } finally {
    await server.dispose()
  }
}

const CROWD = 100

/** So many people sign in at once. */
async function enter(server) {
  await Promise.all(Array.from({ length: CROWD }, () => new Device(server).signIn(OWNER.login, OWNER.password)))
}

function crowdIn({ host, port }) {
  const child = spawn(process.execPath, [process.argv[1], 'crowd', host, String(port)], { stdio: ['ignore', 'ignore', 'inherit'] })
  return new Promise((resolve, reject) => child.on('close', (code) => (code === 0 ? resolve() : reject(new Error('the crowd did not get in')))))
}

/** How long deliveries take in a busy room, alone and while 100 people sign in at once. */
async function benchCrowd(rounds) {
  const server = await new Server({ open: false, cert: null, args: UNLIMITED }).start()
  try {
    const owner = new Device(server)
    await owner.ok('POST', '/setup', OWNER, 201)
    const peers = await Promise.all(Array.from({ length: 50 }, () => owner.socket()))
    let delays = []
    for (const peer of peers) {
      await peer.ok({ op: 'join', room: 'load', limit: 1 })
      peer.onMessage = (m) => m.ev === 'message' && delays.push(performance.now() - Number(m.text.split(' ')[0]))
    }
    let serial = 0
    const run = async (isCrowded) => {
      delays = []
      const began = performance.now()
      // A process of its own, so that what measures is not what signs in.
      let isEntering = isCrowded
      const entering = isCrowded ? crowdIn(server).finally(() => (isEntering = false)) : undefined
      // Alone for as long as a crowd takes; with one until it is in.
      while (isCrowded ? isEntering : performance.now() - began < 8000) {
        peers[0].send({ id: 1000 + serial, op: 'send', room: 'load', key: `k${serial++}`, text: `${performance.now()} x` })
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      await entering
      return { p50: median(delays), p99: quantile(delays, 0.99), took: performance.now() - began }
    }
    await run(false)
    const ratios = []
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? [false, true] : [true, false]
      const r = {}
      for (const isCrowded of order) r[isCrowded] = await run(isCrowded)
      ratios.push(r.true.p99 / r.false.p99)
      say(`round ${round + 1}: p99 ${r.false.p99.toFixed(2)} ms alone, ${r.true.p99.toFixed(2)} ms while 100 sign in within ${(r.true.took / 1000).toFixed(1)} s; p50 ${r.false.p50.toFixed(2)} and ${r.true.p50.toFixed(2)} ms`)
    }
    say(`p99 with 100 sign-ins over p99 alone: ${median(ratios).toFixed(2)} (${spread(ratios)})`)
  } finally {
    await server.dispose()
  }
}

const [what, flag, value] = process.argv.slice(2)
if (what === 'crowd') {
  await enter({ host: flag, port: Number(value) })
  process.exit(0)
}
const rounds = flag === '--rounds' ? Number(value) : 5
if (!['tls', 'sign-in'].includes(what) || !(rounds >= 1)) {
  console.error('say which: tls or sign-in, and perhaps --rounds N')
  process.exit(2)
}
say(JSON.stringify(describeMachine(scratch)))
if (what === 'tls') await benchTls(rounds)
else {
  if (!process.argv.includes('--load-only')) await benchWrong(200 * rounds)
  await benchCrowd(rounds)
}
