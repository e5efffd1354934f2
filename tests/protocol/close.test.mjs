// The closing handshake: RFC 6455, 5.5.1 and 7.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedServer } from './lib/server.mjs'
import { deferred, within } from './lib/wait.mjs'
import { OP, closeBody } from './lib/wire.mjs'

const server = sharedServer()

async function answerTo(payload) {
  const peer = await server.user()
  peer.sentClose = true
  peer.frame({ op: OP.close, payload })
  return peer.closed()
}

test('a code that may go over the wire is echoed', async () => {
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4001, 4999]) {
    assert.equal(await answerTo(closeBody(code)), code, `close ${code}`)
  }
})

test('a code that may not is answered with 1002', async () => {
  for (const code of [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]) {
    assert.equal(await answerTo(closeBody(code)), 1002, `close ${code}`)
  }
})

test('a close without a body is answered without one, or with 1000', async () => {
  assert.ok([1005, 1000].includes(await answerTo(Buffer.alloc(0))))
})

test('a close body of one byte is answered with 1002', async () => {
  for (const byte of [0, 3, 255]) assert.equal(await answerTo(Buffer.from([byte])), 1002)
})

test('a reason is allowed up to 123 bytes, in UTF-8 alone', async () => {
  assert.equal(await answerTo(closeBody(1000, 'going home')), 1000)
  assert.equal(await answerTo(closeBody(1000, 'é'.repeat(61) + 'x')), 1000)
  assert.equal(await answerTo(Buffer.concat([closeBody(1000), Buffer.from([0xce, 0xba, 0xff])])), 1007)
  assert.equal(await answerTo(Buffer.concat([closeBody(1000), Buffer.from([0xed, 0xa0, 0x80])])), 1007)
})

test('what was asked for before a close is done all the same', async () => {
  const [ada, bob] = await server.room()
  ada.send({ id: 'last', op: 'send', room: ada.join.room, key: 'k', text: 'last words' })
  assert.equal(await ada.close(1000), 1000)
  assert.equal((await bob.event('message')).text, 'last words')
})

test('what comes behind a close is not looked at', async () => {
  const [ada, bob] = await server.room()
  ada.sentClose = true
  ada.frame({ op: OP.close, payload: closeBody(1000) })
  ada.send({ id: 9, op: 'send', room: ada.join.room, key: 'late', text: 'too late' })
  ada.frame({ op: 3 })
  assert.equal(await ada.closed(), 1000)
  await bob.ok({ op: 'send', room: bob.join.room, key: 'k', text: 'next' })
  assert.equal((await bob.event('message')).text, 'next')
})

test('the server ends the TCP connection itself after the closing handshake', async () => {
  const peer = await server.user()
  const gone = deferred()
  peer.keepOpen = true
  peer.socket.on('end', gone.resolve)
  await peer.close(1000)
  await within(gone.promise, 'the server to end the stream')
})

test('the server ends the connection when the peer does not answer its close', async () => {
  const peer = await server.user()
  const gone = deferred()
  peer.keepOpen = true // no close frame in return, no end of the stream
  peer.socket.on('close', gone.resolve)
  peer.frame({ op: 3 })
  assert.equal(await peer.closed(), 1002)
  await within(gone.promise, 'the server to give up on the peer', 15000)
})

test('a connection that vanishes takes nobody with it', async () => {
  const [ada, bob] = await server.room()
  ada.socket.resetAndDestroy()
  const left = await bob.take((m) => m.ev === 'presence' && m.leave?.some((u) => u.id === ada.me.id), 'the presence event')
  assert.equal(left.online, 1)
  await bob.ok({ op: 'send', room: bob.join.room, key: 'k', text: 'still here' })
})
