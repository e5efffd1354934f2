// One load and the death at the end of it.
import { within } from '../../protocol/lib/wait.mjs'
import { Random } from './random.mjs'

/**
 * The moment of death is one of
 *   acks   on the arrival of the n-th acknowledgement
 *   quiet  the same, when after the n-th no more is sent and the last acknowledgement comes
 *   time   after so many milliseconds
 *   stop   so many milliseconds after SIGTERM, which comes at the n-th acknowledgement
 *   cut    when the test's disk loses power, which it was told to by SIGUSR1
 *   cut-stop  the same, with a SIGTERM at the n-th acknowledgement
 */
export class Round {
  closing = false // no more is to be sent
  outstanding = 0 // requests without a reply
  acks = 0
  #stopping = false
  #timer

  constructor({ server, moment, seed, fail }) {
    Object.assign(this, { child: server.child, server, moment, seed, fail })
  }

  random(name) {
    return new Random(`${this.seed}/${name}`)
  }

  #killIn(ms) {
    this.#timer = setTimeout(() => this.child.kill('SIGKILL'), ms)
  }

  /** Load by `writers` until the server is dead.  It must not end in another way. */
  async run(writers) {
    const { kind, ms } = this.moment
    if (kind === 'time') this.#killIn(ms)
    if (kind.startsWith('cut')) this.child.kill('SIGUSR1')
    await Promise.all(writers.map((writer) => writer.run(this)))
    // Where no link is left the moment may not come any more.
    if (['acks', 'quiet', 'time'].includes(kind)) this.child.kill('SIGKILL')
    const { code, signal } = await within(this.server.exited, 'the server to die', 12000)
    clearTimeout(this.#timer)
    await this.server.ended('SIGKILL')
    if (signal !== 'SIGKILL' && !(this.#stopping && code === 0)) {
      this.fail(`the server ended with ${code ?? signal}: ${this.server.stderr.slice(-2000)}`)
    }
  }

  /** A write is stored, or refused for good. */
  onAnswer({ ok }) {
    const { kind, n, ms } = this.moment
    this.acks += ok
    if (kind === 'acks' && ok && this.acks === n) this.child.kill('SIGKILL')
    if (kind === 'quiet') {
      this.closing = this.acks >= n
      if (this.closing && this.outstanding === 0) this.child.kill('SIGKILL')
    }
    if (kind.endsWith('stop') && ok && this.acks === n) {
      this.#stopping = true
      this.child.kill('SIGTERM')
      if (kind === 'stop') this.#killIn(ms)
    }
  }

  /** A server that refuses is stopping. */
  async mayGoOn() {
    return false
  }

  onRefusal(reply) {
    if (this.#stopping && reply.err.code === 'unavailable') return
    this.fail(`a write was refused: ${JSON.stringify(reply.err)}`)
  }
}
