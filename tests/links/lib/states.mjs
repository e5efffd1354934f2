// Every state that a connection can be in, and how to bring one there.
//
// `prepare` runs while the server works, `enter` while it is held as `held` says.  Both are given a
// struct of the server, the room that the witnesses are in, and a room whose events are read from
// the database.  What `enter` returns is the sockets.
import { HttpPeer } from '../../protocol/lib/http.mjs'
import { encodeFrame } from '../../protocol/lib/wire.mjs'
import { fresh } from '../../protocol/lib/wait.mjs'

const upgrade = 'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n'

async function http(server, bytes) {
  const peer = new HttpPeer(server)
  await new Promise((resolve) => peer.socket.once('connect', resolve))
  if (bytes !== '') await new Promise((resolve) => peer.socket.write(bytes, resolve))
  return peer
}

/** It does not answer the server's end with its own. */
function keepsOpen(peer) {
  peer.keepOpen = peer.socket.allowHalfOpen = true
  return peer
}

const sends = (bytes) => ({ prepare: async () => {}, enter: async ({ server }) => http(server, bytes) })

/** A member of the room that says `request` while the server is held. */
const asks = (held, request) => ({
  held,
  prepare: async ({ server, room }) => {
    const peer = await server.user('Asks')
    await peer.ok({ op: 'join', room })
    return peer
  },
  enter: async (at, peer) => {
    peer.send({ id: 'x', ...request(at) })
    return peer
  },
})

const writes = (bytes) => ({
  prepare: async ({ server, room }) => {
    const peer = await server.user('Writes')
    await peer.ok({ op: 'join', room })
    return peer
  },
  enter: async (_, peer) => {
    await new Promise((resolve) => peer.socket.write(bytes, resolve))
    return peer
  },
})

export const STATES = {
  'before its request': sends(''),
  'within the request line': sends('GET /heal'),
  'within the headers': sends(`${upgrade}Conn`),
  'within a body': sends('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nabc'),
  'with answers that it does not read': {
    prepare: async () => {},
    enter: async ({ server }) => {
      const peer = await http(server, '')
      peer.socket.pause()
      peer.socket.write('GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: identity\r\n\r\n'.repeat(20000))
      return peer
    },
  },
  'after the upgrade, before hello': {
    prepare: async () => {},
    enter: ({ server }) => server.connect(),
  },
  'with a hello at the store': {
    held: 'writer',
    prepare: ({ server }) => server.connect(),
    enter: async (_, peer) => {
      peer.send({ id: 1, op: 'hello', name: fresh('Pending') })
      return peer
    },
  },
  'with a hello at a reader': {
    held: 'readers',
    prepare: async ({ server }) => {
      const known = await server.user('Known')
      await known.drop()
      return Object.assign(await server.connect(), { token: known.token })
    },
    enter: async (_, peer) => {
      peer.send({ id: 1, op: 'hello', token: peer.token })
      return peer
    },
  },
  'with a join at the store': asks('writer', () => ({ op: 'join', room: fresh('new') })),
  'with a join at a reader': asks('readers', ({ old }) => ({ op: 'join', room: old, limit: 200 })),
  'with history at a reader': asks('readers', ({ room }) => ({ op: 'history', room })),
  'with a write at the store': asks('writer', ({ room }) => ({ op: 'send', room, key: fresh('k'), text: 'pending' })),
  'with a leave at the store': asks('writer', ({ room }) => ({ op: 'leave', room, forget: true })),
  'within a frame\'s header': writes(Buffer.from([0x81])),
  'within a frame': writes(encodeFrame({ payload: 'x'.repeat(100), claim: 60000, size: 16 })),
  'within a fragmented message': writes(encodeFrame({ payload: '{"id":1,', fin: false })),
  'within a ping': writes(encodeFrame({ op: 9, payload: 'abc', claim: 100 })),
  'in a closing handshake that the server began': {
    prepare: async ({ server }) => keepsOpen(await server.user('Rude')),
    enter: async (_, peer) => {
      for (let i = 0; i < 20; i++) peer.text('nonsense')
      await peer.closed()
      return peer
    },
  },
  'in a closing handshake that it began': {
    prepare: async ({ server }) => keepsOpen(await server.user('Goes')),
    enter: async (_, peer) => {
      await peer.close()
      return peer
    },
  },
  'with replies that it does not read': {
    prepare: async ({ server, room }) => {
      const peer = await server.user('Unread')
      await peer.ok({ op: 'join', room })
      return peer
    },
    enter: async ({ room }, peer) => {
      peer.socket.pause()
      for (let i = 0; i < 60; i++) peer.send({ id: i, op: 'history', room, limit: 200 })
      return peer
    },
  },
}
