// What the account and admin pages reckon with.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { commitTimesOf, ratesOf, sparkPath, valuesOf, withSample, KEPT_POINTS, type Sample } from '@/components/admin/figures'
import { bytesText, durationText } from '@/components/admin/words'
import { agentName } from '@/components/settings/agent'
import { strengthOf } from '@/composables/strength'
import { wordsFor } from '@/composables/words'
import { ApiError, ask } from '@/protocol/api'
import { decodeHello } from '@/protocol/decode'
import { askAudit, askFigures, askUsers, type Figures } from '@/protocol/team-api'
import { mayChange, rolesToGive } from '@/protocol/team-rules'

/** Answers every request with this. */
function answer(status: number, body: unknown) {
  const fake = vi.fn((_url: string, _init?: RequestInit) => Promise.resolve(new Response(status === 204 ? null : JSON.stringify(body), { status })))
  vi.stubGlobal('fetch', fake)
  return fake
}

afterEach(() => vi.unstubAllGlobals())

const noFigures = { connections: 0, requests_total: 0, deliveries_total: 0, writes_total: 0, commits_total: 0, commit_us_total: 0, store_queue: 0, rooms: 0, uptime_ms: 0, storage_bytes: 0, resident_bytes: 0 }
const sample = (at: number, more: Partial<Figures>): Sample => ({ at, figures: { ...noFigures, ...more } })

it('what a commit takes is an average between two samples, and nothing where none was made', () => {
  const samples = [sample(0, {}), sample(5000, { commits_total: 4, commit_us_total: 10_000 }), sample(10_000, { commits_total: 4, commit_us_total: 10_000 })]
  expect(commitTimesOf(samples)).toEqual([2.5, 0])
})

describe('requests', () => {
  it('sends JSON and takes an empty answer', async () => {
    const fake = answer(204, null)
    expect(await ask('POST', '/me/name', { name: 'Ada' })).toEqual({})
    expect(fake).toHaveBeenCalledWith('/api/v1/me/name', expect.objectContaining({ method: 'POST', body: '{"name":"Ada"}' }))
  })

  it('throws what the server refuses, and that it cannot be reached', async () => {
    answer(429, { err: { code: 'rate_limited', msg: 'slow down', retry_ms: 61_000 } })
    const slow = await ask('POST', '/session', {}).catch((e: unknown) => e)
    expect(slow).toBeInstanceOf(ApiError)
    expect(wordsFor(slow)).toBe('Too many tries. Wait 61 s.')
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no network')))
    expect(wordsFor(await ask('GET', '/me').catch((e: unknown) => e))).toMatch(/^Cannot reach the server/)
  })

  it('says what fits the place where an error has other words there', () => {
    const wrong = new ApiError('unauthorized', 'no')
    expect(wordsFor(wrong)).toBe('You are not signed in any more.')
    expect(wordsFor(wrong, { unauthorized: 'Wrong password.' })).toBe('Wrong password.')
    expect(wordsFor(new Error('a fault of ours'))).toBe('Something went wrong.')
  })
})

describe('what admins ask for', () => {
  it('reads people, and gives who has no known role the least', async () => {
    answer(200, { users: [{ id: 'u1', name: 'Ada', login: null, role: 'emperor', disabled: true, totp: false, seen: 5, sessions: 2 }, 7] })
    expect(await askUsers()).toEqual([
      { id: 'u1', name: 'Ada', login: '', role: 'guest', disabled: true, totp: false, seen: 5, sessions: 2 },
    ])
  })

  it('asks for the entries before the last one', async () => {
    const fake = answer(200, { entries: [{ id: 3, ts: 4, actor: null, act: 'sign_in', object: 'u1', address: '::1' }], more: true })
    const page = await askAudit(9)
    expect(fake.mock.calls[0]?.[0]).toBe('/api/v1/audit?limit=50&before=9')
    expect(page).toEqual({ entries: [{ id: 3, ts: 4, actor: null, act: 'sign_in', object: 'u1', address: '::1' }], more: true })
  })

  it('takes a figure that is none for zero', async () => {
    answer(200, { connections: 3, rooms: 'many' })
    expect(await askFigures()).toMatchObject({ connections: 3, rooms: 0, uptime_ms: 0 })
  })
})

describe('roles', () => {
  it('lets owners change everybody and admins members and guests', () => {
    expect(mayChange('owner', 'owner')).toBe(true)
    expect(mayChange('admin', 'member')).toBe(true)
    expect(mayChange('admin', 'admin')).toBe(false)
    expect(mayChange('member', 'guest')).toBe(false)
    expect(mayChange(null, 'guest')).toBe(false)
    expect(rolesToGive('admin')).not.toContain('admin')
  })

  it('is read from hello where it is one', () => {
    const hello = (role: unknown) =>
      decodeHello({ me: { id: 'u1', name: 'Ada', role }, heartbeat_ms: 1, limits: { frame: 1, text: 1, send: { n: 1, per_ms: 1 } }, rooms: [] })
    expect(hello('admin')?.role).toBe('admin')
    expect(hello('emperor')?.role).toBeUndefined()
    expect(hello(undefined)?.me).toEqual({ id: 'u1', name: 'Ada' })
  })
})

describe('figures', () => {
  it('makes rates of counters by the time between samples', () => {
    const samples = [sample(0, { writes_total: 10 }), sample(5_000, { writes_total: 20 }), sample(15_000, { writes_total: 20 })]
    expect(ratesOf(samples, 'writes_total')).toEqual([2, 0])
    expect(valuesOf(samples, 'writes_total')).toEqual([10, 20, 20])
  })

  it('forgets the server before a restart, and what is too long ago', () => {
    let samples = withSample([], sample(0, { uptime_ms: 100, writes_total: 50 }))
    samples = withSample(samples, sample(5_000, { uptime_ms: 7, writes_total: 1 }))
    expect(samples).toHaveLength(1)
    for (let i = 0; i < 100; i++) samples = withSample(samples, sample(i, { uptime_ms: i + 8 }))
    expect(ratesOf(samples, 'writes_total')).toHaveLength(KEPT_POINTS)
  })

  it('draws from the right, with zero at the floor', () => {
    expect(sparkPath([1], 118, 42)).toBe('')
    expect(sparkPath([0, 4], 118, 42)).toBe('M116.0 41.0L118.0 1.0')
  })

  it('writes sizes and times short', () => {
    expect([0, 999, 1_000, 12_345, 123_456, 2_000_000_000].map(bytesText)).toEqual(['0 B', '999 B', '1.00 kB', '12.3 kB', '123 kB', '2.00 GB'])
    expect([5_000, 120_000, 7_260_000, 400_000_000].map(durationText)).toEqual(['less than a minute', '2 min', '2 h 1 min', '4 days'])
  })
})

describe('passwords', () => {
  it('judges length first, then what is in it', () => {
    expect(strengthOf('aB3$x')).toBe('short')
    expect(strengthOf('éééé')).toBe('weak')
    expect(strengthOf('password1')).toBe('weak')
    expect(strengthOf('abcdefghijkl')).toBe('weak')
    expect(strengthOf('aaaaaaaaaaaaaaaa')).toBe('weak')
    expect(strengthOf('gravel-moon')).toBe('fair')
    expect(strengthOf('correct horse battery staple')).toBe('strong')
  })
})

describe('devices', () => {
  it('has names that people know', () => {
    const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'
    const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Version/17.0 Mobile Safari/604'
    expect(agentName(chrome)).toBe('Chrome on Linux')
    expect(agentName(`${chrome} Edg/120.0`)).toBe('Edge on Linux')
    expect(agentName(iphone)).toBe('Safari on iPhone')
    expect(agentName('Bot/1.0')).toBe('Bot/1.0')
    expect(agentName('')).toBe('Unknown device')
  })
})
