// The peer's own tools, before anything is judged by them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deflate, parseExtension } from './lib/deflate.mjs'
import { OP, FrameReader, encodeFrame } from './lib/wire.mjs'

test('the examples of RFC 6455, 5.7, are encoded to the byte', () => {
  const table = [
    [{ payload: 'Hello', mask: false }, '810548656c6c6f'],
    [{ payload: 'Hello', mask: [0x37, 0xfa, 0x21, 0x3d] }, '818537fa213d7f9f4d5158'],
    [{ payload: 'Hel', fin: false, mask: false }, '010348656c'],
    [{ op: OP.cont, payload: 'lo', mask: false }, '80026c6f'],
    [{ op: OP.ping, payload: 'Hello', mask: false }, '890548656c6c6f'],
    [{ op: OP.binary, payload: Buffer.alloc(256), mask: false }, '827e0100' + '00'.repeat(256)],
    [{ op: OP.binary, payload: Buffer.alloc(65536), mask: false }, '827f0000000000010000' + '00'.repeat(65536)],
    [{ payload: 'Hi', mask: false, size: 16 }, '817e00024869'],
    [{ payload: 'Hi', mask: false, size: 64 }, '817f00000000000000024869'],
    [{ payload: '', mask: false, rsv: 4 }, 'c100'],
    [{ payload: 'Hi', mask: false, claim: 2n ** 63n }, '817f80000000000000004869'],
  ]
  for (const [fields, hex] of table) assert.equal(encodeFrame(fields).toString('hex'), hex)
})

test('frames are read however the bytes are cut', () => {
  const payloads = ['', 'x', 'y'.repeat(125), 'z'.repeat(126), 'ü'.repeat(40000), 'end']
  const bytes = Buffer.concat(payloads.map((payload) => encodeFrame({ payload, mask: false })))
  for (const cut of [1, 2, 3, 7, 1000, bytes.length]) {
    const reader = new FrameReader()
    const read = []
    for (let i = 0; i < bytes.length; i += cut) read.push(...reader.push(bytes.subarray(i, i + cut)))
    assert.deepEqual(read.map((f) => f.payload.toString()), payloads)
  }
})

test('the reader lets no broken frame of a server pass', () => {
  const table = [
    [encodeFrame({ payload: 'x' }), /masked/],
    [encodeFrame({ mask: false, payload: 'x', size: 16 }), /shortest/],
    [encodeFrame({ mask: false, payload: 'x', size: 64 }), /shortest/],
    [encodeFrame({ mask: false, payload: 'x', rsv: 1 }), /RSV/],
    [encodeFrame({ mask: false, payload: 'x', op: 3 }), /opcode/],
    [encodeFrame({ mask: false, op: OP.ping, fin: false }), /control/],
    [encodeFrame({ mask: false, op: OP.pong, payload: 'x'.repeat(126) }), /control/],
  ]
  for (const [bytes, error] of table) assert.throws(() => new FrameReader().push(bytes), error)
})

test('deflate keeps its context from message to message, or not, as agreed', () => {
  for (const header of ['permessage-deflate', 'permessage-deflate; client_no_context_takeover; server_no_context_takeover',
    'permessage-deflate; client_max_window_bits=9; server_max_window_bits=9']) {
    const agreed = parseExtension(header)
    const [one, other] = [new Deflate(agreed), new Deflate(mirror(agreed))]
    for (let i = 0; i < 50; i++) {
      const text = `message ${i} ` + 'abcdefgh'.repeat(i * 20)
      assert.equal(other.inflate(one.compress(text)).toString(), text)
    }
  }
  assert.equal(parseExtension(undefined), null)
  assert.throws(() => parseExtension('x-webkit-deflate-frame'), /agreed/)
})

const mirror = (agreed) => Object.fromEntries(Object.entries(agreed).map(([k, v]) =>
  [k.startsWith('client') ? k.replace('client', 'server') : k.replace('server', 'client'), v]))
