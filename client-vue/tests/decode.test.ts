import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  decodeFrame,
  decodeHello,
  decodeHistory,
  decodeJoin,
  decodeRooms,
  decodeWrite,
} from '@/protocol/decode'

interface Fixture {
  name: string
  text: string
  valid: boolean
}

const file = new URL('../../tests/fixtures/server-frames.json', import.meta.url)
const fixtures = JSON.parse(readFileSync(file, 'utf8')) as Fixture[]

describe('the fixtures that all decoders share', () => {
  it.each(fixtures)('$name', ({ text, valid }) => {
    expect(decodeFrame(text) !== null).toBe(valid)
  })

  /** The typed decoder of a successful reply, by the fixture's name. */
  const typed = [
    [/^hello reply/, decodeHello],
    [/^join reply/, decodeJoin],
    [/^history reply/, decodeHistory],
    [/^rooms reply/, decodeRooms],
    [/^reply to a (repeated )?write/, decodeWrite],
  ] as const

  it.each(fixtures.filter((f) => f.valid))('the body of “$name” has its type', ({ name, text }) => {
    const frame = decodeFrame(text)
    const decode = typed.find(([pattern]) => pattern.test(name))?.[1]
    if (decode === undefined || frame?.kind !== 'reply' || !frame.reply.ok) return
    expect(decode(frame.reply.body)).not.toBeNull()
  })
})

describe('decodeFrame', () => {
  const event = (text: string) => {
    const frame = decodeFrame(text)
    return frame?.kind === 'event' ? frame.event : null
  }

  it('gives a tombstone an empty text', () => {
    const text = '{"ev":"message","room":"r","seq":1,"ts":2,"from":{"id":"u","name":"A"},"deleted":true}'
    expect(event(text)).toMatchObject({ ev: 'message', text: '', deleted: true })
  })

  it('keeps the place of an unknown event in the log', () => {
    const unknown = event('{"ev":"poll","room":"r","seq":9,"x":1}')
    expect(unknown).toEqual({ ev: 'other', room: 'r', seq: 9 })
  })

  it('takes an event with the name of an inherited property for an unknown one', () => {
    expect(event('{"ev":"constructor"}')).toEqual({ ev: 'unknown' })
    expect(event('{"ev":"toString","room":"r","seq":3}')).toEqual({ ev: 'other', room: 'r', seq: 3 })
  })

  it('carries what a refusal says', () => {
    const frame = decodeFrame('{"re":1,"ok":false,"err":{"code":"rate_limited","retry_ms":5}}')
    expect(frame).toEqual({
      kind: 'reply',
      reply: { re: 1, ok: false, err: { code: 'rate_limited', msg: '', retry_ms: 5 } },
    })
  })
})

describe('limits', () => {
  const LIMITS = { frame: 65_536, text: 8_000, send: { n: 50, per_ms: 5_000 } }
  const hello = (more: object) => {
    const body = { me: { id: 'u1', name: 'Ada' }, heartbeat_ms: 1, rooms: [] }
    return decodeHello({ ...body, limits: { ...LIMITS, ...more } })
  }

  it('takes those that there are', () => {
    const more = { request: { n: 1000, per_ms: 10_000 }, failed: { n: 5, per_ms: 6 }, connections: 100 }
    expect(hello({})?.limits).toEqual(LIMITS)
    expect(hello(more)?.limits).toEqual({ ...LIMITS, ...more })
  })

  it('passes over what a later server made of those that only tell what to expect', () => {
    const more = { request: 7, failed: { n: -1, per_ms: 6 }, connections: 'many', uploads: {} }
    expect(hello(more)?.limits).toEqual(LIMITS)
  })
})
