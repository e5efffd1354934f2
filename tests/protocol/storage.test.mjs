// Storage in trouble: full, locked, damaged, of a newer version.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { open, readFile, readdir, stat, truncate } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { BIN, Server, runToEnd } from './lib/server.mjs'
import { fresh, within } from './lib/wait.mjs'

const largest = async (dir) => Math.max(...(await Promise.all((await readdir(dir)).map(async (n) => (await stat(path.join(dir, n))).size))))

/** A stopped server with some messages on its disk. */
async function written(t) {
  const server = await Server.start(t)
  const [ada] = await server.room(['Ada'], 'kept')
  for (let i = 0; i < 30; i++) await ada.ok({ op: 'send', room: 'kept', key: `k${i}`, text: `text ${i}`.repeat(20) })
  await server.stop()
  return { server, ada, file: await server.database() }
}

async function refusesToStart(server, says) {
  const begun = performance.now()
  const r = await runToEnd(['serve', '--open', '--listen', '127.0.0.1:0', '--data', server.data])
  assert.ok(r.code > 0, `it ended with ${r.code ?? r.signal}: ${r.stderr}`)
  assert.match(r.stderr, says)
  assert.equal(r.stdout, '')
  return performance.now() - begun
}

async function patch(file, at, bytes) {
  const handle = await open(file, 'r+')
  await handle.write(bytes, 0, bytes.length, at)
  await handle.close()
}

async function stillWhole(server, ada) {
  await server.start()
  const again = await server.again(ada)
  assert.equal((await again.ok({ op: 'join', room: 'kept' })).head, 30)
}

test('a database of a newer version is refused, and left as it was', async (t) => {
  const { server, ada, file } = await written(t)
  const version = (await readFile(file)).subarray(60, 64) // user_version (SQLite's file format, 1.3)
  assert.ok(version.readUInt32BE() > 0, 'the schema has a version')
  await patch(file, 60, Buffer.from([0, 0, 0x27, 0x0f]))
  const before = await readFile(file)
  await refusesToStart(server, /newer|version/i)
  assert.ok((await readFile(file)).equals(before))
  await patch(file, 60, version)
  await stillWhole(server, ada)
})

test('a damaged database is refused with a clear message', async (t) => {
  const table = {
    'no database at all': (file) => patch(file, 0, Buffer.from('this is no database, is it? '.repeat(20))),
    'cut off in the middle': (file) => truncate(file, 5000),
    'zeros in the schema': (file) => patch(file, 100, Buffer.alloc(3996)),
  }
  for (const [name, damage] of Object.entries(table)) {
    const { server, file } = await written(t)
    const whole = await readFile(file)
    await damage(file)
    await refusesToStart(server, /damaged|malformed|not a database|corrupt/i).catch((err) => assert.fail(`${name}: ${err.message}`))
    await truncate(file, 0)
    await patch(file, 0, whole)
    await server.start()
  }
})

/** Hold the database from another process; gives a function that lets go. */
async function lock(t, file, sql) {
  const script = 'import sqlite3,sys\nc=sqlite3.connect(sys.argv[1],isolation_level=None)\nfor s in sys.argv[2:]: c.execute(s)\nprint("held",flush=True)\nsys.stdin.read()\n'
  const child = spawn('python3', ['-c', script, file, ...sql], { stdio: ['pipe', 'pipe', 'inherit'] })
  const gone = new Promise((resolve) => child.on('close', resolve))
  t.after(() => child.kill('SIGKILL'))
  await within(new Promise((resolve) => child.stdout.once('data', resolve)), 'the lock')
  return async () => {
    child.stdin.end()
    await within(gone, 'the lock to go')
  }
}

test('a database that another process writes to: unavailable, nothing acknowledged, and well again after', async (t) => {
  const server = await Server.start(t)
  const [ada, bob] = await server.room(['Ada', 'Bob'], 'kept')
  await ada.ok({ op: 'send', room: 'kept', key: 'k1', text: 'before' })
  const release = await lock(t, await server.database(), ['BEGIN IMMEDIATE'])
  const write = { op: 'send', room: 'kept', key: 'k2', text: 'during' }
  const reply = await ada.request(write, 30000)
  assert.equal(reply.err?.code, 'unavailable', JSON.stringify(reply))
  assert.equal((await bob.ok({ op: 'history', room: 'kept' })).head, 1, 'reading goes on')
  await release()
  let again
  for (let i = 0; i < 200 && !again?.ok; i++) again = await ada.request(write, 30000)
  assert.deepEqual([again.ok, again.seq], [true, 2])
  await bob.event({ ev: 'message', seq: 1 })
  assert.equal((await bob.event('message')).text, 'during')
})

test('a database that is locked whole at the start: a clear message, or unavailable', async (t) => {
  const { server, ada, file } = await written(t)
  const release = await lock(t, file, ['PRAGMA locking_mode=EXCLUSIVE', 'BEGIN EXCLUSIVE', 'CREATE TABLE IF NOT EXISTS held (x)'])
  await refusesToStart(server, /lock|in use|busy/i)
  await release()
  await stillWhole(server, ada)
})

test('a full disk: unavailable, nothing acknowledged that was not stored, and well again when space returns', async (t) => {
  // A bound on the size of files stands for the disk's end: it needs no rights, and moves at will.
  const server = await Server.start(t, { bin: ['/bin/sh', '-c', `trap '' XFSZ; exec "${BIN}" "$@"`, 'sh'] })
  const space = (bytes) => execFileSync('prlimit', ['--pid', String(server.pid), `--fsize=${bytes}:`])
  const [ada, bob] = await server.room(['Ada', 'Bob'], 'full')
  const acked = new Map()
  const text = 'x'.repeat(4000)
  const send = async (key) => {
    const r = await ada.request({ op: 'send', room: 'full', key, text: `${key} ${text}` }, 20000)
    if (r.ok) acked.set(key, r.seq)
    return r
  }
  for (let i = 0; i < 20; i++) assert.equal((await send(`k${i}`)).ok, true)
  space((await largest(server.data)) + 100_000)
  const refused = []
  for (let i = 20; refused.length < 5; i++) {
    assert.ok(i < 3000, 'it never filled up')
    const r = await send(`k${i}`)
    if (!r.ok) {
      assert.equal(r.err.code, 'unavailable', JSON.stringify(r))
      refused.push(`k${i}`)
    }
  }
  assert.ok((await bob.ok({ op: 'history', room: 'full', limit: 5 })).events.length > 0, 'reading goes on')
  space('unlimited')
  for (const key of refused) {
    let r
    for (let i = 0; i < 300 && !r?.ok; i++) r = await send(key)
    assert.equal(r.ok, true, JSON.stringify(r))
  }
  const check = async (peer) => {
    const events = []
    for (let more = true; more;) {
      const h = await peer.ok({ op: 'history', room: 'full', after: events.length, limit: 200 })
      events.push(...h.events)
      more = h.more
    }
    assert.deepEqual(events.map((e) => e.seq), events.map((_, i) => i + 1))
    for (const [key, seq] of acked) assert.ok(events[seq - 1]?.text.startsWith(`${key} `), `${key} at ${seq}`)
    assert.equal(new Set(events.map((e) => e.text)).size, events.length, 'nothing twice')
    return events.length
  }
  const n = await check(bob)
  await bob.event({ ev: 'message', seq: n })
  assert.deepEqual(bob.seen.filter((m) => m.ev === 'message').map((m) => m.seq), Array.from({ length: n }, (_, i) => i + 1), 'live: each once, no hole')
  await server.stop()
  await server.start()
  const again = await server.again(ada)
  await again.ok({ op: 'join', room: 'full' })
  assert.equal(await check(again), n)
  assert.equal((await again.ok({ op: 'send', room: 'full', key: fresh('k'), text: 'on' })).seq, n + 1)
})
