// A client's socket, with TLS on it where the server has that.
import net from 'node:net'
import tls from 'node:tls'

/** `server.tls` holds the options of TLS; without it the socket is plain. */
export function connectTo(server, options = {}) {
  const where = { host: server.host, port: server.port, noDelay: true, ...options }
  return server.tls === undefined ? net.connect(where) : tls.connect({ ...where, ...server.tls })
}
