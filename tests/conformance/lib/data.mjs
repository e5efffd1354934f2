// What groups 12 and 13 send: five kinds of data, made here, the same in each run.

const BYTES = 256 * 1024

/** Numbers that look random (a linear congruence; the high bits are good enough for this). */
function* numbers(seed) {
  let state = seed
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    yield state >>> 8
  }
}

/** Text made of pieces until there is enough of it. */
function grow(seed, piece) {
  const random = numbers(seed)
  const next = () => random.next().value
  const pieces = []
  for (let n = 0; n < BYTES;) {
    const one = Buffer.from(piece(next))
    pieces.push(one)
    n += one.length
  }
  return Buffer.concat(pieces)
}

const SYLLABLES = 'an ber chen der ei für ge haus in je kö lich mei nicht o prü qua rung sch tä un ver wir xa y zu ß “ – é 語'.split(' ')
const word = (next) => Array.from({ length: 1 + (next() % 3) }, () => SYLLABLES[(next() % SYLLABLES.length) & next() % 64]).join('')
const sentence = (next) => Array.from({ length: 3 + (next() % 12) }, () => word(next)).join(' ') + '. '

export const KINDS = {
  1: { what: 'JSON', isText: true, bytes: grow(1, (next) => JSON.stringify({ id: next(), name: word(next), tags: [word(next), word(next)], at: [next() / 1e4, -next() / 1e4], is: next() % 2 === 0 }) + ',') },
  2: { what: 'bitmap', isText: false, bytes: grow(2, (next) => Buffer.alloc(1 + (next() % 9), 96 + (next() % 16))) },
  3: { what: 'prose', isText: true, bytes: grow(3, sentence) },
  4: { what: 'HTML', isText: true, bytes: grow(4, (next) => `<p class="c${next() % 20}" id="p${next()}">${sentence(next)}<a href="/r/${word(next)}">${word(next)}</a></p>\n`) },
  // Of its bytes most do not compress, as in a file that is compressed already.
  5: { what: 'mixed binary', isText: false, bytes: grow(5, (next) => (next() % 4 === 0 ? `<< /Length ${next()} >> stream\n` : Buffer.from(Array.from({ length: 200 }, next)))) },
}

/** The @i-th stretch of at most @size bytes; a text's ends with a whole character. */
export function stretch({ bytes, isText }, size, i) {
  let from = (i * size) % (bytes.length - size)
  const isTail = (at) => isText && at < bytes.length && (bytes[at] & 0xc0) === 0x80
  while (isTail(from)) from++
  let to = from + size
  while (isTail(to)) to--
  return bytes.subarray(from, to)
}
