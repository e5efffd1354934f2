import { watchDebounced } from '@vueuse/core'
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import { Client } from '@/protocol/client'
import type { Socket } from '@/protocol/connection'
import { browserEnv } from '@/protocol/env'
import { keep, recall } from '@/protocol/keep'
import { newKey } from '@/protocol/key'
import type { LogEvent, RoomEntry, Write } from '@/protocol/messages'
import type { OutboxNote } from '@/protocol/outbox'
import { openOutboxStore } from '@/protocol/outbox-store'
import { toEntry } from '@/protocol/room-state'
import { forgetOthers } from './forget'
import { useOutboxStore } from './outbox'
import { useRoomsStore } from './rooms'
import { useSessionStore } from './session'
import { useTypingStore } from './typing'

/** The rooms of the last visit: something to show while there is no link. */
interface KeptRooms {
  user: string
  rooms: RoomEntry[]
}
const KEPT_ROOMS = 'hubbub.rooms'

const CAUGHT_UP_MS = 5_000

function openSocket(): Socket {
  const url = new URL('/ws', location.href)
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'
  return new WebSocket(url, 'hubbub.v1')
}

/** A tab that has its turn for longer than this may have a dead link. */
const TURN_MS = 4_000

/** At most one tab empties the outbox at a time; where there are no locks, the keys suffice. */
async function exclusive(work: () => Promise<void>): Promise<void> {
  if (navigator.locks === undefined) {
    await work()
    return
  }
  let begun = false
  const signal = AbortSignal.timeout(TURN_MS)
  try {
    await navigator.locks.request('hubbub-outbox', { signal }, () => {
      begun = true
      return work()
    })
  } catch (e) {
    if (begun) throw e
    await work()
  }
}

/** The protocol client, joined to the stores. */
export const useChatStore = defineStore('chat', () => {
  const session = useSessionStore()
  const rooms = useRoomsStore()
  const typing = useTypingStore()
  const outbox = useOutboxStore()
  const tabs = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('hubbub')
  const client = shallowRef<Client | null>(null)
  const listeners = new Set<(rid: string, event: LogEvent) => void>()
  let caughtUpTimer: ReturnType<typeof setTimeout> | undefined
  let lost = false
  let starting: Promise<Client> | null = null

  async function create(): Promise<Client> {
    const store = await openOutboxStore()
    const made = new Client({
      env: browserEnv,
      open: openSocket,
      credentials: () => session.credentials(),
      outbox: {
        store,
        exclusive,
        onChange: (entries) => (outbox.entries = entries),
        tell: (note) => tabs?.postMessage(note),
      },
      onLink(link) {
        session.link = link
        if (link.phase !== 'ready') typing.clear()
        if (link.phase === 'waiting') lost = true
        // Whether the session is over is said by the next hello: that does not wait.
        if (link.phase === 'waiting' && link.reason === 'session' && session.hasAccount) {
          queueMicrotask(() => made.connection.nudge())
        }
      },
      onHello(hello) {
        if (session.hasAccount && session.me !== null && session.me.id !== hello.me.id) {
          // Another tab has signed in somebody else.
          made.connection.stop()
          void forgetOthers(hello.me.id).then(() => {
            session.signIn(hello.me)
            location.replace('/')
          })
          return
        }
        session.onHello(hello)
        void made.outbox.open(hello.me.id)
      },
      onRefused: (err) => session.onRefused(err),
      onRoom: (state) => rooms.set(state),
      onGone(rid) {
        rooms.remove(rid)
        // The next visit is not to show it, however soon that is.
        keepRooms()
      },
      onTyping: (rid, event) => typing.started(rid, event.from),
      onLive(state, event) {
        if (event.ev === 'message') typing.stopped(state.rid, event.from.id)
        for (const listener of listeners) listener(state.rid, event)
      },
      onCaughtUp(missed) {
        // A new link that was made on purpose is nobody's business.
        if (!lost) return
        lost = false
        session.caughtUp = missed
        clearTimeout(caughtUpTimer)
        caughtUpTimer = setTimeout(() => (session.caughtUp = null), CAUGHT_UP_MS)
      },
    })
    if (tabs !== null) {
      tabs.onmessage = (e: MessageEvent<OutboxNote>) => made.outbox.onNote(e.data)
    }
    if (session.me !== null) {
      const kept = recall<KeptRooms>(KEPT_ROOMS)
      if (kept?.user === session.me.id) made.seed(kept.rooms)
      await made.outbox.open(session.me.id)
    }
    client.value = made
    watchDebounced([() => rooms.sorted, () => session.me], keepRooms, { debounce: 500 })
    return made
  }

  function keepRooms(): void {
    if (session.me === null) return
    const entries = rooms.sorted.map(toEntry)
    keep(KEPT_ROOMS, { user: session.me.id, rooms: entries } satisfies KeptRooms)
  }

  function start(): Promise<Client> {
    starting ??= create()
    return starting
  }

  /** Connect under the kept token, or under @name. */
  async function connect(name?: string): Promise<void> {
    const c = await start()
    session.refusal = null
    session.renameRefusal = null
    if (name === undefined) {
      c.connection.connect()
      return
    }
    session.wanted = name
    c.connection.restart()
  }

  async function write(rid: string, what: Write): Promise<void> {
    const c = await start()
    await c.outbox.add(newKey(), rid, what)
  }

  /** Hear of each live event that a room's log has taken in. */
  function listen(listener: (rid: string, event: LogEvent) => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  return { client, start, connect, write, listen }
})
