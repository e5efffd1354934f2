import { openOutboxStore } from '@/protocol/outbox-store'

/** What is the browser's and not a user's. */
const OF_THE_BROWSER = new Set(['hubbub.theme'])
const OWNER = 'hubbub.user'

/**
 * Forget what others than @user have left in this browser: rooms, drafts, and writes not sent.
 * With null, everything is forgotten.
 */
export async function forgetOthers(user: string | null): Promise<void> {
  try {
    if (user === null || localStorage.getItem(OWNER) !== user) {
      const names = Object.keys(localStorage).filter((name) => name.startsWith('hubbub.'))
      for (const name of names) if (!OF_THE_BROWSER.has(name)) localStorage.removeItem(name)
    }
    if (user !== null) localStorage.setItem(OWNER, user)
  } catch {
    // A browser that keeps nothing has nothing to forget.
  }
  const store = await openOutboxStore()
  for (const entry of await store.all()) if (entry.user !== user) await store.remove(entry.key)
}
