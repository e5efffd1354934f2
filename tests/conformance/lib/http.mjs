// Running HTTP cases: each has one status and says whether the connection goes on.
import assert from 'node:assert/strict'
import { HttpPeer, exchange } from '../../protocol/lib/http.mjs'
import { OP, FrameReader, encodeFrame } from '../../protocol/lib/wire.mjs'
import { deferred, within } from '../../protocol/lib/wait.mjs'

export const OPEN = 'stays open'
export const CLOSED = 'is closed'
export const WEBSOCKET = 'is a WebSocket'

const NEXT = 'GET /healthz HTTP/1.1\r\nHost: next\r\n\r\n'
/** What is longer is not also sent byte by byte. */
const MAX_BYTEWISE = 1500

async function write(peer, bytes, chop) {
  for (let at = 0; at < bytes.length && !peer.isClosed && !peer.socket.readableEnded; at += chop) {
    await new Promise((resolve) => peer.socket.write(Buffer.from(bytes.slice(at, at + chop), 'latin1'), () => resolve()))
  }
}

async function isWebSocket(peer) {
  const reader = new FrameReader()
  const there = deferred()
  const frames = reader.push(peer.held)
  if (frames.length > 0) there.resolve(frames[0])
  peer.socket.on('data', (b) => {
    const [frame] = reader.push(b)
    if (frame !== undefined) there.resolve(frame)
  })
  peer.socket.write(encodeFrame({ op: OP.ping, payload: 'is this one?' }))
  const { op, payload } = await within(there.promise, 'a pong')
  assert.deepEqual([op, String(payload)], [OP.pong, 'is this one?'])
}

/**
 * Send @bytes and a good request behind them.  A connection that stays open answers that, and one
 * more; one that is closed ends behind its one answer, by a FIN, whatever was sent behind.
 */
async function judge(server, bytes, { status, then, head, has = {}, lacks = [] }, chop) {
  const peer = new HttpPeer(server)
  try {
    const sent = write(peer, then === WEBSOCKET ? bytes : bytes + NEXT, chop)
    const r = await peer.response({ head })
    assert.equal(r.status, status, `it answered ${r.head}: ${r.body}`)
    for (const [name, value] of Object.entries(has)) assert.equal(r.headers[name], value, name)
    for (const name of lacks) assert.ok(!(name in r.headers), `${name}: ${r.headers[name]}`)
    if (then === OPEN) {
      assert.equal((await peer.response()).status, 200, 'the request behind')
      assert.equal((await peer.write(NEXT).response()).status, 200, 'one more')
    } else if (then === WEBSOCKET) {
      await sent
      await isWebSocket(peer)
    } else {
      assert.equal(r.headers.connection, 'close')
      const err = await peer.closed()
      assert.equal(err, undefined, 'it ends by a FIN')
      assert.equal(peer.held.length, 0, 'something came behind the refusal')
    }
    await sent
  } finally {
    peer.destroy()
  }
}

/** The case holds whether its bytes come together or one by one, and others are served after it. */
export async function runHttp(server, { bytes, ...outcome }) {
  await judge(server, bytes, outcome, bytes.length + NEXT.length)
  if (bytes.length <= MAX_BYTEWISE) await judge(server, bytes, outcome, 1)
  assert.equal((await exchange(server, NEXT)).status, 200, 'others are served')
}
