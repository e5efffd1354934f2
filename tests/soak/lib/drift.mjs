// Whether something grows that should stay as it is.

const median = (sorted) => (sorted.length % 2 ? sorted[sorted.length >> 1] : (sorted[sorted.length / 2 - 1] + sorted[sorted.length / 2]) / 2)
const ordered = (values) => [...values].sort((a, b) => a - b)

/** Theil and Sen's slope: the median of the slopes of all pairs, which outliers do not move. */
export function slope(points) {
  const slopes = []
  for (let i = 0; i < points.length; i++) {
    for (let j = i + 1; j < points.length; j++) {
      if (points[j].x > points[i].x) slopes.push((points[j].y - points[i].y) / (points[j].x - points[i].x))
    }
  }
  return slopes.length === 0 ? 0 : median(ordered(slopes))
}

// SQLite's page caches, 12 MiB, fill in the first minutes; what is left to grow after them is little.
const CACHES_FILLED_S = 600
const CACHES_KIB = 16 * 1024

/** What may grow by how much between warm-up and end: a part of the median, but at least so much. */
const COLUMNS = {
  rss_kib: { part: 0.1, least: 4 * 1024 },
  fds: { part: 0.1, least: 8 },
  threads: { part: 0, least: 0 },
  connections: { part: 0.1, least: 8 },
  rooms_loaded: { part: 0.1, least: 4 },
  rooms_joined: { part: 0.1, least: 8 },
  inbox: { part: 0.5, least: 100 },
  unsent_bytes: { part: 0.5, least: 1 << 20 },
  fanout_backlog_bytes: { part: 0.5, least: 64 << 10 },
  store_queue: { part: 0.5, least: 100 },
  store_read_queue: { part: 0.5, least: 100 },
}

/** {column: {median, drift, allowed, ok}} of the samples from `from` (seconds) on. */
export function judge(samples, from) {
  const kept = samples.filter((s) => s.seconds >= from)
  const span = kept.length > 1 ? kept.at(-1).seconds - kept[0].seconds : 0
  return Object.fromEntries(Object.entries(COLUMNS).map(([name, { part, least }]) => {
    const middle = kept.length > 0 ? median(ordered(kept.map((s) => s[name]))) : NaN
    const drift = slope(kept.map((s) => ({ x: s.seconds, y: s[name] }))) * span
    const caches = name === 'rss_kib' && from < CACHES_FILLED_S ? CACHES_KIB : 0
    const allowed = Math.max(part * middle, least, caches)
    return [name, { median: middle, drift: Math.round(drift), allowed: Math.round(allowed), ok: drift <= allowed }]
  }))
}
