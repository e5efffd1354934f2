// Running cases: what is sent, what must come back, and how the connection must end.
//
// A case has one right outcome: the frames that come, byte for byte and in their order; the close
// frame's code, and which side was first; and that the server then ends the TCP connection itself
// (RFC 6455, 7.1.1) by a FIN behind all that it said, with nothing behind the close frame.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Deflate, parseExtension } from '../../protocol/lib/deflate.mjs'
import { OP, closeBody, encodeFrame } from '../../protocol/lib/wire.mjs'
import { RawPeer } from './peer.mjs'

/** How long the server may take to end the connection after its close frame, in milliseconds. */
const PROMPT_MS = 2000

export const frame = (op, payload = '', more = {}) => encodeFrame({ op, payload, ...more })
/** A frame of a message that goes on. */
export const part = (op, payload, more = {}) => frame(op, payload, { fin: false, ...more })

/** What must come: a message, a pong. */
export const TEXT = (payload) => ({ op: OP.text, payload: Buffer.from(payload) })
export const BINARY = (payload) => ({ op: OP.binary, payload: Buffer.from(payload) })
export const PONG = (payload) => ({ op: OP.pong, payload: Buffer.from(payload) })

/** A message in frames of `size` bytes. */
export function fragments(op, payload, size, more = {}) {
  const frames = []
  for (let at = 0; at < payload.length || at === 0; at += size) {
    const rsv = at === 0 ? (more.rsv ?? 0) : 0
    frames.push(frame(at === 0 ? op : OP.cont, payload.subarray(at, at + size), { fin: at + size >= payload.length, ...more, rsv }))
  }
  return Buffer.concat(frames)
}

/** A text in frames of one byte, with an empty one to end it. */
export function byteFragments(bytes, op = OP.text) {
  return Buffer.concat([...[...bytes].map((b, i) => part(i === 0 ? op : OP.cont, Buffer.from([b]))), frame(bytes.length === 0 ? op : OP.cont, '')])
}

/**
 * One case.  `send` is a list of bytes; between two of them, `{ until: n }` waits for so many frames.
 * `chop` cuts all into pieces.  `expect` lists the messages and pongs that must come.  `fails` is
 * the code with which the server must close by itself; `failsFast`: before the last of `send`, which
 * never goes out.  `closes` is the code that answers a close frame among `send`.  Without any of
 * these the case ends with a closing handshake of our own.
 */
export async function run(target, { send, chop, expect = [], fails, failsFast, closes, offer }) {
  const peer = await RawPeer.open(target, { offer })
  try {
    for (const one of failsFast ? send.slice(0, -1) : send) {
      if (one.until !== undefined) await peer.until(one.until)
      else await peer.write(one, chop)
    }
    const endsItself = fails !== undefined || closes !== undefined
    if (!endsItself) {
      await peer.until(expect.length)
      await peer.write(frame(OP.close, closeBody(1000)))
    }
    await peer.until(expect.length + 1)
    inflateAll(peer)
    checkFrames(target, peer, expect)
    checkClose(peer, peer.frames[expect.length], fails, closes ?? 1000)
    assert.equal(await peer.ended(PROMPT_MS), 'end', 'the server ends the TCP connection itself')
    assert.equal(peer.fault, undefined)
    assert.equal(peer.frames.length, expect.length + 1, 'nothing comes behind the close frame')
  } finally {
    peer.destroy()
  }
}

/** What came compressed, as it was meant. */
function inflateAll(peer) {
  const agreed = parseExtension(peer.response.headers['sec-websocket-extensions'])
  const deflate = agreed && new Deflate(agreed)
  peer.frames = peer.frames.map((f) => (f.rsv === 4 && deflate !== null ? { ...f, rsv: 0, payload: deflate.inflate(f.payload) } : f))
}

const tell = (frames) => frames.slice(0, 8).map((f) => `${f.op}:${f.payload.subarray(0, 40).toString('latin1')}`).join(' ')

function checkFrames(target, peer, expect) {
  assert.equal(peer.fault, undefined)
  for (const [i, wanted] of expect.entries()) {
    const came = peer.frames[i]
    assert.ok(came !== undefined, `frame ${i} did not come: ${tell(peer.frames)}`)
    const isRight = wanted.op === OP.pong ? came.op === OP.pong && came.payload.equals(wanted.payload) : target.isAnswer(came, wanted)
    assert.ok(isRight && came.fin && came.rsv === 0, `frame ${i} is another than was said: ${tell(peer.frames)}`)
  }
}

/** `fails`: the server closes with that code, and may say why; else it answers with `code` alone. */
function checkClose(peer, came, fails, code) {
  assert.equal(came?.op, OP.close, `a close frame came: ${tell(peer.frames)}`)
  const { payload } = came
  if (fails === undefined) {
    assert.deepEqual([...payload], code === 1005 ? [] : [...closeBody(code)], `the answer to a close: ${payload.toString('hex')}`)
    return
  }
  assert.ok(payload.length >= 2, 'the close frame has a code')
  assert.equal(payload.readUInt16BE(0), fails, `with the reason ${payload.subarray(2)}`)
  new TextDecoder('utf-8', { fatal: true }).decode(payload.subarray(2))
}

/** Register each case as a test, named as in the suite that it is after. */
export function register(target, cases) {
  before(() => target.start())
  after(() => target.stop())
  for (const one of cases) test(`${target.name} ${one.id} ${one.what}`, () => run(target, one))
  test(`${target.name} 0.1 others are served after all this`, () => {
    const payload = target.text('still here')
    return run(target, { send: [frame(OP.text, payload)], expect: [TEXT(payload)] })
  })
}
