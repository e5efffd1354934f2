import { ref } from 'vue'
import { wordsFor } from '@/composables/words'

/** One thing at a time that takes a while and may fail, and what to show of it. */
export function useTask(own: Record<string, string> = {}) {
  const busy = ref(false)
  const error = ref('')

  /** Runs @work unless something is under way; returns whether it was done. */
  async function run(work: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    error.value = ''
    try {
      await work()
      return true
    } catch (e) {
      error.value = wordsFor(e, own)
      return false
    } finally {
      busy.value = false
    }
  }

  return { busy, error, run }
}
