// A room's log as `history` gives it.

/** Every event of the room (or message, folded), oldest first, and its head.  The peer has joined it. */
export async function wholeLog(peer, room, { fold } = {}) {
  const events = []
  for (;;) {
    const r = await peer.ok({ op: 'history', room, after: events.at(-1)?.seq ?? 0, limit: 200, fold })
    events.push(...r.events)
    if (!r.more) return { events, head: r.head }
  }
}
