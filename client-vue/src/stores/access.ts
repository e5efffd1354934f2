import { defineStore } from 'pinia'
import { ref, shallowRef, watch } from 'vue'
import { ApiError, ask, askMe, askServer, postForUser, type ServerInfo } from '@/protocol/api'
import type { User } from '@/protocol/messages'
import { forgetOthers } from './forget'
import { useChatStore } from './chat'
import { useSessionStore } from './session'

/** What stands between somebody and the rooms. */
export type Gate = 'asking' | 'enter' | 'setup' | 'sign-in' | 'join' | 'reset' | 'in'

const AGAIN_MS = 2_000

/** A link's token is behind the #, which no server sees; it leaves the address bar at once. */
function takeToken(): string {
  const token = location.hash.slice(1)
  if (token !== '') history.replaceState(history.state, '', location.pathname)
  return token
}

/** How one gets in: by a name in open mode, by an account otherwise. */
export const useAccessStore = defineStore('access', () => {
  const session = useSessionStore()
  const chat = useChatStore()
  const gate = ref<Gate>('asking')
  const server = shallowRef<ServerInfo | null>(null)
  const token = ref('')
  /** How one came back from single sign-on: `linked`, or why not; '' is not at all. */
  const sso = ref('')
  const unreachable = ref(false)

  async function enter(me: User): Promise<void> {
    await forgetOthers(me.id)
    if (!session.signIn(me)) {
      // Nothing of the one before stays in the page's memory either.
      chat.client?.connection.stop()
      location.replace('/')
      return
    }
    gate.value = 'in'
    await chat.start()
    chat.client?.connection.restart()
  }

  async function choose(): Promise<void> {
    await look()
    if (server.value === null) return
    if (server.value.mode === 'open') {
      gate.value = 'enter'
    } else if (server.value.setup !== 'done') {
      gate.value = 'setup'
    } else {
      try {
        const { me } = await askMe()
        await enter(me)
      } catch (err) {
        if (!(err instanceof ApiError) || err.code !== 'unauthorized') throw err
        gate.value = 'sign-in'
      }
    }
  }

  async function look(): Promise<void> {
    server.value = await askServer()
  }

  /** Find out what the server wants, however long that takes. */
  async function find(): Promise<void> {
    for (gate.value = 'asking'; gate.value === 'asking'; ) {
      try {
        await choose()
        unreachable.value = false
      } catch {
        unreachable.value = true
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      }
    }
  }

  async function start(): Promise<void> {
    const path = location.pathname
    if (path === '/join' || path === '/reset') {
      token.value = takeToken()
      gate.value = path === '/join' ? 'join' : 'reset'
      return
    }
    if (location.hash.startsWith('#sso=')) sso.value = takeToken().slice('sso='.length)
    if (location.hash.startsWith('#setup=')) token.value = takeToken().slice('setup='.length)
    if (session.known) {
      gate.value = 'in'
      await chat.connect()
    } else {
      await find()
    }
  }

  /** The server knows one no longer. */
  watch(
    () => session.known,
    (known) => {
      if (!known && gate.value === 'in') void find()
    },
  )

  /** Under another account than the one that was closed. */
  function signInAnew(): void {
    chat.client?.connection.stop()
    session.signOut()
  }

  /** The link that was opened is of no use: go on without it. */
  async function dropLink(): Promise<void> {
    token.value = ''
    if (session.known) {
      gate.value = 'in'
      await chat.connect()
    } else {
      await find()
    }
  }

  async function rename(name: string): Promise<void> {
    session.renameRefusal = null
    if (!session.hasAccount) {
      await chat.connect(name)
      return
    }
    try {
      session.signIn(await postForUser('/me/name', { name }))
    } catch (err) {
      const { code, message } = err instanceof ApiError ? err : new ApiError('internal', String(err))
      session.renameRefusal = { code, msg: message }
    }
  }

  async function signOut(): Promise<void> {
    try {
      await ask('DELETE', '/session')
    } catch (err) {
      if (!(err instanceof ApiError) || err.code !== 'unauthorized') throw err
    }
    await forget()
  }

  /** The account is gone, and what is kept of it here with it. */
  async function leaveTeam(password: string): Promise<void> {
    await ask('DELETE', '/me', password === '' ? {} : { password })
    await forget()
  }

  async function forget(): Promise<void> {
    chat.client?.connection.stop()
    session.signOut()
    await forgetOthers(null)
    // Nothing of whoever was here is left in the page for who comes next.
    location.replace('/')
  }

  return { gate, server, token, sso, unreachable, look, start, enter, rename, signInAnew, dropLink, signOut, leaveTeam }
})
