import { useNow } from '@vueuse/core'
import { computed, type Ref } from 'vue'
import type { DownReason, Link, StopReason } from '@/protocol/connection'

const DOWN: Record<DownReason, string> = {
  unreachable: 'Cannot reach the server.',
  lost: 'No connection.',
  silent: 'The server went silent.',
  restarting: 'The server is restarting.',
  slow: 'The link was too slow and was cut.',
  session: 'The session ended.',
  refused: 'The server is busy.',
}

const STOPPED: Record<StopReason, string> = {
  banned: 'You were signed out by the server.',
  protocol: 'This page and the server do not understand each other. Reload the page.',
  credentials: 'The server did not accept your name.',
}

export interface StripText {
  title: string
  detail: string
  kind: 'warn' | 'good'
  canTry: boolean
}

/** What the strip under the header says of the link; null while there is nothing to say. */
export function useLinkText(link: Ref<Link>, caughtUp: Ref<number | null>, online: Ref<boolean>) {
  const now = useNow({ interval: 500 })
  return computed<StripText | null>(() => {
    const l = link.value
    if (l.phase === 'waiting') {
      const s = Math.max(1, Math.ceil((l.retryAt - now.value.getTime()) / 1000))
      const title = online.value ? DOWN[l.reason] : 'This device is offline.'
      return { title, detail: `Next try in ${s} s.`, kind: 'warn', canTry: true }
    }
    if (l.phase === 'connecting' && l.after !== null) {
      return { title: DOWN[l.after], detail: 'Connecting…', kind: 'warn', canTry: false }
    }
    if (l.phase === 'stopped') {
      return { title: STOPPED[l.reason], detail: '', kind: 'warn', canTry: l.reason !== 'protocol' }
    }
    if (l.phase === 'ready' && caughtUp.value !== null) {
      const n = caughtUp.value
      const detail = n === 0 ? 'nothing new' : `${n} new`
      return { title: `Caught up, ${detail}.`, detail: '', kind: 'good', canTry: false }
    }
    return null
  })
}
