// hubbub restore: the old database or the new one, whole, and clients that start over.
import assert from 'node:assert/strict'
import { cp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { wholeLog } from './lib/log.mjs'
import { Server, runToEnd } from './lib/server.mjs'
import { run, runOk, scratch, sqlite, talk } from './lib/upkeep.mjs'

const MORTAL = process.env.HUBBUB_TEST_MORTAL ?? assert.fail('HUBBUB_TEST_MORTAL names the program that dies')

const send = (peer, room, n) => peer.ok({ op: 'send', room, key: `key ${n}`, text: `text ${n}` })

test('clients with more than the backup has get a reset, and converge', async (t) => {
  const server = await Server.start(t)
  const file = path.join(await scratch(t), 'a.db')
  const [ada, bob] = await server.room(['Ada', 'Bob'], 'kept')
  for (let i = 1; i <= 10; i++) await send(ada, 'kept', i)
  await runOk('backup', server.data, file)
  for (let i = 11; i <= 20; i++) await send(ada, 'kept', i)
  const { epoch } = await bob.ok({ op: 'history', room: 'kept' })
  await server.stop()
  const done = await runOk('restore', server.data, file)
  assert.match(done.stdout, /what was there before is .*hubbub\.db\.before-restore-\d{8}T\d{6}Z\n/)
  await server.start()

  const back = []
  for (const peer of [ada, bob]) {
    const again = await server.again(peer)
    // A cursor above the head, below it, and at it: each was of another log.
    for (const since of [20, 10, 3]) {
      const r = await again.ok({ op: 'join', room: 'kept', since, epoch })
      assert.deepEqual([r.state, r.head, r.events.length], ['reset', 10, 10])
      assert.notEqual(r.epoch, epoch)
    }
    back.push(again)
  }
  // What was never acknowledged is sent again under its key: what the backup has stays once, what it
  // has not gets a seq above its head.
  assert.deepEqual([(await send(back[0], 'kept', 10)).dup, (await send(back[0], 'kept', 10)).seq], [true, 10])
  assert.equal((await send(back[0], 'kept', 20)).seq, 11)
  assert.equal((await send(back[1], 'kept', 21)).seq, 12)
  const logs = await Promise.all(back.map((peer) => wholeLog(peer, 'kept')))
  assert.deepEqual(logs[0], logs[1])
  assert.deepEqual(logs[0].events.map((e) => e.text), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 21].map((n) => `text ${n}`))
  const joined = await back[0].ok({ op: 'join', room: 'kept' })
  const resumed = await back[0].ok({ op: 'join', room: 'kept', since: 11, epoch: joined.epoch })
  assert.deepEqual([resumed.state, resumed.events.length], ['complete', 1], 'under the new epoch they resume again')
})

test('it is refused while a server runs, and goes into a directory that is not there yet', async (t) => {
  const server = await Server.start(t)
  const dir = await scratch(t)
  const file = path.join(dir, 'a.db')
  const { head, ada } = await talk(server, 'kept')
  await runOk('backup', server.data, file)
  const refused = await run('restore', server.data, file)
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /a server runs on .*: stop it first/)
  await ada.ok({ op: 'history', room: 'kept' })

  const fresh = path.join(dir, 'new/place')
  const done = await runOk('restore', fresh, file)
  assert.doesNotMatch(done.stdout, /before/)
  assert.deepEqual((await readdir(fresh)).sort(), ['hubbub.db', 'lock'])
  const other = await Server.start(t, { data: fresh })
  const again = await other.again(ada)
  assert.equal((await again.ok({ op: 'join', room: 'kept' })).head, head)
})

test('a file that is no good backup changes nothing', async (t) => {
  const server = await Server.start(t)
  const { ada, head } = await talk(server, 'kept', 100)
  const dir = await scratch(t)
  const good = path.join(dir, 'good.db')
  await runOk('backup', server.data, good)
  await server.stop('SIGKILL') // its write-ahead log stays
  const files = async () => Object.fromEntries(await Promise.all((await readdir(server.data)).map(async (n) => [n, (await readFile(path.join(server.data, n))).toString('latin1')])))
  const before = await files()
  const whole = await readFile(good)
  const changed = (change) => {
    const bytes = Buffer.from(whole)
    return change(bytes) ?? bytes
  }
  const other = path.join(dir, 'other.db')
  sqlite(other, 'CREATE TABLE a(b)')
  const table = [
    ['an empty file', Buffer.alloc(0), /no database of Hubbub/],
    ['no database', Buffer.from('hello '.repeat(1000)), /cannot read|not a database|damaged/],
    ["another program's", await readFile(other), /no database of Hubbub/],
    ['a newer one', changed((b) => void b.writeUInt32BE(9999, 60)), /newer Hubbub/],
    ['half of it', changed((b) => b.subarray(0, 8192 * 2)), /damaged/],
    ['one with a bad page', changed((b) => void b.fill(0xa5, b.length - 4096, b.length - 2000)), /damaged|cannot/],
  ]
  for (const [name, bytes, says] of table) {
    const file = path.join(dir, 'bad.db')
    await writeFile(file, bytes)
    const r = await run('restore', server.data, file)
    assert.equal(r.code, 1, name)
    assert.match(r.stderr, says, name)
    assert.deepEqual(await files(), before, name)
  }
  const none = await run('restore', server.data, path.join(dir, 'none.db'))
  assert.match(none.stderr, /cannot read .*none\.db/)
  await server.start()
  assert.equal((await (await server.again(ada)).ok({ op: 'join', room: 'kept' })).head, head)
})

test('a damaged database with a damaged log makes room for a backup, and is kept', async (t) => {
  const server = await Server.start(t)
  const { ada, head } = await talk(server, 'kept', 100)
  const file = path.join(await scratch(t), 'a.db')
  await runOk('backup', server.data, file)
  await server.stop('SIGKILL')
  // Of one of the two alone SQLite makes what can be made: the log may hold every page.
  for (const name of ['hubbub.db', 'hubbub.db-wal']) await writeFile(path.join(server.data, name), 'this is no database '.repeat(1000))
  await runOk('restore', server.data, file)
  const names = await readdir(server.data)
  assert.ok(!names.includes('hubbub.db-wal'), 'the old log is not taken for the new one’s')
  const kept = names.filter((n) => /before-restore-\w+$/.test(n))
  assert.equal(kept.length, 1, names.join())
  assert.match(await readFile(path.join(server.data, kept[0]), 'latin1'), /^this is no database/)
  await server.start()
  assert.equal((await (await server.again(ada)).ok({ op: 'join', room: 'kept' })).head, head)
})

test('killed before any call that changes a file: the old database is there whole, or the new one', async (t) => {
  const server = await Server.start(t)
  const dir = await scratch(t)
  const backup = path.join(dir, 'a.db')
  const [ada] = await server.room(['Ada'], 'kept')
  await send(ada, 'kept', 1)
  await runOk('backup', server.data, backup)
  await send(ada, 'kept', 2)
  await server.stop('SIGKILL')
  const old = path.join(dir, 'old')
  await cp(server.data, old, { recursive: true })
  assert.ok((await stat(path.join(old, 'hubbub.db-wal'))).size > 0, 'what the backup has not is in the log')

  const data = path.join(dir, 'data')
  const heads = []
  let died = true
  for (let at = 1; died; at++) {
    assert.ok(at < 1000, 'it never came to its end')
    await rm(data, { recursive: true, force: true })
    await cp(old, data, { recursive: true })
    const r = await runToEnd(['restore', '--data', data, backup], { bin: [MORTAL], env: { HUBBUB_TEST_DIE_AT: String(at) } })
    died = r.signal === 'SIGKILL'
    assert.ok(died || r.code === 0, `${at}: ${r.stderr}`)
    assert.match((await runOk('check', data)).stdout, /nothing is wrong/, `killed before call ${at}`)
    heads.push(Number(sqlite(path.join(data, 'hubbub.db'), "SELECT head FROM rooms WHERE name = 'kept'")))
    if (at % 7 === 0) {
      await runOk('restore', data, backup) // a second try finds its way
      assert.equal(sqlite(path.join(data, 'hubbub.db'), 'SELECT max(seq) FROM events'), '1')
      assert.ok(!(await readdir(data)).includes('hubbub.db.restoring'))
    }
  }
  assert.deepEqual(heads, heads.toSorted((a, b) => b - a), 'the old one up to a call, the new one from there on')
  assert.deepEqual([heads[0], heads.at(-1)], [2, 1])
  t.diagnostic(`${heads.length - 1} calls`)
  const again = await Server.start(t, { data })
  assert.equal((await (await again.again(ada)).ok({ op: 'join', room: 'kept' })).head, 1)
  await server.start()
})

test('what was there before can be put back by a restore of its own', async (t) => {
  const server = await Server.start(t)
  const file = path.join(await scratch(t), 'a.db')
  const [ada] = await server.room(['Ada'], 'kept')
  await send(ada, 'kept', 1)
  await runOk('backup', server.data, file)
  await send(ada, 'kept', 2)
  await server.stop()
  await runOk('restore', server.data, file)
  const kept = (await readdir(server.data)).find((n) => n.includes('before-restore'))
  await runOk('restore', server.data, path.join(server.data, kept))
  await server.start()
  assert.equal((await (await server.again(ada)).ok({ op: 'join', room: 'kept' })).head, 2)
})
