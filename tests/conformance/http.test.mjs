// HTTP case by case: shapes that servers are known to read in different ways (RFC 9110, 9112, 6455).
// Each has the one status that this server gives, and says whether the connection goes on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpPeer, exchange } from '../protocol/lib/http.mjs'
import { handshake } from '../protocol/lib/peer.mjs'
import { Server, sharedServer } from '../protocol/lib/server.mjs'
import { within } from '../protocol/lib/wait.mjs'
import { OP, encodeFrame } from '../protocol/lib/wire.mjs'
import { bodyCases } from './cases/http_body.mjs'
import { fieldCases } from './cases/http_fields.mjs'
import { lineCases } from './cases/http_line.mjs'
import { upgradeCases } from './cases/http_upgrade.mjs'
import { runHttp } from './lib/http.mjs'

const server = sharedServer()

for (const one of [...lineCases(), ...fieldCases(), ...bodyCases(), ...upgradeCases()]) {
  const shown = one.what.replace(/[^\x20-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
  test(`hubbub ${one.id} ${shown}`, () => runHttp(server, one))
}

const HOST = 'Host: x\r\n'
const OK = `GET /healthz HTTP/1.1\r\n${HOST}\r\n`
const UPGRADE = handshake('x', 'dGhlIHNhbXBsZSBub25jZQ==')
const shove = (peer, bytes) => new Promise((resolve) => peer.socket.write(bytes, 'latin1', () => resolve()))
const ping = encodeFrame({ op: OP.ping, payload: 'early', mask: [1, 2, 3, 4] })
const PONG = Buffer.concat([Buffer.from([0x8a, 5]), Buffer.from('early')])

/** Wait until so many bytes came behind the answer that was taken. */
async function behind(peer, n) {
  while (peer.held.length < n) await within(new Promise((resolve) => peer.socket.once('data', resolve)), 'more bytes')
  return peer.held
}

test('hubbub H.20.1 an upgrade with a frame behind it may be cut at every byte', async () => {
  const bytes = Buffer.concat([Buffer.from(UPGRADE), ping])
  for (let at = 0; at < bytes.length; at++) {
    const peer = new HttpPeer(server)
    if (at > 0) await shove(peer, bytes.subarray(0, at))
    await shove(peer, bytes.subarray(at))
    assert.equal((await peer.response()).status, 101, `cut at ${at}`)
    assert.deepEqual(await behind(peer, PONG.length), PONG, `cut at ${at}`)
    peer.destroy()
  }
})

test('hubbub H.20.2 an upgrade with a frame behind it may come byte by byte', async () => {
  const peer = new HttpPeer(server)
  for (const byte of Buffer.concat([Buffer.from(UPGRADE), ping])) await shove(peer, Buffer.from([byte]))
  assert.equal((await peer.response()).status, 101)
  assert.deepEqual(await behind(peer, PONG.length), PONG)
  peer.destroy()
})

test('hubbub H.20.3 requests, bodies and an upgrade in one write are answered in their order', async () => {
  const post = `POST /healthz HTTP/1.1\r\n${HOST}Content-Length: ${OK.length}\r\n\r\n${OK}`
  const chunks = `POST /healthz HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${OK.length.toString(16)};x=y\r\n${OK}\r\n0\r\nX: y\r\n\r\n`
  const list = [[OK, 200], [post, 405], [chunks, 405], [OK, 200], [`GET /nothing HTTP/1.1\r\n${HOST}\r\n`, 404], [chunks, 405], [post, 405], [UPGRADE, 101]]
  const bytes = Buffer.concat([...list.map(([b]) => Buffer.from(b)), ping])
  for (const chop of [bytes.length, 1, 2, 3, 5, 7, 100, 1000]) {
    const peer = new HttpPeer(server)
    for (let at = 0; at < bytes.length; at += chop) await shove(peer, bytes.subarray(at, at + chop))
    for (const [, status] of list) assert.equal((await peer.response()).status, status, `in pieces of ${chop}`)
    assert.deepEqual(await behind(peer, PONG.length), PONG)
    peer.destroy()
  }
})

test('hubbub H.20.4 a body that hides a request may be cut at every byte', async () => {
  const hidden = `GET /hidden HTTP/1.1\r\n${HOST}\r\n`
  const bodies = [`Content-Length: ${hidden.length}\r\n\r\n${hidden}`, `Transfer-Encoding: chunked\r\n\r\n${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\nX: y\r\n\r\n`]
  for (const body of bodies) {
    const bytes = `GET /healthz HTTP/1.1\r\n${HOST}${body}${OK}`
    for (let at = 1; at < bytes.length; at++) {
      const peer = new HttpPeer(server)
      await shove(peer, bytes.slice(0, at))
      await shove(peer, bytes.slice(at))
      assert.deepEqual([(await peer.response()).status, (await peer.response()).status], [200, 200], `cut at ${at}`)
      assert.equal(peer.held.length, 0)
      peer.destroy()
    }
  }
})

test('hubbub H.20.5 who expects 100-continue gets it before the body and the answer after it', async () => {
  const peer = new HttpPeer(server)
  await shove(peer, `POST /healthz HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 4\r\n\r\n`)
  assert.equal((await peer.response()).status, 100)
  await shove(peer, `abcd${OK}`)
  assert.deepEqual([(await peer.response()).status, (await peer.response()).status], [405, 200])
  peer.destroy()
})

/** Beginnings that never end: a byte now and then is no excuse. */
const SLOW_SENDERS = {
  'a request line': `GET /${'a'.repeat(2000)}`,
  'a field': `GET /healthz HTTP/1.1\r\n${HOST}X: ${'y'.repeat(2000)}`,
  fields: `GET /healthz HTTP/1.1\r\n${HOST}${'X: y\r\n'.repeat(400)}`,
  'empty lines and a request': '\r\n\r\n' + `GET /${'a'.repeat(2000)}`,
  'a body': `POST /healthz HTTP/1.1\r\n${HOST}Content-Length: 2000\r\n\r\n${'x'.repeat(1999)}`,
  chunks: `POST /healthz HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(400)}`,
  'an extension of a chunk': `POST /healthz HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(2000)}`,
  'a trailer': `POST /healthz HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\nX: ${'y'.repeat(2000)}`,
  'an upgrade': UPGRADE.replace('\r\n\r\n', `\r\nX: ${'y'.repeat(2000)}`),
}

test('hubbub H.21.1 who sends a byte now and then gets 408 in the end, and others are served meanwhile', async (t) => {
  const s = await Server.start(t, { args: ['--request-timeout-ms', '600'] })
  const peers = Object.entries(SLOW_SENDERS).map(([what, bytes]) => ({ what, bytes, at: 0, peer: new HttpPeer(s) }))
  const timer = setInterval(() => {
    for (const one of peers) if (one.peer.socket.writable) one.peer.write(one.bytes.slice(one.at, ++one.at))
  }, 25)
  try {
    await Promise.all(peers.map(async ({ what, peer }) => {
      assert.equal((await peer.response()).status, 408, what)
      await peer.closed()
      assert.equal(peer.held.length, 0, what)
    }))
    assert.equal((await exchange(s, OK)).status, 200)
  } finally {
    clearInterval(timer)
    for (const { peer } of peers) peer.destroy()
  }
})

test('hubbub H.21.2 the time for a request begins with it, also for the second on a connection', async (t) => {
  const s = await Server.start(t, { args: ['--request-timeout-ms', '600'] })
  const peer = new HttpPeer(s)
  await shove(peer, OK)
  assert.equal((await peer.response()).status, 200)
  await shove(peer, 'GET /he')
  assert.equal((await peer.response()).status, 408)
  await peer.closed()
})
