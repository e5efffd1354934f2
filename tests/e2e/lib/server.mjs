// The real server with the client in it, on one port through all its restarts.
import { Server } from '../../protocol/lib/server.mjs'

export async function startServer(t, options) {
  const server = await Server.start(t, options)
  server.listen = `127.0.0.1:${server.port}`
  return server
}
