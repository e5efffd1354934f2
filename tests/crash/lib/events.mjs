// What a log's events say, and under which key each was written.
//
// A history does not show keys.  Texts begin with theirs; of deletions and reactions the writers
// make no two that look alike.

/** The events that a room's log is made of. */
export const KINDS = { send: 'message', edit: 'edit', delete: 'delete', react: 'react' }
const LOGGED = new Set(Object.values(KINDS))

export const isLogged = (event) => LOGGED.has(event.ev)

/** A text begins with the key that it was sent under, so that a doubled one shows. */
export const keyOf = (text) => text.split(' ', 1)[0]

/** Whose it is: a user's name is the writer's and the number of a connection. */
export const streamOf = (event) => `${event.from.name.split('#', 1)[0]}.${event.room}`

/** The event as it is once its message is deleted. */
export function wiped({ text: _, ...event }) {
  return event.ev === 'message' ? { ...event, deleted: true } : event
}

/** The messages of a log that are deleted. */
export const deletedIn = (events) => new Set(events.filter((e) => e.ev === 'delete').map((e) => e.target))

const shapeOf = (room, stream, { op, target, emoji, on }) =>
  JSON.stringify(op === 'delete' ? [room, stream, target] : [room, stream, target, emoji, on])

/** For what check() takes: Map of room to the keys of its events, undefined where none fits. */
export function keysOf({ sent, acked, stored }) {
  const byShape = new Map(), bySeq = new Map()
  for (const [key, write] of sent) {
    if (write.op === 'delete' || write.op === 'react') byShape.set(shapeOf(write.room, write.stream, write), key)
  }
  for (const { key, seq } of acked) bySeq.set(`${sent.get(key)?.room} ${seq}`, key)

  const find = (room, event) => {
    if (event.text !== undefined) return keyOf(event.text)
    if (event.ev === 'delete' || event.ev === 'react') return byShape.get(shapeOf(room, streamOf(event), { ...event, op: event.ev }))
    // The text is gone; only what was acknowledged is deleted.
    return bySeq.get(`${room} ${event.seq}`)
  }
  return new Map([...stored].map(([room, { events }]) => [room, events.map((event) => find(room, event))]))
}
