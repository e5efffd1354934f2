// More joins at once than the server takes up in one turn of its loop.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Server, sharedServer } from './lib/server.mjs'
import { SLOW, fresh } from './lib/wait.mjs'

const CROWD = SLOW > 1 ? 200 : 500
const PATIENCE = 60000
const args = ['--no-limits', '--workers', '1']

const server = sharedServer({ args })

const crowd = (of) => Promise.all(Array.from({ length: CROWD }, () => of.user('Comer')))

/** All that a client says at once when it comes; resolves with the replies, in the order of the requests. */
const burst = (peer, rooms, key) => Promise.all(rooms.flatMap((room) => [
  peer.ok({ op: 'join', room, limit: 1 }, PATIENCE),
  peer.ok({ op: 'send', room, key: `${key}-${room}`, text: 'here' }, PATIENCE),
  peer.ok({ op: 'history', room, limit: 200 }, PATIENCE),
]))

test('in a storm of joins all are answered, and what follows a join finds the room joined', async () => {
  const peers = await crowd(server)
  const rooms = [fresh('a'), fresh('b')]
  await Promise.all(peers.map(async (peer, i) => {
    const replies = await burst(peer, rooms, `k${i}`)
    for (const at of [0, 3]) {
      const [join, sent, history] = replies.slice(at, at + 3)
      assert.ok(sent.seq > join.head)
      assert.ok(history.events.at(-1).seq >= sent.seq)
    }
  }))
  const { online } = await peers[0].ok({ op: 'join', room: rooms[0] })
  assert.equal(online, CROWD)
  await Promise.all(peers.map((p) => p.drop()))
})

test('who goes while their join waits is in no room, and holds up nobody', async () => {
  const peers = await crowd(server)
  const room = fresh('gone')
  const stay = peers.filter((_, i) => i % 3 !== 0)
  const joined = []
  for (const [i, peer] of peers.entries()) {
    if (i % 3 === 0) {
      peer.send({ id: 'x', op: 'join', room })
      peer.socket.destroySoon()
    } else {
      joined.push(peer.ok({ op: 'join', room, limit: 1 }, PATIENCE))
    }
  }
  await Promise.all(joined)
  await Promise.all(peers.filter((_, i) => i % 3 === 0).map((p) => p.closed()))
  // The server may hear of the last ones to go a little later.
  const gone = async () => (await stay[0].ok({ op: 'join', room }, PATIENCE)).online === stay.length
  for (let tries = 0; !await gone(); tries++) assert.ok(tries < 1000, 'those who went are still there')
  await Promise.all(stay.map((p) => p.drop()))
})

test('a server that is stopped in a storm of joins stops cleanly', async (t) => {
  const mine = await Server.start(t, { args })
  const peers = await crowd(mine)
  const codes = peers.map((p) => p.closed(PATIENCE))
  for (const peer of peers) {
    peer.send({ id: 1, op: 'join', room: 'r1' })
    peer.send({ id: 2, op: 'join', room: 'r2' })
  }
  await mine.stop('SIGTERM') // asserts the exit status
  for (const code of await Promise.all(codes)) assert.equal(code, 1001)
})
