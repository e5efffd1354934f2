// Groups 1 to 5 and 7 against the server that echoes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OP, encodeFrame } from '../protocol/lib/wire.mjs'
import { frameCases } from './cases/frames.mjs'
import { RawPeer } from './lib/peer.mjs'
import { echo, register } from './lib/run.mjs'

register(echo, frameCases(echo))

test('B.10 a flood of pings costs a few pongs, the last ping’s among them', async () => {
  const peer = await RawPeer.open(echo)
  const n = 5000
  await peer.write(Buffer.concat(Array.from({ length: n }, (_, i) => encodeFrame({ op: OP.ping, payload: String(i) }))))
  const seen = () => peer.frames.map((f) => Number(f.payload))
  for (let i = 1; seen().at(-1) !== n - 1; i++) await peer.until(i)
  peer.destroy()
  const numbers = seen()
  assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), 'in their order')
  assert.ok(numbers.length < n / 2, `${numbers.length} pongs`)
})

test('B.11 what is half sent when the client goes disturbs nobody', async () => {
  for (const bytes of [[0x81], [0x81, 0xfe], [0x81, 0xfe, 0xff, 0xff, 1, 2, 3, 4, 5], [0x88, 0x82, 1, 2, 3, 4, 5]]) {
    const peer = await RawPeer.open(echo)
    await peer.write(Buffer.from(bytes))
    peer.socket.resetAndDestroy()
  }
  const peer = await RawPeer.open(echo)
  await peer.write(encodeFrame({ payload: 'x' }))
  await peer.until(1)
  peer.destroy()
})
