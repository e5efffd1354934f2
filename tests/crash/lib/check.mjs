// Whether what is stored agrees with what the clients know.  Nothing here talks to a server.

/** A text begins with the key that it was sent under, so that a doubled message shows. */
export const keyOf = (text) => text.split(' ', 1)[0]

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b)

function* checkSeqs(room, { events, head }) {
  let last = 0
  for (const { seq } of events) {
    if (seq <= last) yield `${room}: seq ${seq} comes behind ${last}`
    else if (seq !== last + 1) yield `${room}: a hole between ${last} and ${seq}`
    last = seq
  }
  if (last !== head) yield `${room}: its head is ${head}, its last event ${last}`
}

function* checkTexts(room, { events }, sent, stored) {
  const lastOf = new Map()
  for (const { seq, text } of events) {
    const key = keyOf(text)
    const message = sent.get(key)
    if (message === undefined || message.room !== room) {
      yield `${room}: ${seq} holds what was never sent there: ${text.slice(0, 80)}`
      continue
    }
    if (message.text !== text) yield `${room}: ${seq} holds another text than was sent under ${key}`
    if (stored.has(key)) yield `${room}: ${key} is stored twice, as ${stored.get(key).seq} and ${seq}`
    else stored.set(key, { seq, text })
    // What was refused is tried again later, and those that were sent behind it have passed it.
    if (message.late) continue
    const last = lastOf.get(message.stream) ?? -1
    const next = nextInOrder(sent, message.stream, last)
    if (message.n !== next) yield `${room}: ${key} comes behind number ${last} of its sender`
    lastOf.set(message.stream, message.n)
  }
}

function nextInOrder(sent, stream, last) {
  let n = last + 1
  while (sent.get(`${stream}.${n}`)?.late) n++
  return n
}

function* checkPrefix(room, { events }, before) {
  const i = before.findIndex((event, at) => !same(event, events[at]))
  if (i >= 0) yield `${room}: ${before[i].seq} was read before, and is different now or gone`
}

function* checkVisit({ visit, room, head, events }, stored) {
  let last = head
  for (const { seq, text } of events) {
    if (last !== undefined && seq !== last + 1) yield `${visit} in ${room}: sent ${seq} behind ${last}`
    last = seq
    const key = keyOf(text)
    const found = stored.get(key)
    if (found === undefined) yield `${visit} in ${room}: sent ${key} as ${seq}, which is not stored`
    else if (found.seq !== seq || found.text !== text) {
      yield `${visit} in ${room}: sent ${key} as ${seq}, stored is ${found.seq}`
    }
  }
}

/**
 * Everything that is wrong, each as a sentence.
 *
 * sent     Map of key to {room, stream, n, text, late}: a stream is one sender's messages to one
 *          room, numbered by n from 0, its key the stream and n; late: it was refused once
 * acked    [{key, seq}]
 * visits   [{visit, room, head, events}]: what a member was sent, above the head that it joined at
 * stored   Map of room to {events, head}, as history gives it
 * before   the same, as it was read earlier
 * complete whether everything that was sent must be stored
 */
export function check({ sent, acked, visits, stored, before = new Map(), complete = false }) {
  const wrong = []
  const byKey = new Map()

  for (const [room, log] of stored) {
    wrong.push(...checkSeqs(room, log), ...checkTexts(room, log, sent, byKey))
    wrong.push(...checkPrefix(room, log, before.get(room)?.events ?? []))
  }
  for (const { key, seq } of acked) {
    const found = byKey.get(key)
    if (found === undefined) wrong.push(`${key} was acknowledged as ${seq} and is not stored`)
    else if (found.seq !== seq) wrong.push(`${key} was acknowledged as ${seq} and is stored as ${found.seq}`)
  }
  for (const visit of visits) wrong.push(...checkVisit(visit, byKey))
  if (complete) {
    for (const key of sent.keys()) if (!byKey.has(key)) wrong.push(`${key} was sent again and is not stored`)
  }
  return wrong
}
