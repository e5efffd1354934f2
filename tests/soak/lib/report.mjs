// What a soak leaves: every sample as a table, and its curves.
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { timeChart } from '../../bench/lib/svg.mjs'
import { COLUMNS } from './sampler.mjs'

function line(samples, name, label, of) {
  return { name, label, points: samples.map((s) => ({ x: s.seconds / 60, y: of(s) })) }
}

export async function writeReport(dir, samples, note) {
  const rows = [COLUMNS, ...samples.map((s) => COLUMNS.map((name) => s[name]))]
  await mkdir(dir, { recursive: true })
  await writeFile(path.join(dir, 'soak.csv'), rows.map((row) => `${row.join(',')}\n`).join(''))
  if (samples.length < 2) return
  await writeFile(path.join(dir, 'soak-memory.svg'), timeChart({
    title: 'Resident memory of the server under mixed traffic, MiB', note,
    series: [line(samples, 'hubbub', 'resident', (s) => s.rss_kib / 1024)],
  }))
  await writeFile(path.join(dir, 'soak-counts.svg'), timeChart({
    title: 'Descriptors, connections and threads of the server under mixed traffic', note,
    series: [
      line(samples, 'hubbub', 'descriptors', (s) => s.fds),
      line(samples, 'nchan', 'connections', (s) => s.connections),
      line(samples, 'floor', 'threads', (s) => s.threads),
    ],
  }))
}
