// Behind Caddy, which can fetch certificates by itself: as docs/administer.md sets it up, with a
// certificate of Caddy's own authority in place of one from the internet.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import https from 'node:https'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { OWNER } from './lib/device.mjs'
import { Peer } from './lib/peer.mjs'
import { Server } from './lib/server.mjs'
import { within } from './lib/wait.mjs'

const HOST = 'localhost'

async function freePort() {
  const server = net.createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function startCaddy(t, backend) {
  const dir = await mkdtemp(path.join(tmpdir(), 'hubbub-caddy-'))
  const port = await freePort()
  const file = path.join(dir, 'Caddyfile')
  await writeFile(file, `{
	admin off
	auto_https disable_redirects
	skip_install_trust
	local_certs
	storage file_system ${dir}/storage
}
https://${HOST}:${port} {
	bind 127.0.0.1
	reverse_proxy 127.0.0.1:${backend.port}
}
`)
  const caddy = spawn('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
    env: { ...process.env, HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir }, stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise((resolve) => caddy.on('close', resolve))
  t.after(async () => {
    caddy.kill('SIGTERM')
    await within(ended, 'Caddy to end')
    await rm(dir, { recursive: true })
  })
  let log = ''
  const serves = new Promise((resolve, reject) => {
    caddy.on('error', (err) => reject(new Error(`Caddy is wanted, which ./dev test fetches: ${err.message}`)))
    ended.then((code) => reject(new Error(`Caddy ended with ${code}: ${log.slice(-2000)}`)))
    caddy.stderr.on('data', (bytes) => {
      log += bytes
      if (/certificate obtained successfully/.test(log) && /serving initial configuration/.test(log)) resolve()
    })
  })
  await within(serves, () => `Caddy to serve: ${log.slice(-2000)}`, 20_000)
  return { port, ca: await readFile(path.join(dir, 'storage/pki/authorities/local/root.crt')) }
}

function ask({ port, ca }, method, path, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = https.request({ host: '127.0.0.1', servername: HOST, port, ca, method, path, headers: { Host: `${HOST}:${port}`, ...(body && { 'Content-Type': 'application/json' }), ...headers } }, async (response) => {
      let text = ''
      for await (const bytes of response) text += bytes
      resolve({ status: response.statusCode, headers: response.headers, text })
    })
    request.on('error', reject).end(body && JSON.stringify(body))
  })
}

test('behind Caddy one signs in over https, and the socket goes through', async (t) => {
  const server = await Server.start(t, { open: false, cert: null, args: ['--no-limits', '--trusted-proxy', '127.0.0.1'] })
  const caddy = await startCaddy(t, server)
  const page = await ask(caddy, 'GET', '/')
  assert.equal(page.status, 200)
  assert.match(page.text, /<title>Hubbub/)
  // It comes by a proxy, so it is not from this machine: the token is wanted.
  const refused = await ask(caddy, 'POST', '/api/v1/setup', OWNER)
  assert.equal(refused.status, 403, refused.text)
  const [, token] = /#setup=(\S+)/.exec(server.stderr)
  const made = await ask(caddy, 'POST', '/api/v1/setup', { ...OWNER, token })
  assert.equal(made.status, 201, made.text)
  const [set] = made.headers['set-cookie']
  assert.match(set, /^__Host-hubbub_session=.*; Secure/)
  const origin = `https://${HOST}:${caddy.port}`
  const peer = await Peer.open({ host: '127.0.0.1', port: caddy.port, tls: { ca: caddy.ca, servername: HOST } }, { headers: { Host: `${HOST}:${caddy.port}`, Origin: origin, Cookie: set.split(';')[0] } })
  t.after(() => peer.socket.destroy())
  const { me } = await peer.ok({ op: 'hello' })
  assert.equal(me.name, OWNER.name)
  await peer.ok({ op: 'join', room: 'general' })
  await peer.ok({ op: 'send', room: 'general', text: 'through it all', key: 'k' })
  assert.equal((await peer.event('message')).text, 'through it all')
  const foreign = await ask(caddy, 'POST', '/api/v1/me/name', { name: 'Eve' }, { Cookie: set.split(';')[0], Origin: 'https://elsewhere.example' })
  assert.equal(foreign.status, 403)
})
