// hubbub backup, restore and check, and the database by the sqlite3 program.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runToEnd } from './server.mjs'

export const sqlite = (file, sql) => execFileSync('sqlite3', [file, sql], { encoding: 'utf8' }).trim()

/** A directory that goes with the test. */
export async function scratch(t) {
  const dir = await mkdtemp(path.join(tmpdir(), 'hubbub-upkeep-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return dir
}

export async function run(verb, data, ...rest) {
  return runToEnd([verb, '--data', data, ...rest])
}

export async function runOk(verb, data, ...rest) {
  const r = await run(verb, data, ...rest)
  assert.equal(r.code, 0, `${verb}: ${r.code ?? r.signal} ${r.stdout} ${r.stderr}`)
  return r
}

/** A room with messages, edits, deletions, reactions, answers and mentions. */
export async function talk(server, room, n = 10) {
  const [ada, bob] = await server.room(['Ada', 'Bob'], room)
  const send = (peer, key, more) => peer.ok({ op: 'send', room, key, text: `text of ${key}`, ...more })
  for (let i = 1; i <= n; i++) await send(i % 3 === 0 ? bob : ada, `k${i}`, i > 1 ? { thread: 1 } : {})
  await send(ada, 'calling', { mentions: [bob.me.id] })
  await ada.ok({ op: 'edit', room, target: 1, text: 'edited', key: 'e1' })
  await ada.ok({ op: 'edit', room, target: 2, text: 'edited', key: 'e2' })
  await ada.ok({ op: 'delete', room, target: 2, key: 'd2' })
  for (const on of [true, false, true]) await bob.ok({ op: 'react', room, target: 1, emoji: '👍', on, key: `r${Math.random()}` })
  await ada.ok({ op: 'react', room, target: 1, emoji: '👍', on: true, key: 'r1' })
  await ada.ok({ op: 'react', room, target: 1, emoji: '🎉', on: true, key: 'r2' })
  await ada.ok({ op: 'react', room, target: 1, emoji: '🎉', on: false, key: 'r3' })
  await bob.ok({ op: 'react', room, target: 4, emoji: '🎉', on: true, key: 'r4' })
  await ada.ok({ op: 'delete', room, target: 4, key: 'd4' })
  const { head } = await bob.ok({ op: 'history', room })
  await bob.ok({ op: 'read', room, seq: head })
  return { ada, bob, head }
}
