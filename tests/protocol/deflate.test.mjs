// permessage-deflate: RFC 7692.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { constants, deflateRawSync } from 'node:zlib'
import { sharedServer } from './lib/server.mjs'
import { fresh } from './lib/wait.mjs'
import { OP } from './lib/wire.mjs'

const server = sharedServer()
const OFFER = 'permessage-deflate; client_max_window_bits'

test('what is agreed was offered', async () => {
  const table = [
    // offer, what the answer must hold
    ['permessage-deflate', {}],
    [OFFER, {}],
    ['permessage-deflate; server_no_context_takeover', { server_no_context_takeover: true }],
    ['permessage-deflate; client_no_context_takeover', {}],
    ['permessage-deflate; client_no_context_takeover; server_no_context_takeover', { server_no_context_takeover: true }],
    ['permessage-deflate;client_max_window_bits=15', {}],
    ['permessage-deflate; client_max_window_bits="10"', {}],
    ['x-unknown, permessage-deflate', {}],
    ['permessage-deflate; nonsense, permessage-deflate', {}],
    ['permessage-deflate; server_max_window_bits=15', {}],
  ]
  for (const [offer, must] of table) {
    const peer = await server.user('Ada', { offer })
    const { agreed } = peer.deflate ?? assert.fail(`nothing agreed on ${offer}`)
    for (const k of Object.keys(must)) assert.equal(agreed[k], must[k], `${offer}: ${JSON.stringify(agreed)}`)
    if (!offer.includes('client_max_window_bits')) assert.ok(!('client_max_window_bits' in agreed), offer)
    await peer.ok({ op: 'rooms', query: 'compressed' })
    await peer.ok({ op: 'rooms', query: 'compressed' })
    await peer.close()
  }
})

test('smaller windows are kept to, or the offer is declined', async () => {
  for (let bits = 8; bits <= 15; bits++) {
    for (const offer of [`permessage-deflate; server_max_window_bits=${bits}`, `permessage-deflate; client_max_window_bits=${bits}`]) {
      const peer = await server.user('Ada', { offer })
      if (peer.deflate === null) continue
      const { agreed } = peer.deflate
      if (offer.includes('server')) assert.ok(agreed.server_max_window_bits <= bits, `${offer}: ${JSON.stringify(agreed)}`)
      const room = fresh('window')
      await peer.ok({ op: 'join', room })
      const text = (randomBytes(900).toString('hex') + ' ').repeat(4)
      await peer.ok({ op: 'send', room, key: fresh('k'), text })
      assert.equal((await peer.event('message')).text, text) // inflated with the agreed window alone
      await peer.close()
    }
  }
})

test('an offer that is wrong is declined, and the connection works without it', async () => {
  for (const params of ['nonsense', 'server_max_window_bits=7', 'server_max_window_bits=16', 'server_max_window_bits',
    'server_max_window_bits=x', 'server_max_window_bits=09', 'client_max_window_bits=99', 'client_max_window_bits=7', 'server_no_context_takeover=1', 'client_no_context_takeover=1',
    'server_no_context_takeover; server_no_context_takeover', 'client_max_window_bits; client_max_window_bits']) {
    const peer = await server.user('Ada', { offer: `permessage-deflate; ${params}` })
    assert.equal(peer.deflate, null, params)
    await peer.ok({ op: 'rooms' })
    await peer.close()
  }
})

test('nothing is agreed where nothing was offered', async () => {
  const peer = await server.user()
  assert.equal(peer.deflate, null)
})

test('compressed and plain messages may be mixed, with the context kept between them', async () => {
  const peer = await server.user('Ada', { offer: OFFER })
  for (let i = 0; i < 60; i++) {
    const text = JSON.stringify({ id: `r${i}`, op: 'rooms', x: `the same words again and again ${i}` })
    peer.text(text, { z: i % 3 !== 0 })
    assert.equal((await peer.take((m) => m.re === `r${i}`)).ok, true)
  }
})

test('a compressed message may be fragmented anywhere', async () => {
  const peer = await server.user('Ada', { offer: 'permessage-deflate; client_no_context_takeover' })
  peer.deflate.agreed.client_no_context_takeover = true // it may always forget
  const z = peer.deflate.compress('{"id":"f","op":"rooms"}')
  for (let at = 0; at <= z.length; at++) {
    peer.frame({ rsv: 4, payload: z.subarray(0, at), fin: false })
    peer.frame({ op: OP.ping, payload: 'between' })
    peer.frame({ op: OP.cont, payload: z.subarray(at) })
    assert.equal((await peer.take((m) => m.re === 'f')).ok, true, `cut at ${at}`)
  }
})

test('every way to write deflate data is understood', async () => {
  const text = '{"id":"w","op":"rooms","x":"' + 'abc'.repeat(400) + '"}'
  const cut = (z) => z.subarray(0, -4)
  const sync = { finishFlush: constants.Z_SYNC_FLUSH }
  const table = {
    'stored blocks': cut(deflateRawSync(text, { ...sync, level: 0 })),
    'fixed codes': cut(deflateRawSync(text, { ...sync, strategy: constants.Z_FIXED })),
    'Huffman alone': cut(deflateRawSync(text, { ...sync, strategy: constants.Z_HUFFMAN_ONLY })),
    'several blocks': Buffer.concat([deflateRawSync(text.slice(0, 100), sync), cut(deflateRawSync(text.slice(100), sync))]),
    'a last block with BFINAL (RFC 7692, 7.2.3.4)': Buffer.concat([deflateRawSync(text), Buffer.from([0])]),
  }
  for (const [name, payload] of Object.entries(table)) {
    const peer = await server.user('Ada', { offer: OFFER })
    peer.frame({ rsv: 4, payload })
    assert.equal((await peer.take((m) => m.re === 'w', `a reply to ${name}`)).ok, true, name)
    peer.text('{"id":"after","op":"rooms"}', { z: false })
    await peer.take((m) => m.re === 'after')
    await peer.close()
  }
})

test('an empty compressed message is a bad request', async () => {
  const peer = await server.user('Ada', { offer: OFFER })
  peer.frame({ rsv: 4, payload: Buffer.from([0]) })
  const reply = await peer.take((m) => m.re === null)
  assert.equal(reply.err.code, 'bad_request')
})

test('what inflates beyond limits.frame closes with 1009, however small it came', async () => {
  const empty = '{"id":"b","op":"rooms","x":""}'
  const request = (n) => empty.replace('""', `"${'x'.repeat(n - empty.length)}"`)
  for (const [size, code] of [[65536, null], [65537, 1009], [10_000_000, 1009], [50_000_000, 1009]]) {
    const peer = await server.user('Ada', { offer: OFFER })
    assert.equal(request(size).length, size)
    const payload = deflateRawSync(request(size), { level: 9, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
    assert.ok(payload.length < 65536, `${size} compressed to ${payload.length}`)
    peer.frame({ rsv: 4, payload })
    if (code === null) assert.equal((await peer.take((m) => m.re === 'b')).ok, true)
    else assert.equal(await peer.closed(), code, `${size} bytes`)
  }
})

test('broken deflate data closes with 1007', async () => {
  const table = {
    'a reserved block type': Buffer.from([0x06 | 1]),
    'random bytes': Buffer.from('ffffffffffffffff', 'hex'),
    'a stored block whose lengths differ': Buffer.from([0, 5, 0, 0, 0, 1, 2, 3, 4, 5]),
    'a distance before the beginning': Buffer.from([0x4b, 0x04, 0x61, 0x00, 0xff, 0xff]),
    'plain JSON': Buffer.from('{"id":1,"op":"rooms"}'),
    'a cut stored block': Buffer.from([0, 20, 0, 235, 255, 65, 66]),
  }
  for (const [name, payload] of Object.entries(table)) {
    const peer = await server.user('Ada', { offer: OFFER })
    peer.frame({ rsv: 4, payload })
    assert.equal(await peer.closed(), 1007, name)
  }
})

test('bad UTF-8 inside a compressed message closes with 1007', async () => {
  for (const bad of [[0xff], [0xed, 0xa0, 0x80], [0xc3], [0xc0, 0x80]]) {
    const peer = await server.user('Ada', { offer: OFFER })
    peer.frame({ rsv: 4, payload: peer.deflate.compress(Buffer.concat([Buffer.from('{"id":1,"op":"rooms","x":"'), Buffer.from(bad)])) })
    assert.equal(await peer.closed(), 1007)
  }
})

test('RSV1 belongs on the first frame of a data message and nowhere else', async () => {
  for (const list of [
    [{ payload: '{', fin: false }, { op: OP.cont, rsv: 4, payload: '}' }],
    [{ rsv: 4, payload: Buffer.from([0]), fin: false }, { op: OP.cont, rsv: 4, payload: Buffer.from([0]) }],
    [{ op: OP.ping, rsv: 4 }], [{ op: OP.close, rsv: 4 }], [{ rsv: 6, payload: Buffer.from([0]) }],
  ]) {
    const peer = await server.user('Ada', { offer: OFFER })
    list.forEach((f) => peer.frame(f))
    assert.equal(await peer.closed(), 1002, JSON.stringify(list))
  }
})

test('a binary message is refused compressed as well', async () => {
  const peer = await server.user('Ada', { offer: OFFER })
  peer.frame({ op: OP.binary, rsv: 4, payload: peer.deflate.compress('{}') })
  assert.equal(await peer.closed(), 1003)
})

test('long events go out compressed to whom agreed to it, plain to the others, the same text to all', async () => {
  const room = fresh('mixed')
  const plain = await server.user('Plain')
  const small = await server.user('Small', { offer: OFFER })
  for (const p of [plain, small]) await p.ok({ op: 'join', room })
  const text = 'compress me, please. '.repeat(300)
  await plain.ok({ op: 'send', room, key: 'k', text })
  // Presence may come at any moment, also after the message; each text of the server is one frame.
  const [a, b] = await Promise.all([plain, small].map(async (p) => {
    await p.event('message')
    const i = p.seen.findIndex((m) => m.ev === 'message')
    return { text: p.raw[i], ...p.frames[i] }
  }))
  assert.equal(a.text, b.text)
  assert.ok(b.rsv === 4 && b.size < 1000, 'it was compressed')
  assert.equal(a.rsv, 0)
})
