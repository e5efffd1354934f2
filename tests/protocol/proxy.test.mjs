// Behind a proxy: whose address counts, and what cannot be made up.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpPeer } from './lib/http.mjs'
import { Server } from './lib/server.mjs'

const range = (n) => Array.from({ length: n }, (_, i) => i)
const PROXY = '127.0.0.2'

/** A GET on its own connection from `localAddress`; gives the status. */
async function get(server, localAddress, headers = {}) {
  const peer = new HttpPeer(server, { localAddress })
  const lines = Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`).join('')
  peer.write(`GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n`)
  const { status } = await peer.response()
  peer.destroy()
  return status
}

const xff = (address) => ({ 'X-Forwarded-For': address })
const forwarded = (node) => ({ Forwarded: `for=${node}` })

test('each address behind a trusted proxy has its own allowance, and the proxy none', async (t) => {
  const server = await Server.start(t, { args: ['--trusted-proxy', PROXY, '--connect-limit', '2/3600000', '--http-limit', '3/3600000'] })
  for (const _ of range(3)) assert.equal(await get(server, PROXY, xff('192.0.2.1')), 200)
  assert.equal(await get(server, PROXY, xff('192.0.2.1')), 429)
  assert.equal(await get(server, PROXY, forwarded('192.0.2.1')), 429)
  assert.equal(await get(server, PROXY, xff('8.8.8.8, 192.0.2.1')), 429)
  assert.equal(await get(server, PROXY, xff('192.0.2.1, 8.8.8.8')), 200)
  for (const _ of range(3)) assert.equal(await get(server, PROXY, forwarded('"[2001:db8::1]:5"')), 200)
  assert.equal(await get(server, PROXY, xff('2001:db8::ffff')), 429, 'the same /64')
})

test('what a proxy says wrongly counts as the proxy', async (t) => {
  const server = await Server.start(t, { args: ['--trusted-proxy', '127.0.0.2/31', '--http-limit', '4/3600000'] })
  const wrong = [{}, xff('nonsense'), forwarded('unknown'), { ...xff('192.0.2.1'), ...forwarded('192.0.2.2') }]
  for (const headers of wrong) assert.equal(await get(server, PROXY, headers), 200)
  assert.equal(await get(server, PROXY), 429)
  assert.equal(await get(server, PROXY, xff('192.0.2.1')), 200)
  assert.equal(await get(server, '127.0.0.3'), 200, 'the other proxy has its own')
})

test('what others say of themselves is not believed, and the log says what to do', async (t) => {
  const server = await Server.start(t, { args: ['--trusted-proxy', PROXY, '--http-limit', '3/3600000'] })
  for (const i of range(3)) assert.equal(await get(server, '127.0.0.9', xff(`192.0.2.${i}`)), 200)
  assert.equal(await get(server, '127.0.0.9', xff('192.0.2.99')), 429)
  assert.equal(server.stderr.match(/127\.0\.0\.9 sends X-Forwarded-For.*--trusted-proxy/g).length, 1)
})

test('WebSockets through a proxy count for whom they are, as open and as failed hellos', async (t) => {
  const server = await Server.start(t, { args: ['--trusted-proxy', PROXY, '--address-connections', '2', '--hello-limit', '2/3600000', '--log-level', 'debug'] })
  const via = (address) => ({ localAddress: PROXY, headers: xff(address) })
  const first = await server.user('Ada', via('192.0.2.1'))
  await server.user('Ada', via('192.0.2.1'))
  await assert.rejects(server.connect(via('192.0.2.1')), /429/)
  const guess = await server.connect(via('192.0.2.7'))
  while ((await guess.request({ op: 'hello', token: 'wrong' })).err.code !== 'rate_limited');
  await server.user('Bob', via('192.0.2.8'))
  await first.close()
  for (;;) {
    const again = await server.user('Ada', via('192.0.2.1')).catch((err) => assert.match(err.message, /429/))
    if (again !== undefined) break
  }
  assert.match(server.stderr, /is a WebSocket of 192\.0\.2\.1/)
  assert.match(server.stderr, /192\.0\.2\.1: too many open connections/)
})

test('a proxy keeps its connection when one of those behind it is refused', async (t) => {
  const server = await Server.start(t, { args: ['--trusted-proxy', PROXY, '--http-limit', '1/3600000'] })
  const peer = new HttpPeer(server, { localAddress: PROXY })
  const ask = async (address) => {
    peer.write(`GET /healthz HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ${address}\r\n\r\n`)
    return (await peer.response()).status
  }
  assert.deepEqual([await ask('192.0.2.1'), await ask('192.0.2.1'), await ask('192.0.2.2'), await ask('192.0.2.1')], [200, 429, 200, 429])
  peer.destroy()
})
