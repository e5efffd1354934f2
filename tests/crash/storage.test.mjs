// A data directory in trouble: read-only, full, gone, locked, damaged; at the start and while serving.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, cp, open, readFile, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { runToEnd } from '../protocol/lib/server.mjs'
import { openFiles } from './lib/files.mjs'
import { Random } from './lib/random.mjs'
import { Sender, checkAfterKill, eventually, isHealthy, patient, readyz, servingPatient } from './lib/patient.mjs'

const PAGE = 4096
const DATABASE = 'hubbub.db'

const exists = (file) => access(file).then(() => true, () => false)

/** Ada, who writes to a room, and Bob, who is in it. */
async function pair(server) {
  const [ada, bob] = await server.room(['Ada', 'Bob'], 'kept')
  const sender = new Sender(ada, 'kept')
  await sender.sendAll(5)
  return { sender, bob }
}

async function refusesToStart(server, says) {
  const r = await runToEnd(['serve', '--open', '--listen', '127.0.0.1:0', '--data', server.data], { env: server.env })
  assert.ok(r.code > 0, `it ended with ${r.code ?? r.signal}: ${r.stderr}`)
  assert.match(r.stderr, says)
  assert.equal(r.stdout, '')
}

/** Bob has got every event up to `head` once, in order. */
async function heardAll(bob, head) {
  await bob.event({ ev: 'message', seq: head })
  assert.deepEqual(bob.seen.filter((m) => m.ev === 'message').map((m) => m.seq), Array.from({ length: head }, (_, i) => i + 1))
}

for (const [what, begin] of [
  ['read-only', (faults) => faults.readOnly()],
  ['full', (faults) => { faults.space(0); faults.set('write', 'ENOSPC') }],
  ['broken, so that nothing can be synced', (faults) => faults.set('sync', 'EIO')],
]) {
  test(`a disk that is ${what} while serving: unavailable, read on, and well again by itself`, async (t) => {
    const server = await servingPatient(t)
    const { sender, bob } = await pair(server)
    begin(server.faults)
    const key = await sender.refused()
    assert.equal(await readyz(server), 503)
    assert.equal(await isHealthy(server), false)
    assert.equal((await bob.ok({ op: 'history', room: 'kept' })).head, 5)
    await server.again(sender.peer) // who is known comes in
    assert.match(server.stderr, /store: cannot write, answering unavailable until it works: .+/)
    const database = path.join(server.data, DATABASE)
    const before = (await openFiles(server.pid))[database]
    for (let i = 0; i < 20; i++) await sender.refused()
    assert.ok((await openFiles(server.pid))[database] <= before + 1, 'it loses descriptors')
    server.faults.heal()
    await eventually(async () => (await readyz(server)) === 200, 'it to be ready with nobody writing')
    assert.equal(await isHealthy(server), true)
    await sender.again(key)
    await sender.sendAll(3)
    await heardAll(bob, 9)
    const peer = await checkAfterKill(server, sender)
    // It stops in order on such a disk, too.
    sender.peer = peer
    begin(server.faults)
    await sender.refused()
    await server.stop()
    server.faults.heal()
    await server.start()
    await sender.check(await joined(server, sender))
  })
}

test('a disk that is read-only at the start: refused with a clear message, and nothing is touched', async (t) => {
  const server = await servingPatient(t)
  const { sender } = await pair(server)
  await server.stop('SIGKILL')
  const before = await Promise.all((await readdir(server.data)).map((name) => readFile(path.join(server.data, name))))
  server.faults.readOnly()
  await refusesToStart(server, /cannot use the data directory .*: Read-only file system/)
  const after = await Promise.all((await readdir(server.data)).map((name) => readFile(path.join(server.data, name))))
  assert.deepEqual(after, before)
  server.faults.heal()
  await server.start()
  await sender.check(await joined(server, sender))
})

async function joined(server, sender) {
  const peer = await server.again(sender.peer)
  await peer.ok({ op: 'join', room: sender.room })
  return peer
}

test('no directory can be made: refused with a clear message', async (t) => {
  const server = await patient(t)
  server.faults.readOnly()
  await refusesToStart(server, /cannot use the data directory .*: Read-only file system/)
  server.faults.heal()
  server.faults.set('mkdir', 'ENOSPC')
  await refusesToStart(server, /cannot use the data directory .*: No space left on device/)
  server.faults.heal()
  await server.start()
})

test('a disk that is full at the start: refused with a clear message, or served', async (t) => {
  const server = await servingPatient(t)
  const { sender } = await pair(server)
  await server.stop()
  server.faults.space(0)
  await refusesToStart(server, /the disk is full/)
  server.faults.heal()
  await server.start()
  await sender.check(await joined(server, sender))
})

async function movedAndBack(server, { from, noticed }) {
  const { sender, bob } = await pair(server)
  const away = path.join(server.above, 'away')
  await rename(from, away)
  await noticed()
  const keys = [await sender.refused(), await sender.refused()]
  assert.equal(await readyz(server), 503)
  assert.match(server.stderr, /hubbub\.db was deleted or moved: No such file or directory/)
  assert.equal((await bob.ok({ op: 'history', room: 'kept' })).head, 5, 'reading goes on')
  assert.equal(await exists(from), false, 'it makes no new one')
  await rename(away, from)
  await eventually(async () => (await readyz(server)) === 200, 'it to be ready with nobody writing')
  for (const key of keys) await sender.again(key)
  await sender.sendAll(3)
  await heardAll(bob, 10)
  await checkAfterKill(server, sender)
}

test('the data directory is moved away while serving: nothing is acknowledged until it is back', async (t) => {
  const server = await servingPatient(t)
  await movedAndBack(server, { from: server.data, noticed: async () => {} })
})

test('the same where the kernel tells of no changes', async (t) => {
  const server = await patient(t)
  server.faults.set('watch', 'EMFILE')
  await server.start()
  await movedAndBack(server, { from: server.data, noticed: async () => {} })
})

test('the same with a folder above it, which shows after a moment', async (t) => {
  const server = await patient(t)
  const from = path.join(server.above, 'parent')
  server.data = path.join(from, 'data')
  await server.start()
  await movedAndBack(server, { from, noticed: () => eventually(async () => (await readyz(server)) === 503, 'the loss to be noticed') })
})

test('each call of a start fails in its turn: it serves, or says why not, and nothing is lost', async (t) => {
  const server = await servingPatient(t)
  const { sender } = await pair(server)
  await server.stop('SIGKILL') // so that there is a log to be read again
  let starts = 0
  for (const what of ['open', 'read', 'write', 'sync', 'truncate', 'map', 'mkdir']) {
    for (let skip = 0, before; before !== server.faults.given(what); skip++) {
      before = server.faults.given(what)
      server.faults.set(what, 'EIO', { skip, times: 1 })
      await server.start().catch(() => {})
      server.child.kill('SIGKILL')
      const { code, signal } = await server.exited
      if (signal !== 'SIGKILL') assert.ok(code === 1 && / error /.test(server.stderr), `${what} ${skip}: ${code ?? signal}, ${server.stderr}`)
      server.child = undefined
      server.checkReports()
      server.faults.heal()
      starts++
    }
  }
  t.diagnostic(`${starts} starts`)
  await server.start()
  await sender.check(await joined(server, sender))
})

test('the data directory is deleted while serving: noticed with nobody writing, and never acknowledged into', async (t) => {
  const server = await servingPatient(t)
  const { sender, bob } = await pair(server)
  await rm(server.data, { recursive: true })
  await eventually(async () => (await readyz(server)) === 503, 'the loss to be noticed')
  await sender.refused()
  assert.equal((await bob.request({ op: 'history', room: 'kept' })).head, 5)
  // Another history in its place is not this server's to touch, or to read from.
  const other = await servingPatient(t)
  await (await other.room(['Eve'], 'kept'))[0].ok({ op: 'send', room: 'kept', key: 'e', text: 'of another history' })
  await other.stop('SIGKILL')
  await cp(other.data, server.data, { recursive: true })
  const files = async () => Promise.all((await readdir(server.data)).sort().map((name) => readFile(path.join(server.data, name))))
  const before = await files()
  await sender.refused()
  assert.match(server.stderr, /hubbub\.db was deleted or moved/)
  assert.equal((await bob.request({ op: 'history', room: 'kept' })).head, 5)
  await server.stop()
  assert.deepEqual(await files(), before)
  await other.start()
})

test('the write-ahead log is deleted while serving: what it held is saved, and writing goes on', async (t) => {
  const server = await servingPatient(t)
  const { sender, bob } = await pair(server)
  await rm(path.join(server.data, `${DATABASE}-wal`))
  // Its commit went to the lost file: not acknowledged before it is saved.
  const { key } = await sender.send()
  await sender.again(key)
  await sender.sendAll(20)
  await heardAll(bob, 26)
  assert.match(server.stderr, /hubbub\.db-wal was deleted or moved: .*what was in it is in the database now/)
  await sender.check(bob)
  const peer = await checkAfterKill(server, sender)
  assert.equal((await peer.ok({ op: 'history', room: 'kept' })).head, 26)
})

test('the write-ahead log is deleted with nobody writing: saved within seconds', async (t) => {
  const server = await servingPatient(t)
  const { sender } = await pair(server)
  await rm(path.join(server.data, `${DATABASE}-wal`))
  await eventually(() => /what was in it is in the database now/.test(server.stderr), 'the log to be saved')
  assert.equal(await readyz(server), 200)
  const peer = await checkAfterKill(server, sender)
  assert.equal((await peer.ok({ op: 'history', room: 'kept' })).head, 5)
})

test('the shared index is deleted while serving: nobody notices', async (t) => {
  const server = await servingPatient(t)
  const { sender, bob } = await pair(server)
  await rm(path.join(server.data, `${DATABASE}-shm`))
  await sender.sendAll(20)
  await heardAll(bob, 25)
  await checkAfterKill(server, sender)
})

/** Hold the database from the sqlite3 program; gives a function that lets go. */
async function lock(t, server, sql) {
  const child = spawn('sqlite3', ['-batch', path.join(server.data, DATABASE)], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  child.stdin.write(`${sql};\n.print held\n`)
  await once(child.stdout, 'data')
  return async () => {
    const gone = once(child, 'exit')
    child.stdin.end('ROLLBACK;\n')
    await gone
  }
}

test('another program holds the database, at the start and for long: reads are served, writes are unavailable', async (t) => {
  const server = await servingPatient(t)
  const { sender } = await pair(server)
  await server.stop('SIGKILL')
  const release = await lock(t, server, 'BEGIN EXCLUSIVE')
  await server.start()
  // A known user only reads on the way in; a new join of a room writes.
  sender.peer = await server.again(sender.peer)
  const join = await sender.peer.request({ op: 'join', room: 'kept' }, 15000)
  assert.ok(join.ok || join.err.code === 'unavailable', JSON.stringify(join))
  assert.equal((await sender.peer.request({ op: 'join', room: 'other' }, 15000)).err?.code, 'unavailable')
  assert.equal(await readyz(server), 503)
  assert.match(server.stderr, /database is locked/)
  await release()
  await eventually(async () => (await readyz(server)) === 200, 'it to be ready')
  await eventually(async () => (await sender.peer.request({ op: 'join', room: 'kept' })).ok, 'the join')
  await sender.sendAll(3)
  await checkAfterKill(server, sender)
})

/** Two rooms of enough pages each, on a server that has read none of them; and where the texts are. */
async function twoRooms(t) {
  const server = await servingPatient(t)
  const [ada] = await server.room(['Ada'], 'hurt')
  await ada.ok({ op: 'join', room: 'fine' })
  const senders = ['hurt', 'fine'].map((room) => new Sender(ada, room))
  for (const sender of senders) {
    await Promise.all(Array.from({ length: 60 }, (_, i) => sender.send(`${sender.room}-${i}`, `${sender.room}-${i} ${'y'.repeat(1000)}`)))
  }
  await server.stop()
  const file = path.join(server.data, DATABASE)
  const bytes = await readFile(file)
  await server.start()
  for (const sender of senders) sender.peer = await server.again(ada)
  return { server, file, bytes, hurt: senders[0], fine: senders[1] }
}

async function overwrite(file, at, bytes) {
  const handle = await open(file, 'r+')
  await handle.write(bytes, 0, bytes.length, at)
  await handle.close()
}

test('a damaged page: what needs it is unavailable, everything else goes on', async (t) => {
  const { server, file, bytes, hurt, fine } = await twoRooms(t)
  const page = Math.floor(bytes.indexOf('hurt-30 y') / PAGE)
  assert.ok(page > 0)
  await overwrite(file, page * PAGE, Buffer.alloc(8, 0xee)) // the page's head: it is of no kind that there is
  await hurt.peer.ok({ op: 'join', room: 'hurt', limit: 5 })
  await fine.peer.ok({ op: 'join', room: 'fine', limit: 5 })
  await fine.check(fine.peer)
  const target = hurt.acked.get('hurt-30')
  const read = await hurt.peer.request({ op: 'history', room: 'hurt', around: target, limit: 3 })
  assert.equal(read.err?.code, 'unavailable', JSON.stringify(read))
  assert.match(server.stderr, /cannot read: database disk image is malformed/)
  // In one batch with others, who must not suffer by it.
  const [react, ...others] = await Promise.all([
    hurt.peer.request({ op: 'react', room: 'hurt', target, emoji: '+', on: true, key: 'r' }),
    ...Array.from({ length: 20 }, () => fine.send()),
  ])
  assert.equal(react.err?.code, 'unavailable', JSON.stringify(react))
  assert.ok(react.err.retry_ms > 1000, 'to try again soon would be of no use')
  for (const { reply } of others) assert.equal(reply.ok, true, JSON.stringify(reply))
  assert.match(server.stderr, /what needs a damaged part of the database is unavailable: .*malformed/)
  await hurt.send()
  assert.equal(await readyz(server), 200)
  await fine.check(fine.peer)
  await server.stop()
})

test('pages of noise: errors, and no crash', async (t) => {
  for (let seed = 1; seed <= 6; seed++) {
    const rng = new Random(seed)
    const { server, file, bytes, hurt, fine } = await twoRooms(t)
    const pages = bytes.length / PAGE
    for (let i = rng.int(1, 8); i > 0; i--) {
      const at = rng.int(0, pages - 1) * PAGE + rng.pick([0, 0, rng.int(0, PAGE - 64)])
      await overwrite(file, at, Buffer.from(Array.from({ length: rng.pick([4, 64, PAGE - at % PAGE]) }, () => rng.int(0, 255))))
    }
    const ask = async (peer, fields) => {
      const reply = await peer.request(fields, 15000)
      assert.ok(reply.ok || ['unavailable', 'forbidden', 'not_found', 'unauthorized', 'internal'].includes(reply.err.code), JSON.stringify(reply))
    }
    for (const { peer, room } of [hurt, fine]) {
      await ask(peer, { op: 'join', room })
      for (const seq of [1, 20, 40, 60]) {
        await ask(peer, { op: 'history', room, around: seq, limit: 20, fold: seq === 40 })
        await ask(peer, { op: 'react', room, target: seq, emoji: '+', on: true, key: `r${room}${seq}` })
        await ask(peer, { op: 'edit', room, target: seq, text: 'other', key: `e${room}${seq}` })
        await ask(peer, { op: 'send', room, key: `s${room}${seq}`, text: 'more' })
      }
      await ask(peer, { op: 'rooms' })
    }
    await server.stop()
  }
})

