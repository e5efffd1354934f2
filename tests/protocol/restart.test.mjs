// A running server: its settings read again, and another program in its place.
import assert from 'node:assert/strict'
import { chmod, copyFile, mkdtemp, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { HttpPeer } from './lib/http.mjs'
import { Sender, checkLogs } from './lib/sender.mjs'
import { BIN, Server, runToEnd } from './lib/server.mjs'
import { fresh, load, within } from './lib/wait.mjs'

async function tempDir(t) {
  const dir = await mkdtemp(path.join(tmpdir(), 'hubbub-restart-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** Await `n` lines of the log that match. */
function said(server, pattern, n = 1, ms = undefined) {
  const count = () => server.stderr.split('\n').filter((line) => pattern.test(line)).length
  const found = new Promise((resolve) => {
    const look = () => count() >= n && resolve()
    server.child.stderr.on('data', look)
    look()
  })
  return within(found, () => `${pattern} in the log: ${server.stderr.slice(-1000)}`, ms)
}

async function reload(server) {
  const n = server.stderr.split('\n').filter((line) => /read the settings again|settings stay/.test(line)).length
  server.child.kill('SIGHUP')
  await said(server, /read the settings again|settings stay/, n + 1)
}

test('SIGHUP changes a limit under a live connection', async (t) => {
  const config = path.join(await tempDir(t), 'hubbub.conf')
  await writeFile(config, 'send-limit = 1000/1000\n')
  const server = await Server.start(t, { args: ['--config', config, '--workers', '2'] })
  const [ada, bob] = await server.room()
  const write = (peer) => peer.request({ op: 'send', room: ada.join.room, key: fresh('k'), text: 'x' })
  for (let i = 0; i < 10; i++) assert.equal((await write(ada)).ok, true)

  await writeFile(config, 'send-limit = 2/3600000\n')
  await reload(server)
  for (const peer of [ada, bob]) {
    const replies = []
    for (let i = 0; i < 5; i++) replies.push(await write(peer))
    assert.ok(replies.filter((r) => r.ok).length <= 2)
    assert.equal(replies.at(-1).err?.code, 'rate_limited')
  }
  assert.deepEqual((await server.user()).hello.limits.send, { n: 2, per_ms: 3600000 }, 'who comes is told of it')
  await writeFile(config, 'no-limits = true\n')
  await reload(server)
  for (let i = 0; i < 20; i++) assert.equal((await write(ada)).ok, true)
})

test('SIGHUP takes an origin in, and lets more connections in at once', async (t) => {
  const config = path.join(await tempDir(t), 'hubbub.conf')
  await writeFile(config, 'max-connections = 2\n')
  const server = await Server.start(t, { args: ['--config', config] })
  const [ada] = await server.room()
  const headers = { Origin: 'https://chat.example' }
  const waiting = server.connect({ headers: { Origin: `http://${server.host}:${server.port}` } }) // the third
  await said(server, /further ones wait/)
  await writeFile(config, 'max-connections = 10\norigin = https://chat.example\n')
  await reload(server)
  await waiting
  await server.connect({ headers })
  await ada.ok({ op: 'rooms' })
})

test('broken settings change nothing, and what needs a restart is named', async (t) => {
  const config = path.join(await tempDir(t), 'hubbub.conf')
  await writeFile(config, 'send-limit = 1000/1000\n')
  const server = await Server.start(t, { args: ['--config', config] })
  const [ada] = await server.room()
  const write = () => ada.request({ op: 'send', room: ada.join.room, key: fresh('k'), text: 'x' })

  await writeFile(config, 'send-limit = 1/3600000\nmax-txet = 5\n')
  await reload(server)
  assert.match(server.stderr, /hubbub\.conf:2: unknown setting max-txet; did you mean max-text\?/)
  await unlink(config)
  await reload(server)
  assert.match(server.stderr, /cannot read the settings: No such file/)
  for (let i = 0; i < 5; i++) assert.equal((await write()).ok, true)

  await writeFile(config, 'send-limit = 1000/1000\nmax-text = 5\nheartbeat-ms = 70\n')
  await reload(server)
  await said(server, /only a restart changes: max-text, heartbeat-ms/)
  const again = await server.user()
  assert.equal(again.hello.limits.text, 8000)
  assert.equal(again.hello.heartbeat_ms, 25000)
})

test('without a file SIGHUP does no harm', async (t) => {
  const server = await Server.start(t)
  const [ada, bob] = await server.room()
  await reload(server)
  await ada.ok({ op: 'send', room: ada.join.room, key: 'k', text: 'still here' })
  assert.equal((await bob.event('message')).text, 'still here')
})

test('check-config says whether a server would take its settings and its data', async (t) => {
  const dir = await tempDir(t)
  const good = await runToEnd(['check-config', '--open', '--data', dir])
  assert.deepEqual([good.code, good.stdout, good.stderr], [0, '', ''])
  const bad = await runToEnd(['check-config', '--workers', 'many'])
  assert.equal(bad.code, 2)
  assert.match(bad.stderr, /--workers/)
  await writeFile(path.join(dir, 'hubbub.db'), 'this is no database of ours, nor of anybody else’s.'.repeat(100))
  const foreign = await runToEnd(['check-config', '--data', dir])
  assert.equal(foreign.code, 1)
  assert.match(foreign.stderr, /hubbub\.db/)
})

/** A server whose program is a link, so that another can be put behind it. */
async function startLinked(t, options = {}) {
  const dir = await tempDir(t)
  const link = path.join(dir, 'hubbub')
  await symlink(BIN, link)
  const server = await Server.start(t, { bin: [link], ...options })
  return { server, dir, link }
}

test('SIGUSR2 under load: nobody is refused, nothing is lost or said twice', async (t) => {
  const { server } = await startLinked(t, { args: ['--no-limits', '--workers', '2'] })
  const rounds = 3
  const senders = Array.from({ length: 4 }, (_, i) => new Sender(`s${i}`, `take-${i % 2}`))
  const refused = []
  let isOver = false, connects = 0
  const connecting = (async () => {
    while (!isOver) {
      const http = new HttpPeer(server)
      http.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
      // A connection that was accepted may be closed by the stop, but none is refused.
      await http.response().catch(() => http.error?.code === 'ECONNREFUSED' && refused.push(http.error))
      connects++
      http.destroy()
    }
  })()
  const pid = server.pid
  for (let round = 0; round < rounds; round++) {
    await Promise.all(senders.map((s) => s.attach(server)))
    let acks = 0, enough
    const loaded = new Promise((resolve) => (enough = resolve))
    const running = senders.map((s) => s.run(() => ++acks === load(100) && enough()))
    await within(loaded, 'acknowledgements')
    const listening = server.stdout.split('listening on').length
    const back = new Promise((resolve) => {
      server.child.stdout.on('data', () => server.stdout.split('listening on').length > listening && resolve())
    })
    server.child.kill('SIGUSR2')
    await within(back, 'the next program to listen')
    await within(Promise.all(running), 'the links to end')
  }
  isOver = true
  await connecting
  await Promise.all(senders.map((s) => s.attach(server)))
  for (const s of senders) for (const n of s.unsure.splice(0)) await s.write(n)
  await checkLogs(senders)
  assert.deepEqual(refused, [])
  assert.ok(connects > rounds)
  assert.equal(server.pid, pid)
  assert.equal(server.stderr.split('takes over').length - 1, rounds)
  t.diagnostic(`${connects} connections beside ${senders.reduce((n, s) => n + s.acked.size, 0)} messages`)
})

test('clients are told to come back, and one that does not answer holds up nobody for long', async (t) => {
  const { server } = await startLinked(t)
  const [ada] = await server.room()
  const mute = await server.user('Mute')
  mute.keepOpen = true
  const closed = ada.closed()
  server.child.kill('SIGUSR2')
  assert.equal(await closed, 1001)
  const begun = performance.now()
  const back = await server.again(ada) // it waits in the backlog
  assert.ok(performance.now() - begun < 4500, 'it would take 5 s to give up a client otherwise')
  assert.equal(back.me.id, ada.me.id)
  mute.socket.destroy()
})

test('a program that cannot run, does not like the settings or is not there leaves the old one serving', async (t) => {
  const { server, dir, link } = await startLinked(t)
  const [ada, bob] = await server.room()
  const other = path.join(dir, 'other')
  const programs = [
    () => unlink(link),
    async () => {
      await writeFile(other, '#!/bin/sh\nexit 3\n')
      await chmod(other, 0o755)
      await symlink(other, link)
    },
    () => writeFile(other, 'no program at all'),
    async () => {
      await writeFile(other, '#!/bin/sh\nkill -SEGV $$\n')
    },
  ]
  for (const [i, put] of programs.entries()) {
    await put()
    server.child.kill('SIGUSR2')
    await said(server, /going on as before/, i + 1)
    await ada.ok({ op: 'send', room: ada.join.room, key: `k${i}`, text: `still ${i}` })
    assert.equal((await bob.event('message')).text, `still ${i}`)
  }
  await unlink(link)
  await copyFile(BIN, link)
  const closed = ada.closed()
  server.child.kill('SIGUSR2')
  assert.equal(await closed, 1001)
  assert.equal((await server.again(ada)).me.id, ada.me.id)
})

test('asked over and over for a program that is not there, it goes on serving', async (t) => {
  const { server, link } = await startLinked(t)
  const [ada] = await server.room()
  await unlink(link)
  for (let i = 0; i < 300; i++) server.child.kill('SIGUSR2')
  await said(server, /going on as before/)
  await writeFile(link, '#!/bin/sh\nexit 3\n')
  await chmod(link, 0o755)
  for (let i = 0; i < 300; i++) server.child.kill('SIGUSR2')
  await said(server, /cannot take over/)
  await ada.ok({ op: 'rooms' })
})

test('a program that does not say in 10 s whether it can go on is given up', async (t) => {
  const { server, link } = await startLinked(t)
  const [ada] = await server.room()
  await unlink(link)
  await writeFile(link, '#!/bin/sh\nexec sleep 60\n')
  await chmod(link, 0o755)
  server.child.kill('SIGUSR2')
  await said(server, /does not say whether it can take over/, 1, 15000)
  await said(server, /cannot take over \(it ended with signal 9\): going on as before/)
  await ada.ok({ op: 'rooms' })
})

test('a program that is gone when its turn has come leaves an error and a failed status', async (t) => {
  const { server, link } = await startLinked(t)
  const peer = await server.user()
  await unlink(link)
  await writeFile(link, '#!/bin/sh\nrm "$0"\n') // check-config deletes it
  await chmod(link, 0o755)
  const closed = peer.closed()
  server.child.kill('SIGUSR2')
  assert.equal(await closed, 1001)
  assert.deepEqual(await within(server.exited, 'the end'), { code: 1, signal: null })
  assert.match(server.stderr, /cannot run .*: No such file/)
  server.child = undefined
  await symlink(BIN, link)
  await server.start()
})

test('a stop during the check of the next program is a stop', async (t) => {
  const { server, dir, link } = await startLinked(t)
  await writeFile(path.join(dir, 'other'), '#!/bin/sh\nexec sleep 60\n')
  await chmod(path.join(dir, 'other'), 0o755)
  await unlink(link)
  await symlink(path.join(dir, 'other'), link)
  server.child.kill('SIGUSR2')
  await server.stop('SIGTERM')
  await unlink(link)
  await symlink(BIN, link)
  await server.start()
})

test('signals that ask for something do not end a server that stops', async (t) => {
  const server = await Server.start(t)
  const peer = await server.user()
  peer.keepOpen = true
  server.child.kill('SIGTERM')
  assert.equal(await peer.closed(), 1001)
  server.child.kill('SIGHUP')
  server.child.kill('SIGUSR2')
  await server.ended('SIGTERM')
  await server.start()
})

test('a port that somebody else listens on is still refused at the start', async (t) => {
  const taken = net.createServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await new Promise((resolve) => taken.once('listening', resolve))
  const dir = await tempDir(t)
  const r = await runToEnd(['serve', '--open', '--data', dir, '--listen', `127.0.0.1:${taken.address().port}`])
  assert.equal(r.code, 1)
  assert.match(r.stderr, /cannot listen/)
})
