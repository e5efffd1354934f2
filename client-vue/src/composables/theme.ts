import { usePreferredDark } from '@vueuse/core'
import { computed, ref, watchEffect } from 'vue'
import { keep, recall } from '@/protocol/keep'

export type Theme = 'auto' | 'light' | 'dark'

const KEPT = 'hubbub.theme'
const choice = ref<Theme>(recall<Theme>(KEPT) ?? 'auto')

/** Follow the system's light or dark, or the user's choice over it. */
export function startTheme(): void {
  const prefersDark = usePreferredDark()
  const theme = computed(() => {
    if (choice.value !== 'auto') return choice.value
    return prefersDark.value ? 'dark' : 'light'
  })
  watchEffect(() => {
    document.documentElement.dataset['theme'] = theme.value
  })
}

export function useTheme() {
  function choose(theme: Theme): void {
    choice.value = theme
    keep(KEPT, theme === 'auto' ? null : theme)
  }
  return { choice, choose }
}
