// What a process has open.
import { readdir, readlink } from 'node:fs/promises'
import path from 'node:path'

/** By what it is: {name: how many}. */
export async function openFiles(pid) {
  const dir = `/proc/${pid}/fd`
  const names = await Promise.all((await readdir(dir)).map((fd) => readlink(path.join(dir, fd)).catch(() => 'closed')))
  const count = {}
  for (const name of names.map((n) => n.replace(/:.*/, ''))) count[name] = (count[name] ?? 0) + 1
  return count
}
