import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { Link } from '@/protocol/connection'
import type { HelloReply, Limits, ProtocolError, TeamRole, User } from '@/protocol/messages'
import { keep, recall } from '@/protocol/keep'

/** Without a token one is known by a cookie, which no script sees. */
interface Kept {
  name: string
  token?: string
  id: string
  role?: TeamRole
}

const KEPT = 'hubbub.session'

/** Who the user is, and how the link is doing. */
export const useSessionStore = defineStore('session', () => {
  const kept = recall<Kept>(KEPT)
  const me = ref<User | null>(kept === null ? null : { id: kept.id, name: kept.name })
  const token = ref<string | null>(kept?.token ?? null)
  /** Whether one is known by an account; else by a name and its token. */
  const hasAccount = ref(kept !== null && kept.token === undefined)
  const role = ref<TeamRole | null>(kept?.role ?? null)
  /** Whose rooms the page's memory has; it stays so when they sign out. */
  let holder = kept?.id ?? null
  /** The name to be asked for at the next hello, where it is not the present one. */
  const wanted = ref<string | null>(null)
  const link = shallowRef<Link>({ phase: 'idle' })
  const limits = shallowRef<Limits>({ frame: 65_536, text: 8_000, send: { n: 50, per_ms: 5_000 } })
  /** Why the last hello was refused. */
  const refusal = shallowRef<ProtocolError | null>(null)
  /** Why the last rename was refused; one goes on under the old name. */
  const renameRefusal = shallowRef<ProtocolError | null>(null)
  /** How many messages came while the link was down; null when there is nothing to tell. */
  const caughtUp = ref<number | null>(null)

  const known = computed(() => me.value !== null && (token.value !== null || hasAccount.value))

  function credentials(): Record<string, string> {
    const fields: Record<string, string> = {}
    if (hasAccount.value) return fields
    if (token.value !== null) fields['token'] = token.value
    if (wanted.value !== null) fields['name'] = wanted.value
    else if (token.value === null && me.value !== null) fields['name'] = me.value.name
    return fields
  }

  function onHello(hello: HelloReply): void {
    me.value = hello.me
    token.value = hello.token ?? token.value
    role.value = hello.role ?? null
    holder = hello.me.id
    limits.value = hello.limits
    wanted.value = null
    refusal.value = null
    if (hasAccount.value) keepAccount(hello.me)
    else if (token.value !== null) {
      keep(KEPT, { name: hello.me.name, token: token.value, id: hello.me.id } satisfies Kept)
    }
  }

  function keepAccount({ id, name }: User): void {
    keep(KEPT, { id, name, ...(role.value !== null && { role: role.value }) } satisfies Kept)
  }

  /**
   * The server has said by another way who one is.  False where the page holds somebody else's rooms:
   * it has to be loaded anew.
   */
  function signIn(user: User): boolean {
    if (holder !== null && holder !== user.id) {
      signOut()
      keepAccount(user)
      return false
    }
    holder = user.id
    me.value = user
    token.value = null
    hasAccount.value = true
    keepAccount(user)
    return true
  }

  /** Say what to do after a refused hello. */
  function onRefused(err: ProtocolError): 'retry' | 'wait' | 'stop' {
    if (err.code === 'rate_limited' || err.code === 'unavailable' || err.code === 'internal') {
      return 'wait'
    }
    if (token.value !== null && wanted.value !== null && err.code !== 'unauthorized') {
      renameRefusal.value = err
      wanted.value = null
      return 'retry'
    }
    if (hasAccount.value) {
      signOut()
      return 'stop'
    }
    refusal.value = err
    if (err.code === 'unauthorized' && token.value !== null) {
      // The server does not know the token any more: the name alone may still do.
      token.value = null
      keep(KEPT, null)
      return 'retry'
    }
    wanted.value = null
    if (token.value === null) me.value = null
    return 'stop'
  }

  function signOut(): void {
    keep(KEPT, null)
    me.value = null
    token.value = null
    role.value = null
    hasAccount.value = false
  }

  return {
    me,
    hasAccount,
    role,
    signIn,
    known,
    wanted,
    link,
    limits,
    refusal,
    renameRefusal,
    caughtUp,
    credentials,
    onHello,
    onRefused,
    signOut,
  }
})
