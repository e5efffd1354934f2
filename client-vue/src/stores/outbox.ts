import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type { OutboxEntry } from '@/protocol/outbox'

/** The writes on their way, as the protocol client's outbox has them. */
export const useOutboxStore = defineStore('outbox', () => {
  const entries = shallowRef<readonly OutboxEntry[]>([])
  const waiting = computed(
    () => entries.value.filter((e) => e.state === 'waiting' || e.state === 'sending').length,
  )
  const failed = computed(() => entries.value.filter((e) => e.state === 'failed').length)

  function of(rid: string): OutboxEntry[] {
    return entries.value.filter((e) => e.rid === rid)
  }

  return { entries, waiting, failed, of }
})
