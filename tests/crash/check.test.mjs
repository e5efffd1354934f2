// The checks themselves: a sound world passes, and each way to spoil it is named.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check } from './lib/check.mjs'

/** Two senders in one room, three messages stored, one more sent; one member saw the last two. */
function world() {
  const message = (stream, n) => ({ room: 'r', stream, n, text: `${stream}.${n} text` })
  const names = [['a', 0], ['b', 0], ['a', 1], ['b', 1]]
  const sent = new Map(names.map(([stream, n]) => [`${stream}.${n}`, message(stream, n)]))
  const events = ['a.0', 'b.0', 'a.1'].map((key, i) => ({ seq: i + 1, text: sent.get(key).text }))
  return {
    sent,
    acked: [{ key: 'a.0', seq: 1 }, { key: 'b.0', seq: 2 }],
    visits: [{ visit: 'v', room: 'r', head: 1, events: events.slice(1).map((e) => ({ ...e })) }],
    stored: new Map([['r', { events, head: 3 }]]),
    before: new Map([['r', { events: events.slice(0, 2).map((e) => ({ ...e })), head: 2 }]]),
  }
}

const log = (w) => w.stored.get('r')

const SPOILT = {
  'an acknowledged message is gone': [(w) => { log(w).events.pop(); log(w).head = 2; w.acked.push({ key: 'a.1', seq: 3 }) }, /acknowledged as 3 and is not stored/],
  'it has another seq than was acknowledged': [(w) => { w.acked[1].seq = 3 }, /acknowledged as 3 and is stored as 2/],
  'a text was changed': [(w) => { log(w).events[2].text = 'a.1 other' }, /another text/],
  'something was never sent': [(w) => { w.sent.delete('a.1') }, /never sent/],
  'it is stored in another room': [(w) => { w.sent.get('a.1').room = 'q' }, /never sent there/],
  'a message is stored twice': [(w) => { log(w).events.push({ seq: 4, text: 'a.1 text' }); log(w).head = 4 }, /stored twice, as 3 and 4/],
  'a seq is there twice': [(w) => { log(w).events[2].seq = 2 }, /seq 2 comes behind 2/],
  'there is a hole': [(w) => { log(w).events[2].seq = 4; log(w).head = 4 }, /a hole between 2 and 4/],
  'the head is behind': [(w) => { log(w).head = 2 }, /its head is 2, its last event 3/],
  'what was read before is different': [(w) => { w.before.get('r').events[1].text = 'b.1 text' }, /read before/],
  'what was read before is gone': [(w) => { w.before.set('r', { events: [...log(w).events, { seq: 4, text: 'b.1 text' }] }) }, /4 was read before/],
  'a member saw what is not stored': [(w) => { w.visits[0].events.push({ seq: 4, text: 'b.1 text' }) }, /sent b.1 as 4, which is not stored/],
  'a member saw another seq': [(w) => { w.visits[0].head = 2; w.visits[0].events = [{ seq: 3, text: 'b.0 text' }] }, /sent b.0 as 3, stored is 2/],
  'a member missed something': [(w) => { w.visits[0].events.shift() }, /sent 3 behind 1/],
  'a sender was overtaken by itself': [(w) => { [w.sent.get('a.0').n, w.sent.get('a.1').n] = [1, 0] }, /behind number/],
  'what was sent again is not there': [(w) => { w.complete = true }, /b.1 was sent again/],
}

test('a sound world has nothing wrong', () => assert.deepEqual(check(world()), []))

test('what was refused may come later, and nothing else may', () => {
  const w = world()
  const [first, , third] = log(w).events
  log(w).events = [{ seq: 1, text: third.text }, { seq: 2, text: log(w).events[1].text }, { seq: 3, text: first.text }]
  Object.assign(w, { acked: [], visits: [], before: new Map() })
  assert.match(check(w).join('\n'), /behind number/)
  w.sent.get('a.0').late = true
  assert.deepEqual(check(w), [])
})

for (const [name, [spoil, complaint]] of Object.entries(SPOILT)) {
  test(`it is noticed when ${name}`, () => {
    const w = world()
    spoil(w)
    assert.match(check(w).join('\n'), complaint)
  })
}
