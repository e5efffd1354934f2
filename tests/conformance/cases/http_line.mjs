// The request line: method, target, version (RFC 9112, 3), and where a path may not lead.
import { CLOSED, OPEN } from '../lib/http.mjs'

const HOST = 'Host: x\r\n'
const ask = (line) => `${line}\r\n${HOST}\r\n`
const get = (target) => ask(`GET ${target} HTTP/1.1`)

const LINES = [
  ['HTTP/1.1', get('/healthz'), 200, OPEN],
  ['HTTP/1.0', ask('GET /healthz HTTP/1.0'), 200, CLOSED],
  ['HTTP/1.0 with keep-alive', `GET /healthz HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n\r\n`, 200, OPEN],
  ['HTTP/1.0 without Host', 'GET /healthz HTTP/1.0\r\n\r\n', 200, CLOSED],
  ['HTTP/0.9: no version', 'GET /healthz\r\n', 400, CLOSED],
  ['HTTP/0.9: no version, with a Host', ask('GET /healthz'), 400, CLOSED],
  ['HTTP/0.9 by name', ask('GET /healthz HTTP/0.9'), 505, CLOSED],
  ['HTTP/1.2', ask('GET / HTTP/1.2'), 505, CLOSED],
  ['HTTP/1.9', ask('GET / HTTP/1.9'), 505, CLOSED],
  ['HTTP/2.0', ask('GET / HTTP/2.0'), 505, CLOSED],
  ['HTTP/2', ask('GET / HTTP/2'), 400, CLOSED],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, CLOSED],
  ['HTTP/3.0', ask('GET / HTTP/3.0'), 505, CLOSED],
  ['HTTP/11', ask('GET / HTTP/11'), 400, CLOSED],
  ['HTTP/1.10', ask('GET / HTTP/1.10'), 400, CLOSED],
  ['HTTP/01.1', ask('GET / HTTP/01.1'), 400, CLOSED],
  ['HTTP/1,1', ask('GET / HTTP/1,1'), 400, CLOSED],
  ['HTTP/1.', ask('GET / HTTP/1.'), 400, CLOSED],
  ['HTTP 1.1', ask('GET / HTTP 1.1'), 400, CLOSED],
  ['http/1.1', ask('GET / http/1.1'), 400, CLOSED],
  ['HTTPS/1.1', ask('GET / HTTPS/1.1'), 400, CLOSED],
  ['RTSP/1.0', ask('GET / RTSP/1.0'), 400, CLOSED],
  ['a space behind the version', ask('GET / HTTP/1.1 '), 400, CLOSED],
  ['a tab behind the version', ask('GET / HTTP/1.1\t'), 400, CLOSED],
  ['two spaces before the target', ask('GET  /healthz HTTP/1.1'), 400, CLOSED],
  ['two spaces behind the target', ask('GET /healthz  HTTP/1.1'), 400, CLOSED],
  ['a tab for a space', ask('GET\t/healthz HTTP/1.1'), 400, CLOSED],
  ['a vertical tab for a space', ask('GET\x0b/healthz HTTP/1.1'), 400, CLOSED],
  ['a space before the method', ask(' GET /healthz HTTP/1.1'), 400, CLOSED],
  ['an unknown method', ask('FROB / HTTP/1.1'), 501, CLOSED],
  ['a method in small letters', ask('get / HTTP/1.1'), 501, CLOSED],
  ['a method of 31 letters', ask(`${'M'.repeat(31)} / HTTP/1.1`), 501, CLOSED],
  ['a method of 40 letters', ask(`${'M'.repeat(40)} / HTTP/1.1`), 400, CLOSED],
  ['a method with a colon', ask('GE:T / HTTP/1.1'), 400, CLOSED],
  ['a method that is no ASCII', ask('G\xc9T / HTTP/1.1'), 400, CLOSED],
  ['no method', ask(' / HTTP/1.1'), 400, CLOSED],
  ['CONNECT', ask('CONNECT x:80 HTTP/1.1'), 501, CLOSED],
  ['TRACE', ask('TRACE / HTTP/1.1'), 405, OPEN],
  ['an empty line before', '\r\n' + get('/healthz'), 200, OPEN],
  ['four empty lines before', '\r\n'.repeat(4) + get('/healthz'), 200, OPEN],
  ['five empty lines before', '\r\n'.repeat(5) + get('/healthz'), 400, CLOSED],
  ['an empty line of LF alone before', '\n' + get('/healthz'), 400, CLOSED],
  ['the line ends with LF alone', `GET /healthz HTTP/1.1\n${HOST}\r\n`, 400, CLOSED],
  ['the line ends with CR alone', `GET /healthz HTTP/1.1\r${HOST}\r\n`, 400, CLOSED],
  ['the line ends with CR CR LF', `GET /healthz HTTP/1.1\r\r\n${HOST}\r\n`, 400, CLOSED],
  ['a NUL in the line', ask('GET /healthz\0 HTTP/1.1'), 400, CLOSED],
  ['a TLS client hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400, CLOSED],
  ['an SSH banner', 'SSH-2.0-OpenSSH_9.2\r\n', 400, CLOSED],
  ['an SMTP greeting', 'EHLO mail.example\r\n', 400, CLOSED],
  ['a WebSocket frame', '\x81\x85\x01\x02\x03\x04Hello', 400, CLOSED],
]

const TARGETS = [
  ['an absolute form', get('http://x/healthz'), 200, OPEN],
  ['an absolute form of https', get('https://x/healthz'), 200, OPEN],
  ['an absolute form in capitals', get('HTTP://x/healthz'), 200, OPEN],
  ['an absolute form of another host than Host', get('http://y:81/healthz'), 200, OPEN],
  ['an absolute form of an IPv6 address', get('http://[::1]:80/healthz'), 200, OPEN],
  ['an absolute form without a path', get('http://x'), 200, OPEN],
  ['an absolute form with a query alone', get('http://x?y'), 200, OPEN],
  ['an absolute form without a Host', 'GET http://x/ HTTP/1.1\r\n\r\n', 400, CLOSED],
  ['an absolute form with a user', get('http://a:b@x/'), 400, CLOSED],
  ['an absolute form without a host', get('http:///healthz'), 400, CLOSED],
  ['an absolute form with a bad port', get('http://x:8o/'), 400, CLOSED],
  ['an absolute form with a bad bracket', get('http://[::1/'), 400, CLOSED],
  ['an absolute form of ftp', get('ftp://x/'), 400, CLOSED],
  ['an absolute form of file', get('file:///etc/passwd'), 400, CLOSED],
  ['an absolute form of one slash', get('http:/healthz'), 400, CLOSED],
  ['an absolute form that leads up', get('http://x/../etc/passwd'), 400, CLOSED],
  ['authority with GET', get('x:80'), 400, CLOSED],
  ['an authority with CONNECT and a port alone', ask('CONNECT :80 HTTP/1.1'), 501, CLOSED],
  ['an asterisk with GET', get('*'), 400, CLOSED],
  ['OPTIONS *', ask('OPTIONS * HTTP/1.1'), 405, OPEN],
  ['no target', ask('GET HTTP/1.1'), 400, CLOSED],
  ['a target without a slash', get('healthz'), 400, CLOSED],
  ['a query alone', get('?x'), 400, CLOSED],
  ['a fragment', get('/healthz#x'), 400, CLOSED],
  ['a space in the path', get('/a b'), 400, CLOSED],
  ['a byte above ASCII in the path', get('/\xe9'), 400, CLOSED],
  ['a control in the path', get('/\x01'), 400, CLOSED],
  ['DEL in the path', get('/\x7f'), 400, CLOSED],
  ['a query', get('/healthz?a=b&c=%zz'), 200, OPEN],
]

/** Who means well has resolved what leads up before sending it (RFC 3986, 5.2.4): 400.  The rest is a name. */
const UPWARDS = [
  '/..', '/.', '/../', '/./healthz', '/../../etc/passwd', '/assets/../../etc/passwd', '/assets/..', '/r/..', '/r/.', '//..//etc',
  '/%2e%2e', '/%2E%2E/', '/%2e', '/.%2e/etc/passwd', '/%2e./etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/assets/%2e%2e/index.html',
  '/..%2f..%2fetc%2fpasswd', '/%2e%2e%2f%2e%2e%2fetc%2fpasswd', '/assets/..%2findex.html', '/r/%2e%2e', '/r/x%2f..%2f..', '/..?x', '/../..//',
]
const NAMES = [
  '/%252e%252e%252fetc%252fpasswd', '/%25252e%25252e/', '/..%5c..%5cetc%5cpasswd', '/..\\..\\etc\\passwd', '/%5c%5cserver%5cshare', '/...', '/.../',
  '/..;/etc/passwd', '/.%20./etc', '//etc/passwd', '///', '/etc/passwd', '/.git/config', '/.env', '/index.html', '/assets', '/assets/', '/assets//',
  '/%ef%bc%8e%ef%bc%8e/etc/passwd', '/%e2%80%a5/etc', '/C:%5cWindows', '/file:%2f%2f%2fetc%2fpasswd', '/~root', '/-', '/healthz/', '/HEALTHZ', '/healthz.', '/healthz%20',
]
/** Not UTF-8, a control, or no encoding at all. */
const BROKEN = [
  '/%c0%ae%c0%ae/etc/passwd', '/..%c0%af..%c0%afetc/passwd', '/%c1%9c..', '/%e0%80%ae%e0%80%ae/', '/%f0%80%80%ae/', '/%fc%80%80%80%80%ae/', '/%ed%a0%80', '/%ff', '/%80',
  '/%00', '/index.html%00.png', '/..%00/', '/%0d%0aSet-Cookie:%20x', '/%0a', '/%09', '/%1b', '/%7f', '/%', '/%2', '/%2/', '/%zz', '/%u002e%u002e/', '/%%32%65', '/% 2e',
]

const rows = (stem, list) => list.map(([what, bytes, status, then], i) => ({ id: `${stem}.${i + 1}`, what, bytes, status, then }))

export function lineCases() {
  return [
    ...rows('H.1', LINES),
    ...rows('H.2', TARGETS),
    ...rows('H.3', UPWARDS.map((path) => [`up: ${path}`, get(path), 400, CLOSED])),
    ...rows('H.4', NAMES.map((path) => [`a name: ${path}`, get(path), 404, OPEN])),
    ...rows('H.5', BROKEN.map((path) => [`broken: ${path}`, get(path), 400, CLOSED])),
  ]
}
