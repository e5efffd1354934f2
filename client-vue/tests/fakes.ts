import type { Socket } from '@/protocol/connection'
import type { Env } from '@/protocol/env'

/** A clock that moves only when told to. */
export class FakeEnv implements Env {
  time = 1_000_000
  chance = 0.5
  #timers: { at: number; fn: () => void }[] = []

  now(): number {
    return this.time
  }

  /** The clock is set; timers fall due as if it was not. */
  jump(ms: number): void {
    this.time += ms
    for (const timer of this.#timers) timer.at += ms
  }

  random(): number {
    return this.chance
  }

  after(ms: number, fn: () => void): () => void {
    const timer = { at: this.time + ms, fn }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer)
    }
  }

  /** Let @ms pass, running what falls due in its order. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms
    for (;;) {
      const due = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#timers = this.#timers.filter((t) => t !== due)
      this.time = Math.max(this.time, due.at)
      due.fn()
      await settled()
    }
    this.time = end
    await settled()
  }
}

/** Wait until all promises that can go on have gone on. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

type Sent = { id?: number; op: string } & Record<string, unknown>

/** The near end of a WebSocket; the test plays the far one. */
export class FakeSocket implements Socket {
  onopen: Socket['onopen'] = null
  onmessage: Socket['onmessage'] = null
  onclose: Socket['onclose'] = null
  closed = false
  readyState = 1
  readonly sent: Sent[] = []

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Sent)
  }

  close(): void {
    this.closed = true
  }

  open(): Promise<void> {
    this.onopen?.call(this as unknown as WebSocket, new Event('open'))
    return settled()
  }

  say(frame: object): Promise<void> {
    const data = JSON.stringify(frame)
    this.onmessage?.call(this as unknown as WebSocket, { data } as MessageEvent)
    return settled()
  }

  /** Answer the newest request of @op. */
  answer(op: string, fields: object = {}): Promise<void> {
    return this.say({ re: this.last(op).id, ok: true, ...fields })
  }

  refuse(op: string, err: object): Promise<void> {
    return this.say({ re: this.last(op).id, ok: false, err })
  }

  last(op: string): Sent {
    const found = this.sent.findLast((r) => r.op === op)
    if (found === undefined) throw new Error(`no ${op} was sent`)
    return found
  }

  all(op: string): Sent[] {
    return this.sent.filter((r) => r.op === op)
  }

  drop(code = 1006): Promise<void> {
    this.onclose?.call(this as unknown as WebSocket, { code } as CloseEvent)
    return settled()
  }
}

export const HELLO = {
  v: 1,
  me: { id: 'u1', name: 'Ada' },
  token: 'secret',
  heartbeat_ms: 25_000,
  limits: { frame: 65_536, text: 8_000, send: { n: 50, per_ms: 5_000 } },
  rooms: [] as object[],
}
