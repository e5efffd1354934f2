// What is asked of the database file itself, beside a running server.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const QUESTIONS = `
PRAGMA integrity_check;
SELECT 'a key twice: ' || author || ' ' || CAST(key AS TEXT) FROM events
  GROUP BY author, key HAVING count(*) > 1 LIMIT 3;
SELECT 'a seq twice: ' || room || ' ' || seq FROM events
  GROUP BY room, seq HAVING count(*) > 1 LIMIT 3;
SELECT 'a head that is not the last event: ' || name FROM rooms
  WHERE head <> (SELECT coalesce(max(seq), 0) FROM events WHERE room = rooms.id) LIMIT 3;
`

/** All that is wrong with the file. */
export async function checkDatabase(file) {
  try {
    const { stdout } = await promisify(execFile)('sqlite3', ['-readonly', '-batch', '-cmd', '.timeout 5000', file, QUESTIONS])
    return stdout.split('\n').filter((line) => line !== '' && line !== 'ok')
  } catch (err) {
    if (err.code === 'ENOENT') throw new Error('sqlite3 is missing: apt-get install sqlite3')
    return [`sqlite3 cannot read the database: ${err.message}`]
  }
}
