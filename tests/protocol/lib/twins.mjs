// Two teams that differ only in what an observer may not see, and what is compared of them.
import { invite, startTeam } from './device.mjs'
import { fresh } from './wait.mjs'

/** A generator of numbers from 0 below n, the same for the same seed (mulberry32). */
export function randomOf(seed) {
  let a = seed >>> 0
  return (n) => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % n
  }
}

const act = (op, room, more) => ({ op, room, key: fresh('k'), ...more })
/** Where there is no such room, this is asked for in its place. */
const NOWHERE = { secret: '~0000000000000001', hushed: '~0000000000000002', direct: '~0000000000000003' }

/** Values that differ by chance, or by when they were made. */
const BY_CHANCE = new Set(['ts', 'epoch', 'created', 'used', 'seen', 'expires', 'said', 'token', 'retry_ms', 're'])

export class World {
  people = {}
  devices = {}
  /** What is known by another name in the other world: rids by what they stand for. */
  #names = new Map()

  static async start(t, hasSecrets) {
    const world = new World()
    const { server, owner } = await startTeam(t)
    Object.assign(world, { server, hasSecrets, devices: { olga: owner } })
    for (const [name, role] of Object.entries({ mo: 'admin', ada: 'member', out: 'member', sec: 'member', sam: 'member' }))
      world.devices[name] = await invite(owner, role, name)
    const setup = await world.devices.ada.socket()
    for (const room of ['hall', 'news', 'attic']) world.name(await setup.ok({ op: 'join', room }), room)
    const { token } = await owner.ok('POST', '/invites', { role: 'guest', room: 'hall' }, 201)
    world.devices.gus = Object.assign(Object.create(Object.getPrototypeOf(owner)), { server, agent: 'Test/1.0', cookie: undefined })
    await world.devices.gus.ok('POST', '/invites/accept', { token, name: 'gus' }, 201)
    for (const [name, device] of Object.entries(world.devices)) world.people[name] = await device.socket()
    world.rooms = { ...NOWHERE }
    if (hasSecrets) await world.#hide()
    return world
  }

  name(entry, as) {
    this.#names.set(entry.rid, as)
  }

  /** Rooms that others are not to know of, with a past. */
  async #hide() {
    const { sec, sam, out } = this.people
    for (const what of ['secret', 'hushed']) {
      const made = await sec.ok({ op: 'create', name: `The ${what} plans`, kind: 'private', topic: 'shh', key: fresh('k') })
      this.rooms[what] = made.room
      this.name(made, what)
      await sec.ok({ op: 'join', room: made.room })
      for (const other of [sam, out]) await sec.ok(act('invite', made.room, { user: other.me.me.id }))
      await out.ok({ op: 'join', room: made.room })
      for (let i = 0; i < 5; i++) await out.ok(act('send', made.room, { text: `secret ${i}` }))
      await sec.ok(act('remove', made.room, { user: out.me.me.id }))
      await sam.ok({ op: 'join', room: made.room })
    }
    await sec.ok(act('archive', this.rooms.hushed, { on: true }))
    const direct = await sec.ok({ op: 'direct', users: [sam.me.me.id] })
    this.rooms.direct = direct.room
    this.name(direct, 'direct')
    for (const peer of [sec, sam]) await peer.ok({ op: 'join', room: direct.room })
    // What was told to somebody while they belonged is no secret.
    for (let n = 0; n < 2; n++) await out.event('removed')
    this.people.out = await this.devices.out.socket()
  }

  /** What goes on where nobody else looks. */
  async whisper(random) {
    if (!this.hasSecrets) return
    const { sec, sam } = this.people
    const { secret, direct } = this.rooms
    const doings = [
      () => sam.ok(act('send', secret, { text: 'psst' })),
      () => sec.ok(act('send', direct, { text: '@ada', mentions: [this.people.ada.me.me.id] })),
      () => sec.ok(act('topic', secret, { topic: `shh ${random(9)}` })),
      () => sec.ok(act('rename', secret, { name: `The secret plans ${random(9)}` })),
      () => sec.ok(act('mute', secret, { user: sam.me.me.id, for_ms: 0 })),
      () => sec.request(act('react', secret, { target: 2, emoji: '🤫', on: random(2) === 0 })),
      () => sec.ok(act('keep', secret, { days: random(3) * 100 })),
      () => sam.ok({ op: 'typing', room: secret }),
      () => sec.ok(act('archive', this.rooms.hushed, { on: random(2) === 0 })),
    ]
    await doings[random(doings.length)]()
  }

  /** `value` with what is only chance left out, and rooms by what they stand for. */
  plain(value, at = '') {
    // Those who are online are listed in no order.
    if (at === 'members') return value.map((v) => this.plain(v)).sort((a, b) => a.id.localeCompare(b.id))
    if (Array.isArray(value)) return value.map((v) => this.plain(v))
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, this.plain(v, k)]))
    if (BY_CHANCE.has(at)) return at
    if (typeof value !== 'string') return value
    const bare = value.replace(/^~/, '')
    for (const [what, room] of Object.entries(this.rooms)) if (value === room) return `(${what})`
    return this.#names.has(bare) ? `(${this.#names.get(bare)})` : value
  }
}
