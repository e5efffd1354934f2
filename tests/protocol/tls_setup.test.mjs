// Certificates and what goes with them: at the start, at a reload, at a takeover.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { makeCert } from './lib/certs.mjs'
import { HttpPeer, fetchRaw } from './lib/http.mjs'
import { BIN, Server, runToEnd } from './lib/server.mjs'
import { Wire, shakeHands } from './lib/tls.mjs'
import { within } from './lib/wait.mjs'

async function tempDir(t) {
  const dir = await mkdtemp(path.join(tmpdir(), 'hubbub-tls-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** Await `n` lines of the log that match. */
function said(server, pattern, n = 1) {
  const count = () => server.stderr.split('\n').filter((line) => pattern.test(line)).length
  const found = new Promise((resolve) => {
    const look = () => count() >= n && resolve()
    server.child.stderr.on('data', look)
    look()
  })
  return within(found, () => `${pattern} in the log: ${server.stderr.slice(-1000)}`)
}

async function reload(server) {
  const answer = /read the settings again|settings stay/
  const n = server.stderr.split('\n').filter((line) => answer.test(line)).length
  server.child.kill('SIGHUP')
  await said(server, answer, n + 1)
}

/** The certificate that a new connection is shown. */
async function shown(server) {
  const client = await shakeHands(server, new Wire(server), { rejectUnauthorized: false })
  const { subject } = client.getPeerCertificate()
  client.destroy()
  return subject.CN
}

/** Put the files of one certificate where another's were. */
async function put(from, to) {
  await copyFile(from.cert, to.cert)
  await copyFile(from.key, to.key)
}

/** What is wrong, by the flags to start with, and what must be said of it. */
async function wrongFiles(dir, good, other) {
  const file = async (name, text) => {
    await writeFile(path.join(dir, name), text)
    return path.join(dir, name)
  }
  const garbage = await file('garbage.pem', 'this is no certificate\n')
  const damaged = await file('damaged.pem', String(good.ca).replace(/^M/m, '!'))
  const trailing = await file('trailing.pem', good.ca + String(other.ca).replace(/^M/m, '!'))
  const empty = await file('empty.pem', '')
  const locked = path.join(dir, 'locked.pem')
  execFileSync('openssl', ['pkey', '-in', good.key, '-aes128', '-passout', 'pass:x', '-out', locked])
  const pair = (cert, key) => ['--tls-cert', cert, '--tls-key', key]
  return [
    [pair(path.join(dir, 'none.pem'), good.key), /certificate .*none\.pem cannot be read: No such file/],
    [pair(good.cert, path.join(dir, 'none.pem')), /key .*none\.pem cannot be read: No such file/],
    [pair(dir, good.key), /certificate .* cannot be read: Is a directory/],
    [pair(garbage, good.key), /certificate .*garbage\.pem holds no certificate in PEM/],
    [pair(empty, good.key), /certificate .*empty\.pem holds no certificate in PEM/],
    [pair(damaged, good.key), /certificate .*damaged\.pem holds no certificate in PEM/],
    [pair(trailing, good.key), /certificate .*trailing\.pem is damaged behind the first/],
    [pair(good.cert, garbage), /key .*garbage\.pem holds no private key in PEM/],
    [pair(good.cert, good.cert), /key .* holds no private key in PEM/],
    [pair(good.cert, other.key), /key .*other\.key\.pem does not belong to the certificate .*good\.cert\.pem/],
    [pair(good.cert, locked), /key .*locked\.pem has a passphrase/],
  ]
}

test('wrong files are named with what is wrong, by serve and by check-config', async (t) => {
  const dir = await tempDir(t)
  const [good, other] = [makeCert(dir, 'good'), makeCert(dir, 'other', { rsa: true })]
  const data = path.join(dir, 'data')
  for (const [flags, says] of await wrongFiles(dir, good, other)) {
    for (const verb of ['serve', 'check-config']) {
      const { code, stderr, stdout } = await runToEnd([verb, '--open', '--listen', '127.0.0.1:0', '--data', data, ...flags])
      assert.equal(code, 1, `${verb} ${flags}: ${stderr}`)
      assert.match(stderr, says)
      assert.equal(stdout, '')
    }
  }
  for (const [flags, says] of [
    [['--tls-cert', good.cert], /tls-cert is set and tls-key is not/],
    [['--tls-key', good.key], /tls-key is set and tls-cert is not/],
    [['--http-redirect', '127.0.0.1:0'], /http-redirect .* needs tls-cert and tls-key/],
    [[...good.flags, '--http-redirect', 'nowhere'], /--http-redirect must be ADDR:PORT/],
  ]) {
    const { code, stderr } = await runToEnd(['serve', '--open', '--data', data, ...flags])
    assert.equal(code, 2, stderr)
    assert.match(stderr, says)
  }
})

test('a certificate that has expired is served, with a warning', async (t) => {
  const cert = makeCert(await tempDir(t), 'late', { days: -1 })
  const server = await Server.start(t, { cert })
  assert.match(server.stderr, /warn the certificate .*late\.cert\.pem expired on .*: browsers will refuse it/)
  assert.equal(await shown(server), 'late')
})

test('SIGHUP brings another certificate, and who is connected stays', async (t) => {
  const dir = await tempDir(t)
  const [first, second] = [makeCert(dir, 'first'), makeCert(dir, 'second', { rsa: true })]
  const used = makeCert(dir, 'used')
  await put(first, used)
  const server = await Server.start(t, { cert: used, args: ['--workers', '2'] })
  server.tls = { ca: [first.ca, second.ca] }
  const [ada, bob] = await server.room()
  assert.equal(await shown(server), 'first')
  await put(second, used)
  assert.equal(await shown(server), 'first', 'not before it is told')
  await reload(server)
  for (let i = 0; i < 4; i++) assert.equal(await shown(server), 'second', 'on every worker')
  await ada.ok({ op: 'send', room: ada.join.room, key: 'k', text: 'still here' })
  await bob.event('message')
  const carol = await server.user('Carol')
  await carol.ok({ op: 'join', room: ada.join.room })
  assert.equal(new X509Certificate(carol.socket.getPeerCertificate().raw).subject, 'CN=second')
})

test('wrong files at a reload change nothing: the old certificate stays', async (t) => {
  const dir = await tempDir(t)
  const [first, other] = [makeCert(dir, 'first'), makeCert(dir, 'other')]
  const used = makeCert(dir, 'used')
  await put(first, used)
  const config = path.join(dir, 'hubbub.conf')
  await writeFile(config, 'log-level = info\n')
  const server = await Server.start(t, { cert: used, args: ['--config', config] })
  server.tls = { ca: first.ca }
  await copyFile(other.key, used.key)
  await writeFile(config, 'origin = https://chat.example\n')
  await reload(server)
  assert.match(server.stderr, /the settings stay as they were: the key .*used\.key\.pem does not belong to the certificate/)
  assert.equal(await shown(server), 'first')
  await assert.rejects(server.connect({ headers: { Origin: 'https://chat.example' } }), /403/, 'nothing else changed either')
  await put(other, used)
  await reload(server)
  assert.equal(await shown(server), 'other')
})

test('whether there is TLS at all takes a restart', async (t) => {
  const dir = await tempDir(t)
  const cert = makeCert(dir)
  const config = path.join(dir, 'hubbub.conf')
  await writeFile(config, '')
  const server = await Server.start(t, { cert: null, args: ['--config', config] })
  await writeFile(config, `tls-cert = ${cert.cert}\ntls-key = ${cert.key}\nmax-connections = 100\n`)
  await reload(server)
  await said(server, /only a restart changes: tls-cert, tls-key/)
  assert.equal((await fetchRaw(server, '/healthz')).status, 200)
  await server.stop()
  server.tls = { ca: cert.ca }
  await server.start()
  assert.match(server.stdout, /^listening on https:/)
  assert.equal((await fetchRaw(server, '/healthz')).status, 200)
})

/** The door that sends browsers on. */
function redirectOf(server) {
  return { host: '127.0.0.1', port: Number(/^sending http:\/\/127\.0\.0\.1:(\d+) on to https$/m.exec(server.stdout)[1]) }
}

test('the redirect answers everything by 308, and nothing by anything else', async (t) => {
  const server = await Server.start(t, { cert: makeCert(await tempDir(t)), args: ['--http-redirect', '127.0.0.1:0'] })
  const door = redirectOf(server)
  const at = (host) => `https://${host}:${server.port}`
  for (const [method, target, host, location] of [
    ['GET', '/', 'chat.test', `${at('chat.test')}/`],
    ['GET', '/r/a%20b?x=1&y=%2F', 'chat.test:80', `${at('chat.test')}/r/a%20b?x=1&y=%2F`],
    ['HEAD', '/metrics', '[::1]:8080', `${at('[::1]')}/metrics`],
    ['POST', '/ws', '[::1]', `${at('[::1]')}/ws`],
    ['GET', '//evil.example/', 'chat.test', `${at('chat.test')}//evil.example/`],
    ['GET', 'http://chat.test/abs', 'other.test', `${at('chat.test')}/abs`],
    ['OPTIONS', '*', 'chat.test', `${at('chat.test')}/`],
  ]) {
    const r = await fetchRaw(door, target, { method, headers: { Host: host } })
    assert.equal(r.status, 308, `${method} ${target}`)
    assert.equal(r.headers.location, location)
    assert.ok(!('strict-transport-security' in r.headers), 'a browser must not believe it here')
  }
  const upgrade = await fetchRaw(door, '/ws', { headers: { Host: 'a', Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' } })
  assert.equal(upgrade.status, 308)
  const nameless = new HttpPeer(door)
  nameless.write('GET / HTTP/1.0\r\n\r\n')
  assert.equal((await nameless.response()).status, 400)
  assert.equal((await fetchRaw(door, '/%zz')).status, 400)
})

test('browsers are asked to come by https alone, but not of localhost, and as the setting says', async (t) => {
  const dir = await tempDir(t)
  const config = path.join(dir, 'hubbub.conf')
  await writeFile(config, '')
  const server = await Server.start(t, { cert: makeCert(dir), args: ['--config', config] })
  const hsts = async (host, target = '/') => (await fetchRaw(server, target, { headers: { Host: host } })).headers['strict-transport-security']
  for (const target of ['/', '/healthz', '/nothing', '/ws']) assert.equal(await hsts('chat.test', target), 'max-age=31536000', target)
  for (const host of ['localhost', 'LOCALHOST:8080', 'a.localhost:1']) assert.equal(await hsts(host), undefined, host)
  assert.equal(await hsts('notlocalhost'), 'max-age=31536000')
  await writeFile(config, 'hsts-max-age = 0\n')
  await reload(server)
  assert.equal(await hsts('chat.test'), 'max-age=0')

  const plain = await Server.start(t, { cert: null, args: ['--hsts-max-age', '1000'] })
  assert.ok(!('strict-transport-security' in (await fetchRaw(plain, '/')).headers))
})

test('that a page came by https is believed of a trusted proxy alone', async (t) => {
  const server = await Server.start(t, { cert: null, args: ['--trusted-proxy', '127.0.0.2'] })
  const own = `${server.host}:${server.port}`
  const proto = { 'X-Forwarded-Proto': 'https' }
  const forwarded = { Forwarded: 'for=192.0.2.1;proto=http, for=192.0.2.2;proto="https"' }
  for (const [localAddress, more, scheme, allowed] of [
    ['127.0.0.2', proto, 'https', true], ['127.0.0.2', proto, 'http', false],
    ['127.0.0.2', forwarded, 'https', true], ['127.0.0.2', forwarded, 'http', false],
    ['127.0.0.2', { 'X-Forwarded-Proto': 'https, http' }, 'http', true],
    ['127.0.0.2', { ...proto, Forwarded: 'proto=http' }, 'http', true],
    ['127.0.0.2', {}, 'https', true], ['127.0.0.2', {}, 'http', true],
    ['127.0.0.3', proto, 'http', true], ['127.0.0.3', proto, 'https', true],
  ]) {
    const tried = server.connect({ localAddress, headers: { ...more, Origin: `${scheme}://${own}` } })
    const what = `${localAddress} ${JSON.stringify(more)} ${scheme}`
    if (allowed) await tried
    else await assert.rejects(tried, /403/, what)
  }
})

test('who is refused before the handshake is reset, not answered in plain text', async (t) => {
  const server = await Server.start(t, { cert: makeCert(await tempDir(t)), args: ['--connect-limit', '2/3600000'] })
  await fetchRaw(server, '/healthz')
  await fetchRaw(server, '/healthz')
  const socket = net.connect({ host: server.host, port: server.port })
  let came = 0
  socket.on('data', (b) => (came += b.length))
  socket.on('error', () => {})
  await within(new Promise((resolve) => socket.on('close', resolve)), 'the end')
  assert.equal(came, 0)
})

/** Await the next announcement of a server that takes over. */
function back(server) {
  const n = server.stdout.split('listening on').length
  return within(new Promise((resolve) => {
    server.child.stdout.on('data', () => server.stdout.split('listening on').length > n && resolve())
  }), 'the next program')
}

test('SIGUSR2 keeps both sockets, and the next program reads the certificate anew', async (t) => {
  const dir = await tempDir(t)
  const [first, second, used] = [makeCert(dir, 'first'), makeCert(dir, 'second'), makeCert(dir, 'used')]
  await put(first, used)
  await mkdir(path.join(dir, 'bin'))
  const link = path.join(dir, 'bin', 'hubbub')
  await symlink(BIN, link)
  const server = await Server.start(t, { cert: used, bin: [link], args: ['--http-redirect', '127.0.0.1:0'] })
  server.tls = { ca: [first.ca, second.ca] }
  const door = redirectOf(server)
  await put(second, used)
  const next = back(server)
  server.child.kill('SIGUSR2')
  await next
  assert.equal(await shown(server), 'second')
  assert.equal((await fetchRaw(door, '/', { headers: { Host: 'a' } })).headers.location, `https://a:${server.port}/`)

  await writeFile(used.key, 'no key\n')
  server.child.kill('SIGUSR2')
  await said(server, /cannot take over .* going on as before/)
  assert.match(server.stderr, /holds no private key in PEM/)
  assert.equal(await shown(server), 'second')
})
