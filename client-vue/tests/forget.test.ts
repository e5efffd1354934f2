// Who comes next finds nothing of who was there before.
import 'fake-indexeddb/auto'
import { beforeEach, expect, it, vi } from 'vitest'
import type { OutboxEntry } from '@/protocol/outbox'
import { openOutboxStore } from '@/protocol/outbox-store'
import { forgetOthers } from '@/stores/forget'

const entry = (key: string, user: string): OutboxEntry => ({
  key,
  order: 1,
  user,
  rid: 'r1',
  write: { op: 'send', text: 'kept' },
  created: 1,
  state: 'waiting',
  tries: 0,
})

/** The values are properties, as those of a browser's are. */
class FakeStorage {
  [name: string]: unknown
  getItem(name: string) {
    return (this[name] as string | undefined) ?? null
  }
  setItem(name: string, value: string) {
    this[name] = value
  }
  removeItem(name: string) {
    delete this[name]
  }
}

const names = () => Object.keys(localStorage).sort()
const kept = async () => (await (await openOutboxStore()).all()).map((e) => e.key).sort()

beforeEach(async () => {
  vi.stubGlobal('localStorage', new FakeStorage())
  const store = await openOutboxStore()
  await store.put(entry('a', 'u1'))
  await store.put(entry('b', 'u2'))
  await forgetOthers('u1')
  for (const name of ['hubbub.rooms', 'hubbub.draft.r1', 'hubbub.theme', 'other']) localStorage.setItem(name, '1')
})

it('keeps what is of the same user', async () => {
  await forgetOthers('u1')
  expect(names()).toEqual(['hubbub.draft.r1', 'hubbub.rooms', 'hubbub.theme', 'hubbub.user', 'other'])
  expect(await kept()).toEqual(['a'])
})

it('forgets rooms, drafts and unsent writes of another', async () => {
  await forgetOthers('u2')
  expect(names()).toEqual(['hubbub.theme', 'hubbub.user', 'other'])
  expect(await kept()).toEqual([])
})

it('forgets everything when somebody signs out', async () => {
  await forgetOthers(null)
  expect(names()).toEqual(['hubbub.theme', 'other'])
  expect(await kept()).toEqual([])
})
