// The servers that the cases are run against, and what a message and its answer are there.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { Server } from '../../protocol/lib/server.mjs'
import { OP } from '../../protocol/lib/wire.mjs'
import { within } from '../../protocol/lib/wait.mjs'

const REPORT = /Sanitizer|runtime error:|Assertion .* failed/

/** The server that echoes: any message is said back as it came. */
export const echo = {
  name: 'echo',
  max: 16 << 20,
  text: (t) => Buffer.from(t),
  sized: (n) => Buffer.alloc(n, '*'),
  isAnswer: (frame, { op, payload }) => frame.op === op && frame.payload.equals(payload),
  async start() {
    const bin = process.env.HUBBUB_TEST_ECHO ?? assert.fail('HUBBUB_TEST_ECHO names the server that echoes')
    const child = spawn(bin, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child = child
    this.stderr = ''
    child.stderr.on('data', (b) => (this.stderr += b))
    this.exited = new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)))
    const line = await within(new Promise((resolve) => child.stdout.once('data', (b) => resolve(String(b)))), 'the echo server')
    Object.assign(this, { host: '127.0.0.1', port: Number(/:(\d+)\n/.exec(line)[1]) })
  },
  async stop() {
    this.child.kill('SIGTERM')
    try {
      assert.equal(await within(this.exited, 'the echo server to end'), 0, this.stderr.slice(0, 6000))
      assert.doesNotMatch(this.stderr, REPORT)
    } finally {
      this.child.kill('SIGKILL')
    }
  },
}

const nameOf = (t) => createHash('sha1').update(t).digest('hex')

/** A request of exactly `n` bytes. */
function requestOf(n) {
  const empty = JSON.stringify({ id: `sized-${n}`, op: 'rooms', x: '' })
  return Buffer.from(empty.replace('""', `"${'*'.repeat(n - empty.length)}"`))
}

/**
 * The product: a text becomes a request, which gets its reply at once, since nobody has said hello
 * on that connection.  What is no request is told so; a binary message closes with 1003.
 */
export const hubbub = {
  name: 'hubbub',
  max: 65536,
  text: (t) => Buffer.from(JSON.stringify({ id: nameOf(t), op: 'rooms', x: String(t) })),
  sized: (n) => (n < 40 ? Buffer.alloc(n, '*') : requestOf(n)),
  isAnswer(frame, { payload }) {
    const reply = frame.op === OP.text && JSON.parse(frame.payload)
    if (payload.length < 40) return reply?.re === null && reply.err.code === 'bad_request'
    return reply?.re === JSON.parse(payload).id && reply.err.code === 'unauthorized'
  },
  async start() {
    this.server = await new Server().start()
    Object.assign(this, { host: this.server.host, port: this.server.port, tls: this.server.tls })
  },
  async stop() {
    await this.server.dispose()
  },
}
