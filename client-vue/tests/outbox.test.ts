import { beforeEach, describe, expect, it } from 'vitest'
import { LinkDown } from '@/protocol/connection'
import type { Reply } from '@/protocol/messages'
import { Outbox, type OutboxEntry, type OutboxNote } from '@/protocol/outbox'
import { MemoryStore } from '@/protocol/outbox-store'
import { FakeEnv, settled } from './fakes'

interface Call {
  entry: OutboxEntry
  resolve(reply: Reply): void
  reject(error: Error): void
}

let env: FakeEnv
let store: MemoryStore
let calls: Call[]
let online: boolean
let notes: OutboxNote[]

beforeEach(() => {
  env = new FakeEnv()
  store = new MemoryStore()
  calls = []
  online = true
  notes = []
})

function tab(exclusive = (work: () => Promise<void>) => work()): Outbox {
  return new Outbox({
    env,
    store,
    send: (entry) => new Promise((resolve, reject) => calls.push({ entry, resolve, reject })),
    canSend: () => online,
    exclusive,
    onChange: () => undefined,
    tell: (note) => notes.push(note),
  })
}

async function opened(): Promise<Outbox> {
  const outbox = tab()
  await outbox.open('u1')
  return outbox
}

const send = (text: string) => ({ op: 'send' as const, text })
const ok = (seq: number, dup = false): Reply => ({ re: 1, ok: true, body: { seq, ts: 1, dup } })
const no = (code: string, retry_ms?: number): Reply => ({
  re: 1,
  ok: false,
  err: retry_ms === undefined ? { code, msg: code } : { code, msg: code, retry_ms },
})

async function answer(i: number, reply: Reply): Promise<void> {
  calls[i]!.resolve(reply)
  await settled()
}
const keys = () => calls.map((c) => c.entry.key)
const states = (o: Outbox) => o.entries.map((e) => `${e.key} ${e.state}`)

describe('the outbox', () => {
  it('stores a write before it sends it', async () => {
    const put: string[] = []
    const original = store.put.bind(store)
    store.put = async (entry) => {
      put.push(`${entry.key} ${calls.length}`)
      await original(entry)
    }
    const outbox = await opened()
    await outbox.add('a', 'r', send('hi'))
    await settled()
    expect(put[0]).toBe('a 0')
    expect(keys()).toEqual(['a'])
  })

  it('sends the writes of a room one at a time, in their order', async () => {
    const outbox = await opened()
    for (const key of ['a', 'b', 'c']) await outbox.add(key, 'r', send(key))
    await settled()
    expect(keys()).toEqual(['a'])
    await answer(0, ok(1))
    expect(keys()).toEqual(['a', 'b'])
    await answer(1, ok(2))
    await answer(2, ok(3))
    expect(states(outbox)).toEqual(['a sent', 'b sent', 'c sent'])
    expect(await store.all()).toEqual([])
  })

  it('lets rooms not wait for each other', async () => {
    online = false
    const outbox = await opened()
    await outbox.add('a', 'r1', send('a'))
    await outbox.add('b', 'r2', send('b'))
    online = true
    outbox.flush()
    await settled()
    expect(keys()).toEqual(['a', 'b'])
  })

  it('sends a room’s write that was added while another room’s is under way', async () => {
    const outbox = await opened()
    await outbox.add('a', 'r1', send('a'))
    await settled()
    await outbox.add('b', 'r2', send('b'))
    await settled()
    expect(keys()).toEqual(['a', 'b'])
  })

  it('keeps what was sent until the room’s log has it', async () => {
    const outbox = await opened()
    await outbox.add('a', 'r', send('a'))
    await settled()
    await answer(0, ok(7))
    outbox.forgetSent('r', 6)
    expect(states(outbox)).toEqual(['a sent'])
    outbox.forgetSent('r', 7)
    expect(states(outbox)).toEqual([])
  })

  it('sends again under the same key when the link broke before the answer', async () => {
    const outbox = await opened()
    await outbox.add('a', 'r', send('a'))
    await settled()
    online = false
    calls[0]!.reject(new LinkDown())
    await settled()
    expect(states(outbox)).toEqual(['a waiting'])
    online = true
    await env.pass(100)
    expect(keys()).toEqual(['a', 'a'])
    await answer(1, ok(4, true))
    expect(states(outbox)).toEqual(['a sent'])
  })

  it('waits as long as it was told, whatever the clock says', async () => {
    const outbox = await opened()
    await outbox.add('a', 'r', send('a'))
    await settled()
    await answer(0, no('unavailable', 1000))
    env.jump(-86_400_000)
    await env.pass(500)
    expect(keys()).toEqual(['a'])
    await env.pass(60_000)
    expect(keys()).toEqual(['a', 'a'])
    await answer(1, no('unavailable', 60_000))
    env.jump(86_400_000)
    outbox.flush()
    await settled()
    expect(keys()).toEqual(['a', 'a'])
    await env.pass(600_000)
    expect(keys()).toEqual(['a', 'a', 'a'])
  })

  it('takes up after a reload what was left, in order', async () => {
    online = false
    const before = await opened()
    await before.add('a', 'r', send('a'))
    await before.add('b', 'r', send('b'))
    online = true
    const after = await opened()
    await settled()
    await answer(0, ok(1))
    await answer(1, ok(2))
    expect(keys()).toEqual(['a', 'b'])
    expect(states(after)).toEqual(['a sent', 'b sent'])
  })

  it('leaves the writes of another user alone', async () => {
    online = false
    await (await opened()).add('a', 'r', send('a'))
    online = true
    const other = tab()
    await other.open('u2')
    await settled()
    expect(other.entries).toEqual([])
    expect(keys()).toEqual([])
  })

  it.each(['unavailable', 'rate_limited', 'internal'])('waits out %s, under the same key', async (code) => {
    const outbox = await opened()
    await outbox.add('a', 'r', send('a'))
    await outbox.add('b', 'r', send('b'))
    await settled()
    await answer(0, no(code, 1200))
    expect(outbox.entries[0]).toMatchObject({ state: 'waiting', reason: code })
    outbox.flush()
    await env.pass(1199)
    expect(keys()).toEqual(['a'])
    await env.pass(1)
    expect(keys()).toEqual(['a', 'a'])
    await answer(1, ok(1))
    expect(keys()).toEqual(['a', 'a', 'b'])
  })

  it('does not take an internal error for passing for ever', async () => {
    const outbox = await opened()
    await outbox.add('a', 'r', send('a'))
    await settled()
    for (let i = 0; i < 5; i++) {
      await answer(i, no('internal', 10))
      await env.pass(10)
    }
    expect(states(outbox)).toEqual(['a failed'])
  })

  it.each(['key_conflict', 'forbidden', 'too_large', 'not_found', 'bad_request'])(
    'fails on %s, says so, and goes on with the next',
    async (code) => {
      const outbox = await opened()
      await outbox.add('a', 'r', send('a'))
      await outbox.add('b', 'r', send('b'))
      await settled()
      await answer(0, no(code))
      expect(outbox.entries[0]).toMatchObject({ state: 'failed', reason: code, detail: code })
      expect(keys()).toEqual(['a', 'b'])
    },
  )

  it('tries a failed write again under its key, or drops it for good', async () => {
    const outbox = await opened()
    await outbox.add('a', 'r', send('a'))
    await settled()
    await answer(0, no('forbidden'))
    await outbox.retry('a')
    await settled()
    expect(keys()).toEqual(['a', 'a'])
    expect(outbox.entries[0]!.reason).toBeUndefined()
    await answer(1, no('forbidden'))
    await outbox.discard('a')
    expect(outbox.entries).toEqual([])
    expect(await store.all()).toEqual([])
  })

  it('does not drop a write that is under way', async () => {
    const outbox = await opened()
    await outbox.add('a', 'r', send('a'))
    await settled()
    await outbox.discard('a')
    expect(states(outbox)).toEqual(['a sending'])
  })

  it('does not send, nor spin, while the next write is still being stored', async () => {
    const outbox = await opened()
    await outbox.add('a', 'r', send('a'))
    await settled()
    let stored = () => {}
    const put = store.put.bind(store)
    store.put = (entry) =>
      entry.key === 'b' && entry.tries === 0
        ? new Promise((resolve) => (stored = () => resolve(put(entry))))
        : put(entry)
    const adding = outbox.add('b', 'r', send('b'))
    await answer(0, ok(1))
    outbox.flush()
    await settled()
    expect(keys()).toEqual(['a'])
    stored()
    await adding
    await settled()
    expect(keys()).toEqual(['a', 'b'])
  })

  it('sends from memory what the storage has no room for', async () => {
    store.put = () => Promise.reject(new Error('quota'))
    const outbox = await opened()
    await outbox.add('a', 'r', send('a'))
    await settled()
    await answer(0, ok(1))
    expect(states(outbox)).toEqual(['a sent'])
  })
})

describe('two tabs', () => {
  it('send each write once when one waits for the other', async () => {
    let last = Promise.resolve()
    const exclusive = (work: () => Promise<void>) => (last = last.then(work))
    online = false
    const one = tab(exclusive)
    await one.open('u1')
    await one.add('a', 'r', send('a'))
    const two = tab(exclusive)
    await two.open('u1')
    online = true
    one.flush()
    two.flush()
    await settled()
    await answer(0, ok(1))
    await settled()
    expect(keys()).toEqual(['a'])
    expect(states(two)).toEqual([])
  })

  it('tell each other what was written and what became of it', async () => {
    online = false
    const one = await opened()
    const two = await opened()
    await one.add('a', 'r', send('a'))
    two.onNote(notes.at(-1)!)
    await settled()
    expect(states(two)).toEqual(['a waiting'])
    online = true
    one.flush()
    await settled()
    await answer(0, ok(3))
    two.onNote(notes.at(-1)!)
    expect(states(two)).toEqual(['a sent'])
    two.forgetSent('r', 3)
    expect(states(two)).toEqual([])
  })
})
