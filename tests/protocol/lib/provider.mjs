// An identity provider on loopback: the certified oidc-provider, with a page that asks for a login.
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import http from 'node:http'
import Provider from 'oidc-provider'

export const CLIENT = { id: 'hubbub', secret: 'a secret & more' }

const newKey = (alg = 'RS256') => {
  const { privateKey } = alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg, use: 'sig' }
}

async function body(req) {
  let text = ''
  for await (const bytes of req) text += bytes
  return new URLSearchParams(text)
}

const PAGE = '<!doctype html><title>Provider</title><form method="post"><input name="login" aria-label="Name at the provider"><button>Go back</button></form>'

export class IdentityProvider {
  /** Paths that were asked for, as `GET /jwks`. */
  asked = []
  /** What people are called, by login. */
  names = {}
  /** Changes an answer of the token endpoint before it goes. */
  forge = undefined

  static async start(t) {
    const idp = new IdentityProvider()
    idp.http = http.createServer((req, res) => void idp.#answer(req, res))
    await new Promise((resolve) => idp.http.listen(0, '127.0.0.1', resolve))
    idp.issuer = `http://127.0.0.1:${idp.http.address().port}`
    t.after(() => idp.stop())
    return idp
  }

  stop() {
    this.http.closeAllConnections()
    return new Promise((resolve) => this.http.close(resolve))
  }

  /** The settings of a server that uses it; `secretFile` holds CLIENT.secret. */
  flags(secretFile) {
    return ['--oidc-issuer', this.issuer, '--oidc-client-id', CLIENT.id, '--oidc-client-secret-file', secretFile]
  }

  /** Serve the one at `origin`, with a key that was not there before. */
  serve(origin, { alg = 'RS256', auth = 'client_secret_basic' } = {}) {
    Object.assign(this, { origin, alg, auth })
    this.provider = new Provider(this.issuer, {
      clients: [{
        client_id: CLIENT.id,
        ...(auth !== 'none' && { client_secret: CLIENT.secret }),
        redirect_uris: [`${origin}/api/v1/oidc/callback`],
        token_endpoint_auth_method: auth,
        id_token_signed_response_alg: alg,
      }],
      clientAuthMethods: [auth],
      jwks: { keys: [newKey(alg)] },
      pkce: { required: () => true },
      claims: { openid: ['sub'], profile: ['name'] },
      cookies: { keys: [randomUUID()] },
      ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
      enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'HS256'] },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
      findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, name: this.names[sub] ?? sub }) }),
      // Nobody is asked whether they consent.
      loadExistingGrant: async (ctx) => {
        const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId })
        grant.addOIDCScope('openid profile')
        await grant.save()
        return grant
      },
    })
    this.provider.on('server_error', (_, err) => console.error(err))
  }

  /** Sign with another key from now on. */
  rotate() {
    this.serve(this.origin, this)
  }

  async #answer(req, res) {
    const { pathname } = new URL(req.url, this.issuer)
    this.asked.push(`${req.method} ${pathname}`)
    if (pathname.startsWith('/interaction/')) return this.#interact(req, res)
    if (pathname === '/token' && this.forge) {
      const end = res.end.bind(res)
      res.end = (text) => {
        const forged = JSON.stringify(this.forge(JSON.parse(text)))
        res.setHeader('Content-Length', Buffer.byteLength(forged))
        return end(forged)
      }
    }
    return this.provider.callback()(req, res)
  }

  async #interact(req, res) {
    if (req.method === 'GET') return res.setHeader('Content-Type', 'text/html').end(PAGE)
    const login = (await body(req)).get('login')
    return this.provider.interactionFinished(req, res, login === '' ? { error: 'access_denied' } : { login: { accountId: login } })
  }

  /** What a browser does there: from `location` to the URL that it is sent back to. */
  async visit(location, login) {
    const jar = new Map()
    let url = new URL(location)
    for (let hops = 0; hops < 10 && url.origin === this.issuer; hops++) {
      const signsIn = url.pathname.startsWith('/interaction/')
      const response = await fetch(url, {
        redirect: 'manual',
        headers: { Cookie: [...jar].map(([k, v]) => `${k}=${v}`).join('; ') },
        ...(signsIn && { method: 'POST', body: new URLSearchParams({ login }) }),
      })
      for (const set of response.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(set)
        jar.set(name, value)
      }
      if (!response.headers.has('location')) throw new Error(`${url}: ${response.status} ${await response.text()}`)
      url = new URL(response.headers.get('location'), url)
    }
    return url
  }
}
