import { defineStore } from 'pinia'
import { shallowReactive } from 'vue'
import type { User } from '@/protocol/messages'

/** A name is shown for this long after its last sign of typing. */
const SHOWN_MS = 6_000

/** Who is writing in each room just now. */
export const useTypingStore = defineStore('typing', () => {
  const byRoom = shallowReactive(new Map<string, readonly User[]>())
  const timers = new Map<string, ReturnType<typeof setTimeout>>()

  function stopped(rid: string, user: string): void {
    const id = `${rid} ${user}`
    clearTimeout(timers.get(id))
    timers.delete(id)
    const users = byRoom.get(rid)
    if (users?.some((u) => u.id === user)) byRoom.set(rid, users.filter((u) => u.id !== user))
  }

  function started(rid: string, user: User): void {
    const id = `${rid} ${user.id}`
    clearTimeout(timers.get(id))
    timers.set(id, setTimeout(() => stopped(rid, user.id), SHOWN_MS))
    const users = byRoom.get(rid) ?? []
    if (!users.some((u) => u.id === user.id)) byRoom.set(rid, [...users, user])
  }

  function clear(): void {
    for (const timer of timers.values()) clearTimeout(timer)
    timers.clear()
    byRoom.clear()
  }

  return { byRoom, started, stopped, clear }
})
