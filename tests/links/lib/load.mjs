// What the tests of full queues share.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'

export const range = (n) => Array.from({ length: n }, (_, i) => i)

/** KiB that the server has in memory, now and at most so far. */
export async function memory(server) {
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8')
  return { rss: Number(/VmRSS:\s+(\d+)/.exec(status)[1]), peak: Number(/VmHWM:\s+(\d+)/.exec(status)[1]) }
}

/** Send again under the same key what was refused, until all is stored; gives the replies. */
export async function insist(peer, writes) {
  const replies = []
  let left = writes
  for (let tries = 0; left.length > 0; tries++) {
    assert.ok(tries < 100, `${left.length} are refused still`)
    const now = await Promise.all(left.map((w) => peer.request(w, 30000)))
    replies.push(...now.filter((r) => r.ok))
    left = left.filter((_, i) => !now[i].ok)
  }
  return replies
}
