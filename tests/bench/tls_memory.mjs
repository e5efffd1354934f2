// What an idle connection costs with TLS and without: the growth of the server's resident memory from
// none to all connections, each joined to a room of ten, divided by their number.
//
//   HUBBUB_BIN=build/hubbub node tests/bench/tls_memory.mjs [CONNECTIONS]
import { readFile } from 'node:fs/promises'
import { commonCert } from '../protocol/lib/certs.mjs'
import { Server } from '../protocol/lib/server.mjs'

const n = Number(process.argv[2] ?? 2000)
const AT_ONCE = 50
const resident = async (pid) => 1024 * Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))[1])

async function comeIn(server, i) {
  const peer = await server.user('Idle')
  await peer.ok({ op: 'join', room: `room-${Math.floor(i / 10)}`, limit: 1 })
  return peer
}

async function measure(cert, version) {
  const server = await new Server({ cert, args: ['--no-limits', '--workers', '1'] }).start()
  if (version !== undefined) Object.assign(server.tls, { minVersion: version, maxVersion: version })
  try {
    await (await comeIn(server, 0)).drop() // what the first connection brings is not theirs
    const before = await resident(server.pid)
    const peers = []
    while (peers.length < n) peers.push(...await Promise.all(Array.from({ length: AT_ONCE }, (_, k) => comeIn(server, peers.length + k))))
    const idle = Math.round(((await resident(server.pid)) - before) / n)
    // A long text to each, which the last of them to get it has seen when the next is sent.
    for (let room = 0; room < n / 10; room++) {
      const members = peers.slice(room * 10, room * 10 + 10)
      await members[0].ok({ op: 'send', room: `room-${room}`, key: 'k', text: 'x'.repeat(4000) })
      await Promise.all(members.map((peer) => peer.event('message')))
    }
    return { idle, after: Math.round(((await resident(server.pid)) - before) / n) }
  } finally {
    await server.dispose()
  }
}

const plain = await measure(null)
console.log(`${n} connections: ${plain.idle} bytes each without TLS; ${plain.after} after a text to each`)
for (const version of ['TLSv1.2', 'TLSv1.3']) {
  const { idle, after } = await measure(commonCert(), version)
  console.log(`${n} connections: ${idle} bytes each with ${version}, of which TLS ${idle - plain.idle}; ${after} after a text to each`)
}
