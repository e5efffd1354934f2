// Whether what is stored agrees with what the clients know.  Nothing here talks to a server.
import { isDeepStrictEqual as same } from 'node:util'
import { KINDS, deletedIn, keysOf, streamOf, wiped } from './events.mjs'
import { fold, inOrder } from './fold.mjs'

const brief = (event) => JSON.stringify(event)?.slice(0, 120)

function* checkSeqs(room, { events, head }) {
  let last = 0
  for (const { seq } of events) {
    if (seq <= last) yield `${room}: seq ${seq} comes behind ${last}`
    else if (seq !== last + 1) yield `${room}: a hole between ${last} and ${seq}`
    last = seq
  }
  if (last !== head) yield `${room}: its head is ${head}, its last event ${last}`
}

/** A text is there until its message is deleted, and not for longer. */
function* checkContent(room, event, key, write, deleted) {
  const isText = event.ev === 'message' || event.ev === 'edit'
  const isGone = isText && deleted.has(event.ev === 'message' ? event.seq : event.target)
  const said = ['target', 'emoji', 'on'].every((field) => event[field] === write[field])
  if (event.ev !== KINDS[write.op] || !said) yield `${room}: ${event.seq} holds another event than was sent under ${key}: ${brief(event)}`
  if (isGone && event.text !== undefined) yield `${room}: ${event.seq} still holds the text of ${key}, which was deleted`
  if (!isGone && event.text !== write.text) yield `${room}: ${event.seq} holds another text than was sent under ${key}`
}

function* checkWrites(room, { events }, keys, sent, stored) {
  const lastOf = new Map(), deleted = deletedIn(events), there = new Set(keys)
  // The refusal of a reaction to what was deleted may have been lost with the link.
  const isPassed = (key, { op, target, late, missed }) =>
    late || missed || (op === 'react' && deleted.has(target) && !there.has(key))
  for (const [i, event] of events.entries()) {
    const { seq } = event, key = keys[i]
    const write = sent.get(key)
    if (write === undefined || write.room !== room || write.stream !== streamOf(event)) {
      yield `${room}: ${seq} holds what was never sent there: ${brief(event)}`
      continue
    }
    yield* checkContent(room, event, key, write, deleted)
    if (stored.has(key)) yield `${room}: ${key} is stored twice, as ${stored.get(key)} and ${seq}`
    else stored.set(key, seq)
    // What was refused is tried again later, and those that were sent behind it have passed it.
    if (write.late) continue
    const last = lastOf.get(write.stream) ?? -1
    const next = nextInOrder(sent, write.stream, last, isPassed)
    if (write.n !== next) yield `${room}: ${key} comes behind number ${last} of its sender`
    lastOf.set(write.stream, write.n)
  }
}

function nextInOrder(sent, stream, last, isPassed) {
  for (let n = last + 1; ; n++) {
    const key = `${stream}.${n}`, write = sent.get(key)
    if (write === undefined || !isPassed(key, write)) return n
  }
}

/** `event` was read or told earlier, and `now` is what stands in its place. */
const isStill = (event, now, deleted) =>
  same(event, now) || (deleted.has(event.target ?? event.seq) && same(wiped(event), now))

function* checkPrefix(room, { events }, before) {
  const deleted = deletedIn(events)
  const i = before.findIndex((event, at) => !isStill(event, events[at], deleted))
  if (i >= 0) yield `${room}: ${before[i].seq} was read before, and is different now or gone`
}

function* checkVisit({ visit, room, head, events }, log) {
  const deleted = deletedIn(log.events)
  const bySeq = new Map(log.events.map((event) => [event.seq, event]))
  let last = head
  for (const event of events) {
    const { seq } = event
    if (last !== undefined && seq !== last + 1) yield `${visit} in ${room}: sent ${seq} behind ${last}`
    last = seq
    const found = bySeq.get(seq)
    if (found === undefined) yield `${visit} in ${room}: sent ${seq}, which is not stored: ${brief(event)}`
    else if (!isStill(event, found, deleted)) yield `${visit} in ${room}: sent ${brief(event)}, stored is ${brief(found)}`
  }
}

function* checkFold(room, { events, head }, { me, ...folded }) {
  const { messages, wrong } = fold(events, me)
  for (const complaint of wrong) yield `${room}: ${complaint}`
  if (folded.head !== head) yield `${room}: folded its head is ${folded.head}, in the log ${head}`
  if (folded.events.length !== messages.length) yield `${room}: ${messages.length} messages are folded to ${folded.events.length}`
  for (const [i, message] of messages.entries()) {
    const shown = folded.events[i]
    const sorted = shown?.reactions === undefined ? shown : { ...shown, reactions: inOrder(shown.reactions) }
    if (!same(sorted, message)) yield `${room}: ${brief(message)} is folded to ${brief(sorted)}`
  }
}

/** A reaction to a message that was deleted is refused, now and for ever. */
function* checkMissed(key, { room, target }, byKey, stored) {
  if (byKey.has(key)) yield `${key} was refused for good and is stored as ${byKey.get(key)}`
  if (!deletedIn(stored.get(room).events).has(target)) yield `${key} was refused for good, and ${target} is not deleted`
}

/**
 * Everything that is wrong, each as a sentence.
 *
 * sent     Map of key to {room, stream, n, op, and the op's fields; late, missed}: a stream is one
 *          writer's writes to one room, numbered by n from 0, its key the stream and n; late: it was
 *          refused once; missed: it was refused for good, since its message was deleted
 * acked    [{key, seq}]
 * visits   [{visit, room, head, events}]: what a member was sent, above the head that it joined at
 * stored   Map of room to {events, head}, as history gives it
 * folded   the same, folded, with `me`, the id of the user who read it
 * before   like stored, as it was read earlier
 * complete whether everything that was sent must be stored
 */
export function check({ sent, acked, visits, stored, folded = new Map(), before = new Map(), complete = false }) {
  const wrong = []
  const byKey = new Map()
  const keys = keysOf({ sent, acked, stored })

  for (const [room, log] of stored) {
    wrong.push(...checkSeqs(room, log), ...checkWrites(room, log, keys.get(room), sent, byKey))
    wrong.push(...checkPrefix(room, log, before.get(room)?.events ?? []))
    if (folded.has(room)) wrong.push(...checkFold(room, log, folded.get(room)))
  }
  for (const { key, seq } of acked) {
    const found = byKey.get(key)
    if (found === undefined) wrong.push(`${key} was acknowledged as ${seq} and is not stored`)
    else if (found !== seq) wrong.push(`${key} was acknowledged as ${seq} and is stored as ${found}`)
  }
  for (const visit of visits) wrong.push(...checkVisit(visit, stored.get(visit.room)))
  for (const [key, write] of sent) {
    if (write.missed) wrong.push(...checkMissed(key, write, byKey, stored))
    else if (complete && !byKey.has(key)) wrong.push(`${key} was sent again and is not stored`)
  }
  return wrong
}
