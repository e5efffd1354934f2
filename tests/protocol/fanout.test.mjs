// Broadcasts to rooms with more members than one turn of the server's loop serves.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Server, sharedServer } from './lib/server.mjs'
import { SLOW, deferred, within } from './lib/wait.mjs'

// More than one slice of a thousand and some, also where all is slow.
const MEMBERS = SLOW > 1 ? 1200 : 2500
const PATIENCE = 60000

const server = sharedServer({ args: ['--no-limits', '--workers', '1'] })

/** Join and keep what of the log comes above the reply's head. */
async function follow(peer, room) {
  peer.log = []
  peer.onMessage = (m) => {
    if (m.room !== room || m.seq === undefined) return
    peer.log.push(m.seq)
    if (m.seq === peer.last) peer.sawLast.resolve()
  }
  peer.from = (await peer.ok({ op: 'join', room, limit: 1 }, PATIENCE)).head
}

async function crowd(room) {
  const peers = []
  while (peers.length < MEMBERS) {
    peers.push(...await Promise.all(Array.from({ length: 100 }, async () => {
      const peer = await server.user('Member')
      await follow(peer, room)
      return peer
    })))
  }
  return peers
}

/** Wait until the peer has seen `head`, then check that nothing before it is missing. */
async function sawAll(peer, head) {
  peer.last = head
  peer.sawLast = deferred()
  if (peer.log.at(-1) !== head) await within(peer.sawLast.promise, () => `event ${head} behind ${peer.log.at(-1)}`, PATIENCE)
  assert.deepEqual(peer.log, Array.from({ length: head - peer.from }, (_, i) => peer.from + 1 + i))
}

const drop = (peers) => Promise.all(peers.map((p) => p.drop()))

test('while members come and go in the middle of broadcasts, each sees every event once and in order', async () => {
  const room = 'crowd'
  const peers = await crowd(room)
  const writer = peers[MEMBERS / 2]
  const comers = []
  for (let round = 0; round < 6; round++) {
    const sent = Array.from({ length: 5 }, (_, i) => writer.ok({ op: 'send', room, key: `${round}.${i}`, text: 'x'.repeat(300) }, PATIENCE))
    // From both ends and the middle, so that gaps are filled before and behind the walk.
    const going = [0, MEMBERS / 2 + 10, MEMBERS - 70].map((from) => drop(peers.slice(from + round * 10, from + round * 10 + 10)))
    const coming = Array.from({ length: 10 }, async () => {
      const peer = await server.user('Late')
      await follow(peer, room)
      comers.push(peer)
    })
    await Promise.all([...sent, ...going, ...coming])
  }
  const { seq } = await writer.ok({ op: 'send', room, key: 'last', text: 'last' }, PATIENCE)
  const staying = [...peers.filter((p) => p.ended === undefined), ...comers]
  assert.equal(staying.length, MEMBERS - 6 * 30 + 6 * 10)
  await Promise.all(staying.map((p) => sawAll(p, seq)))
  await drop(staying)
})

test('a small room is served while a large one is being told', async () => {
  const large = await crowd('large')
  const [a, b] = [await server.user('A'), await server.user('B')]
  for (const p of [a, b]) await p.ok({ op: 'join', room: 'small' })
  let done = false
  const flood = (async () => {
    for (let i = 0; !done; i++) await large[0].ok({ op: 'send', room: 'large', key: `f${i}`, text: 'y'.repeat(2000) }, PATIENCE)
  })()
  for (let i = 0; i < 20; i++) {
    await a.ok({ op: 'send', room: 'small', key: `s${i}`, text: String(i) }, PATIENCE)
    assert.equal((await b.event('message', PATIENCE)).text, String(i))
  }
  done = true
  await flood
  const { seq } = await large[0].ok({ op: 'send', room: 'large', key: 'end', text: 'end' }, PATIENCE)
  await Promise.all(large.map((p) => sawAll(p, seq)))
  await drop(large)
})

test('a server that may not write in batches tells a crowd all the same', async (t) => {
  const plain = await Server.start(t, { args: ['--no-limits', '--workers', '1', '--no-io-uring'] })
  const peers = await Promise.all(Array.from({ length: 50 }, () => plain.user('Member')))
  await Promise.all(peers.map((p) => follow(p, 'plain')))
  for (let i = 1; i <= 20; i++) await peers[i].ok({ op: 'send', room: 'plain', key: 'k', text: 'x'.repeat(i * 100) })
  await Promise.all(peers.map((p) => sawAll(p, 20)))
})
