// The checks themselves: a sound world passes, and each way to spoil it is named.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check } from './lib/check.mjs'

const ADA = { id: 'u1', name: 'a#1' }, BOB = { id: 'u2', name: 'b#1' }

/** What a.n, the n-th write of `who` to room r, is, and how it is stored as `seq`. */
function write(who, n, seq, fields) {
  const key = `${who.name[0]}.r.${n}`
  const isText = fields.op === 'send' || fields.op === 'edit'
  const { op, ...said } = { ...fields, ...(isText && { text: `${key} text` }) }
  const ev = op === 'send' ? 'message' : op
  return {
    key, sent: { room: 'r', stream: `${who.name[0]}.r`, n, op, ...said },
    event: { ev, room: 'r', seq, ts: 1000 + seq, from: who, ...said, ...(ev === 'react' && { count: 1 }) },
  }
}

/**
 * Ada wrote, Bob wrote, Ada edited hers, Bob reacted to it; Ada wrote another and edited it, and
 * took it back; Bob reacted to that too late, and sent what did not arrive.  A member saw all of
 * it but the first, and the last two after they had been read.
 */
function world() {
  const writes = [
    write(ADA, 0, 1, { op: 'send' }), write(BOB, 0, 2, { op: 'send' }), write(ADA, 1, 3, { op: 'edit', target: 1 }),
    write(BOB, 1, 4, { op: 'react', target: 1, emoji: '+', on: true }), write(ADA, 2, 5, { op: 'send' }),
    write(ADA, 3, 6, { op: 'edit', target: 5 }), write(ADA, 4, 7, { op: 'delete', target: 5 }),
  ]
  const unstored = [write(BOB, 2, 0, { op: 'react', target: 5, emoji: '+', on: true }), write(BOB, 3, 0, { op: 'send' })]
  const sent = new Map([...writes, ...unstored].map(({ key, sent: fields }) => [key, fields]))
  sent.get('b.r.2').missed = true
  const told = writes.map(({ event }) => event)
  const { text: _, ...gone } = told[4], { text: __, ...goneEdit } = told[5]
  const events = structuredClone([...told.slice(0, 4), { ...gone, deleted: true }, goneEdit, told[6]])
  return {
    sent,
    acked: writes.map(({ key, event }) => ({ key, seq: event.seq })).slice(0, 6),
    visits: [{ visit: 'v', room: 'r', head: 1, events: structuredClone(told.slice(1)) }],
    stored: new Map([['r', { events, head: 7 }]]),
    before: new Map([['r', { events: structuredClone(told.slice(0, 6)), head: 6 }]]),
    folded: new Map([['r', {
      me: 'u2', head: 7, events: structuredClone([
        { ...told[0], text: told[2].text, edited: 1003, reactions: [{ emoji: '+', count: 1, me: true }] },
        { ...told[1], reactions: [] }, { ...gone, deleted: true }]),
    }]]),
  }
}

const log = (w) => w.stored.get('r')
const folded = (w) => w.folded.get('r').events
/** The last event, a deletion, is not there. */
function cutLast(w) {
  log(w).events.pop()
  log(w).head = 6
}

const SPOILT = {
  'an acknowledged message is gone': [(w) => { w.acked.push({ key: 'b.r.3', seq: 8 }) }, /b\.r\.3 was acknowledged as 8 and is not stored/],
  'an acknowledged deletion is gone': [(w) => { w.acked.push({ key: 'a.r.4', seq: 7 }); cutLast(w) }, /a\.r\.4 was acknowledged as 7 and is not stored/],
  'an acknowledged edit is gone': [(w) => { log(w).events.splice(2, 1) }, /a\.r\.1 was acknowledged as 3 and is not stored/],
  'an acknowledged reaction is gone': [(w) => { log(w).events.splice(3, 1) }, /b\.r\.1 was acknowledged as 4 and is not stored/],
  'it has another seq than was acknowledged': [(w) => { w.acked[1].seq = 3 }, /acknowledged as 3 and is stored as 2/],
  'a text was changed': [(w) => { log(w).events[1].text = 'b.r.0 other' }, /another text/],
  'an edit has another text': [(w) => { log(w).events[2].text = 'a.r.1 other' }, /3 holds another text than was sent under a\.r\.1/],
  'an edit is of another message': [(w) => { log(w).events[2].target = 2 }, /another event than was sent under a\.r\.1/],
  'a message is stored for an edit': [(w) => { log(w).events[2].ev = 'message' }, /another event than was sent under a\.r\.1/],
  'a reaction is taken back for one that is given': [(w) => { log(w).events[3].on = false }, /4 holds what was never sent there/],
  'a reaction is to another message': [(w) => { log(w).events[3].target = 2 }, /4 holds what was never sent there/],
  'a deletion is of another message': [(w) => { log(w).events[6].target = 1 }, /7 holds what was never sent there/],
  'a text outlives its deletion': [(w) => { delete log(w).events[4].deleted; log(w).events[4].text = 'a.r.2 text' }, /5 still holds the text of a\.r\.2/],
  'an edit\'s text outlives the deletion': [(w) => { log(w).events[5].text = 'a.r.3 text' }, /6 still holds the text of a\.r\.3/],
  'a text is gone and was not deleted': [(w) => { delete log(w).events[1].text; log(w).events[1].deleted = true }, /2 holds another text/],
  'it is stored for another author': [(w) => { log(w).events[1].from = ADA }, /2 holds what was never sent there/],
  'something was never sent': [(w) => { w.sent.delete('b.r.0') }, /never sent/],
  'it is stored in another room': [(w) => { w.sent.get('b.r.0').room = 'q' }, /never sent there/],
  'a message is stored twice': [(w) => { log(w).events.push({ ...log(w).events[1], seq: 8 }); log(w).head = 8 }, /b\.r\.0 is stored twice, as 2 and 8/],
  'an edit is stored twice': [(w) => { log(w).events.push({ ...log(w).events[2], seq: 8 }); log(w).head = 8 }, /a\.r\.1 is stored twice, as 3 and 8/],
  'a reaction is stored twice': [(w) => { log(w).events.push({ ...log(w).events[3], seq: 8 }); log(w).head = 8 }, /b\.r\.1 is stored twice, as 4 and 8/],
  'a deletion is stored twice': [(w) => { log(w).events.push({ ...log(w).events[6], seq: 8 }); log(w).head = 8 }, /a\.r\.4 is stored twice, as 7 and 8/],
  'a seq is there twice': [(w) => { log(w).events[2].seq = 2 }, /seq 2 comes behind 2/],
  'there is a hole': [(w) => { log(w).events[6].seq = 8; log(w).head = 8 }, /a hole between 6 and 8/],
  'the head is behind': [(w) => { log(w).head = 6 }, /its head is 6, its last event 7/],
  'what was read before is different': [(w) => { w.before.get('r').events[1].text = 'b.r.0 other' }, /2 was read before/],
  'what was read before is gone': [cutLast, /5 was read before, and is different now/],
  'a member saw what is not stored': [(w) => { w.visits[0].events.push({ ...log(w).events[1], seq: 8 }) }, /sent 8, which is not stored/],
  'a member saw another text': [(w) => { w.visits[0].events[0].text = 'b.r.0 other' }, /v in r: sent .*b\.r\.0 other.*, stored is/],
  'a member saw another count': [(w) => { w.visits[0].events[2].count = 2 }, /v in r: sent .*"count":2.*, stored is/],
  'a member missed something': [(w) => { w.visits[0].events.shift() }, /sent 3 behind 1/],
  'a sender was overtaken by itself': [(w) => { [w.sent.get('a.r.0').n, w.sent.get('a.r.1').n] = [1, 0] }, /behind number/],
  'what was sent again is not there': [(w) => { w.complete = true }, /b\.r\.3 was sent again/],
  'what was refused for good is stored': [(w) => { w.sent.get('b.r.0').missed = true }, /b\.r\.0 was refused for good and is stored as 2/],
  'a reaction was refused for no deletion': [(w) => { w.sent.get('b.r.2').target = 2 }, /b\.r\.2 was refused for good, and 2 is not deleted/],
  'the log counts a reaction wrongly': [(w) => { log(w).events[3].count = 2 }, /4 counts 2, and 1 have \+ on 1/],
  'an event is about no message': [(w) => { log(w).events[3].target = 3 }, /4 is about 3, which is no message before it/],
  'an event is about what was deleted': [(w) => { log(w).events.push({ ...log(w).events[5], seq: 8 }) }, /8 is about 5, which was deleted before/],
  'somebody edited another\'s message': [(w) => { log(w).events[2].target = 2 }, /3 is about 2, which is another's/],
  'an edit is not in the folded view': [(w) => { folded(w)[0].text = 'a.r.0 text' }, /is folded to .*a\.r\.0 text/],
  'an edit\'s time is not in the folded view': [(w) => { delete folded(w)[0].edited }, /is folded to/],
  'a reaction is not in the folded view': [(w) => { folded(w)[0].reactions = [] }, /is folded to/],
  'a reaction is folded as another\'s': [(w) => { folded(w)[0].reactions[0].me = false }, /is folded to/],
  'a deletion is not in the folded view': [(w) => { folded(w)[2] = { ...folded(w)[1], seq: 5 } }, /is folded to/],
  'a message is not in the folded view': [(w) => { folded(w).pop() }, /3 messages are folded to 2/],
  'the folded view is of another head': [(w) => { w.folded.get('r').head = 6 }, /folded its head is 6, in the log 7/],
}

test('a sound world has nothing wrong', () => assert.deepEqual(check(world()), []))

test('what was refused may come later, and nothing else may', () => {
  const w = world()
  w.sent.get('a.r.0').n = 5
  assert.match(check(w).join('\n'), /behind number/)
  w.sent.get('a.r.0').late = true
  assert.deepEqual(check(w), [])
})

test('a reaction to what was deleted may be missing, its refusal unheard, and nothing else may', () => {
  const w = world()
  delete w.sent.get('b.r.2').missed
  log(w).events.push({ ...log(w).events[1], seq: 8, text: 'b.r.3 text' })
  log(w).head = w.folded.get('r').head = 8
  folded(w).push({ ...log(w).events[7], reactions: [] })
  assert.deepEqual(check(w), [])
  w.sent.get('b.r.2').target = 2
  assert.match(check(w).join('\n'), /b\.r\.3 comes behind number 1/)
})

test('the order of reactions is not looked at', () => {
  const w = world()
  w.sent.set('b.r.4', { ...w.sent.get('b.r.1'), n: 4, emoji: '-', late: true })
  log(w).events.push({ ...log(w).events[3], seq: 8, emoji: '-' })
  Object.assign(log(w), { head: 8 })
  w.folded.get('r').head = 8
  for (const turn of [(list) => list, (list) => list.toReversed()]) {
    folded(w)[0].reactions = turn([{ emoji: '+', count: 1, me: true }, { emoji: '-', count: 1, me: true }])
    assert.deepEqual(check(w), [])
  }
})

for (const [name, [spoil, complaint]] of Object.entries(SPOILT)) {
  test(`it is noticed when ${name}`, () => {
    const w = world()
    spoil(w)
    assert.match(check(w).join('\n'), complaint)
  })
}
