import { onMounted, ref } from 'vue'
import { askServer } from '@/protocol/api'
import { keep, recall } from '@/protocol/keep'
import { useSessionStore } from '@/stores/session'

const KEPT = 'hubbub.team'

/** What the team is called: as it was last time, until the server has answered. */
export function useTeamName() {
  const session = useSessionStore()
  const name = ref(recall<string>(KEPT) ?? 'Hubbub')

  onMounted(async () => {
    if (!session.hasAccount) {
      name.value = 'Hubbub'
      return
    }
    try {
      name.value = (await askServer()).team ?? 'Hubbub'
      keep(KEPT, name.value)
    } catch {
      // Offline: what was kept will do.
    }
  })
  return name
}
