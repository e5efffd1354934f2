// Certificates for a test, made when it runs: none in the repository can expire.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const HOSTS = 'subjectAltName=DNS:chat.test,DNS:localhost,IP:127.0.0.1,IP:127.0.0.2,IP:::1'
const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })

/**
 * A certificate that vouches for itself, and its key, as files in `dir`; `ca` is what a client trusts.
 * `rsa` instead of an elliptic curve; `days` may be negative.
 */
export function makeCert(dir, name = 'server', { rsa = false, days = 30, more = [] } = {}) {
  const [cert, key, csr] = ['cert', 'key', 'csr'].map((kind) => path.join(dir, `${name}.${kind}.pem`))
  const kind = rsa ? ['-newkey', 'rsa:2048'] : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
  if (days > 0) {
    openssl('req', '-x509', ...kind, '-nodes', '-keyout', key, '-out', cert, '-days', String(days), '-subj', `/CN=${name}`, '-addext', HOSTS, ...more)
  } else {
    openssl('req', ...kind, '-nodes', '-keyout', key, '-out', csr, '-subj', `/CN=${name}`, '-addext', HOSTS)
    openssl('x509', '-req', '-in', csr, '-signkey', key, '-days', String(days), '-out', cert)
  }
  return { cert, key, ca: readFileSync(cert), flags: ['--tls-cert', cert, '--tls-key', key] }
}

let common

/** One for all servers of this process. */
export function commonCert() {
  if (common === undefined) {
    const dir = mkdtempSync(path.join(tmpdir(), 'hubbub-cert-'))
    process.on('exit', () => rmSync(dir, { recursive: true, force: true }))
    common = makeCert(dir)
  }
  return common
}
