// The command line, the environment, the file.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { BIN, Server, runToEnd } from './lib/server.mjs'

let dir
before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'hubbub-cli-'))))
after(() => rm(dir, { recursive: true, force: true }))

test('--help tells every setting on standard output and exits with 0', async () => {
  for (const args of [['--help'], ['serve', '--help']]) {
    const r = await runToEnd(args)
    assert.equal(r.code, 0, r.stderr)
    for (const flag of ['--listen', '--data', '--open', '--no-limits', '--origin', '--config', '--heartbeat-ms', '--max-text', '--max-frame', '--workers', '127.0.0.1:8080', './hubbub-data']) {
      assert.ok(r.stdout.includes(flag), `${args.join(' ')} names ${flag}`)
    }
    assert.equal(r.stderr, '')
  }
})

test('--version tells the version and exits with 0', async () => {
  const r = await runToEnd(['--version'])
  assert.equal(r.code, 0)
  assert.match(r.stdout, /\d+\.\d+\.\d+/)
  assert.equal(r.stderr, '')
})

const wrong = [
  // what is given, what the message must name, what it must say
  [['frobnicate'], /frobnicate/],
  [[], /serve/],
  [['serve', '--nonsense'], /--nonsense/],
  [['serve', '--listn', 'x'], /--listen/],
  [['serve', '--listen'], /--listen/],
  [['serve', 'stray'], /stray/],
  [['serve', '--listen', 'nonsense'], /--listen.*(ADDR:PORT|127\.0\.0\.1)/],
  [['serve', '--listen', '127.0.0.1:65536'], /--listen.*65535/],
  [['serve', '--listen', '127.0.0.1:'], /--listen/],
  [['serve', '--listen', '127.0.0.1:x'], /--listen/],
  [['serve', '--listen', '999.0.0.1:80'], /--listen/],
  [['serve', '--workers', '-1'], /--workers.*0.*256/],
  [['serve', '--workers', 'many'], /--workers.*0.*256/],
  [['serve', '--workers', '257'], /--workers.*256/],
  [['serve', '--max-text', '0'], /--max-text.*1/],
  [['serve', '--max-frame', 'x'], /--max-frame/],
  [['serve', '--max-text', '50000'], /max-text.*max-frame/],
  [['serve', '--heartbeat-ms', '0'], /--heartbeat-ms/],
  [['serve', '--heartbeat-ms', '1.5'], /--heartbeat-ms/],
  [['serve', '--send-limit', '50'], /--send-limit.*N\/MS/],
  [['serve', '--send-limit', '0/100'], /--send-limit/],
  [['serve', '--log-level', 'loud'], /--log-level.*error.*debug/],
  [['serve', '--open=maybe'], /--open.*true.*false/],
  [['serve', '--origin', 'not an origin'], /--origin/],
  [['serve', '--config', '/nonexistent/file'], /\/nonexistent\/file/],
]

test('a wrong flag or value says what is allowed on standard error and exits with another status', async () => {
  for (const [args, says] of wrong) {
    const r = await runToEnd(args, { cwd: dir })
    const said = `hubbub ${args.join(' ')}: ${r.code} ${r.stderr}`
    assert.ok(r.code > 0, said)
    assert.match(r.stderr, says, said)
    assert.equal(r.stdout, '', said)
  }
  assert.deepEqual(await readdir(dir), [], 'nothing was made')
})

test('a wrong value in the environment or the file names the variable, or the file and line', async () => {
  const file = path.join(dir, 'wrong.conf')
  await writeFile(file, '# comment\nopen = true\nworkers = many\n')
  const table = [
    [['serve'], { HUBBUB_WORKERS: 'many' }, /HUBBUB_WORKERS.*0.*256/],
    [['serve', '--config', file], {}, /wrong\.conf:3.*workers.*256/],
    [['serve'], { HUBBUB_CONFIG: file }, /wrong\.conf:3/],
  ]
  for (const [args, env, says] of table) {
    const r = await runToEnd(args, { env, cwd: dir })
    assert.ok(r.code > 0)
    assert.match(r.stderr, says)
  }
  await rm(file)
})

test('flags go before the environment, that before the file, that before the defaults', async (t) => {
  const file = path.join(dir, 'settings.conf')
  await writeFile(file, `# what a file may hold\nopen = true\nlisten = 127.0.0.1:0\ndata = ${dir}/data\nmax-text = 101\nheartbeat-ms = 20001\nsend-limit = 11/1001\n\n`)
  const server = await Server.start(t, {
    usual: false, data: dir,
    args: ['--config', file, '--max-text', '103'],
    env: { HUBBUB_MAX_TEXT: '102', HUBBUB_HEARTBEAT_MS: '20002' },
  })
  const { hello } = await server.user()
  assert.equal(hello.limits.text, 103, 'the flag')
  assert.equal(hello.heartbeat_ms, 20002, 'the environment')
  assert.deepEqual(hello.limits.send, { n: 11, per_ms: 1001 }, 'the file')
  assert.equal(hello.limits.frame, 65536, 'the default')
})

test('everything may come from the environment', async (t) => {
  const data = path.join(dir, 'from-env')
  const server = await Server.start(t, {
    usual: false, args: [], data,
    env: { HUBBUB_OPEN: 'true', HUBBUB_LISTEN: '127.0.0.1:0', HUBBUB_DATA: data, HUBBUB_NO_LIMITS: '1', HUBBUB_ORIGIN: 'https://a.example,https://b.example' },
  })
  const [ada] = await server.room(['Ada'])
  await Promise.all(Array.from({ length: 80 }, (_, i) => ada.ok({ op: 'send', room: ada.join.room, key: `k${i}`, text: 'x' })))
  await server.user('Bob', { headers: { Origin: 'https://b.example' } })
})

test('port 0 takes a free one each; the line says where; the address is bound as told', async (t) => {
  const one = await Server.start(t), two = await Server.start(t)
  assert.notEqual(one.port, two.port)
  assert.match(one.stdout, /^listening on http:\/\/127\.0\.0\.1:\d+\n$/)
  const third = await Server.start(t, { listen: '127.0.0.2:0' })
  assert.equal(third.host, '127.0.0.2')
  await third.user()
})

test('a port that is in use is said so', async (t) => {
  const one = await Server.start(t)
  const r = await runToEnd(['serve', '--open', '--listen', `127.0.0.1:${one.port}`, '--data', path.join(dir, 'in-use')])
  assert.ok(r.code > 0)
  assert.match(r.stderr, /in use/i)
  assert.equal(r.stdout, '')
})

test('a second server on one data directory refuses to start, the first goes on', async (t) => {
  const one = await Server.start(t)
  const r = await runToEnd(['serve', '--open', '--listen', '127.0.0.1:0', '--data', one.data])
  assert.ok(r.code > 0)
  assert.ok(r.stderr.length > 0 && r.stdout === '')
  await one.user()
  await one.restart('SIGKILL') // a lock does not outlive its holder
})

test('a data directory that cannot be made is said so', async () => {
  const file = path.join(dir, 'a-file')
  await writeFile(file, 'x')
  const r = await runToEnd(['serve', '--open', '--listen', '127.0.0.1:0', '--data', path.join(file, 'below')])
  assert.ok(r.code > 0)
  assert.match(r.stderr, /a-file/)
})

test('data goes to ./hubbub-data unless told otherwise, for the owner alone', async (t) => {
  const cwd = path.join(dir, 'cwd')
  const server = await Server.start(t, { usual: false, data: cwd, args: [], bin: ['/bin/sh', '-c', `mkdir -p "${cwd}" && cd "${cwd}" && exec "${BIN}" "$@" --open --listen 127.0.0.1:0`, 'sh'] })
  await server.user()
  const made = await stat(path.join(cwd, 'hubbub-data'))
  assert.equal(made.mode & 0o077, 0)
})

test('logs are lines on standard error, without texts, names of keys or tokens in them', async (t) => {
  const server = await Server.start(t, { args: ['--log-level', 'debug'] })
  const [ada] = await server.room(['Ada'])
  await ada.ok({ op: 'send', room: ada.join.room, key: 'a-secret-key', text: 'a secret text' })
  ada.text('{"a secret text": nonsense')
  await ada.take((m) => m.re === null)
  await ada.close()
  await server.stop()
  for (const line of server.stderr.trimEnd().split('\n')) assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warn|info|debug) /)
  for (const secret of ['a secret text', 'a-secret-key', ada.token]) assert.ok(!server.stderr.includes(secret))
  await server.start()
})
