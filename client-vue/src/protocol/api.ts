/** The HTTP API: who one is there, and what one has signed in. docs/api.md describes it. */
import { decodeUser } from './decode'
import type { User } from './messages'

export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly retryMs: number | null = null,
  ) {
    super(message)
    this.name = 'ApiError'
  }
}

type Json = Record<string, unknown>

const isObject = (v: unknown): v is Json => typeof v === 'object' && v !== null && !Array.isArray(v)

function errorOf(json: unknown, status: number): ApiError {
  const err = isObject(json) && isObject(json['err']) ? json['err'] : {}
  const retry = typeof err['retry_ms'] === 'number' ? err['retry_ms'] : null
  return new ApiError(String(err['code'] ?? status), String(err['msg'] ?? 'The server did not answer as expected.'), retry)
}

/** One request; an error of the API, or of the way to it (`unreachable`), is thrown. */
export async function ask(method: string, path: string, body?: Json): Promise<Json> {
  const init: RequestInit = { method, credentials: 'same-origin' }
  if (body !== undefined) {
    init.headers = { 'Content-Type': 'application/json' }
    init.body = JSON.stringify(body)
  }
  let response: Response
  let json: unknown
  try {
    response = await fetch(`/api/v1${path}`, init)
    const text = await response.text()
    json = text === '' ? {} : JSON.parse(text)
  } catch {
    throw new ApiError('unreachable', 'Cannot reach the server.')
  }
  if (!response.ok || !isObject(json)) throw errorOf(json, response.status)
  return json
}

export interface ServerInfo {
  mode: 'open' | 'accounts'
  team: string | null
  setup: 'done' | 'open' | 'token'
  /** What single sign-on is called; null without. */
  sso: string | null
  ssoOnly: boolean
  /** Links for new passwords can be mailed. */
  mail: boolean
}

export async function askServer(): Promise<ServerInfo> {
  const json = await ask('GET', '/server')
  return {
    mode: json['mode'] === 'accounts' ? 'accounts' : 'open',
    team: typeof json['team'] === 'string' ? json['team'] : null,
    setup: json['setup'] === 'open' || json['setup'] === 'token' ? json['setup'] : 'done',
    sso: typeof json['sso'] === 'string' ? json['sso'] : null,
    ssoOnly: json['sso_only'] === true,
    mail: json['mail'] === true,
  }
}

/** What signs in, or changes one's name, gives who one is then. */
export async function postForUser(path: string, body: Json): Promise<User> {
  const me = decodeUser((await ask('POST', path, body))['me'])
  if (me === null) throw errorOf(null, 200)
  return me
}

export interface Account {
  me: User
  login: string | null
  role: string
  totp: boolean
  recovery: number
  hasPassword: boolean
  /** Linked with single sign-on. */
  sso: boolean
}

export async function askMe(): Promise<Account> {
  const json = await ask('GET', '/me')
  const me = decodeUser(json['me'])
  if (me === null) throw errorOf(null, 200)
  return {
    me,
    login: typeof json['login'] === 'string' ? json['login'] : null,
    role: String(json['role']),
    totp: json['totp'] === true,
    recovery: Number(json['recovery'] ?? 0),
    hasPassword: json['has_password'] === true,
    sso: json['sso'] === true,
  }
}

/** Leave for the provider of single sign-on; the page is gone then. */
export async function goToProvider(path: '/oidc/start' | '/me/oidc', body: Json): Promise<void> {
  const { location: url } = await ask('POST', path, body)
  if (typeof url !== 'string' || !/^https?:/.test(url)) throw errorOf(null, 200)
  location.assign(url)
}

export async function askBlocks(): Promise<User[]> {
  const { blocks } = await ask('GET', '/me/blocks')
  return (Array.isArray(blocks) ? blocks : []).map(decodeUser).filter((u) => u !== null)
}

export async function setBlock(user: string, on: boolean): Promise<void> {
  await ask('POST', '/me/blocks', { user, on })
}

export async function reportMessage(rid: string, target: number, reason: string): Promise<void> {
  await ask('POST', '/reports', { room: `~${rid}`, target, ...(reason !== '' && { reason }) })
}

/** All that is kept about oneself; @tell is told how many messages have come so far. */
export async function exportMe(tell: (n: number) => void): Promise<Json> {
  const account = await ask('GET', '/me/export')
  const messages: unknown[] = []
  for (let at = ''; ; ) {
    const page = await ask('GET', `/me/export/messages${at}`)
    if (Array.isArray(page['messages'])) messages.push(...page['messages'])
    tell(messages.length)
    const next = page['next']
    if (!isObject(next)) return { account, messages }
    at = `?room=${Number(next['room'])}&after=${Number(next['after'])}`
  }
}

export interface Device {
  id: number
  used: number
  agent: string
  address: string
  current: boolean
}

/** One's own devices, or those of somebody whom one administers. */
export async function askDevices(of = '/me'): Promise<Device[]> {
  const { sessions } = await ask('GET', `${of}/sessions`)
  return (Array.isArray(sessions) ? sessions.filter(isObject) : []).map((s) => ({
    id: Number(s['id']),
    used: Number(s['used']),
    agent: String(s['agent']),
    address: String(s['address']),
    current: s['current'] === true,
  }))
}

export interface Invitation {
  team: string
  by: string | null
  room: string | null
  nameOnly: boolean
}

export async function lookAtInvitation(token: string): Promise<Invitation> {
  const json = await ask('POST', '/invites/look', { token })
  return {
    team: String(json['team'] ?? ''),
    by: typeof json['by'] === 'string' ? json['by'] : null,
    room: typeof json['room'] === 'string' ? json['room'] : null,
    nameOnly: json['name_only'] === true,
  }
}
