/**
 * One connection to the server that comes back by itself.
 *
 * It says hello, answers the heartbeat, matches replies to requests, and after a loss tries again
 * with full jitter.  What is said on it, and what must be said again on a new link, is its
 * owner's matter: a request that was under way when the link broke fails with LinkDown, and
 * whether the server carried it out is then unknown.
 */
import { fullJitter } from './backoff'
import { decodeFrame, decodeHello } from './decode'
import type { Env } from './env'
import type { Body, HelloReply, ProtocolError, Reply, ServerEvent } from './messages'

/** How long opening the socket and hello may take together. */
const OPEN_MS = 15_000
/** How long after a missed beat the link is taken for dead. */
const GRACE_MS = 10_000
/** A link that held this long was a good one: the next try starts over with short waits. */
const STEADY_MS = 10_000

export type DownReason =
  | 'unreachable'
  | 'lost'
  | 'silent'
  | 'restarting'
  | 'slow'
  | 'session'
  | 'refused'
export type StopReason = 'banned' | 'protocol' | 'credentials'

export type Link =
  | { phase: 'idle' }
  | { phase: 'connecting'; after: DownReason | null }
  | { phase: 'ready' }
  | { phase: 'waiting'; reason: DownReason; retryAt: number }
  | { phase: 'stopped'; reason: StopReason }

/** WebSocket.OPEN, which is not there where tests run. */
const OPEN = 1

/** The part of a WebSocket that is used, so that tests can bring their own. */
export type Socket = Pick<WebSocket, 'send' | 'close' | 'readyState' | 'onopen' | 'onmessage' | 'onclose'>

export class LinkDown extends Error {
  constructor() {
    super('the link is down')
    this.name = 'LinkDown'
  }
}

export interface ConnectionOptions {
  open(): Socket
  env: Env
  /** The fields of hello, asked for at each try. */
  credentials(): Body
  onLink(link: Link): void
  /** Hello was said. What early() asks now saves waiting for the reply. */
  onGreeting?(): void
  onReady(hello: HelloReply): void
  onEvent(event: ServerEvent): void
  /** The hello was refused.  Say whether other credentials are there to try at once. */
  onRefused(err: ProtocolError): 'retry' | 'wait' | 'stop'
}

interface Waiting {
  resolve(reply: Reply): void
  reject(error: LinkDown): void
}

export class Connection {
  readonly #o: ConnectionOptions
  #link: Link = { phase: 'idle' }
  #socket: Socket | null = null
  #nextId = 1
  #waiting = new Map<number, Waiting>()
  #attempt = 0
  #readySince = 0
  #silenceMs = OPEN_MS
  #cancelRetry: (() => void) | null = null
  #cancelSilence: (() => void) | null = null

  constructor(options: ConnectionOptions) {
    this.#o = options
  }

  get ready(): boolean {
    return this.#link.phase === 'ready'
  }

  /** Connect now; a wait for the next try is cut short. Nothing happens where a link is or is being made. */
  connect(): void {
    if (this.#socket !== null) return
    const after = this.#link.phase === 'waiting' ? this.#link.reason : null
    this.#cancelRetry?.()
    this.#cancelRetry = null
    this.#setLink({ phase: 'connecting', after })
    this.#silenceMs = OPEN_MS
    const socket = this.#o.open()
    this.#socket = socket
    socket.onopen = () => this.#hello()
    socket.onmessage = (e) => this.#onMessage(e.data)
    socket.onclose = (e) => this.#onClose(e.code)
    this.#armSilence()
  }

  /** The world may have changed (online, visible, a click): try at once if there is a wait. */
  nudge(): void {
    if (this.#link.phase === 'waiting') this.connect()
  }

  /** End the link and connect anew, for other credentials. */
  restart(): void {
    this.#drop()
    this.#attempt = 0
    this.connect()
  }

  stop(reason?: StopReason): void {
    this.#drop()
    this.#setLink(reason === undefined ? { phase: 'idle' } : { phase: 'stopped', reason })
  }

  /** Ask the server. Rejects with LinkDown if the link is not up or breaks before the reply. */
  request(op: string, fields: Body): Promise<Reply> {
    if (!this.ready) return Promise.reject(new LinkDown())
    return this.#call(op, fields)
  }

  /** Ask in the same breath as hello: the server takes this up when hello was answered. */
  early(op: string, fields: Body): Promise<Reply> {
    return this.#call(op, fields)
  }

  #call(op: string, fields: Body): Promise<Reply> {
    if (this.#socket === null) return Promise.reject(new LinkDown())
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#send({ id, op, ...fields })
    })
  }

  /** A socket that closes takes nothing more; its close event is on the way and rejects what waits. */
  #send(message: Body): void {
    if (this.#socket?.readyState === OPEN) this.#socket.send(JSON.stringify(message))
  }

  #hello(): void {
    const socket = this.#socket
    this.#call('hello', this.#o.credentials()).then(
      (reply) => {
        if (this.#socket === socket) this.#onHello(reply)
      },
      () => undefined, // the close that broke the request is handled where it arrives
    )
    this.#o.onGreeting?.()
  }

  #onHello(reply: Reply): void {
    if (!reply.ok) {
      const verdict = this.#o.onRefused(reply.err)
      if (verdict === 'retry') this.#hello()
      else if (verdict === 'stop') this.stop('credentials')
      else this.#lose('refused', reply.err.retry_ms)
      return
    }
    const hello = decodeHello(reply.body)
    if (hello === null) {
      this.stop('protocol')
      return
    }
    this.#silenceMs = hello.heartbeat_ms + GRACE_MS
    this.#readySince = this.#o.env.now()
    this.#armSilence()
    this.#setLink({ phase: 'ready' })
    this.#o.onReady(hello)
  }

  #onMessage(data: unknown): void {
    this.#armSilence()
    const frame = typeof data === 'string' ? decodeFrame(data) : null
    if (frame === null) return
    if (frame.kind === 'reply') {
      const id = frame.reply.re
      if (typeof id !== 'number') return
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      waiting?.resolve(frame.reply)
      return
    }
    if (frame.event.ev === 'ping') this.#send({ op: 'pong' })
    else this.#o.onEvent(frame.event)
  }

  #onClose(code: number): void {
    const opened = this.#link.phase === 'ready'
    if (code === 4003) this.stop('banned')
    else if (code === 4010) this.stop('protocol')
    else if (code === 1001) this.#lose('restarting')
    else if (code === 4001) this.#lose('session')
    else if (code === 4008) this.#lose('slow')
    else this.#lose(opened ? 'lost' : 'unreachable')
  }

  #lose(reason: DownReason, atLeastMs = 0): void {
    if (this.#readySince !== 0 && this.#o.env.now() - this.#readySince >= STEADY_MS) this.#attempt = 0
    this.#drop()
    const ms = Math.max(atLeastMs, fullJitter(this.#attempt++, () => this.#o.env.random()))
    this.#cancelRetry = this.#o.env.after(ms, () => this.connect())
    this.#setLink({ phase: 'waiting', reason, retryAt: this.#o.env.now() + ms })
  }

  /** Let go of the socket and of everything that waits for it. */
  #drop(): void {
    this.#cancelRetry?.()
    this.#cancelRetry = null
    this.#cancelSilence?.()
    this.#cancelSilence = null
    this.#readySince = 0
    const socket = this.#socket
    this.#socket = null
    if (socket !== null) {
      socket.onopen = socket.onmessage = socket.onclose = null
      socket.close()
    }
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const w of waiting) w.reject(new LinkDown())
  }

  #armSilence(): void {
    this.#cancelSilence?.()
    this.#cancelSilence = this.#o.env.after(this.#silenceMs, () => {
      this.#lose(this.ready ? 'silent' : 'unreachable')
    })
  }

  #setLink(link: Link): void {
    this.#link = link
    this.#o.onLink(link)
  }
}
