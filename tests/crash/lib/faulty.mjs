// A server whose machine fails on demand (faulty/): what fails is written to a file that it maps.
import assert from 'node:assert/strict'
import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { constants } from 'node:os'

const SIZE = 4096
const SLOT = 20
const AT = { files: 480, seed: 484, space: 488, wall: 496 }
const SLOTS = ['open', 'read', 'write', 'shortWrite', 'sync', 'truncate', 'unlink', 'map', 'mkdir', 'openToWrite',
  'accept', 'thread', 'ring', 'ringSubmit', 'watch']
const FILES = { db: 1, wal: 2, shm: 4, other: 8 }

export class Faults {
  #fd

  /** `file` is made anew. */
  constructor(file) {
    this.env = { FAULTS: file }
    this.#fd = openSync(file, 'w+')
    ftruncateSync(this.#fd, SIZE)
  }

  #put(at, size, value) {
    const bytes = Buffer.alloc(size)
    if (size === 8) bytes.writeBigInt64LE(BigInt(value))
    else bytes.writeInt32LE(value)
    writeSync(this.#fd, bytes, 0, size, at)
  }

  #slot(what) {
    const i = SLOTS.indexOf(what)
    assert.ok(i >= 0, `there is no fault ${what}`)
    return i * SLOT
  }

  /** From now on `what` fails with `err`, with this probability, once `skip` calls have worked; so many times. */
  set(what, err, { chance = 1, skip = 0, times = -1 } = {}) {
    const at = this.#slot(what)
    const number = constants.errno[err]
    assert.ok(number > 0, `there is no error ${err}`)
    this.#put(at + 16, 4, times)
    this.#put(at + 8, 4, skip)
    this.#put(at + 4, 4, Math.ceil(chance * 65536))
    this.#put(at, 4, number)
  }

  /** Only calls on these files fail. */
  only(...files) {
    this.#put(AT.files, 4, files.reduce((mask, name) => mask | FILES[name], 0))
  }

  /** Files may grow by so many bytes in all. */
  space(bytes) {
    this.#put(AT.space, 8, bytes === Infinity ? 0 : bytes + 1)
  }

  seed(number) {
    this.#put(AT.seed, 4, number | 0)
  }

  /** The wall clock is off by so much. */
  clock(ms) {
    this.#put(AT.wall, 8, ms)
  }

  /** How often anything has failed so far: {what: times}. */
  get allGiven() {
    return Object.fromEntries(SLOTS.map((what) => [what, this.given(what)]).filter(([, times]) => times > 0))
  }

  /** How often `what` has failed so far. */
  given(what) {
    const bytes = Buffer.alloc(4)
    readSync(this.#fd, bytes, 0, 4, this.#slot(what) + 12)
    return bytes.readUInt32LE()
  }

  /** Everything works again; the clock stays as it is. */
  heal() {
    for (const what of SLOTS) this.#put(this.#slot(what), 4, 0)
    this.space(Infinity)
    this.only()
  }

  /** A medium that was mounted read-only. */
  readOnly() {
    for (const what of ['write', 'truncate', 'unlink', 'mkdir', 'openToWrite']) this.set(what, 'EROFS')
  }

  close() {
    closeSync(this.#fd)
  }
}
