// Groups 1 to 5 and 7, and what the suite does not ask, against the server that echoes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OP } from '../protocol/lib/wire.mjs'
import { beyondCases } from './cases/beyond.mjs'
import { closingCases } from './cases/closing.mjs'
import { framingCases } from './cases/framing.mjs'
import { RawPeer } from './lib/peer.mjs'
import { frame, register } from './lib/run.mjs'
import { echo } from './lib/targets.mjs'

register(echo, [...framingCases(echo), ...closingCases(echo), ...beyondCases(echo)])

test('echo B.3.1 a flood of pings costs a few pongs, the last ping’s among them', async () => {
  const peer = await RawPeer.open(echo)
  const n = 20000
  await peer.write(Buffer.concat(Array.from({ length: n }, (_, i) => frame(OP.ping, String(i)))))
  const seen = () => peer.frames.map((f) => Number(f.payload))
  for (let i = 1; seen().at(-1) !== n - 1; i++) await peer.until(i)
  peer.destroy()
  const numbers = seen()
  assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), 'in their order')
  assert.ok(numbers.length < n / 4, `${numbers.length} pongs`)
})

test('echo B.3.2 frames come in the same packet as the handshake, cut at every byte', async () => {
  const message = Buffer.concat([frame(OP.ping, 'early'), frame(OP.text, 'with the handshake')])
  for (let at = 0; at <= message.length; at++) {
    const peer = await RawPeer.open(echo, { prelude: message.subarray(0, at) })
    await peer.write(message.subarray(at))
    await peer.until(2)
    assert.deepEqual(peer.frames.map((f) => [f.op, String(f.payload)]), [[OP.pong, 'early'], [OP.text, 'with the handshake']], `cut at ${at}`)
    peer.destroy()
  }
})

test('echo B.3.3 what is half sent when the client goes costs nothing', async () => {
  for (const bytes of [[0x81], [0x81, 0xfe], [0x81, 0xfe, 0xff, 0xff, 1, 2, 3, 4, 5], [0x88, 0x82, 1, 2, 3, 4, 5], [0x01, 0x80, 1, 2, 3, 4]]) {
    const peer = await RawPeer.open(echo)
    await peer.write(Buffer.from(bytes))
    peer.socket.resetAndDestroy()
  }
  const peer = await RawPeer.open(echo)
  await peer.write(frame(OP.text, 'x'))
  await peer.until(1)
  assert.equal(String(peer.frames[0].payload), 'x')
  peer.destroy()
})
