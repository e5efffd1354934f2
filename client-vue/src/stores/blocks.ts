import { defineStore } from 'pinia'
import { computed, shallowRef, watch } from 'vue'
import { askBlocks, setBlock } from '@/protocol/api'
import type { User } from '@/protocol/messages'
import { useSessionStore } from './session'

/** Whom the user wants nothing of. */
export const useBlocksStore = defineStore('blocks', () => {
  const session = useSessionStore()
  const people = shallowRef<readonly User[]>([])
  const ids = computed<ReadonlySet<string>>(() => new Set(people.value.map((u) => u.id)))

  async function load(): Promise<void> {
    if (session.hasAccount) people.value = await askBlocks()
  }

  async function set(user: User, on: boolean): Promise<void> {
    await setBlock(user.id, on)
    people.value = [...people.value.filter((u) => u.id !== user.id), ...(on ? [user] : [])]
  }

  // With each new link: another device may have changed it.
  watch(
    () => session.link.phase,
    (phase) => phase === 'ready' && void load().catch(() => {}),
    { immediate: true },
  )

  return { people, ids, load, set }
})
