// What the figures were measured on, and with.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/** What a command prints, on either stream; an empty text where it cannot be run. */
function output(command, ...args) {
  try {
    return execFileSync('sh', ['-c', '"$0" "$@" 2>&1', command, ...args], { encoding: 'utf8' }).trim()
  } catch {
    return ''
  }
}

const firstMatch = (text, pattern) => pattern.exec(text)?.[1] ?? null

/** The cores that this process may run on, lowest first. */
export function allowedCores() {
  const list = firstMatch(readFileSync('/proc/self/status', 'latin1'), /^Cpus_allowed_list:\s*(\S+)/m)
  return list.split(',').flatMap((part) => {
    const [from, to = from] = part.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, i) => from + i)
  })
}

/** Which core is whose: null where there are too few to keep server and generator apart. */
export function assignCores() {
  const cores = allowedCores()
  if (cores.length < 2) return { server: null, load: null, both: null }
  const [server, load] = cores
  return { server: `${server}`, load: `${load}`, both: `${server},${load}` }
}

export function describeMachine(dataFolder) {
  const system = firstMatch(readFileSync('/etc/os-release', 'utf8'), /^PRETTY_NAME="(.*)"/m)
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory_bytes: totalmem(),
    kernel: release(),
    system,
    file_system: output('stat', '-f', '-c', '%T', dataFolder),
    compiler: output('cc', '--version').split('\n')[0],
  }
}

export function versionOf(peer, programs) {
  switch (peer) {
    case 'hubbub':
      return output(programs.hubbub, '--version').replace(/^hubbub /, '')
    case 'floor':
      return `libuv ${output('pkg-config', '--modversion', 'libuv')}`
    case 'ws':
      return `${createRequire(import.meta.url)('ws/package.json').version}, Node.js ${process.versions.node}`
    case 'nchan':
      return `${output('dpkg-query', '-W', '-f', '${Version}', 'libnginx-mod-nchan')}, nginx ` +
        firstMatch(output('/usr/sbin/nginx', '-v'), /nginx\/(\S+)/)
    case 'nats':
      return firstMatch(output('/usr/sbin/nats-server', '--version'), /\bv(\d\S*)/)
    default:
      return null
  }
}

/** The commit that was measured, with a mark where the tree was changed. */
export function describeCommit() {
  const git = (...args) => output('git', '-C', ROOT, ...args)
  const commit = git('rev-parse', '--short=10', 'HEAD')
  if (!/^[0-9a-f]{10}$/.test(commit)) return null
  return git('status', '--porcelain', '--', 'src', 'include') === '' ? commit : `${commit}, changed`
}
