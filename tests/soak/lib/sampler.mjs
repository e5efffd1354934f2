// What the server holds at a moment: as the kernel counts it, and as it counts itself.
import { readFile, readdir } from 'node:fs/promises'
import { fetchRaw } from '../../protocol/lib/http.mjs'

const GAUGES = ['connections', 'websockets', 'rooms_loaded', 'rooms_joined', 'inbox', 'unsent_bytes',
  'fanout_backlog_bytes', 'store_queue', 'store_read_queue', 'slow_readers_total', 'deliveries_total']
export const COLUMNS = ['seconds', 'rss_kib', 'fds', 'threads', 'cpu_s', ...GAUGES]

/** The counters of /metrics, without their prefix. */
export async function metrics(server) {
  const { body } = await fetchRaw(server, '/metrics')
  return Object.fromEntries([...body.toString().matchAll(/^hubbub_(\w+) ([\d.]+)$/gm)].map(([, name, value]) => [name, Number(value)]))
}

export async function sample(server, seconds) {
  const proc = `/proc/${server.pid}`
  const [status, stat, fds, all] = await Promise.all([
    readFile(`${proc}/status`, 'utf8'), readFile(`${proc}/stat`, 'utf8'), readdir(`${proc}/fd`), metrics(server)])
  const times = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return {
    seconds: Number(seconds.toFixed(1)),
    rss_kib: Number(/VmRSS:\s+(\d+)/.exec(status)[1]),
    fds: fds.length,
    threads: Number(/Threads:\s+(\d+)/.exec(status)[1]),
    cpu_s: (Number(times[11]) + Number(times[12])) / 100,
    ...Object.fromEntries(GAUGES.map((name) => [name, all[name] ?? 0])),
  }
}
