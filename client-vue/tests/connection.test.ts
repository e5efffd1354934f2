import { beforeEach, describe, expect, it } from 'vitest'
import { fullJitter } from '@/protocol/backoff'
import { Connection, LinkDown, type Link } from '@/protocol/connection'
import type { ProtocolError, ServerEvent } from '@/protocol/messages'
import { FakeEnv, FakeSocket, HELLO } from './fakes'

let env: FakeEnv
let sockets: FakeSocket[]
let links: Link[]
let events: ServerEvent[]
let verdict: (err: ProtocolError) => 'retry' | 'wait' | 'stop'
let connection: Connection

const socket = () => sockets.at(-1)!
const link = () => links.at(-1)!

beforeEach(() => {
  env = new FakeEnv()
  sockets = []
  links = []
  events = []
  verdict = () => 'stop'
  connection = new Connection({
    env,
    open() {
      const s = new FakeSocket()
      sockets.push(s)
      return s
    },
    credentials: () => ({ name: 'Ada' }),
    onLink: (l) => links.push(l),
    onReady: () => undefined,
    onEvent: (e) => events.push(e),
    onRefused: (err) => verdict(err),
  })
})

async function up(): Promise<FakeSocket> {
  connection.connect()
  await socket().open()
  await socket().answer('hello', HELLO)
  return socket()
}

describe('a connection', () => {
  it('says hello first and is ready after the answer', async () => {
    connection.connect()
    await socket().open()
    expect(socket().sent).toEqual([{ id: 1, op: 'hello', name: 'Ada' }])
    expect(connection.ready).toBe(false)
    await socket().answer('hello', HELLO)
    expect(link()).toEqual({ phase: 'ready' })
  })

  it('matches replies to requests by their id, in any order', async () => {
    const s = await up()
    const first = connection.request('join', { room: 'a' })
    const second = connection.request('join', { room: 'b' })
    await s.say({ re: 3, ok: true, n: 2 })
    await s.say({ re: 2, ok: false, err: { code: 'not_found', msg: 'x' } })
    expect(await second).toMatchObject({ ok: true, body: { n: 2 } })
    expect(await first).toMatchObject({ ok: false, err: { code: 'not_found' } })
  })

  it('answers the heartbeat and passes other events on', async () => {
    const s = await up()
    await s.say({ ev: 'ping' })
    expect(s.sent.at(-1)).toEqual({ op: 'pong' })
    await s.say({ ev: 'typing', room: 'r', from: { id: 'u', name: 'B' } })
    expect(events).toHaveLength(1)
  })

  it('writes nothing to a socket that closes, and rejects what waits when it is closed', async () => {
    const s = await up()
    const before = s.sent.length
    s.readyState = 2
    const asked = expect(connection.request('rooms', {})).rejects.toBeInstanceOf(LinkDown)
    await s.say({ ev: 'ping' })
    expect(s.sent).toHaveLength(before)
    await s.drop()
    await asked
  })

  it('takes the link for dead when nothing came for a beat and ten seconds', async () => {
    const s = await up()
    await env.pass(30_000)
    await s.say({ ev: 'ping' })
    await env.pass(34_999)
    expect(connection.ready).toBe(true)
    await env.pass(1)
    expect(link()).toMatchObject({ phase: 'waiting', reason: 'silent' })
    expect(s.closed).toBe(true)
  })

  it('gives up a try that neither opens nor fails', async () => {
    connection.connect()
    await env.pass(15_000)
    expect(link()).toMatchObject({ phase: 'waiting', reason: 'unreachable' })
  })

  it('fails what was under way when the link breaks', async () => {
    const s = await up()
    const asked = expect(connection.request('rooms', {})).rejects.toBeInstanceOf(LinkDown)
    await s.drop()
    await asked
    await expect(connection.request('rooms', {})).rejects.toBeInstanceOf(LinkDown)
  })

  it('waits longer from try to try, and shortly again after a link that held', async () => {
    env.chance = 0.999999
    const waits: number[] = []
    connection.connect()
    for (let i = 0; i < 9; i++) {
      await socket().drop()
      const l = link()
      if (l.phase !== 'waiting') throw new Error(l.phase)
      waits.push(l.retryAt - env.now())
      await env.pass(waits.at(-1)!)
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
    await socket().open()
    await socket().answer('hello', HELLO)
    await env.pass(20_000)
    await socket().drop()
    expect(link()).toMatchObject({ retryAt: env.now() + 500 })
  })

  it('keeps its long waits when links break as soon as they are made', async () => {
    env.chance = 0.999999
    await up()
    await socket().drop()
    await env.pass(500)
    await socket().open()
    await socket().answer('hello', HELLO)
    await socket().drop()
    expect(link()).toMatchObject({ retryAt: env.now() + 1000 })
  })

  it('tries at once when nudged, and only where it waits', async () => {
    await up()
    connection.nudge()
    expect(sockets).toHaveLength(1)
    await socket().drop()
    connection.nudge()
    expect(sockets).toHaveLength(2)
    await env.pass(15_000)
    expect(link()).toMatchObject({ phase: 'waiting', reason: 'unreachable' })
  })

  it.each([
    [1001, { phase: 'waiting', reason: 'restarting' }],
    [4001, { phase: 'waiting', reason: 'session' }],
    [4008, { phase: 'waiting', reason: 'slow' }],
    [1006, { phase: 'waiting', reason: 'lost' }],
    [4003, { phase: 'stopped', reason: 'banned' }],
    [4010, { phase: 'stopped', reason: 'protocol' }],
  ])('does after close code %i what the protocol asks', async (code, expected) => {
    const s = await up()
    await s.drop(code)
    expect(link()).toMatchObject(expected)
    await env.pass(120_000)
    expect(sockets.length > 1).toBe(expected.phase === 'waiting')
  })

  it('tries other credentials at once when told that there are some', async () => {
    verdict = () => 'retry'
    connection.connect()
    await socket().open()
    await socket().refuse('hello', { code: 'unauthorized', msg: '' })
    expect(socket().all('hello')).toHaveLength(2)
    verdict = () => 'stop'
    await socket().refuse('hello', { code: 'name_taken', msg: '' })
    expect(link()).toEqual({ phase: 'stopped', reason: 'credentials' })
  })

  it('waits at least as long as a busy server asks', async () => {
    verdict = () => 'wait'
    connection.connect()
    await socket().open()
    await socket().refuse('hello', { code: 'rate_limited', msg: '', retry_ms: 7000 })
    expect(link()).toEqual({ phase: 'waiting', reason: 'refused', retryAt: env.now() + 7000 })
  })

  it('ignores what is no frame, and what an old socket says', async () => {
    const s = await up()
    await s.say([])
    await s.say({ re: 99, ok: true })
    connection.restart()
    await s.say({ ev: 'ping' })
    expect(s.all('pong')).toHaveLength(0)
    expect(sockets).toHaveLength(2)
  })
})

describe('full jitter', () => {
  it('spreads a wait from nothing up to its bound', () => {
    expect(fullJitter(3, () => 0)).toBe(0)
    expect(fullJitter(3, () => 0.5)).toBe(2000)
    expect(fullJitter(1000, () => 0.999999)).toBe(30_000)
  })
})
