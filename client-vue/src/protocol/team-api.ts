/** The HTTP API's part for admins. What does not have its shape is read as nothing, never shown raw. */
import { ask } from './api'
import { decodeRole, decodeUser } from './decode'
import type { TeamRole, User } from './messages'

type Json = Record<string, unknown>

const number = (v: unknown): number => (typeof v === 'number' && Number.isFinite(v) ? v : 0)
const text = (v: unknown): string => (typeof v === 'string' ? v : '')
const rows = (v: unknown): Json[] =>
  Array.isArray(v) ? v.filter((o): o is Json => typeof o === 'object' && o !== null) : []
const role = (v: unknown): TeamRole => decodeRole(v) ?? 'guest'
const NOBODY: User = { id: '', name: '' }

export interface TeamUser extends User {
  login: string
  role: TeamRole
  disabled: boolean
  totp: boolean
  /** Unix milliseconds; 0 is never. */
  seen: number
  sessions: number
}

export async function askUsers(): Promise<TeamUser[]> {
  const { users } = await ask('GET', '/users')
  return rows(users).map((u) => ({
    ...(decodeUser(u) ?? NOBODY),
    login: text(u['login']),
    role: role(u['role']),
    disabled: u['disabled'] === true,
    totp: u['totp'] === true,
    seen: number(u['seen']),
    sessions: number(u['sessions']),
  }))
}

export async function setRole(id: string, to: TeamRole): Promise<void> {
  await ask('POST', `/users/${id}/role`, { role: to })
}

export async function setDisabled(id: string, on: boolean): Promise<void> {
  await ask('POST', `/users/${id}/disabled`, { on })
}

/** Sign somebody out everywhere. */
export async function endSessionsOf(id: string): Promise<void> {
  await ask('DELETE', `/users/${id}/sessions`)
}

const linkOf = (path: string, token: unknown) => `${location.origin}${path}#${text(token)}`

/** A link to a new password, good for a day, once. */
export async function makeReset(id: string): Promise<string> {
  return linkOf('/reset', (await ask('POST', `/users/${id}/reset`, {}))['token'])
}

export interface Invite {
  id: string
  by: string
  role: TeamRole
  room: string | null
  expires: number
  usesLeft: number
}

export async function askInvites(): Promise<Invite[]> {
  const { invites } = await ask('GET', '/invites')
  return rows(invites).map((i) => ({
    id: String(i['id']),
    by: decodeUser(i['by'])?.name ?? '',
    role: role(i['role']),
    room: typeof i['room'] === 'string' ? i['room'] : null,
    expires: number(i['expires']),
    usesLeft: number(i['uses_left']),
  }))
}

export interface NewInvite {
  role: TeamRole
  uses: number
  expires_ms: number
  room?: string
}

export async function makeInvite(invite: NewInvite): Promise<string> {
  return linkOf('/join', (await ask('POST', '/invites', { ...invite }))['token'])
}

export async function endInvite(id: string): Promise<void> {
  await ask('DELETE', `/invites/${id}`)
}

export interface TeamSettings {
  team: string
  /** How long messages are kept where a room says nothing; 0 is for ever. */
  days: number
  /** What becomes of the messages of somebody who deletes their account. */
  leavers: 'keep' | 'remove'
}

export async function askTeam(): Promise<TeamSettings> {
  const json = await ask('GET', '/team')
  return { team: text(json['team']), days: number(json['days']), leavers: json['leavers'] === 'remove' ? 'remove' : 'keep' }
}

export async function setTeam(settings: TeamSettings): Promise<void> {
  await ask('POST', '/team', { ...settings })
}

export interface TeamRoom {
  room: string
  title: string
  kind: string
  members: number
  messages: number
  archived: boolean
  /** How long it keeps messages; null: as the team has it. */
  days: number | null
  last: number
}

/** The rooms that are listed. */
export async function askTeamRooms(): Promise<TeamRoom[]> {
  const json = await ask('GET', '/team/rooms')
  return rows(json['rooms']).map((r) => ({
    room: text(r['room']),
    title: text(r['title']),
    kind: text(r['kind']),
    members: number(r['members']),
    messages: number(r['messages']),
    archived: r['archived'] === true,
    days: typeof r['days'] === 'number' ? r['days'] : null,
    last: number(r['last']),
  }))
}

export interface Report {
  id: number
  ts: number
  by: string
  author: string
  /** Null for a room that is not listed. */
  room: string | null
  kind: string
  reason: string
  /** Null where it was deleted meanwhile. */
  text: string | null
  said: number
}

export async function askReports(): Promise<Report[]> {
  const { reports } = await ask('GET', '/reports')
  return rows(reports).map((r) => ({
    id: number(r['id']),
    ts: number(r['ts']),
    by: decodeUser(r['by'])?.name ?? '',
    author: decodeUser(r['author'])?.name ?? '',
    room: typeof r['room'] === 'string' ? r['room'] : null,
    kind: text(r['kind']),
    reason: text(r['reason']),
    text: typeof r['text'] === 'string' ? r['text'] : null,
    said: number(r['said']),
  }))
}

export async function closeReport(id: number, remove: boolean): Promise<void> {
  await ask('POST', `/reports/${id}`, { delete: remove })
}

export interface AuditEntry {
  id: number
  ts: number
  /** Null for the server itself and its shell. */
  actor: string | null
  act: string
  object: string
  address: string
}

export async function askAudit(before: number | null): Promise<{ entries: AuditEntry[]; more: boolean }> {
  const page = await ask('GET', `/audit?limit=50${before === null ? '' : `&before=${before}`}`)
  const entries = rows(page['entries']).map((e) => ({
    id: number(e['id']),
    ts: number(e['ts']),
    actor: decodeUser(e['actor'])?.name ?? null,
    act: text(e['act']),
    object: typeof e['object'] === 'object' ? (decodeUser(e['object'])?.name ?? '') : text(e['object']),
    address: text(e['address']),
  }))
  return { entries, more: page['more'] === true }
}

const FIGURES = [
  'connections',
  'requests_total',
  'deliveries_total',
  'writes_total',
  'store_queue',
  'commits_total',
  'commit_us_total',
  'rooms',
  'uptime_ms',
  'storage_bytes',
  'resident_bytes',
] as const

export type Figures = Record<(typeof FIGURES)[number], number>

export async function askFigures(): Promise<Figures> {
  const json = await ask('GET', '/figures')
  return Object.fromEntries(FIGURES.map((name) => [name, number(json[name])])) as Figures
}
