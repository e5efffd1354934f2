// Idle and slow clients: each stage of a connection has its time.
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'node:test'
import { HttpPeer } from './lib/http.mjs'
import { Server } from './lib/server.mjs'
import { SLOW } from './lib/wait.mjs'
import { encodeFrame } from './lib/wire.mjs'

const range = (n) => Array.from({ length: n }, (_, i) => i)

test('who does not say hello is let go with 4001, and a hello that fails begins the time anew', async (t) => {
  const server = await Server.start(t, { args: ['--hello-timeout-ms', '1000'] })
  const begun = performance.now()
  const mute = await server.connect(), trying = await server.connect(), ada = await server.user()
  assert.equal(await mute.closed(), 4001)
  const took = performance.now() - begun
  assert.ok(took >= 900 && took < 4000 * SLOW, `${took} ms`)
  await ada.ok({ op: 'rooms' })
  assert.equal(await trying.closed(), 4001)
  const late = await server.connect(), clock = await server.connect()
  await late.refused({ op: 'hello', token: 'wrong' }, 'unauthorized')
  const last = clock.closed().then(() => performance.now())
  const other = late.closed().then(() => performance.now())
  assert.ok((await other) >= (await last) - 100)
})

test('a message that drips in is ended with 4008; one that is slow but whole in time is not', async (t) => {
  const server = await Server.start(t, { args: ['--message-timeout-ms', '2000', '--heartbeat-ms', '500'] })
  const drip = await server.user('Drip'), slow = await server.user('Slow'), steady = await server.user('Steady')
  drip.autoPong = slow.autoPong = false
  const long = encodeFrame({ payload: JSON.stringify({ op: 'rooms', id: 9, pad: 'x'.repeat(2000) }) })
  const short = encodeFrame({ payload: JSON.stringify({ op: 'rooms', id: 9 }) })
  let n = 0
  steady.onMessage = (m) => {
    if (m.ev !== 'ping') return
    drip.socket.write(long.subarray(n, n + 1))
    // Each message of this one begins in the read that ended the one before.
    const cut = 5
    slow.socket.write(n === 0 ? short.subarray(0, cut) : Buffer.concat([short.subarray(cut), short.subarray(0, cut)]))
    n++
  }
  assert.equal(await drip.closed(20000), 4008)
  assert.ok(n >= 3)
  await slow.take((m) => m.re === 9, 'a reply')
  assert.equal(slow.ended, undefined)
})

test('a thousand half-sent messages harm nobody', async (t) => {
  const server = await Server.start(t)
  const [ada, bob] = await server.room()
  const n = SLOW > 1 ? 100 : 1000
  const half = encodeFrame({ payload: JSON.stringify({ op: 'rooms', id: 1, pad: 'x'.repeat(8000) }) }).subarray(0, 4000)
  const peers = []
  for (let i = 0; i < n; i += 50) peers.push(...(await Promise.all(range(50).map(() => server.user('Half')))))
  for (const peer of peers) peer.socket.write(half)
  for (const i of range(20)) {
    await ada.ok({ op: 'send', room: ada.join.room, key: `k${i}`, text: 'x' })
    await bob.event('message')
  }
  await Promise.all(peers.map((peer) => peer.drop()))
  await ada.ok({ op: 'rooms' })
})

test('who does not read an answer is let go, and who reads slowly gets all that was taken', async (t) => {
  const server = await Server.start(t, { args: ['--no-limits', '--idle-timeout-ms', '1000'] })
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  const asset = new HttpPeer(server)
  asset.write(request)
  const page = (await asset.response()).body.toString()
  asset.destroy()
  const [, path] = /src="([^"]+\.js)"/.exec(page)
  const deaf = new HttpPeer(server), slow = new HttpPeer(server)
  const many = `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(60) // some 20 MB: more than the kernel takes
  for (const peer of [deaf, slow]) {
    peer.socket.pause()
    peer.write(many)
  }
  // Three times as long as a peer that reads nothing has, then to the end.
  let got = 0, upto = 0
  slow.socket.on('data', (b) => {
    got += b.length
    if (got >= upto) slow.socket.pause()
  })
  const begun = performance.now()
  while (performance.now() - begun < 3000) {
    upto = got + 100000
    slow.socket.resume()
    await pause(200)
  }
  assert.equal(slow.isClosed, undefined, `it was let go after ${got} bytes`)
  upto = Infinity
  slow.socket.resume()
  let taken = 0, last
  while ((last = await slow.response()).status === 200) taken++
  assert.equal(last.status, 503)
  assert.ok(taken > 1 && taken < 60)
  await slow.closed()
  assert.equal(slow.held.length, 0)
  deaf.socket.resume()
  await deaf.closed()
})
