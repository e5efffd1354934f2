import { computed, ref } from 'vue'
import { ApiError } from '@/protocol/api'

const MIN_PASSWORD = 8

/** A form whose fields are judged once it was sent, and whose request may be refused. */
export function useAccessForm(errors: () => Record<string, string>) {
  const tried = ref(false)
  const busy = ref(false)
  const refusal = ref('')
  const code = ref('')
  const shown = computed(() => (tried.value ? errors() : {}))

  async function send(request: () => Promise<void>): Promise<void> {
    tried.value = true
    refusal.value = code.value = ''
    if (busy.value || Object.values(errors()).some((e) => e !== '')) return
    busy.value = true
    try {
      await request()
    } catch (err) {
      code.value = err instanceof ApiError ? err.code : 'internal'
      refusal.value = err instanceof Error ? err.message : String(err)
      const ms = err instanceof ApiError ? err.retryMs : null
      if (ms !== null && ms > 1000) refusal.value += ` Try again in ${Math.ceil(ms / 1000)} s.`
    } finally {
      busy.value = false
    }
  }

  return { shown, busy, refusal, code, send }
}

export function judgeName(name: string): string {
  const n = [...name.trim()].length
  if (n === 0) return 'Say what others should call you.'
  return n > 40 ? 'At most 40 characters.' : ''
}

export const judgeLogin = (login: string): string =>
  /^\S+$/u.test(login.trim()) ? '' : 'An e-mail address, or a name without spaces.'

export const judgePassword = (password: string): string =>
  [...password].length < MIN_PASSWORD ? `At least ${MIN_PASSWORD} characters. A few words are best.` : ''
