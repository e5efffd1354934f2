/** Passkeys in the browser: a challenge of the server's to what the authenticator makes of it. */
import { ask, postForUser } from './api'
import type { User } from './messages'

const bytesOf = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))

const textOf = (bytes: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')

/** Browsers have them for pages over https, by a name and not by an address. */
export function hasPasskeys(): boolean {
  return (
    typeof PublicKeyCredential !== 'undefined' &&
    window.isSecureContext &&
    !/^[\d.]+$|^\[/.test(location.hostname)
  )
}

export interface PasskeyEntry {
  id: number
  name: string
  created: number
  used: number
}

export async function askPasskeys(): Promise<PasskeyEntry[]> {
  const { passkeys } = await ask('GET', '/me/passkeys')
  return (Array.isArray(passkeys) ? passkeys : []).map((p: Record<string, unknown>) => ({
    id: Number(p['id']),
    name: String(p['name']),
    created: Number(p['created']),
    used: Number(p['used']),
  }))
}

/** Make one; the browser asks its user. Thrown: an ApiError, or a DOMException where they say no. */
export async function addPasskey(password: string, name: string, user: User): Promise<void> {
  const { challenge, rp_id, user: id } = await ask('POST', '/me/passkeys/begin', { password })
  const made = await navigator.credentials.create({
    publicKey: {
      challenge: bytesOf(String(challenge)),
      rp: { id: String(rp_id), name: 'Hubbub' },
      user: { id: new TextEncoder().encode(String(id)), name: user.name, displayName: user.name },
      pubKeyCredParams: [
        { type: 'public-key', alg: -7 },
        { type: 'public-key', alg: -257 },
      ],
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      attestation: 'none',
    },
  })
  if (!(made instanceof PublicKeyCredential)) throw new Error('The browser made no passkey.')
  const response = made.response as AuthenticatorAttestationResponse
  await ask('POST', '/me/passkeys', {
    client_data: textOf(response.clientDataJSON),
    authenticator_data: textOf(response.getAuthenticatorData()),
    name,
  })
}

export async function enterByPasskey(): Promise<User> {
  const { challenge, rp_id } = await ask('POST', '/session/passkey/challenge', {})
  const shown = await navigator.credentials.get({
    publicKey: { challenge: bytesOf(String(challenge)), rpId: String(rp_id), userVerification: 'required' },
  })
  if (!(shown instanceof PublicKeyCredential)) throw new Error('The browser showed no passkey.')
  const response = shown.response as AuthenticatorAssertionResponse
  return postForUser('/session/passkey', {
    id: textOf(shown.rawId),
    client_data: textOf(response.clientDataJSON),
    authenticator_data: textOf(response.authenticatorData),
    signature: textOf(response.signature),
  })
}

export async function removePasskey(id: number): Promise<void> {
  await ask('DELETE', `/me/passkeys/${id}`)
}
