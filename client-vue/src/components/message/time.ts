const time = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' })
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' })
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
const dayOfYear = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' })

export const timeOf = (ts: number): string => time.format(ts)
export const fullTimeOf = (ts: number): string => full.format(ts)

/** A day as people say it, seen from @now. */
export function dayOf(ts: number, now: number = Date.now()): string {
  const start = (t: number) => new Date(t).setHours(0, 0, 0, 0)
  const days = Math.round((start(now) - start(ts)) / 86_400_000)
  if (days === 0) return 'Today'
  if (days === 1) return 'Yesterday'
  const sameYear = new Date(ts).getFullYear() === new Date(now).getFullYear()
  return (sameYear ? day : dayOfYear).format(ts)
}
