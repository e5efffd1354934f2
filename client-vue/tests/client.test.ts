import { beforeEach, describe, expect, it } from 'vitest'
import { Client } from '@/protocol/client'
import { newKey } from '@/protocol/key'
import { MemoryStore } from '@/protocol/outbox-store'
import type { RoomState } from '@/protocol/room-state'
import { FakeEnv, FakeSocket, HELLO, settled } from './fakes'

let env: FakeEnv
let sockets: FakeSocket[]
let missed: number[]
let gone: string[]
let client: Client

const socket = () => sockets.at(-1)!
const room = (): RoomState => client.rooms.get('r1')!
const shown = () => room().log.messages.map((m) => m.text)

const bob = { id: 'u2', name: 'Bob' }
const msg = (seq: number, from = bob, mentions: string[] = []) => ({
  ev: 'message',
  room: 'general',
  seq,
  ts: seq,
  from,
  text: `m${seq}`,
  mentions,
})
const run = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, i) => msg(first + i))
const entry = (head: number, read = head, unread = 0) => ({
  room: 'general',
  rid: 'r1',
  head,
  epoch: 'e1',
  read,
  unread,
  mentions: 0,
})
const joined = (head: number, events: object[] = [], state = 'complete', epoch = 'e1') => ({
  room: 'general',
  rid: 'r1',
  title: 'General',
  epoch,
  head,
  first: 1,
  topic: '',
  state,
  events,
  members: [bob],
  online: 2,
})
const history = (head: number, events: object[], more = false, epoch = 'e1') => ({
  events,
  head,
  first: 1,
  epoch,
  more,
})

beforeEach(() => {
  env = new FakeEnv()
  sockets = []
  missed = []
  gone = []
  client = new Client({
    env,
    open() {
      sockets.push(new FakeSocket())
      return socket()
    },
    credentials: () => ({ token: 'secret' }),
    outbox: {
      store: new MemoryStore(),
      exclusive: (work) => work(),
      onChange: () => undefined,
      tell: () => undefined,
    },
    onLink: () => undefined,
    onHello: (hello) => void client.outbox.open(hello.me.id),
    onRefused: () => 'stop',
    onRoom: () => undefined,
    onGone: (rid) => gone.push(rid),
    onTyping: () => undefined,
    onLive: () => undefined,
    onCaughtUp: (n) => missed.push(n),
  })
})

async function hello(...rooms: object[]): Promise<void> {
  if (sockets.length === 0) client.connection.connect()
  await socket().open()
  await socket().answer('hello', { ...HELLO, rooms })
}

/** In the room, with messages 1 to @head shown. */
async function inRoom(head: number): Promise<void> {
  await hello(entry(head))
  await socket().answer('join', joined(head))
  const load = client.rooms.loadNewest('r1')
  await socket().answer('history', history(head, run(1, head)))
  await load
}

async function reconnect(head: number): Promise<void> {
  await socket().drop()
  client.connection.nudge()
  await hello(entry(head))
}

describe('resuming', () => {
  it('joins from where the log was read to, and takes what was missed in its order', async () => {
    await inRoom(3)
    await socket().say(msg(4))
    await reconnect(6)
    expect(socket().last('join')).toMatchObject({ room: '~r1', since: 4, epoch: 'e1' })
    await socket().answer('join', joined(6, run(5, 6)))
    await socket().say(msg(7))
    expect(shown()).toEqual(['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7'])
    expect(missed).toEqual([2])
  })

  it('asks for its rooms in the same breath as it says hello, once', async () => {
    await inRoom(3)
    await socket().drop()
    client.connection.nudge()
    await socket().open()
    expect(socket().sent.map((r) => r.op)).toEqual(['hello', 'join'])
    expect(room().joined).toBe(false)
    await socket().answer('hello', { ...HELLO, rooms: [entry(4)] })
    await socket().answer('join', joined(4, run(4, 4)))
    expect(socket().all('join')).toHaveLength(1)
    expect(room().joined).toBe(true)
    expect(shown()).toEqual(['m1', 'm2', 'm3', 'm4'])
    expect(missed).toEqual([1])
  })

  it('asks again for a room that was refused before hello was answered', async () => {
    await inRoom(1)
    await socket().drop()
    client.connection.nudge()
    await socket().open()
    await socket().refuse('join', { code: 'unavailable', msg: 'busy', retry_ms: 1 })
    await socket().answer('hello', { ...HELLO, rooms: [entry(2)] })
    await socket().answer('join', joined(2, run(2, 2)))
    expect(socket().all('join')).toHaveLength(2)
    expect(shown()).toEqual(['m1', 'm2'])
  })

  it('pages on after a partial answer, and holds live events back meanwhile', async () => {
    await inRoom(1)
    await reconnect(9)
    await socket().answer('join', joined(9, run(2, 4), 'partial'))
    expect(socket().last('history')).toMatchObject({ room: '~r1', after: 4 })
    await socket().say(msg(10))
    await socket().answer('history', history(10, run(5, 8), true))
    expect(room().log.cursor).toBe(8)
    await socket().answer('history', history(10, [msg(9), msg(10)]))
    await socket().say(msg(11))
    expect(shown()).toEqual(run(1, 11).map((m) => m.text))
  })

  it('goes on from the same place when the link breaks while it pages', async () => {
    await inRoom(1)
    await reconnect(6)
    await socket().answer('join', joined(6, run(2, 3), 'partial'))
    await socket().say(msg(7))
    await reconnect(7)
    expect(socket().last('join')).toMatchObject({ since: 3 })
    await socket().answer('join', joined(7, run(4, 7)))
    expect(shown()).toEqual(run(1, 7).map((m) => m.text))
  })

  it('starts over when the database is another one', async () => {
    await inRoom(5)
    await reconnect(2)
    await socket().answer('join', joined(2, run(1, 2), 'reset', 'e2'))
    await socket().answer('history', history(2, [{ ...msg(1), text: 'restored' }], false, 'e2'))
    expect(shown()).toEqual(['restored'])
    expect(room()).toMatchObject({ epoch: 'e2', log: { cursor: 2 } })
  })

  it('shows the newest page when far too much was missed to replay', async () => {
    await inRoom(3)
    await reconnect(5000)
    await socket().answer('join', joined(5000, run(4, 6), 'partial'))
    expect(socket().last('history')).toMatchObject({ fold: true })
    await socket().answer('history', history(5000, run(4990, 5000), true))
    await socket().say(msg(5001))
    expect(shown().at(0)).toBe('m4990')
    expect(shown().at(-1)).toBe('m5001')
    expect(room().log.hasOlder).toBe(true)
  })

  it('reads what a hole in the live events left out', async () => {
    await inRoom(1)
    await socket().say(msg(4))
    expect(shown()).toEqual(['m1'])
    await socket().answer('history', history(4, run(2, 4)))
    expect(shown()).toEqual(['m1', 'm2', 'm3', 'm4'])
  })

  it('asks for the messages again when more came meanwhile than it remembers', async () => {
    await hello(entry(0))
    await socket().answer('join', joined(0))
    const load = client.rooms.loadNewest('r1')
    const first = socket().last('history')
    for (const m of run(1, 1001)) await socket().say(m)
    await socket().say({ re: first.id, ok: true, ...history(0, []) })
    expect(socket().all('history')).toHaveLength(2)
    await socket().answer('history', history(1001, run(990, 1001), true))
    await load
    expect(shown().at(-1)).toBe('m1001')
  })
})

describe('counting', () => {
  it('adds messages of others to what hello said, each once', async () => {
    await hello(entry(4, 1, 3))
    await socket().answer('join', joined(5, [msg(5)]))
    await socket().say(msg(6, bob, ['u1']))
    await socket().say(msg(7, { id: 'u1', name: 'Ada' }))
    expect(room()).toMatchObject({ unread: 5, mentions: 1 })
  })

  it('does not count again after a new link what hello has in its count', async () => {
    await inRoom(3)
    await socket().drop()
    client.connection.nudge()
    await hello(entry(5, 3, 2))
    await socket().answer('join', joined(6, run(4, 6)))
    expect(room().unread).toBe(3)
  })

  it('is nothing once the newest was seen, here or in another tab', async () => {
    await hello(entry(4, 1, 3))
    await socket().answer('join', joined(4))
    client.markRead('r1', 4)
    expect(room()).toMatchObject({ read: 4, unread: 0 })
    expect(socket().last('read')).toMatchObject({ room: '~r1', seq: 4 })
    await socket().say(msg(5))
    await socket().say({ ev: 'read', room: 'general', seq: 5 })
    expect(room().unread).toBe(0)
  })

  it('keeps a marker that was moved while the link was down, and tells it later', async () => {
    await inRoom(3)
    await socket().say(msg(4))
    await socket().drop()
    client.markRead('r1', 4)
    await settled()
    client.connection.nudge()
    await hello(entry(4, 3, 1))
    expect(room()).toMatchObject({ read: 4, unread: 0 })
    await socket().answer('join', joined(4))
    expect(socket().last('read')).toMatchObject({ seq: 4 })
  })
})

describe('asking too soon', () => {
  const soon = { code: 'rate_limited', msg: 'too many', retry_ms: 700 }

  it('joins again when the server said, and takes what was missed', async () => {
    await inRoom(1)
    await reconnect(3)
    await socket().refuse('join', soon)
    expect(room().joined).toBe(false)
    await env.pass(699)
    const asked = socket().all('join').length
    await env.pass(1)
    expect(socket().all('join')).toHaveLength(asked + 1)
    await socket().answer('join', joined(3, run(2, 3)))
    expect(room().joined).toBe(true)
    expect(shown()).toEqual(['m1', 'm2', 'm3'])
  })

  it('reads on in a history that was refused half way', async () => {
    await inRoom(1)
    await reconnect(5)
    await socket().answer('join', joined(5, run(2, 3), 'partial'))
    await socket().refuse('history', soon)
    await socket().say(msg(6))
    await env.pass(700)
    await socket().refuse('history', { ...soon, retry_ms: 50 })
    await env.pass(50)
    expect(socket().all('history').slice(-3)).toMatchObject([{ after: 3 }, { after: 3 }, { after: 3 }])
    await socket().answer('history', history(6, run(4, 6)))
    expect(shown()).toEqual(run(1, 6).map((m) => m.text))
  })

  it('asks again one behind the other, and does not wait twice', async () => {
    await hello(entry(0))
    await socket().answer('join', joined(0))
    const found: string[] = []
    for (const name of ['one', 'two', 'three']) {
      void client.search(name).then(() => found.push(name))
      await socket().refuse('rooms', soon)
    }
    const asked = () => socket().all('rooms').length
    await env.pass(700)
    expect(asked()).toBe(4)
    await socket().answer('rooms', { rooms: [] })
    expect(asked()).toBe(5)
    await socket().answer('rooms', { rooms: [] })
    await socket().answer('rooms', { rooms: [] })
    expect(found).toEqual(['one', 'two', 'three'])
  })

  it('leaves it to a new link when the old one breaks meanwhile', async () => {
    await inRoom(1)
    await reconnect(2)
    await socket().refuse('join', soon)
    await reconnect(3)
    await env.pass(700)
    expect(socket().all('join')).toHaveLength(1)
    await socket().answer('join', joined(3, run(2, 3)))
    expect(shown()).toEqual(['m1', 'm2', 'm3'])
  })

  it('does not repeat that someone was typing', async () => {
    await inRoom(1)
    client.typing('r1')
    await socket().refuse('typing', soon)
    await env.pass(5000)
    expect(socket().all('typing')).toHaveLength(1)
  })
})

describe('rooms', () => {
  it('are found by any spelling of their name', async () => {
    await inRoom(1)
    expect(client.rooms.find(' ＧＥＮＥＲＡＬ ')?.rid).toBe('r1')
    expect(client.rooms.find('~r1')?.rid).toBe('r1')
  })

  it('go on under a new name after a rename, also for events that carry it', async () => {
    await inRoom(1)
    await socket().say({ ev: 'rename', room: 'lobby', seq: 2, ts: 2, from: bob, was: 'general' })
    await socket().say({ ...msg(3), room: 'lobby' })
    expect(room()).toMatchObject({ room: 'lobby', log: { cursor: 3 } })
  })

  it('joined for the first time count nothing as unread', async () => {
    await hello()
    const join = client.joinByName('General')
    await socket().answer('join', joined(7, [msg(7)], 'partial'))
    expect(await join).toMatchObject({ rid: 'r1', unread: 0, read: 7, joined: true })
  })

  it('know who is here', async () => {
    await inRoom(1)
    const eve = { id: 'u3', name: 'Eve' }
    await socket().say({ ev: 'presence', room: 'general', join: [eve], leave: [bob], online: 2 })
    expect(room().members).toEqual([eve])
    await socket().say({ ev: 'presence', room: 'general', online: 900 })
    expect(room()).toMatchObject({ online: 900, members: [eve] })
  })
})

describe('writing', () => {
  it('waits for the join after a new link, then sends under the same key, in order', async () => {
    await inRoom(1)
    await socket().drop()
    for (const key of ['k1', 'k2']) await client.outbox.add(key, 'r1', { op: 'send', text: key })
    client.connection.nudge()
    await hello(entry(1))
    await env.pass(200)
    expect(socket().all('send')).toHaveLength(0)
    await socket().answer('join', joined(1))
    expect(socket().last('send')).toMatchObject({ room: '~r1', key: 'k1', text: 'k1' })
    await socket().answer('send', { seq: 2, ts: 2 })
    expect(socket().last('send')).toMatchObject({ key: 'k2' })
    expect(client.outbox.entries.map((e) => e.state)).toEqual(['sent', 'sending'])
    await socket().say({ ...msg(2, { id: 'u1', name: 'Ada' }), text: 'k1' })
    expect(client.outbox.entries.map((e) => e.key)).toEqual(['k2'])
    expect(shown()).toEqual(['m1', 'k1'])
  })

  it('goes out again under the same key, acknowledged or not, when a backup was restored', async () => {
    await inRoom(3)
    for (const key of ['k1', 'k2']) await client.outbox.add(key, 'r1', { op: 'send', text: key })
    await socket().answer('send', { seq: 4, ts: 4 })
    expect(client.outbox.entries.map((e) => e.state)).toEqual(['sent', 'sending'])
    await reconnect(2)
    await env.pass(200)
    await socket().answer('join', joined(2, run(1, 2), 'reset', 'e2'))
    await socket().answer('history', history(2, run(1, 2), false, 'e2'))
    await env.pass(200)
    expect(socket().last('send')).toMatchObject({ key: 'k1', text: 'k1' })
    await socket().answer('send', { seq: 3, ts: 5 })
    expect(socket().last('send')).toMatchObject({ key: 'k2' })
    await socket().answer('send', { seq: 4, ts: 5 })
    const ada = { id: 'u1', name: 'Ada' }
    await socket().say({ ...msg(3, ada), text: 'k1' })
    await socket().say({ ...msg(4, ada), text: 'k2' })
    expect(client.outbox.entries).toEqual([])
    expect(shown()).toEqual(['m1', 'm2', 'k1', 'k2'])
  })
})

describe('a room that a restored backup does not have', () => {
  it('is joined again by its name, and what was to be said there is said', async () => {
    await inRoom(2)
    await socket().drop()
    await client.outbox.add('k1', 'r1', { op: 'send', text: 'k1' })
    await client.outbox.add('k2', 'r1', { op: 'react', target: 1, emoji: 'x', on: true })
    client.connection.nudge()
    await hello()
    const notThere = { code: 'not_found', msg: 'There is no such room.' }
    await socket().refuse('join', notThere)
    await socket().refuse('join', notThere)
    expect(socket().last('join')).toMatchObject({ room: 'General', limit: 1 })
    await socket().answer('join', { ...joined(0, [], 'complete', 'e2'), rid: 'r2' })
    await env.pass(200)
    expect(gone).toEqual(['r1'])
    expect(client.rooms.all().map((r) => [r.rid, r.joined])).toEqual([['r2', true]])
    expect(socket().last('send')).toMatchObject({ room: '~r2', key: 'k1', text: 'k1' })
    expect(socket().all('react')).toHaveLength(0)
    expect(client.outbox.entries.map((e) => [e.key, e.state])).toEqual([
      ['k1', 'sending'],
      ['k2', 'failed'],
    ])
  })
})

describe('keys', () => {
  it('are UUIDs of version 7 that sort by their time', () => {
    expect(newKey(0x0123456789ab)).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(newKey(1000) < newKey(2000)).toBe(true)
    expect(newKey()).not.toBe(newKey())
  })
})
