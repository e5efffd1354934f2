// Installs what package-lock.json of a folder asks for, unless exactly that is already there.
//
//   node install.mjs FOLDER
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Runs npm in a folder; throws if that fails.
 *
 * npm, and the scripts that it runs, start whatever `node` is first on PATH.  That is to be the
 * Node that runs this, also where the system has an older one.
 */
export function npm(folder, args) {
  const nodeDir = dirname(isAbsolute(process.argv0) ? process.argv0 : process.execPath)
  const { status, error } = spawnSync('npm', args, {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, PATH: [nodeDir, process.env.PATH].join(delimiter) },
  })
  if (error) throw error
  if (status !== 0) throw new Error(`npm ${args[0]} failed in ${folder}`)
}

function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')).packages
  } catch {
    return null
  }
}

/**
 * Whether node_modules holds every locked package; an optional one may be for another platform.
 *
 * npm writes what it installed to node_modules/.package-lock.json at the end of an install, so a
 * half-finished one has no such file.  Comparing it with the lock file takes milliseconds; `npm ci`
 * takes seconds, because it begins by removing node_modules.
 */
function isInstalled(folder) {
  const locked = packagesOf(join(folder, 'package-lock.json'))
  const present = packagesOf(join(folder, 'node_modules', '.package-lock.json'))
  if (locked === null || present === null) return false

  const isSatisfied = ([path, wanted]) =>
    path === '' || (present[path] ? present[path].version === wanted.version : wanted.optional === true)
  return Object.entries(locked).every(isSatisfied) && Object.keys(present).every((path) => path in locked)
}

/** Makes node_modules of a folder what its lock file says. */
export function install(folder) {
  if (isInstalled(folder)) return
  console.log(`Installing the npm packages of ${folder}`)
  npm(folder, ['ci', '--no-audit', '--no-fund'])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) install(resolve(process.argv[2]))
