import type { Figures } from '@/protocol/team-api'

/** How many points a plot has at most: five minutes, one each five seconds. */
export const KEPT_POINTS = 60

export interface Sample {
  /** Unix milliseconds, on this clock. */
  at: number
  figures: Figures
}

export function withSample(samples: readonly Sample[], sample: Sample): Sample[] {
  const last = samples.at(-1)
  // A server that was started anew counts from zero: what came before is of another one.
  const isAnother = last !== undefined && sample.figures.uptime_ms < last.figures.uptime_ms
  return [...(isAnother ? [] : samples), sample].slice(-KEPT_POINTS - 1)
}

export function valuesOf(samples: readonly Sample[], name: keyof Figures): number[] {
  return samples.map((s) => s.figures[name]).slice(-KEPT_POINTS)
}

/** How fast a counter grows: for each two samples that follow each other, its steps a second. */
export function ratesOf(samples: readonly Sample[], name: keyof Figures): number[] {
  return samples.slice(1).map((s, i) => {
    const before = samples[i] ?? s
    const seconds = (s.at - before.at) / 1000
    return seconds > 0 ? Math.max(0, (s.figures[name] - before.figures[name]) / seconds) : 0
  })
}

/** What a commit took on average, in milliseconds, between each two samples; 0 where there was none. */
export function commitTimesOf(samples: readonly Sample[]): number[] {
  return samples.slice(1).map((s, i) => {
    const before = samples[i]?.figures ?? s.figures
    const commits = s.figures.commits_total - before.commits_total
    return commits > 0 ? (s.figures.commit_us_total - before.commit_us_total) / commits / 1000 : 0
  })
}

/** The line of a plot in a box of @width by @height, from the right; its floor is zero. */
export function sparkPath(values: readonly number[], width: number, height: number): string {
  if (values.length < 2) return ''
  const top = Math.max(...values, 1)
  const step = width / (KEPT_POINTS - 1)
  const first = width - step * (values.length - 1)
  return values
    .map((v, i) => {
      const x = (first + i * step).toFixed(1)
      const y = (height - 1 - (v / top) * (height - 2)).toFixed(1)
      return `${i === 0 ? 'M' : 'L'}${x} ${y}`
    })
    .join('')
}
