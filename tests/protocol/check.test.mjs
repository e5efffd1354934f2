// hubbub check: what is right is taken for right, what is wrong is told.
import assert from 'node:assert/strict'
import { cp, mkdir, open, readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { Server } from './lib/server.mjs'
import { Sender } from './lib/sender.mjs'
import { run, runOk, scratch, sqlite, talk } from './lib/upkeep.mjs'

test('nothing is wrong with what the server wrote, while it serves and when it has stopped', async (t) => {
  const server = await Server.start(t)
  await talk(server, 'kept')
  const live = await runOk('check', server.data)
  assert.match(live.stdout, /^checked 1 rooms, \d+ events, 2 users: nothing is wrong\n$/)
  await server.stop()
  const file = await server.database()
  const before = await readFile(file)
  assert.equal((await runOk('check', server.data)).stdout, live.stdout)
  assert.ok((await readFile(file)).equals(before), 'it changes nothing')
  await server.start()
})

test('under load each check sees one moment, and nothing is wrong with it', async (t) => {
  const server = await Server.start(t)
  const senders = ['s0', 's1', 's2'].map((name) => new Sender(name, 'loaded'))
  await Promise.all(senders.map((s) => s.attach(server)))
  const running = Promise.all(senders.map((s) => s.run(() => {})))
  const events = []
  for (let i = 0; i < 5; i++) events.push(Number(/(\d+) events/.exec((await runOk('check', server.data)).stdout)[1]))
  await server.stop()
  await running
  assert.ok(events.at(-1) > events[0], `it was written to meanwhile: ${events}`)
  await server.start()
})

const damages = [
  // what is done, what must be told
  ["DELETE FROM events WHERE seq = 7", /room kept: 1 events missing from the log, the first is 7\n/],
  ["DELETE FROM events WHERE seq = 1", /room kept: 1 events missing from the log, the first is 1\n/],
  ['UPDATE rooms SET head = head + 3', /room kept: 1 head that is not the newest event, it is \d+, not \d+\n/],
  ['UPDATE rooms SET first = 3', /room kept: 2 events below the beginning of the log whose text is there, the first is 1\n/],
  ['UPDATE rooms SET n_messages = 99', /room kept: 1 count of messages that is wrong, it is 99, not 11\n/],
  ['UPDATE events SET ord = 50 WHERE seq = 5', /room kept: 1 events with a wrong ordinal, the first is 5\n/],
  ['UPDATE events SET own_ord = 50 WHERE seq = 5', /room kept: 1 messages with a wrong ordinal of their author, the first is 5\n/],
  ["DROP INDEX events_by_key; UPDATE events SET key = (SELECT key FROM events WHERE seq = 1) WHERE seq = 5", /database: the index events_by_key[^]*room kept: 1 events under a key that their author has used before, the first is 5\n/],
  ['DROP INDEX events_by_seq; UPDATE events SET seq = 4 WHERE seq = 5', /database: the index events_by_seq[^]*room kept: 1 events missing[^]*first is 5\n[^]*1 events under a seq that another has, the first is 4\n/],
  ['UPDATE events SET hash = NULL WHERE seq = 5', /room kept: 1 events without a key or the hash/],
  ['DELETE FROM rooms', /events of a room that is not there, the first is #1 1\n[^]*2 memberships in a room that is not there, the first is #1\n/],
  ['DELETE FROM users WHERE id = 1', /room kept: \d+ events of an author who is not there, the first is 1\n[^]*1 memberships of nobody, the first is of #1\n/],
  ['UPDATE events SET target = 500 WHERE kind = 2 AND seq = (SELECT min(seq) FROM events WHERE kind = 2)', /room kept: 1 edits, deletions and reactions without their message, the first is 12\n/],
  ['UPDATE events SET thread = 500 WHERE seq = 5', /room kept: 1 answers and quotes of what is no message, the first is 5\n/],
  ["INSERT INTO room_aliases(name, room) VALUES('old', 77)", /^1 names of rooms that are not there, the first is of #77\n/],
  ['UPDATE members SET read_seq = 500 WHERE user = 2', /room kept: 1 read markers above the head, the first is at 500\n/],
  ["UPDATE events SET body = 'back' WHERE seq = 2", /room kept: 1 deleted messages and edits of them whose text is there still, the first is 2\n/],
  ["UPDATE events SET body = 'back' WHERE kind = 2 AND target = 2", /room kept: 1 deleted messages and edits of them whose text is there still, the first is 13\n/],
  ['UPDATE events SET body = NULL WHERE seq = 3', /room kept: 1 messages and edits without a text, and not deleted, the first is 3\n/],
  ['DELETE FROM reactions WHERE user = 1', /room kept: 1 reactions that the log has and their table has not, the first is to 1\n[^]*kinds of reactions that are counted wrongly/],
  ["INSERT INTO reactions VALUES(1, 3, 'x', 1)", /room kept: 1 reactions that the log has not, the first is to 3\n/],
  ['UPDATE reaction_counts SET n = 9', /room kept: 1 kinds of reactions that are counted wrongly, the first is to 1\n/],
  ['INSERT INTO mentions VALUES(1, 1, 3)', /room kept: 1 mentions without their message, the first is in 3\n/],
  ["DELETE FROM meta WHERE k = 'epoch'", /database: the epoch is missing\n/],
]

test('each kind of damage is told, with its room and its place', async (t) => {
  const server = await Server.start(t)
  await talk(server, 'kept')
  await server.stop()
  const whole = await server.database()
  const dir = await scratch(t)
  for (const [i, [sql, says]] of damages.entries()) {
    const data = path.join(dir, String(i))
    await mkdir(data)
    await cp(whole, path.join(data, 'hubbub.db'))
    sqlite(path.join(data, 'hubbub.db'), sql)
    const r = await run('check', data)
    assert.equal(r.code, 1, `${sql}: ${r.stdout}${r.stderr}`)
    assert.match(r.stdout, says, sql)
    assert.match(r.stdout, /\nchecked .*: \d+ things are wrong\n$/, sql)
  }
  await server.start()
})

test('a damaged file is told, and a directory without a database', async (t) => {
  const server = await Server.start(t)
  await talk(server, 'kept', 100)
  await server.stop()
  const dir = await scratch(t)
  const file = path.join(dir, 'hubbub.db')
  await cp(await server.database(), file)
  // Turns the bytes of an index's page round, wherever it is.
  const page = Number(sqlite(file, "SELECT rootpage FROM sqlite_schema WHERE name = 'events_by_seq'"))
  const handle = await open(file, 'r+')
  await handle.write(Buffer.alloc(2000, 0xa5), 0, 2000, (page - 1) * 4096 + 2000)
  await handle.close()
  const r = await run('check', dir)
  assert.equal(r.code, 1, r.stdout + r.stderr)
  assert.match(r.stdout + r.stderr, /file: |damaged/)
  const empty = await run('check', await scratch(t))
  assert.equal(empty.code, 1)
  assert.match(empty.stderr, /cannot read .*hubbub\.db/)
  assert.ok((await stat(file)).size > 0)
  assert.deepEqual((await readdir(dir)).filter((n) => !n.startsWith('hubbub.db')), [])
  await server.start()
})
