// Under a service manager: the socket that it hands over, what it is told, and what a crash leaves.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { commonCert } from './lib/certs.mjs'
import { fetchRaw } from './lib/http.mjs'
import { BIN, Server, cleanEnv } from './lib/server.mjs'
import { SLOW, deferred, within } from './lib/wait.mjs'

const SINK = process.env.HUBBUB_TEST_SINK
const HANGING = process.env.HUBBUB_TEST_HANGING
const HAS_SANITIZER = process.env.HUBBUB_TEST_SANITIZER !== 'none'

async function tempDir(t) {
  const dir = await mkdtemp(path.join(tmpdir(), 'hubbub-service-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** A service manager's socket; `next(line)` awaits the next such line. */
async function sink(t, socket) {
  socket ??= path.join(await tempDir(t), 'notify')
  const child = spawn(SINK, [socket], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const lines = []
  let look = () => {}
  let rest = ''
  child.stdout.on('data', (b) => {
    const parts = (rest + b).split('\n')
    rest = parts.pop()
    lines.push(...parts)
    look()
  })
  const next = (wanted, ms) => {
    const found = deferred()
    look = () => {
      const i = lines.findIndex((line) => line.startsWith(wanted))
      if (i >= 0) found.resolve(lines.splice(0, i + 1).at(-1))
    }
    look()
    return within(found.promise, `${wanted} among ${lines}`, ms)
  }
  await next('bound')
  return { socket, lines, next }
}

test('a manager is told of readiness, reloads, takeovers and the stop', async (t) => {
  const manager = await sink(t)
  const server = await Server.start(t, { env: { NOTIFY_SOCKET: manager.socket } })
  await manager.next('READY=1')
  server.child.kill('SIGHUP')
  await manager.next('RELOADING=1')
  assert.match(await manager.next('MONOTONIC_USEC='), /^MONOTONIC_USEC=\d+$/)
  await manager.next('READY=1')
  server.child.kill('SIGUSR2')
  await manager.next('READY=1')
  await server.stop()
  await manager.next('STOPPING=1')
  assert.ok(!manager.lines.some((line) => line.startsWith('WATCHDOG')), 'none was asked for')
  await server.start()
})

test('the manager’s socket may have an abstract address', async (t) => {
  const manager = await sink(t, `@hubbub-test-${process.pid}`)
  await Server.start(t, { env: { NOTIFY_SOCKET: manager.socket } })
  await manager.next('READY=1')
})

test('a manager that is not there disturbs nothing', async (t) => {
  for (const NOTIFY_SOCKET of ['/nonexistent/socket', 'no-path', `/${'x'.repeat(200)}`, '@hubbub-nobody']) {
    const server = await Server.start(t, { env: { NOTIFY_SOCKET } })
    await server.user()
  }
})

const watchdog = (manager, ms) => ({ NOTIFY_SOCKET: manager.socket, WATCHDOG_USEC: String(ms * 1000) })

test('the watchdog hears of a server that works, also of an idle one', async (t) => {
  const manager = await sink(t)
  const server = await Server.start(t, { env: watchdog(manager, 400) })
  const [ada] = await server.room()
  for (let i = 0; i < 3; i++) {
    await ada.ok({ op: 'send', room: ada.join.room, key: `k${i}`, text: 'x' })
    await manager.next('WATCHDOG=1')
  }
})

test('one that is meant for another process is left alone', async (t) => {
  const manager = await sink(t)
  const server = await Server.start(t, { env: { ...watchdog(manager, 50), WATCHDOG_PID: '1' } })
  await server.user()
  await server.stop()
  await manager.next('STOPPING=1')
  assert.ok(!manager.lines.includes('WATCHDOG=1'))
  await server.start()
})

for (const [what, request] of [
  ['worker', { op: 'join', room: 'hang-here' }],
  ['store', { op: 'join', room: 'hang-in-the-store' }],
]) {
  test(`the watchdog hears no more when the ${what} hangs`, async (t) => {
    const manager = await sink(t)
    const server = new Server({ bin: [HANGING], env: watchdog(manager, 600 * SLOW), args: ['--workers', '1'] })
    await server.start()
    const peer = await server.user()
    await manager.next('WATCHDOG=1')
    peer.send({ id: 9, ...request })
    const hangs = new Promise((resolve) => server.child.stderr.on('data', () => /hangs/.test(server.stderr) && resolve()))
    await within(hangs, 'the log to say so')
    const before = manager.lines.length
    // Two more looks of the watchdog, each of which says it again.
    await within(new Promise((resolve) => server.child.stderr.on('data', () => server.stderr.split('hangs').length > 3 && resolve())), 'the log')
    assert.ok(!manager.lines.slice(before).includes('WATCHDOG=1'))
    server.child.kill('SIGKILL')
    await server.exited
    server.child = undefined
    await server.dispose()
  })
}

/** A server on sockets of ours, handed over as a service manager does. */
async function activated(t, sockets, env = {}, args = []) {
  const data = await tempDir(t)
  const child = spawn('sh', ['-c', 'LISTEN_PID=${LISTEN_PID-$$} exec "$@"', 'sh', BIN, 'serve', '--open', '--data', data, '--listen', '127.0.0.1:1', ...args], {
    env: cleanEnv({ LISTEN_FDS: String(sockets.length), ...env }),
    stdio: ['ignore', 'pipe', 'pipe', ...sockets.map((s) => s._handle?.fd ?? s)],
  })
  const out = { stdout: '', stderr: '', child }
  out.exited = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })))
  t.after(async () => {
    child.kill('SIGKILL')
    await out.exited
  })
  out.listening = new Promise((resolve) => child.stdout.on('data', (b) => (out.stdout += b).includes('\n') && resolve()))
  child.stderr.on('data', (b) => (out.stderr += b))
  return out
}

async function listener(t, where = { port: 0, host: '127.0.0.1' }) {
  const server = net.createServer().listen(where)
  t.after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  return server
}

test('a socket that was handed over is served, whatever --listen says', async (t) => {
  const socket = await listener(t)
  const { port } = socket.address()
  const server = await activated(t, [socket])
  socket.close() // ours; the server has its own descriptor of it
  await within(server.listening, 'the server')
  assert.equal(server.stdout, `listening on http://127.0.0.1:${port}\n`)
  const outside = new Server()
  Object.assign(outside, { port })
  const peer = await outside.user()
  assert.equal(peer.socket.remotePort, port)
  peer.socket.destroy()
  server.child.kill('SIGTERM')
  assert.deepEqual(await within(server.exited, 'the stop'), { code: 0, signal: null })
})

test('of two sockets the second is where browsers are sent on to https', async (t) => {
  const sockets = [await listener(t), await listener(t)]
  const [own, redirect] = sockets.map((s) => s.address().port)
  const cert = commonCert()
  const server = await activated(t, sockets, {}, [...cert.flags, '--http-redirect', '127.0.0.1:1'])
  for (const socket of sockets) socket.close()
  await within(server.listening, 'the server')
  assert.equal(server.stdout, `listening on https://127.0.0.1:${own}\nsending http://127.0.0.1:${redirect} on to https\n`)
  const r = await fetchRaw({ host: '127.0.0.1', port: redirect }, '/x', { headers: { Host: 'a' } })
  assert.deepEqual([r.status, r.headers.location], [308, `https://a:${own}/x`])
  const outside = new Server({ cert })
  Object.assign(outside, { port: own })
  const peer = await outside.user()
  peer.socket.destroy()
  server.child.kill('SIGTERM')
  assert.deepEqual(await within(server.exited, 'the stop'), { code: 0, signal: null })
})

test('what is no listening TCP socket, or more than one, is refused by name', async (t) => {
  const unix = await listener(t, { path: path.join(await tempDir(t), 'socket') })
  const two = [await listener(t), await listener(t)]
  for (const [sockets, env, says] of [
    [[unix], {}, /socket that was handed over/],
    [['ignore'], {}, /socket that was handed over/],
    [two, {}, /LISTEN_FDS must be 1/],
    [[], { LISTEN_FDS: 'some' }, /LISTEN_FDS must be 1/],
    [[], { LISTEN_FDS: '1' }, /socket that was handed over/],
  ]) {
    const server = await activated(t, sockets, env)
    const { code } = await within(server.exited, 'the refusal')
    assert.equal(code, 1, server.stderr)
    assert.match(server.stderr, says)
  }
})

test('sockets for another process, or none, are no concern', async (t) => {
  const data = await tempDir(t)
  const server = await Server.start(t, { data, env: { LISTEN_PID: '1', LISTEN_FDS: '3' } })
  await server.user()
  await server.stop()
  Object.assign(server.env, { LISTEN_FDS: '0' })
  await server.start()
  await server.user()
})

// A sanitizer tells of crashes by itself, and takes the signals.
if (!HAS_SANITIZER) {
  for (const [what, signal, thread, name] of [
    ['write-nowhere', 'SIGSEGV', 'worker-0', '__wrap_request_decode'],
    ['use-up-the-stack', 'SIGSEGV', 'worker-0', 'use_up_the_stack'],
    ['fail-an-assertion', 'SIGABRT', 'worker-0', 'conn_on_text'],
  ]) {
    test(`${what}: the log says in which thread and through which calls, and the signal ends it`, async (t) => {
      const server = new Server({ bin: [HANGING], args: ['--workers', '1'] })
      await server.start()
      const peer = await server.user()
      peer.send({ id: 9, op: 'join', room: what })
      const { signal: by } = await within(server.exited, 'the crash')
      assert.equal(by, signal)
      assert.match(server.stderr, new RegExp(`hubbub [0-9.]+ crashed: ${signal} in thread ${thread}`))
      assert.match(server.stderr, new RegExp(`hubbub-hanging\\(${name}\\+0x`))
      assert.match(server.stderr, /report these lines/)
      server.child = undefined
      await server.dispose()
      t.diagnostic(server.stderr.split('\n').length + ' lines')
    })
  }

  test('a crash of what tells of a crash ends it all the same, by the first signal or the second', async () => {
    const server = await new Server({ bin: [HANGING], args: ['--workers', '1'] }).start()
    const peer = await server.user()
    peer.send({ id: 9, op: 'join', room: 'crash-while-telling' })
    const { signal } = await within(server.exited, 'the crash')
    assert.match(signal, /SIGABRT|SIGSEGV/)
    assert.match(server.stderr, /crashed: SIGABRT in thread worker-0/)
    server.child = undefined
    await server.dispose()
  })
}
