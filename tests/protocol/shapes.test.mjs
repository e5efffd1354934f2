// The three shapes: requests, replies and the errors of what is none.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { sharedServer } from './lib/server.mjs'
import { fresh } from './lib/wait.mjs'

const server = sharedServer()
const FRAMES = JSON.parse(readFileSync(new URL('../fixtures/client-frames.json', import.meta.url), 'utf8'))
const FORMAL = ['bad_request', 'unsupported', 'too_large']
const idIn = (text) => { try { return JSON.parse(text).id } catch { return undefined } }
const isHello = (f) => f.text.includes('"op":"hello"')

/** The next reply after `text` was sent, whoever it is addressed to. */
async function answer(peer, text) {
  peer.text(text)
  return peer.take((m) => m.re !== undefined, `the reply to ${text.slice(0, 200)}`)
}

test('every wrong frame of the fixtures gets its error, and the connection lives on', async (t) => {
  const wrong = FRAMES.filter((f) => !f.valid)
  for (let i = 0; i < wrong.length; i += 15) {
    // A hello is judged where it may come; everything else after one.
    const peer = await server.user()
    await peer.ok({ op: 'join', room: 'general' })
    const fresher = await server.connect()
    for (const f of wrong.slice(i, i + 15)) {
      const to = isHello(f) ? fresher : peer
      const reply = await answer(to, f.text)
      assert.equal(reply.ok, false, `${f.name}: ${JSON.stringify(reply)}`)
      assert.equal(reply.err.code, f.code, `${f.name}: ${JSON.stringify(reply)}`)
      assert.equal(typeof reply.err.msg, 'string', f.name)
    }
    await peer.ok({ op: 'rooms' })
    await Promise.all([peer.drop(), fresher.drop()])
  }
  t.diagnostic(`${wrong.length} frames`)
})

test('no right frame of the fixtures is refused for its form', async (t) => {
  const right = FRAMES.filter((f) => f.valid)
  const peer = await server.user()
  let n = 0
  for (const f of right) {
    if (isHello(f)) continue
    n++
    peer.text(f.text)
    if (f.text.includes('"pong"')) continue
    const id = idIn(f.text)
    const reply = await peer.take((m) => m.re !== undefined, `the reply to ${f.name}`)
    assert.equal(reply.re, id, f.name)
    assert.ok(reply.ok || !FORMAL.includes(reply.err.code), `${f.name}: ${JSON.stringify(reply).slice(0, 300)}`)
  }
  t.diagnostic(`${n} frames`)
})

test('a right hello of the fixtures is not refused for its form', async () => {
  for (const f of FRAMES.filter((x) => x.valid && isHello(x))) {
    const peer = await server.connect()
    const reply = await answer(peer, f.text)
    assert.ok(reply.ok || ['unauthorized', 'name_taken'].includes(reply.err.code), `${f.name}: ${JSON.stringify(reply)}`)
    await peer.drop()
  }
})

test('the reply carries the id as it came, number or string', async () => {
  const peer = await server.user()
  for (const id of [0, 1, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER, 'a', '7', 'é'.repeat(32), 'x'.repeat(64), 'a"\\\n\u2028', '\u{1F642}']) {
    const reply = await answer(peer, JSON.stringify({ id, op: 'rooms' }))
    assert.strictEqual(reply.re, id)
    assert.equal(reply.ok, true)
  }
})

test('an error carries the id where there was a valid one, null where not', async () => {
  const peer = await server.user()
  const table = [
    [{ id: 5, op: 'send', room: 'a' }, 5], [{ id: 'x', op: 'nonsense' }, 'x'], [{ id: 0, op: 'join', room: '' }, 0],
    [{ op: 'rooms' }, null], [{ id: -1, op: 'rooms' }, null], [{ id: null, op: 'rooms' }, null], [{ id: 'x'.repeat(65), op: 'rooms' }, null], [{ id: [], op: 'rooms' }, null],
    ['not JSON', null], ['[]', null], ['', null], ['{"id":7,"id":7,"op":"rooms"}', null],
  ]
  for (const [request, re] of table) {
    const reply = await answer(peer, typeof request === 'string' ? request : JSON.stringify(request))
    assert.equal(reply.ok, false, JSON.stringify(request))
    assert.strictEqual(reply.re, re, JSON.stringify(request))
  }
})

test('each request gets exactly one reply, also when ids repeat', async () => {
  const peer = await server.user()
  for (let i = 0; i < 100; i++) peer.send({ id: 'same', op: 'rooms' })
  // They touch no room, so they may be answered in any order.
  for (let i = 0; i < 100; i++) await peer.take((m) => m.re === 'same', `reply ${i + 1}`)
  await peer.ok({ op: 'rooms' })
  await peer.settle()
  assert.equal(peer.seen.filter((m) => m.re === 'same').length, 100)
})

test('a text with every awkward character comes back byte for byte', async () => {
  const [ada, bob] = await server.room()
  const texts = ['\0', 'a\0b\0', '\u0001\u001f\u007f\u0080\u009f', '"\\/\b\f\n\r\t', '\u2028\u2029\ufeff\ufffe\uffff', '\u{1F468}\u200d\u{1F469}\u200d\u{1F467}',
    'e\u0301 é', 'ﬁ Å Ω', '\u202eabc\u202c', ' leading and trailing ', '\r\n\r\n', '</script><!--', '\u{10FFFF}', '日本語 العربية']
  for (const text of texts) {
    await ada.ok({ op: 'send', room: ada.join.room, key: fresh('k'), text })
    assert.equal((await bob.event('message')).text, text)
  }
  const { events } = await bob.ok({ op: 'history', room: ada.join.room })
  assert.deepEqual(events.map((e) => e.text), texts)
})

test('20 bad or unknown requests within 10 s close with 4010, 19 do not', async () => {
  for (const text of ['nonsense', '{"id":1,"op":"nonsense"}', '{"id":1,"op":"send"}']) {
    const peer = await server.user()
    for (let i = 0; i < 19; i++) await answer(peer, text)
    await peer.ok({ op: 'rooms' })
    peer.text(text)
    assert.equal(await peer.closed(), 4010, text)
  }
})

test('4010 counts before hello as well', async () => {
  const peer = await server.connect()
  for (let i = 0; i < 20; i++) peer.text('nonsense')
  assert.equal(await peer.closed(), 4010)
})

test('other refusals never close the connection', async () => {
  const peer = await server.user()
  for (let i = 0; i < 60; i++) await peer.refused({ op: 'typing', room: 'never-joined' }, 'forbidden')
  await peer.ok({ op: 'join', room: 'many-refusals' })
  for (let i = 0; i < 60; i++) await peer.refused({ op: 'delete', room: 'many-refusals', target: 99, key: `k${i}` }, 'not_found')
  for (let i = 0; i < 30; i++) await peer.refused({ op: 'send', room: 'many-refusals', key: 'k', text: 'x'.repeat(8001) }, 'too_large')
  await peer.ok({ op: 'rooms' })
})
