import { ref, watch } from 'vue'
import { LinkDown } from '@/protocol/connection'
import { useChatStore } from '@/stores/chat'
import { useRoomsStore } from '@/stores/rooms'

/** The loading of a room's messages, one page at a time. */
export function useRoomLog(rid: string) {
  const chat = useChatStore()
  const rooms = useRoomsStore()
  const busy = ref(false)

  async function once(work: () => Promise<void> | undefined): Promise<void> {
    if (busy.value) return
    busy.value = true
    try {
      await work()
    } catch (e) {
      // The link broke, or the server cannot just now: joining again or scrolling asks anew.
      if (!(e instanceof LinkDown)) console.warn('history:', e)
    } finally {
      busy.value = false
    }
  }

  const load = () => once(() => chat.client?.rooms.loadNewest(rid))
  watch(
    () => rooms.byId.get(rid)?.joined === true && !rooms.byId.get(rid)?.log.loaded,
    (needed) => {
      if (needed) void load()
    },
    { immediate: true },
  )

  return {
    busy,
    older: () => once(() => chat.client?.rooms.loadOlder(rid)),
    newer: () => once(() => chat.client?.rooms.loadNewer(rid)),
    newest: () => once(() => chat.client?.rooms.loadNewest(rid, true)),
  }
}
