// What any file of the tree is held to, whatever its language.
import { files, read, report } from './files.mjs'

const MAX_LINES = 500

// The words are put together here, so that this file may be checked as well.
const UNFINISHED = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`)
const SKIPPED_TEST = /\b(it|test|describe)\.(skip|only|todo)\b/

const isText = (file) => !/\.(png|ico|woff2|webp)$|^tests\/fuzz\/corpus\//.test(file)
const isLockFile = (file) => file.endsWith('package-lock.json')
const isSource = (file) => /\.(c|h|ts|vue|mjs|css)$/.test(file) || file === 'dev'

function checkLine(file, line) {
  if (UNFINISHED.test(line)) return 'unfinished work belongs in the tracker, not in the tree'
  if (/[ \t]$/.test(line)) return 'trailing white space'
  if (isSource(file) && SKIPPED_TEST.test(line)) return 'a test that does not run'
  return null
}

function checkFile(file) {
  const text = read(file)
  const lines = text.split('\n')
  if (isLockFile(file)) {
    return /"resolved": "http/.test(text)
      ? [`${file}:1: it holds registry addresses: omit-lockfile-registry-resolved=true belongs in .npmrc`]
      : []
  }
  const complaints = []
  if (isSource(file) && lines.length - 1 > MAX_LINES) {
    complaints.push(`${file}:${MAX_LINES + 1}: over ${MAX_LINES} lines: there are two things in it`)
  }
  if (text !== '' && !text.endsWith('\n')) complaints.push(`${file}:${lines.length}: no line end at the end`)
  lines.forEach((line, index) => {
    const complaint = checkLine(file, line)
    if (complaint !== null) complaints.push(`${file}:${index + 1}: ${complaint}`)
  })
  return complaints
}

report(files.filter(isText).flatMap(checkFile))
