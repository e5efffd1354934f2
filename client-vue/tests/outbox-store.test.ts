import 'fake-indexeddb/auto'
import { afterEach, expect, it, vi } from 'vitest'
import type { OutboxEntry } from '@/protocol/outbox'
import { MemoryStore, openOutboxStore } from '@/protocol/outbox-store'

const entry = (key: string): OutboxEntry => ({
  key,
  order: 1,
  user: 'u1',
  rid: 'r1',
  write: { op: 'send', text: 'hi', mentions: ['u2'] },
  created: 5,
  state: 'waiting',
  tries: 0,
})

afterEach(() => vi.unstubAllGlobals())

it('what is stored outlives the page that stored it', async () => {
  const store = await openOutboxStore()
  await store.put(entry('a'))
  await store.put({ ...entry('a'), tries: 1 })
  await store.put(entry('b'))
  await store.remove('b')
  const later = await openOutboxStore()
  expect(await later.all()).toEqual([{ ...entry('a'), tries: 1 }])
})

it('a browser without storage keeps the outbox in memory', async () => {
  vi.stubGlobal('indexedDB', {
    open() {
      throw new DOMException('no storage here', 'SecurityError')
    },
  })
  const store = await openOutboxStore()
  expect(store).toBeInstanceOf(MemoryStore)
  await store.put(entry('a'))
  expect(await store.all()).toHaveLength(1)
  await store.remove('a')
  expect(await store.all()).toEqual([])
})
