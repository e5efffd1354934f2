// What becomes of messages by the events behind them, computed from a log alone.

function* apply(messages, event) {
  const { ev, seq, target, from } = event
  if (ev === 'message') {
    messages.set(seq, { event, text: event.text, reactions: new Map() })
    return
  }
  const message = messages.get(target)
  if (message === undefined) {
    yield `${seq} is about ${target}, which is no message before it`
    return
  }
  if (message.deleted) yield `${seq} is about ${target}, which was deleted before`
  if (ev !== 'react' && message.event.from.id !== from.id) yield `${seq} is about ${target}, which is another's`
  if (ev === 'edit') Object.assign(message, { text: event.text, edited: event.ts })
  else if (ev === 'delete') message.deleted = true
  else {
    const users = message.reactions.get(event.emoji) ?? new Set()
    message.reactions.set(event.emoji, users)
    if (event.on) users.add(from.id)
    else users.delete(from.id)
    if (event.count !== users.size) yield `${seq} counts ${event.count}, and ${users.size} have ${event.emoji} on ${target}`
  }
}

/** As a folded history has it, but that its reactions are in the order of their emoji. */
function view({ event, text, edited, deleted, reactions }, me) {
  const { text: _, deleted: __, ...rest } = event
  if (deleted) return { ...rest, deleted: true }
  const kinds = [...reactions].filter(([, users]) => users.size > 0)
    .map(([emoji, users]) => ({ emoji, count: users.size, me: users.has(me) }))
  return { ...rest, text, ...(edited !== undefined && { edited }), reactions: inOrder(kinds) }
}

export const inOrder = (reactions) => reactions.toSorted((a, b) => (a.emoji < b.emoji ? -1 : 1))

/** The messages as user `me` is shown them at the log's end, and what in it cannot be. */
export function fold(events, me) {
  const messages = new Map(), wrong = []
  for (const event of events) wrong.push(...apply(messages, event))
  return { messages: [...messages.values()].map((message) => view(message, me)), wrong }
}
