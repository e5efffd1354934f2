import { ref, watch, type Ref } from 'vue'
import { keep, recall } from '@/protocol/keep'

const nameOf = (rid: string) => `hubbub.draft.${rid}`

/** What has been written in a room and not sent, kept over reloads under the room's id. */
export function useDraft(rid: Ref<string>): Ref<string> {
  const text = ref('')
  watch(rid, (id) => (text.value = recall<string>(nameOf(id)) ?? ''), { immediate: true })
  watch(text, (value) => keep(nameOf(rid.value), value === '' ? null : value), { flush: 'sync' })
  return text
}
