// Frames, good and broken: RFC 6455, 5 and 8.1, and the bound on a message.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedServer } from './lib/server.mjs'
import { OP, encodeFrame } from './lib/wire.mjs'

const server = sharedServer()
const bytes = (...b) => Buffer.from(b)

/** A request that fits `size` bytes exactly. */
function padded(size, id = 'pad') {
  const empty = JSON.stringify({ id, op: 'rooms', x: '' })
  return empty.replace('""', `"${'x'.repeat(size - Buffer.byteLength(empty))}"`)
}

/** What the frames of `list` are answered with: the close code. */
async function fate(list) {
  const peer = await server.user()
  for (const frame of list) peer.socket.write(Buffer.isBuffer(frame) ? frame : encodeFrame(frame))
  return peer.closed()
}

const broken = [
  ['a text without a mask', { payload: '{}', mask: false }],
  ['a ping without a mask', { op: OP.ping, mask: false }],
  ['a close without a mask', { op: OP.close, mask: false }],
  ['RSV1 without an agreement', { payload: '{}', rsv: 4 }],
  ['RSV2', { payload: '{}', rsv: 2 }],
  ['RSV3', { payload: '{}', rsv: 1 }],
  ['all RSV bits', { payload: '{}', rsv: 7 }],
  ['RSV1 on a ping', { op: OP.ping, rsv: 4 }],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((op) => [`opcode ${op}`, { op, payload: 'x' }]),
  ['a fragmented ping', { op: OP.ping, fin: false }],
  ['a fragmented pong', { op: OP.pong, fin: false }],
  ['a fragmented close', { op: OP.close, fin: false }],
  ['a ping of 126 bytes', { op: OP.ping, payload: 'x'.repeat(126) }],
  ['a close of 126 bytes', { op: OP.close, payload: Buffer.concat([bytes(3, 232), Buffer.alloc(124, 120)]) }],
  ['a continuation of nothing', { op: OP.cont, payload: 'x' }],
  ['a last continuation of nothing', { op: OP.cont, fin: false, payload: 'x' }],
  ['a text inside a text', { payload: 'a', fin: false }, { payload: 'b' }],
  ['a binary inside a text', { payload: 'a', fin: false }, { op: OP.binary, payload: 'b' }],
  ['a continuation after the end', { payload: '{"id":1,', fin: false }, { op: OP.cont, payload: '"op":"rooms"}' }, { op: OP.cont, payload: 'x' }],
  ['RSV1 on a continuation', { payload: '{', fin: false }, { op: OP.cont, rsv: 4, payload: '}' }],
  ['a length of 5 in 16 bits', { payload: 'xxxxx', size: 16 }],
  ['a length of 125 in 16 bits', { payload: 'x'.repeat(125), size: 16 }],
  ['a length of 5 in 64 bits', { payload: 'xxxxx', size: 64 }],
  ['a length of 65535 in 64 bits', { payload: 'x'.repeat(65535), size: 64 }],
  ['a length of 0 in 64 bits', { payload: '', size: 64 }],
  ['a 64-bit length with the top bit', { payload: 'x', claim: 2n ** 63n }],
  ['a 64-bit length of all ones', { payload: 'x', claim: 2n ** 64n - 1n }],
  ['a ping with a length in 16 bits', { op: OP.ping, payload: 'x', size: 16 }],
]

test('a broken frame closes with 1002', async (t) => {
  for (const [name, ...list] of broken) assert.equal(await fate(list), 1002, name)
  t.diagnostic(`${broken.length} kinds`)
})

test('what came before a broken frame is answered first', async () => {
  const [peer, bob] = await server.room()
  peer.send({ id: 'stored', op: 'send', room: peer.join.room, key: 'k', text: 'before the end' })
  peer.text('{"id":"first","op":"nonsense"}')
  peer.frame({ op: 3 })
  await peer.take((m) => m.re === 'first')
  assert.equal(await peer.closed(), 1002)
  assert.equal((await bob.event('message')).text, 'before the end')
})

test('a broken frame behind a good one in the same segment does not hide it', async () => {
  const peer = await server.user()
  peer.socket.write(Buffer.concat([encodeFrame({ payload: '{"id":"first","op":"nonsense"}' }), encodeFrame({ rsv: 1, payload: '{}' })]))
  await peer.take((m) => m.re === 'first')
  assert.equal(await peer.closed(), 1002)
})

test('a binary message closes with 1003', async () => {
  for (const [name, ...list] of [
    ['one frame', { op: OP.binary, payload: '{}' }],
    ['empty', { op: OP.binary }],
    ['in fragments', { op: OP.binary, payload: '{', fin: false }, { op: OP.cont, payload: '}' }],
    ['no UTF-8', { op: OP.binary, payload: bytes(0xff) }],
  ]) assert.equal(await fate(list), 1003, name)
})

const badUtf8 = [
  ['a lone continuation byte', bytes(0x80)],
  ['0xff', bytes(0xff)],
  ['an overlong slash', bytes(0xc0, 0xaf)],
  ['an overlong NUL', bytes(0xc0, 0x80)],
  ['overlong in three bytes', bytes(0xe0, 0x80, 0xaf)],
  ['overlong in four bytes', bytes(0xf0, 0x80, 0x80, 0xaf)],
  ['a surrogate', bytes(0xed, 0xa0, 0x80)],
  ['a surrogate pair as UTF-8', bytes(0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80)],
  ['beyond U+10FFFF', bytes(0xf4, 0x90, 0x80, 0x80)],
  ['five bytes', bytes(0xf8, 0x88, 0x80, 0x80, 0x80)],
  ['cut short at the end', bytes(0xe2, 0x82)],
  ['cut short in the middle', bytes(0xe2, 0x82, 0x28)],
]

test('bad UTF-8 closes with 1007, in one frame and over fragments', async () => {
  for (const [name, bad] of badUtf8) {
    const payload = Buffer.concat([Buffer.from('{"id":1,"op":"rooms","x":"'), bad, Buffer.from(name.includes('end') ? '' : '"}')])
    assert.equal(await fate([{ payload }]), 1007, name)
    const at = 26 + bad.length - 1
    assert.equal(await fate([{ payload: payload.subarray(0, at), fin: false }, { op: OP.cont, payload: payload.subarray(at) }]), 1007, `${name}, over two frames`)
  }
})

test('good UTF-8 may be cut anywhere, also inside a character', async () => {
  const peer = await server.user()
  const text = JSON.stringify({ id: 'cut', op: 'rooms', x: 'é€\u{1F642}\u{10FFFF}\uFFFF' })
  const all = Buffer.from(text)
  for (let at = 0; at <= all.length; at++) {
    peer.frame({ payload: all.subarray(0, at), fin: false })
    peer.frame({ op: OP.cont, payload: all.subarray(at) })
    assert.equal((await peer.take((m) => m.re === 'cut')).ok, true, `cut at ${at}`)
  }
})

test('a message in fragments of one byte, empty ones and pings between, is one message', async () => {
  const peer = await server.user()
  const all = Buffer.from('{"id":"pieces","op":"rooms","x":"ü"}')
  peer.frame({ payload: '', fin: false })
  all.forEach((_, i) => {
    peer.frame({ op: OP.cont, payload: all.subarray(i, i + 1), fin: false })
    if (i % 5 === 0) peer.frame({ op: OP.ping, payload: `p${i}` })
    if (i % 7 === 0) peer.frame({ op: OP.cont, fin: false })
  })
  await peer.take((m) => m.pong === 'p35', 'the pong to a ping inside a message')
  peer.frame({ op: OP.cont })
  assert.equal((await peer.take((m) => m.re === 'pieces')).ok, true)
})

test('bytes may come one at a time', async () => {
  const peer = await server.user()
  await peer.write(encodeFrame({ payload: '{"id":"slow","op":"rooms"}' }), 1)
  assert.equal((await peer.take((m) => m.re === 'slow')).ok, true)
  await peer.write(encodeFrame({ payload: padded(200, 'slow16') }), 1)
  await peer.take((m) => m.re === 'slow16')
})

test('any mask will do', async () => {
  const peer = await server.user()
  for (const mask of [[0, 0, 0, 0], [255, 255, 255, 255], [1, 2, 3, 4], [0, 0, 0, 128]]) {
    peer.frame({ payload: `{"id":"m${mask}","op":"rooms"}`, mask })
    await peer.take((m) => m.re === `m${mask}`)
  }
})

test('a message of limits.frame bytes is taken, one of a byte more closes with 1009', async () => {
  const peer = await server.user()
  const limit = peer.hello.limits.frame
  assert.equal(limit, 65536)
  peer.text(padded(limit))
  assert.equal((await peer.take((m) => m.re === 'pad')).ok, true)
  peer.frame({ payload: padded(limit).slice(0, 1000), fin: false })
  peer.frame({ op: OP.cont, payload: padded(limit).slice(1000) })
  assert.equal((await peer.take((m) => m.re === 'pad')).ok, true)

  assert.equal(await fate([{ payload: padded(limit + 1) }]), 1009, 'one frame')
  assert.equal(await fate([{ payload: 'x'.repeat(limit), fin: false }, { op: OP.cont, payload: 'x' }]), 1009, 'fragments')
  assert.equal(await fate([{ payload: 'x', claim: limit + 1 }]), 1009, 'claimed, not sent')
  assert.equal(await fate([{ payload: 'x', claim: 2n ** 40n }]), 1009, 'a terabyte claimed')
  assert.equal(await fate([{ payload: 'x', claim: 2n ** 63n - 1n }]), 1009, 'the largest length claimed')
  const many = Array.from({ length: 70 }, (_, i) => ({ op: i === 0 ? OP.text : OP.cont, payload: 'x'.repeat(1000), fin: false }))
  assert.equal(await fate(many), 1009, 'many fragments without an end')
})

test('the bound holds before hello as well', async () => {
  const peer = await server.connect()
  peer.frame({ payload: padded(65537) })
  assert.equal(await peer.closed(), 1009)
})

test('pings are answered with their payload, in order, also thousands', async () => {
  const peer = await server.user()
  for (const payload of ['', 'x', 'y'.repeat(125), '\x00\xff']) {
    peer.frame({ op: OP.ping, payload: Buffer.from(payload, 'latin1') })
    await peer.take((m) => m.pong === payload, 'the pong')
  }
  const before = peer.pongs.length
  for (let i = 0; i < 3000; i++) peer.frame({ op: OP.ping, payload: String(i) })
  await peer.take((m) => m.pong === '2999', 'the last of 3000 pongs')
  const got = peer.pongs.slice(before).map((m) => Number(m.pong))
  // RFC 6455, 5.5.3: of several pings, the latest alone may be answered.
  assert.deepEqual(got, [...got].sort((a, b) => a - b))
})

test('a pong that nobody asked for is taken without a word', async () => {
  const peer = await server.user()
  peer.frame({ op: OP.pong, payload: 'unasked' })
  peer.frame({ op: OP.pong })
  await peer.ok({ op: 'rooms' })
  assert.equal(peer.pongs.length, 0)
})

test('the server sends its own messages as whole text frames', async () => {
  const [ada, bob] = await server.room()
  await ada.ok({ op: 'send', room: ada.join.room, key: 'k', text: 'x'.repeat(8000) })
  await bob.event('message')
  for (const f of bob.frames) assert.deepEqual({ op: f.op, fin: f.fin, rsv: f.rsv }, { op: OP.text, fin: true, rsv: 0 })
})
