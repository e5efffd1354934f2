// Running cases: what is sent, what must come back, and how the connection must end.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, test } from 'node:test'
import { Server } from '../../protocol/lib/server.mjs'
import { OP, closeBody, encodeFrame } from '../../protocol/lib/wire.mjs'
import { within } from '../../protocol/lib/wait.mjs'
import { RawPeer } from './peer.mjs'

const ECHO = process.env.HUBBUB_TEST_ECHO ?? assert.fail('HUBBUB_TEST_ECHO names the server that echoes')

/** The server that echoes: a text is said back as it came. */
export const echo = {
  echoesAll: true,
  text: (t) => t,
  isAnswer: (frame, op, payload) => frame.op === op && frame.payload.equals(Buffer.from(payload)),
  async start() {
    const child = spawn(ECHO, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.child = child
    this.exited = new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)))
    const line = await within(new Promise((resolve) => child.stdout.once('data', (b) => resolve(String(b)))), 'the echo server')
    Object.assign(this, { host: '127.0.0.1', port: Number(/:(\d+)\n/.exec(line)[1]) })
  },
  async stop() {
    this.child.kill('SIGTERM')
    assert.equal(await within(this.exited, 'the echo server to end'), 0)
  },
}

/** The product: a text is the id of a request that is refused, and its reply names it. */
export const hubbub = {
  echoesAll: false,
  text: (t) => JSON.stringify({ id: t || 'empty', op: 'echo' }),
  isAnswer: (frame, op, payload) => op === OP.text && frame.op === OP.text && JSON.parse(frame.payload).re === JSON.parse(payload).id,
  async start() {
    this.server = await new Server().start()
    Object.assign(this, { host: this.server.host, port: this.server.port })
  },
  async stop() {
    await this.server.dispose()
  },
}

/** The pong that must come. */
export const PONG = (payload) => ({ op: OP.pong, payload: Buffer.from(payload) })

/**
 * One case.  `send` is a list of bytes; between two of them, `{ until: n }` waits for so many frames.
 * `chop` cuts all into pieces.  `expect` lists the frames that must come, in their order.  `fails`
 * is the code with which the server must close by itself; `failsFast` says that it must do so
 * before the last of `send` goes out; without either the case ends with a closing handshake, of
 * `close` if that is given.
 */
export async function run(target, { send, chop, expect = [], fails, failsFast, close = closeBody(1000), answer, offer }) {
  const peer = await RawPeer.open(target, { offer })
  try {
    const parts = failsFast ? send.slice(0, -1) : send
    for (const part of parts) {
      if (part.until !== undefined) await peer.until(part.until)
      else await peer.write(part, chop)
    }
    const wanted = fails === undefined ? expect.length : expect.length + 1
    await peer.until(wanted)
    if (fails === undefined) {
      await peer.write(encodeFrame({ op: OP.close, payload: close }))
      await peer.until(wanted + 1)
      check(target, peer, expect, answer ?? close.subarray(0, 2))
    } else {
      check(target, peer, expect, closeBody(fails))
    }
    assert.equal(await peer.ended(), 'end', 'the server ends the TCP connection itself')
    assert.equal(peer.frames.length, expect.length + 1, 'nothing comes behind the close frame')
  } finally {
    peer.destroy()
  }
}

function check(target, peer, expect, body) {
  assert.equal(peer.fault, undefined)
  const told = peer.frames.map((f) => `${f.op}:${f.payload.subarray(0, 40)}`)
  for (const [i, { op, payload }] of expect.entries()) {
    const frame = peer.frames[i]
    assert.ok(frame !== undefined, `frame ${i} did not come: ${told}`)
    const right = op === OP.pong ? frame.op === OP.pong && frame.payload.equals(Buffer.from(payload)) : target.isAnswer(frame, op, payload)
    assert.ok(right, `frame ${i} is another than was said: ${told}`)
  }
  const last = peer.frames[expect.length]
  assert.equal(last?.op, OP.close, `a close frame came: ${told}`)
  const wanted = Buffer.from(body)
  assert.deepEqual([...last.payload.subarray(0, 2)], [...wanted.subarray(0, 2)], `its code is ${last.payload.length >= 2 ? last.payload.readUInt16BE(0) : 'none'}`)
}

/** Register each case as a test, named as in the suite it is after. */
export function register(target, cases) {
  before(() => target.start())
  after(() => target.stop())
  for (const one of cases) test(`${one.id} ${one.what}`, () => run(target, one))
  test('the server still echoes', () => {
    const payload = target.text('still here')
    return run(target, { send: [encodeFrame({ payload })], expect: [{ op: OP.text, payload }] })
  })
}
