import { watchEffect } from 'vue'

/** The page's title: the room, and how much is unread before it. */
export function useTitle(parts: () => { room: string | null; unread: number; mentions: number }) {
  watchEffect(() => {
    const { room, unread, mentions } = parts()
    const badge = mentions > 0 ? `(@${mentions}) ` : unread > 0 ? `(${unread}) ` : ''
    document.title = `${badge}${room === null ? '' : `#${room} · `}Hubbub`
  })
}
