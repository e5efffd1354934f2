// edit, delete, react: events of their own, and what they leave of the message.
import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { Server, sharedServer } from './lib/server.mjs'
import { fresh } from './lib/wait.mjs'

const server = sharedServer()
const key = () => fresh('k')

/** A room where Ada has written message 1, and Bob watches. */
async function roomWithMessage(text = 'original') {
  const [ada, bob] = await server.room()
  const room = ada.join.room
  await ada.ok({ op: 'send', room, key: key(), text })
  await bob.event('message')
  return { ada, bob, room }
}

test('an edit is an event of its own with the new text; the message in the log keeps the old', async () => {
  const { ada, bob, room } = await roomWithMessage()
  const reply = await ada.ok({ op: 'edit', room, target: 1, text: 'edited', key: key() })
  assert.equal(reply.seq, 2)
  const event = { ev: 'edit', room, seq: 2, ts: reply.ts, from: ada.me, target: 1, text: 'edited' }
  assert.deepEqual(await bob.event('edit'), event)
  const { events } = await bob.ok({ op: 'history', room })
  assert.deepEqual(events.map((e) => e.text), ['original', 'edited'])
  assert.deepEqual(events[1], event)
})

test('a delete takes the text of the message and of its edits out of the log', async () => {
  const { ada, bob, room } = await roomWithMessage()
  await ada.ok({ op: 'edit', room, target: 1, text: 'edited', key: key() })
  const reply = await ada.ok({ op: 'delete', room, target: 1, key: key() })
  assert.equal(reply.seq, 3)
  assert.deepEqual(await bob.event('delete'), { ev: 'delete', room, seq: 3, ts: reply.ts, from: ada.me, target: 1 })
  for (const { events } of [await bob.ok({ op: 'history', room }), await bob.ok({ op: 'join', room })]) {
    assert.deepEqual(events.map((e) => [e.ev, e.seq, e.from, 'text' in e, e.deleted]),
      [['message', 1, ada.me, false, true], ['edit', 2, ada.me, false, undefined], ['delete', 3, ada.me, false, undefined]])
    assert.equal(events[1].target, 1)
    for (const e of events) assert.ok(Number.isInteger(e.ts))
  }
})

test('a reaction carries the count of users with that emoji after it', async () => {
  const { ada, bob, room } = await roomWithMessage()
  const react = (who, emoji, on) => who.ok({ op: 'react', room, target: 1, emoji, on, key: key() })
  const steps = [[ada, '+', true, 1], [bob, '+', true, 2], [bob, '-', true, 1], [ada, '+', true, 2], [ada, '+', false, 1], [ada, '+', false, 1], [bob, '+', false, 0], [bob, '+', false, 0], [bob, '\u{1F44D}\u{1F3FD}', true, 1]]
  for (const [i, [who, emoji, on, count]] of steps.entries()) {
    const { seq, ts } = await react(who, emoji, on)
    assert.equal(seq, i + 2, 'a reaction that changes nothing is appended all the same')
    assert.deepEqual(await bob.event({ ev: 'react', seq }), { ev: 'react', room, seq, ts, from: who.me, target: 1, emoji, on, count })
  }
  const { events } = await ada.ok({ op: 'history', room, after: 1 })
  assert.deepEqual(events.map((e) => e.count), steps.map((s) => s[3]), 'the log says what was said')
})

test('one user on two connections counts once', async () => {
  const { ada, bob, room } = await roomWithMessage()
  const second = await server.again(ada)
  await second.ok({ op: 'join', room })
  for (const p of [ada, second]) await p.ok({ op: 'react', room, target: 1, emoji: '+', on: true, key: key() })
  await bob.event({ ev: 'react', seq: 2 })
  assert.equal((await bob.event({ ev: 'react', seq: 3 })).count, 1)
})

test('an emoji has 1 to 64 bytes', async () => {
  const { ada, room } = await roomWithMessage()
  for (const emoji of ['x', ':+1:', '\u{1F44D}'.repeat(16)]) await ada.ok({ op: 'react', room, target: 1, emoji, on: true, key: key() })
  for (const emoji of ['', 'x'.repeat(65), '\u{1F44D}'.repeat(16) + 'x']) await ada.refused({ op: 'react', room, target: 1, emoji, on: true, key: key() }, 'bad_request')
})

test('only the author edits and deletes; anyone reacts', async () => {
  const { bob, room } = await roomWithMessage()
  await bob.refused({ op: 'edit', room, target: 1, text: 'x', key: key() }, 'forbidden')
  await bob.refused({ op: 'delete', room, target: 1, key: key() }, 'forbidden')
  await bob.ok({ op: 'react', room, target: 1, emoji: '+', on: true, key: key() })
})

test('what is no message, or a deleted one, is not found', async () => {
  const { ada, bob, room } = await roomWithMessage()
  await ada.ok({ op: 'edit', room, target: 1, text: 'y', key: key() })
  await ada.ok({ op: 'react', room, target: 1, emoji: '+', on: true, key: key() })
  await ada.ok({ op: 'send', room, text: 'z', key: key() })
  await ada.ok({ op: 'delete', room, target: 4, key: key() })
  for (const target of [2, 3, 4, 5, 6, 1000, Number.MAX_SAFE_INTEGER]) {
    await ada.refused({ op: 'edit', room, target, text: 'x', key: key() }, 'not_found')
    await ada.refused({ op: 'delete', room, target, key: key() }, 'not_found')
    await bob.refused({ op: 'react', room, target, emoji: '+', on: true, key: key() }, 'not_found')
  }
  assert.equal((await ada.ok({ op: 'history', room })).head, 5)
  const other = fresh('other')
  await ada.ok({ op: 'join', room: other })
  await ada.refused({ op: 'edit', room: other, target: 1, text: 'x', key: key() }, 'not_found')
})

test('an edited message may be edited again, and by the author\'s other connection', async () => {
  const { ada, bob, room } = await roomWithMessage()
  const second = await server.again(ada)
  await second.ok({ op: 'join', room })
  await second.ok({ op: 'edit', room, target: 1, text: 'two', key: key() })
  await ada.ok({ op: 'edit', room, target: 1, text: 'three', key: key() })
  assert.equal((await bob.event({ ev: 'edit', seq: 2 })).text, 'two')
  assert.equal((await bob.event({ ev: 'edit', seq: 3 })).text, 'three')
  await ada.refused({ op: 'edit', room, target: 1, text: '', key: key() }, 'bad_request')
  await ada.refused({ op: 'edit', room, target: 1, text: 'x'.repeat(8001), key: key() }, 'too_large')
})

test('edits and deletes race: once deleted, nothing of the text comes back', async () => {
  const { ada, room } = await roomWithMessage()
  const replies = await Promise.all([
    ...Array.from({ length: 20 }, (_, i) => ada.request({ op: 'edit', room, target: 1, text: `v${i}`, key: key() })),
    ada.request({ op: 'delete', room, target: 1, key: key() }),
    ...Array.from({ length: 20 }, (_, i) => ada.request({ op: 'edit', room, target: 1, text: `w${i}`, key: key() })),
  ])
  assert.deepEqual(replies.map((r) => r.ok || r.err.code), [...Array(21).fill(true), ...Array(20).fill('not_found')])
  const { events } = await ada.ok({ op: 'history', room })
  assert.deepEqual(events.filter((e) => 'text' in e), [])
})

/** Which files under `dir` hold `word`, in plain UTF-8. */
async function filesWith(dir, word) {
  const found = []
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = path.join(entry.path, entry.name)
    if ((await readFile(file)).includes(word)) found.push(entry.name)
  }
  return found
}

test('deleted text is gone from the files after a clean stop, of long, short, edited messages alike', async (t) => {
  const own = await Server.start(t)
  const [ada] = await own.room(['Ada'], 'files')
  const secret = 'xylophoneunderwater', kept = 'marmaladekeptforever'
  const texts = [`${secret} short`, `${secret} `.repeat(300), `before ${secret}`]
  const seqs = []
  for (let i = 0; i < 60; i++) {
    const { seq } = await ada.ok({ op: 'send', room: 'files', key: key(), text: i % 3 === 2 ? `${kept} ${i}` : texts[i % 3] })
    if (i % 3 !== 2) seqs.push(seq)
    if (i % 3 === 1) await ada.ok({ op: 'edit', room: 'files', target: seq, text: `${secret} edited `.repeat(1 + (i % 50) * 5), key: key() })
  }
  assert.ok((await filesWith(own.data, secret)).length > 0, 'the search itself works')
  for (const target of seqs) await ada.ok({ op: 'delete', room: 'files', target, key: key() })
  await own.restart('SIGKILL') // what a crash left behind goes with the next clean stop
  await own.stop()
  assert.deepEqual(await filesWith(own.data, secret), [])
  assert.ok((await filesWith(own.data, kept)).length > 0)
  await own.start()
  const again = await own.again(ada)
  const join = await again.ok({ op: 'join', room: 'files', limit: 200 })
  assert.ok(!JSON.stringify(join.events).includes(secret))
  assert.equal(join.events.filter((e) => e.deleted).length, seqs.length)
})
