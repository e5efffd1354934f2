// TLS in the server: what is spoken, and what a peer that breaks it gets.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import net from 'node:net'
import tls from 'node:tls'
import { test } from 'node:test'
import { commonCert } from './lib/certs.mjs'
import { HttpPeer, fetchRaw } from './lib/http.mjs'
import { Server, sharedServer } from './lib/server.mjs'
import { Wire, readAll, shakeHands } from './lib/tls.mjs'
import { SLOW, deferred, load, within } from './lib/wait.mjs'

const cert = commonCert()
const server = sharedServer({ cert })
const range = (n) => Array.from({ length: n }, (_, i) => i)
const GET = 'GET /healthz HTTP/1.1\r\nHost: chat.test\r\n\r\n'

/** Connections that the server has open, the asking one not counted. */
async function open(on) {
  const { body } = await fetchRaw(on, '/metrics')
  return Number(/^hubbub_connections (\d+)/m.exec(body)[1]) - 1
}

async function untilOpen(on, n) {
  const patience = Date.now() + 5000 * SLOW
  while (await open(on) !== n) assert.ok(Date.now() < patience, `${await open(on)} connections are open`)
}

async function connect(on, options = {}) {
  const socket = tls.connect({ host: on.host, port: on.port, ...on.tls, ...options })
  const done = deferred(), ticket = deferred()
  socket.on('secureConnect', done.resolve)
  socket.on('session', ticket.resolve)
  socket.on('error', done.reject)
  await within(done.promise, 'the handshake')
  return Object.assign(socket, { ticket: ticket.promise })
}

test('the page comes by TLS 1.3 and 1.2, over HTTP/1.1 by ALPN, with forward secrecy', async () => {
  assert.match(String((await fetchRaw(server, '/')).body), /<title>/)
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    const socket = await connect(server, { minVersion: version, maxVersion: version, ALPNProtocols: ['h2', 'http/1.1'] })
    assert.equal(socket.getProtocol(), version)
    assert.equal(socket.alpnProtocol, 'http/1.1')
    if (version === 'TLSv1.2') assert.match(socket.getCipher().name, /^ECDHE-.*(GCM|POLY1305)/)
    socket.destroy()
  }
})

test('what is old, weak or another protocol is refused in the handshake', async () => {
  const old = { minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' }
  await assert.rejects(connect(server, { ...old, maxVersion: 'TLSv1.1' }), /protocol version/)
  await assert.rejects(connect(server, { ...old, maxVersion: 'TLSv1' }), /protocol version/)
  for (const ciphers of ['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA']) {
    await assert.rejects(connect(server, { maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` }), /handshake failure/, ciphers)
  }
  await assert.rejects(connect(server, { ALPNProtocols: ['h2'] }), /no application protocol/)
  assert.equal((await fetchRaw(server, '/healthz')).status, 200)
})

test('a session is resumed by a ticket, under both versions', async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    const options = { minVersion: version, maxVersion: version }
    const first = await connect(server, options)
    first.write(GET)
    const session = await within(first.ticket, 'a ticket')
    first.destroy()
    const second = await connect(server, { ...options, session })
    assert.ok(second.isSessionReused(), version)
    second.destroy()
  }
})

test('a client may not ask for another handshake under TLS 1.2', async () => {
  const socket = await connect(server, { maxVersion: 'TLSv1.2' })
  const failed = within(new Promise((resolve) => socket.on('error', resolve)), 'the refusal')
  socket.renegotiate({}, () => {})
  assert.match((await failed).message, /no.renegotiation/)
  socket.destroy()
})

test('people talk by wss, and a page of the same host over http may not', async () => {
  const [ada, bob] = await server.room()
  assert.ok(ada.socket.encrypted)
  await ada.ok({ op: 'send', room: ada.join.room, key: 'k', text: 'hällo' })
  assert.equal((await bob.event('message')).text, 'hällo')
  const own = `${server.host}:${server.port}`
  await server.connect({ headers: { Origin: `https://${own}` } })
  await assert.rejects(server.connect({ headers: { Origin: `http://${own}` } }), /403/)
  assert.equal(await bob.close(), 1000)
})

test('handshake, request and frames may come byte by byte, or all at once', async () => {
  for (const cut of [1, Infinity]) {
    const wire = new Wire(server, { cut })
    const client = await shakeHands(server, wire)
    client.write(GET)
    assert.match(String(await within(new Promise((resolve) => client.once('data', resolve)), 'the answer')), /^HTTP\/1\.1 200/)
    client.end()
    await within(new Promise((resolve) => wire.once('close', resolve)), 'the end')
  }
})

test('the end is said inside TLS too, by whichever side is first', async () => {
  const before = await open(server)
  const closing = await shakeHands(server, new Wire(server))
  const ended = within(new Promise((resolve) => closing.once('end', resolve)), 'close_notify')
  closing.write(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
  closing.resume()
  await ended
  closing.destroy()

  // Ours is first: the answer to what was asked before still comes.
  const asking = await shakeHands(server, new Wire(server), { allowHalfOpen: true })
  const answer = readAll(asking)
  asking.end(GET)
  assert.match(await answer, /^HTTP\/1\.1 200/)
  await untilOpen(server, before)
})

test('plain HTTP on the port is answered in plain words', async () => {
  const plain = { host: server.host, port: server.port }
  const peer = new HttpPeer(plain)
  peer.write(GET)
  const r = await peer.response()
  assert.equal(r.status, 400)
  assert.match(String(r.body), /https/)
  assert.equal(await peer.closed(), undefined)
})

test('bytes that are no TLS end that connection and no other', async () => {
  const [ada, bob] = await server.room()
  for (const bytes of ['\0\0\0\0\0\0\0\0', '\x16\x03\x01\x00\x05hello', '\x17\x03\x03\x00\x10'.padEnd(30, 'x'), '\x80\x2e\x01\x00\x02'.padEnd(60, '\0')]) {
    const socket = net.connect({ host: server.host, port: server.port })
    const all = readAll(socket)
    socket.on('error', () => {})
    socket.write(bytes, 'latin1')
    await all
  }
  await ada.ok({ op: 'send', room: ada.join.room, key: 'k2', text: 'still here' })
  await bob.event('message')
})

test('who stops in the handshake, or says nothing behind it, is let go in time', async (t) => {
  const quick = await Server.start(t, { cert, args: ['--request-timeout-ms', '700'] })
  const silent = net.connect({ host: quick.host, port: quick.port })
  const hello = new Wire(quick)
  hello.hold()
  tls.connect({ socket: hello, ...quick.tls }).on('error', () => {})
  await new Promise((resolve) => setImmediate(resolve))
  const half = net.connect({ host: quick.host, port: quick.port })
  half.write(hello.held.subarray(0, hello.held.length / 2))
  const mute = await shakeHands(quick, new Wire(quick))
  const ends = [silent, half, mute].map((socket) => readAll(socket, 3000))
  assert.deepEqual((await Promise.all(ends)).map((text) => text.includes('HTTP')), [false, false, false])
  hello.destroy()
  await untilOpen(quick, 0)
})

test('a record that is damaged, or cut by a reset, ends its connection alone', async () => {
  const [ada, bob] = await server.room()
  const before = await open(server)
  for (const bytes of [[0x17, 3, 3, 0, 40, ...range(40)], [0x17, 3, 3, 0x40, 0, ...range(100)]]) {
    const wire = new Wire(server)
    const client = await shakeHands(server, wire)
    client.on('error', () => {})
    client.write(GET)
    await within(new Promise((resolve) => client.once('data', resolve)), 'the answer')
    await new Promise((resolve) => wire.socket.write(Buffer.from(bytes), resolve))
    wire.socket.resetAndDestroy()
  }
  await untilOpen(server, before)
  await ada.ok({ op: 'send', room: ada.join.room, key: 'k3', text: 'still here' })
  await bob.event('message')
})

test('a large broadcast to a hundred members comes whole to each', async () => {
  const room = 'wide'
  const peers = await Promise.all(range(100).map(() => server.user('Member')))
  const n = load(40)
  for (const peer of peers) {
    await peer.ok({ op: 'join', room })
    peer.texts = []
    peer.all = deferred()
    peer.onMessage = (m) => {
      if (m.ev === 'message' && peer.texts.push(m.text) === n) peer.all.resolve()
    }
  }
  const text = (i) => `${i} `.repeat(8000).slice(0, 7990)
  await Promise.all(range(n).map((i) => peers[0].ok({ op: 'send', room, key: `k${i}`, text: text(i) }, 30000)))
  for (const peer of peers) {
    await within(peer.all.promise, () => `${n} messages, of which ${peer.texts.length} came`, 30000)
    assert.deepEqual(peer.texts, peers[0].texts)
  }
  assert.deepEqual([...peers[0].texts].sort(), range(n).map(text).sort())
})

test('a reader that never reads is closed with 4008, memory bounded, what came is whole', async (t) => {
  const crowded = await Server.start(t, { cert })
  const [ada, slow] = await crowded.room(['Ada', 'Slow'])
  const memory = async () => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${crowded.pid}/status`, 'utf8'))[1])
  const before = await memory()
  slow.socket.pause()
  ada.onMessage = () => {}
  const text = 'x'.repeat(8000)
  const n = 2400 // some 19 MB: more than the kernel takes for one socket
  for (const i of range(n / 40)) {
    await Promise.all(range(40).map((k) => ada.ok({ op: 'send', room: ada.join.room, key: `k${i}.${k}`, text }, 20000)))
  }
  if (SLOW === 1) assert.ok((await memory()) - before < 32 * 1024)
  slow.onMessage = () => {}
  slow.socket.resume()
  // On a slow machine it reads on only after 5 s, and finds the connection cut.
  assert.ok([4008, 1006].includes(await slow.closed(20000)))
  const got = slow.seen.filter((m) => m.ev === 'message').map((m) => m.seq)
  assert.deepEqual(got, range(got.length).map((i) => i + 1), 'without a hole')
  assert.ok(got.length < n)
})
