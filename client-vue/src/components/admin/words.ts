import type { TeamRole } from '@/protocol/messages'

export const ROLE_WORDS: Record<TeamRole, string> = {
  guest: 'Guest',
  member: 'Member',
  admin: 'Admin',
  owner: 'Owner',
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB']

/** Three digits at most, and a unit. */
export function bytesText(bytes: number): string {
  let n = Math.max(0, bytes)
  let unit = 0
  while (n >= 999.5 && unit < UNITS.length - 1) {
    n /= 1000
    unit++
  }
  return `${n >= 99.5 || unit === 0 ? Math.round(n) : n >= 9.95 ? n.toFixed(1) : n.toFixed(2)} ${UNITS[unit]}`
}

export function durationText(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 1) return 'less than a minute'
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`
}
