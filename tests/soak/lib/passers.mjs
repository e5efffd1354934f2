// Those who come and go: visitors, readers that are slow, and peers that break every rule.
import { setTimeout as pause } from 'node:timers/promises'
import { HttpPeer } from '../../protocol/lib/http.mjs'
import { OP, encodeFrame } from '../../protocol/lib/wire.mjs'
import { Cursor } from './cursor.mjs'

const PATIENT_MS = 60000

/** Comes as a guest or again, joins, says a little, and goes in one of many ways. */
export async function visit(soak, who) {
  const rng = soak.random(who)
  const tokens = []
  for (let n = 0; !soak.isOver; n++) {
    try {
      const token = tokens.length > 0 && rng.chance(0.8) ? rng.pick(tokens) : undefined
      const peer = await soak.server.user(who, { token, ...(rng.chance(0.3) ? { offer: 'permessage-deflate' } : {}) })
      soak.server.forget(peer)
      soak.counts.visits++
      if (token === undefined && tokens.length < 5) tokens.push(peer.token)
      peer.onMessage = () => {}
      const room = rng.pick(soak.rooms)
      await peer.ok({ op: 'join', room, limit: rng.int(1, 200) }, PATIENT_MS)
      for (let i = rng.int(0, 3); i > 0; i--) await say(soak, peer, room, `${who}.${n}.${i}`)
      await pause(rng.int(0, 1500))
      if (rng.chance(0.3)) await peer.ok({ op: 'leave', room, forget: rng.chance(0.3) }, PATIENT_MS)
      await part(peer, rng)
    } catch (err) {
      soak.counts.troubles++
      soak.lastTrouble = `${who}: ${err.message}`
      await pause(100)
    }
  }
}

async function say(soak, peer, room, key) {
  const text = `${key} hello`
  soak.ledger(room).sent('send', key, { text })
  const reply = await peer.request({ op: 'send', room, key, text }, PATIENT_MS)
  if (reply.ok) soak.ledger(room).acknowledged(key, reply.seq)
}

async function part(peer, rng) {
  const half = encodeFrame({ payload: 'x'.repeat(500), claim: 900 })
  const ways = [
    () => peer.close(),
    () => peer.drop(),
    () => peer.socket.resetAndDestroy(),
    () => peer.socket.end(),
    () => (peer.socket.write(half), peer.socket.destroySoon()),
    () => (peer.frame({ op: OP.text, payload: 'no json' }), peer.socket.resetAndDestroy()),
  ]
  await rng.pick(ways)()
  peer.socket.destroySoon()
}

/** Stops reading for a while, over and over; let go or not, it misses nothing in the end. */
export async function readSlowly(soak, who, room) {
  const rng = soak.random(who)
  const cursor = new Cursor(who, room, soak.fail)
  let peer
  while (!soak.isOver) {
    try {
      peer = await soak.server.user(who, { token: peer?.token })
      soak.server.forget(peer)
      peer.seen = peer.raw = peer.frames = { push() {}, slice: () => [] }
      peer.onMessage = (m) => {
        if (m.room === room && m.seq !== undefined && m.ev !== 'read') cursor.take(m)
      }
      await cursor.join(peer, PATIENT_MS)
      peer.socket.pause()
      // It shows that it is there, or it would be taken for dead before it is too far behind.
      for (let left = rng.int(5, 40); left > 0 && !soak.isOver; left--) {
        peer.send({ op: 'pong' })
        await pause(soak.scaled(2000))
      }
      peer.socket.resume()
      await pause(soak.scaled(500))
      // The next socket takes as little as a new one does; this one's window has grown.
      await (peer.ended ?? peer.drop())
      soak.counts.slow_visits++
    } catch (err) {
      soak.counts.troubles++
      soak.lastTrouble = `${who}: ${err.message}`
      await pause(200)
    }
  }
}

/** Fills one room, so that who does not read it is far behind soon. */
export async function flood(soak, room) {
  const peer = await soak.server.user('Flood')
  peer.onMessage = () => {}
  peer.seen = peer.raw = peer.frames = { push() {}, slice: () => [] }
  await peer.ok({ op: 'join', room, limit: 1 })
  for (let i = 0; !soak.isOver; i++) {
    const key = `flood.${i}`
    const text = `${key} ${'y'.repeat(6000)}`
    soak.ledger(room).sent('send', key, { text })
    const { seq } = await peer.ok({ op: 'send', room, key, text }, PATIENT_MS)
    soak.ledger(room).acknowledged(key, seq)
    await pause(soak.scaled(60))
  }
  await peer.close()
}

const HEAD = 'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
const OUTRAGES = [
  (p) => p.write('GET / HT'),
  (p) => p.write(HEAD),
  (p) => p.write('\r\n\r\n\r\nnonsense\r\n\r\n'),
  (p) => p.write(`GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`),
  (p) => p.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nshort'),
  (p) => p.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(50)),
  (p) => p.write(`${HEAD}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\xff\xff\xff`),
  (p) => p.write(`${HEAD}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\x81\xfe\xff\xffabcdxxxxxxx`),
]

/** One that breaks the rules after another. */
export async function break_rules(soak, who) {
  const rng = soak.random(who)
  while (!soak.isOver) {
    const peer = new HttpPeer(soak.server)
    rng.pick(OUTRAGES)(peer)
    await pause(rng.int(5, 400))
    if (rng.chance(0.5)) peer.socket.resetAndDestroy()
    else peer.destroy()
    soak.counts.outrages++
  }
}
