// hubbub backup: one file as of one moment, made while the server serves.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cp, mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { Sender } from './lib/sender.mjs'
import { BIN, Server, cleanEnv, runToEnd } from './lib/server.mjs'
import { run, runOk, scratch, sqlite, talk } from './lib/upkeep.mjs'
import { within } from './lib/wait.mjs'

/** The data directory that a server would have if `file` were its database. */
async function dataOf(dir, name, file) {
  const data = path.join(dir, name)
  await mkdir(data)
  await cp(file, path.join(data, 'hubbub.db'))
  return data
}

test('backups under load hold what was acknowledged before them, and no hole', async (t) => {
  const server = await Server.start(t)
  const dir = await scratch(t)
  const senders = ['s0', 's1', 's2', 's3'].map((name, i) => new Sender(name, `load-${i % 2}`))
  await talk(server, 'kept', 400) // some pages, so that there are several steps
  await Promise.all(senders.map((s) => s.attach(server)))
  const running = Promise.all(senders.map((s) => s.run(() => {})))
  const backups = []
  for (let i = 0; i < 5; i++) {
    const file = path.join(dir, `${i}.db`)
    const before = senders.map((s) => new Map(s.acked))
    await runOk('backup', server.data, file)
    backups.push({ file, before })
  }
  await server.stop()
  await running
  for (const [i, { file, before }] of backups.entries()) {
    const data = await dataOf(dir, `data-${i}`, file)
    assert.match((await runOk('check', data)).stdout, /nothing is wrong/)
    const texts = new Set(sqlite(file, 'SELECT cast(body AS text) FROM events').split('\n'))
    for (const acked of before) for (const text of acked.keys()) assert.ok(texts.has(text), text)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
  }
  assert.deepEqual((await readdir(dir)).filter((n) => n.includes('partial') || n.includes('db-')), [], 'each is one file')
  await server.start()
})

test('a file that is there is replaced with --force alone', async (t) => {
  const server = await Server.start(t)
  const file = path.join(await scratch(t), 'a.db')
  await writeFile(file, 'something dear')
  const refused = await run('backup', server.data, file)
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /is there already; --force/)
  assert.equal(await readFile(file, 'utf8'), 'something dear')
  const done = await runOk('backup', server.data, '--force', file)
  assert.match(done.stdout, /^backed up to /)
  assert.match(done.stderr, /copying: \d+ %\n/)
  assert.equal(sqlite(file, 'PRAGMA integrity_check'), 'ok')
  assert.equal(sqlite(file, 'PRAGMA journal_mode'), 'delete')
})

test('it is not made over the database, nor over a link or a directory', async (t) => {
  const server = await Server.start(t)
  const dir = await scratch(t)
  const link = path.join(dir, 'link')
  await symlink(await server.database(), link)
  for (const [file, says] of [[await server.database(), /itself/], [link, /itself/], [dir, /is no file/], [path.join(dir, 'no/such/dir'), /cannot write/]]) {
    const r = await run('backup', server.data, '--force', file)
    assert.equal(r.code, 1, file)
    assert.match(r.stderr, says)
  }
  await server.user()
})

test('a full disk and a signal leave neither a file nor half of one', async (t) => {
  const server = await Server.start(t)
  const dir = await scratch(t)
  const file = path.join(dir, 'a.db')
  await talk(server, 'kept', 600)
  const full = await runToEnd(['--fsize=40960', BIN, 'backup', '--data', server.data, file], { bin: ['prlimit'] })
  assert.equal(full.code, 1, full.stderr)
  assert.match(full.stderr, /cannot write .*(full|large)/)
  assert.deepEqual(await readdir(dir), [])

  // Signals at all moments: each is whole, or not there.  The program may be faster than the signal.
  const ends = []
  for (let round = 0; round < 20 && !ends.some(({ code }) => code !== 0); round++) {
    ends.push(...await Promise.all(Array.from({ length: 20 }, async (_, i) => {
      const own = path.join(dir, `${round * 20 + i}.db`)
      const child = spawn(BIN, ['backup', '--data', server.data, own], { env: cleanEnv(), stdio: ['ignore', 'pipe', 'pipe'] })
      const ended = new Promise((resolve) => child.on('close', resolve))
      child.stderr.once('data', () => child.kill('SIGINT')) // it has begun
      const code = await within(ended, 'the backup to end')
      return { own, code }
    })))
  }
  const left = await readdir(dir)
  for (const { own, code } of ends) {
    assert.equal(left.includes(path.basename(own)), code === 0, `${own} ${code}`)
    if (code === 0) assert.equal(sqlite(own, 'PRAGMA integrity_check'), 'ok')
  }
  assert.deepEqual(left.filter((n) => !/^\d+\.db$/.test(n)), [])
  assert.ok(ends.some(({ code }) => code !== 0), 'some were given up')
})

test('a damaged database is not taken for a backup, a missing one is told', async (t) => {
  const server = await Server.start(t)
  await talk(server, 'kept', 100)
  await server.stop()
  const dir = await scratch(t)
  const data = await dataOf(dir, 'data', await server.database())
  const db = path.join(data, 'hubbub.db')
  const page = Number(sqlite(db, "SELECT rootpage FROM sqlite_schema WHERE name = 'events'"))
  const bytes = await readFile(db)
  bytes.fill(0xa5, (page - 1) * 4096, (page - 1) * 4096 + 200)
  await writeFile(db, bytes)
  const file = path.join(dir, 'a.db')
  const r = await run('backup', data, file)
  assert.equal(r.code, 1)
  assert.match(r.stderr, /is damaged/)
  const none = await run('backup', path.join(dir, 'nothing'), file)
  assert.equal(none.code, 1)
  assert.match(none.stderr, /cannot read .*nothing/)
  assert.deepEqual(await readdir(dir), ['data'])
  await server.start()
})

test('what each command takes is told, and what it does not take exits with 2', async (t) => {
  const dir = await scratch(t)
  for (const verb of ['backup', 'restore', 'check']) {
    const r = await runToEnd([verb, '--help'])
    assert.equal(r.code, 0)
    assert.match(r.stdout, new RegExp(`^hubbub ${verb}[^]*--data DIR[^]*--config FILE[^]*Exit status`))
    assert.ok((await runToEnd(['--help'])).stdout.includes(`hubbub ${verb}`))
  }
  for (const args of [['backup'], ['restore'], ['backup', 'a', 'b'], ['check', 'a'], ['restore', '--force', 'a'], ['check', '--force'], ['backup', 'a', '--nonsense'], ['check', '--data']]) {
    const r = await runToEnd(args, { cwd: dir })
    assert.equal(r.code, 2, args.join(' '))
    assert.equal(r.stdout, '')
  }
  assert.deepEqual(await readdir(dir), [])
})
