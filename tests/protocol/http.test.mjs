// HTTP on the same port: what is served, and how.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { HttpPeer, fetchRaw } from './lib/http.mjs'
import { sharedServer } from './lib/server.mjs'

const server = sharedServer()
const get = (path, headers, method) => fetchRaw(server, path, { headers, method })

/** The hashed assets that the client's page names. */
async function assetPaths() {
  const html = (await get('/')).body.toString()
  return [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((m) => m[1])
}

function assertSecured(r, said) {
  const h = r.headers
  assert.equal(h['x-content-type-options'], 'nosniff', said)
  assert.ok(h['referrer-policy'], `Referrer-Policy of ${said}`)
  const csp = h['content-security-policy'] ?? ''
  assert.match(csp, /default-src/, said)
  assert.match(csp, /frame-ancestors 'none'/, said)
  const scripts = /script-src([^;]*)/.exec(csp)?.[1] ?? /default-src([^;]*)/.exec(csp)[1]
  assert.doesNotMatch(scripts, /unsafe-inline|unsafe-eval|\*/, said)
}

test('/healthz is ok, /readyz is ready', async () => {
  const health = await get('/healthz')
  assert.deepEqual([health.status, health.body.toString().trim()], [200, 'ok'])
  assert.equal((await get('/readyz')).status, 200)
})

test('/metrics is Prometheus text, and counts', async () => {
  const parse = (text) => {
    const samples = new Map()
    for (const line of text.trimEnd().split('\n')) {
      if (line.startsWith('#')) {
        assert.match(line, /^# (HELP|TYPE) [a-zA-Z_:][\w:]* /)
        continue
      }
      const [, name, value] = /^([a-zA-Z_:][\w:]*(?:\{[^}]*\})?) (\S+)$/.exec(line) ?? assert.fail(line)
      assert.ok(Number.isFinite(Number(value)) || /Inf|NaN/.test(value), line)
      assert.ok(!samples.has(name), `${name} twice`)
      samples.set(name, Number(value))
    }
    return samples
  }
  const before = await get('/metrics')
  assert.match(before.headers['content-type'], /^text\/plain; version=0\.0\.4/)
  const samples = parse(before.body.toString())
  for (const name of ['hubbub_connections', 'hubbub_store_healthy', 'hubbub_lock_waits_total', 'hubbub_lock_wait_seconds_total']) {
    assert.ok(samples.get(name) >= 0, name)
  }
  const peer = await server.user()
  const after = parse((await get('/metrics')).body.toString())
  assert.ok([...after].some(([k, v]) => v > (samples.get(k) ?? 0)), 'something was counted')
  await peer.close()
})

test('the client is served at / and at /r/<room>, as HTML that is not cached', async () => {
  const root = await get('/')
  assert.equal(root.status, 200)
  assert.match(root.headers['content-type'], /^text\/html/)
  assert.match(root.headers['cache-control'], /no-cache|no-store/)
  assert.match(root.body.toString(), /<!doctype html>/i)
  for (const path of ['/r/general', '/r/%E6%97%A5%E6%9C%AC', '/r/a.b', '/?x=1', '/r/general?at=5']) {
    const r = await get(path)
    assert.deepEqual([r.status, r.body.equals(root.body)], [200, true], path)
  }
})

test('any other path is 404', async () => {
  for (const path of ['/nothing', '/r/', '/r', '/r/a/b', '/index.html/', '/../etc/passwd', '/..%2f..%2fetc/passwd', '/assets/', '/assets/../index.html', '/%00', '/healthz/', '/metrics/x', '//', '/api', '/api/v1/nothing', '/.git/config']) {
    const r = await get(path)
    assert.ok(r.status === 404 || (r.status === 400 && /%|\.\./.test(path)), `${path} got ${r.head}`)
    assertSecured(r, path)
  }
})

test('the security headers are on every response, errors included', async () => {
  const host = `${server.host}:${server.port}`
  for (const path of ['/', '/r/x', '/healthz', '/readyz', '/metrics', '/nothing', '/ws', ...(await assetPaths())]) assertSecured(await get(path), path)
  assertSecured(await get('/', undefined, 'HEAD'), 'HEAD')
  assertSecured(await get('/', undefined, 'DELETE'), 'DELETE')
  assertSecured(await get('/', { Origin: 'http://evil.example' }), 'a foreign origin')
  const raw = [
    'GET / HTTP/1.1\r\n\r\n', 'nonsense\r\n\r\n', `GET /${'x'.repeat(20000)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: ${host}\r\nX: ${'y'.repeat(40000)}\r\n\r\n`, `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 999999999\r\n\r\n`,
  ]
  for (const bytes of raw) {
    const peer = new HttpPeer(server).write(bytes)
    assertSecured(await peer.response(), bytes.slice(0, 40))
    peer.destroy()
  }
})

test('ETag and If-None-Match give 304', async () => {
  for (const path of ['/', '/r/x', ...(await assetPaths())]) {
    for (const encoding of ['identity', 'gzip', 'br']) {
      const first = await get(path, { 'Accept-Encoding': encoding })
      const { etag } = first.headers
      assert.match(etag, /^(W\/)?"[^"]+"$/, path)
      for (const value of [etag, `"other", ${etag}`, `W/${etag.replace(/^W\//, '')}`, '*']) {
        const r = await get(path, { 'If-None-Match': value, 'Accept-Encoding': encoding })
        assert.deepEqual([r.status, r.body.length, r.headers.etag], [304, 0, etag], `${path} ${value}`)
        assertSecured(r, '304')
      }
      for (const value of ['"other"', '"', '']) assert.equal((await get(path, { 'If-None-Match': value })).status, 200, value)
    }
  }
})

test('the encoding is chosen by Accept-Encoding, the content is the same', async () => {
  const paths = ['/', ...(await assetPaths())]
  assert.ok(paths.length > 1, 'the page names hashed assets')
  const table = [
    [undefined, undefined], ['identity', undefined], ['gzip', 'gzip'], ['br', 'br'], ['gzip, deflate, br', 'br'], ['gzip, deflate, br, zstd', 'br'],
    ['br;q=0, gzip', 'gzip'], ['gzip;q=0, br;q=0', undefined], ['zstd', undefined], ['BR', 'br'], ['gzip;q=0.5', 'gzip'], ['', undefined], ['brx, gzipx', undefined],
  ]
  for (const path of paths) {
    const plain = (await get(path)).body
    for (const [accept, encoding] of table) {
      const r = await get(path, { 'Accept-Encoding': accept })
      const said = `${path} with Accept-Encoding: ${accept}`
      // What is too small to gain may stay plain.
      if (r.headers['content-encoding'] !== undefined || plain.length > 2000) assert.equal(r.headers['content-encoding'], encoding, said)
      const body = { br: brotliDecompressSync, gzip: gunzipSync }[r.headers['content-encoding']]?.(r.body) ?? r.body
      assert.ok(body.equals(plain), said)
      assert.match(r.headers.vary ?? '', /accept-encoding/i, said)
    }
  }
})

test('hashed assets are immutable and have their types', async () => {
  const types = { js: /^(text|application)\/javascript/, css: /^text\/css/, svg: /^image\/svg\+xml/, woff2: /^font\/woff2/, png: /^image\/png/, ico: /^image\// }
  for (const path of await assetPaths()) {
    const r = await get(path)
    assert.equal(r.status, 200, path)
    assert.match(r.headers['cache-control'], /immutable/, path)
    assert.match(r.headers['content-type'], types[path.split('.').at(-1)] ?? /./, path)
  }
})

test('HEAD is GET without the body', async () => {
  for (const path of ['/', '/healthz', '/nothing', ...(await assetPaths())]) {
    const [head, full] = [await get(path, {}, 'HEAD'), await get(path)]
    assert.equal(head.status, full.status, path)
    for (const h of ['content-type', 'content-length', 'etag', 'cache-control']) assert.equal(head.headers[h], full.headers[h], `${h} of ${path}`)
  }
  const peer = new HttpPeer(server)
  peer.write(`HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`)
  assert.equal((await peer.response({ head: true })).status, 200)
  assert.equal((await peer.response()).body.toString().trim(), 'ok', 'no body came between')
  peer.destroy()
})

test('other methods are refused', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT']) {
    for (const path of ['/', '/healthz']) {
      const peer = new HttpPeer(server).write(`${method} ${method === 'CONNECT' ? 'x:80' : path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`)
      const r = await peer.response()
      assert.ok([400, 404, 405, 501].includes(r.status), `${method} got ${r.head}`)
      if (r.status === 405) assert.match(r.headers.allow ?? '', /GET/)
      peer.destroy()
    }
  }
})

test('a foreign Origin is refused on every path', async () => {
  for (const path of ['/', '/healthz', '/metrics', '/nothing']) assert.equal((await get(path, { Origin: 'http://evil.example' })).status, 403, path)
  assert.equal((await get('/', { Origin: `http://${server.host}:${server.port}` })).status, 200)
})
