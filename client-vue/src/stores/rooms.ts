import { defineStore } from 'pinia'
import { computed, shallowReactive } from 'vue'
import type { RoomState } from '@/protocol/room-state'

/** The rooms that the user belongs to, as the protocol client has them. */
export const useRoomsStore = defineStore('rooms', () => {
  const byId = shallowReactive(new Map<string, RoomState>())

  const sorted = computed(() =>
    [...byId.values()].sort((a, b) => a.title.localeCompare(b.title, undefined, { numeric: true })),
  )
  const unread = computed(() => sorted.value.reduce((n, r) => n + r.unread, 0))
  const mentions = computed(() => sorted.value.reduce((n, r) => n + r.mentions, 0))

  function set(state: RoomState): void {
    byId.set(state.rid, state)
  }

  function remove(rid: string): void {
    byId.delete(rid)
  }

  return { byId, sorted, unread, mentions, set, remove }
})
