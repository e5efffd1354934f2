// A chat server as one writes it with the `ws` package: rooms as sets of sockets, every message to
// each.  Whoever connects to /ROOM is in that room.
//
//   node ws-rooms.mjs PORT
import { WebSocketServer } from 'ws'

const rooms = new Map()

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(process.argv[2]),
  backlog: 4096,
  perMessageDeflate: false,
  clientTracking: false,
  maxPayload: 65536,
})

server.on('connection', (socket, request) => {
  const name = request.url
  let members = rooms.get(name)
  if (members === undefined) rooms.set(name, (members = new Set()))
  members.add(socket)

  socket.on('message', (data) => {
    for (const member of members) member.send(data, { binary: false })
  })
  socket.on('close', () => {
    members.delete(socket)
    if (members.size === 0) rooms.delete(name)
  })
  socket.on('error', () => socket.terminate())
})

process.on('SIGTERM', () => process.exit(0))
