// What is measured: the cases of each scenario, what bench-load is told, and who takes part.
//
// A contender is a peer or a variant of Hubbub.  The lists are in the order in which they are run.

const ALL = ['hubbub', 'floor', 'ws', 'nchan', 'nats']

/** Variants; any other contender is the peer of that name as it is. */
const VARIANTS = {
  'hold-5': { peer: 'hubbub', title: 'held up to 5 ms', args: ['--gather-ms', '5'] },
  'hold-0': { peer: 'hubbub', title: 'not held', args: ['--gather-ms', '0'] },
  'workers-1': { peer: 'hubbub', title: '1 worker', args: ['--workers', '1'], sharesCores: true },
  'workers-2': { peer: 'hubbub', title: '2 workers', args: ['--workers', '2'], sharesCores: true },
  // SQLite alone, with the rooms and senders of the case, at the batch size that Hubbub had in the same round.
  sqlite: { peer: 'sqlite', title: 'SQLite alone' },
}

/** {name, peer, title?, args, sharesCores}. */
export function contender(name) {
  return { name, peer: name, args: [], sharesCores: false, ...VARIANTS[name] }
}

const closed = (rooms, members, publishers, inFlight) => [
  'fanout', '--rooms', rooms, '--members', members, '--publishers', publishers, '--in-flight', inFlight,
]
const open = (rooms, members, publishers, rate) => [
  'fanout', '--rooms', rooms, '--members', members, '--publishers', publishers, '--rate', rate,
]

/** {rooms, senders} of a load: how many rooms it has, and how many send in all of them together. */
export function sendersOf(load) {
  const value = (name) => load[load.indexOf(name) + 1]
  const rooms = value('--rooms')
  return { rooms, senders: load.includes('--senders') ? value('--senders') : rooms * value('--publishers') }
}

/**
 * `publishers` is per room.  O1 and O2 are at a rate that no server should find hard; G1 to G4 keep
 * Hubbub busy for 60 to 90 % of the time where it holds no output.
 */
export const LOADS = {
  A: { load: closed(1, 1000, 4, 1), title: '1 × 1000, 4 publishers, 1 in flight' },
  B7: { load: closed(1, 1000, 4, 7), title: '1 × 1000, 4 publishers, 7 in flight' },
  B16: { load: closed(1, 1000, 4, 16), title: '1 × 1000, 4 publishers, 16 in flight' },
  C: { load: closed(100, 10, 2, 1), title: '100 × 10, 2 publishers, 1 in flight' },
  D: { load: closed(1000, 10, 1, 1), title: '1000 × 10, 1 publisher, 1 in flight' },
  O1: { load: open(1, 1000, 4, 30), title: '1 × 1000, 30 messages a second' },
  O2: { load: open(1000, 10, 1, 2500), title: '1000 × 10, 2,500 messages a second' },
  G1: { load: open(1, 1000, 4, 110), title: '1 × 1000, 110 messages a second' },
  G2: { load: open(1, 1000, 4, 150), title: '1 × 1000, 150 messages a second' },
  G3: { load: open(10, 100, 1, 900), title: '10 × 100, 900 messages a second' },
  G4: { load: open(10, 100, 1, 1200), title: '10 × 100, 1,200 messages a second' },
}

export const CURVE = [10, 100, 1000, 5000, 15000]

const fanout = (id, contenders, more = {}) => ({ id, ...LOADS[id], contenders, seconds: 3, ...more })

const hold = (id, seconds = 3) => fanout(id, ['hold-0', 'hold-5'], { id: `hold-${id}`, seconds, needs: '--gather-ms' })

const workers = (id) => fanout(id, ['workers-1', 'workers-2'], { id: `workers-${id}`, watchesLocks: true })

/**
 * `seconds` is the measured time (nobody may ask for another where it isFixed), `setup` what connecting
 * and the rest take about, `runner` how the driver runs it (plain load unless said), `needs` a setting
 * that the server must know, and `watchesLocks` whether /metrics tells how long threads waited.
 */
export const SCENARIOS = {
  fanout: ['A', 'B7', 'B16', 'C'].map((id) => fanout(id, ALL)).concat(fanout('D', [...ALL, 'sqlite'])),
  open: ['O1', 'O2'].map((id) => fanout(id, ALL, { seconds: 6 })),
  gather: [hold('A'), hold('B7'), hold('C'), hold('D'), hold('O1', 6), hold('O2', 6),
    ...['G1', 'G2', 'G3', 'G4'].map((id) => hold(id, 6))],
  curve: CURVE.map((members) => ({
    id: `curve-${members}`, title: `1 × ${members}, 4 publishers, 1 in flight`,
    load: closed(1, members, 4, 1), contenders: ['hubbub', 'floor'], seconds: 3, setup: 2 + members / 2500,
  })),
  idle: [
    {
      id: 'idle-memory', title: '15,000 connections in 1,500 rooms',
      load: ['idle', '--connections', 15000, '--rooms', 1500], contenders: ALL, seconds: 2, setup: 12,
    },
    {
      // A little more than the default heartbeat: each connection is asked and answers once.
      id: 'idle-cpu', title: '10,000 connections in 1,000 rooms',
      load: ['idle', '--connections', 10000, '--rooms', 1000], contenders: ['hubbub'], seconds: 26, isFixed: true, setup: 8,
    },
  ],
  connect: [{
    id: 'connect', title: '10,000 connections, 100 at once',
    load: ['connect', '--connections', 10000, '--at-once', 100, '--rooms', 1000],
    contenders: ['hubbub', 'floor', 'ws'], seconds: null, isFixed: true, setup: 8,
  }],
  joins: [{
    id: 'joins', title: '5,000 joins while 10 rooms of 100 run',
    load: ['joins', '--connections', 5000, '--rooms', 10, '--members', 100, '--publishers', 1, '--rate', 200],
    contenders: ['hubbub'], seconds: 3, setup: 6,
  }],
  resume: [{
    id: 'resume', title: '10,000 clients in 100 rooms, cut by SIGKILL',
    load: ['resume', '--connections', 10000, '--rooms', 100],
    contenders: ['hubbub'], seconds: null, isFixed: true, setup: 15, runner: 'resume',
  }],
  sends: [{
    id: 'sends', title: '64 senders in 16 rooms, 16 in flight each',
    load: ['sends', '--senders', 64, '--rooms', 16, '--in-flight', 16],
    contenders: ['hubbub', 'sqlite'], seconds: 5, setup: 2,
  }],
  history: [{
    id: 'history', title: 'history during sends',
    load: ['history', '--rooms', 16], contenders: ['hubbub'], seconds: 3, setup: 5,
  }],
  workers: [workers('B7'), workers('C')],
}

const OWN = ['hubbub', 'floor']

const smallest = (id, contenders, ...load) => ({
  id: `smoke-${id}`, title: load.join(' '), load, contenders, seconds: 0.2, warmup: 0.1, setup: 1,
})

/** Not in the usual list: each kind of load at its smallest, which shows that everything works together. */
const SMOKE = [
  smallest('closed', [...OWN, 'sqlite'], ...closed(2, 5, 2, 1)),
  smallest('open', ['hubbub'], ...open(2, 5, 1, 200)),
  smallest('sends', ['hubbub', 'sqlite'], 'sends', '--senders', 4, '--rooms', 2, '--in-flight', 2),
  smallest('history', ['hubbub'], 'history', '--rooms', 2, '--senders', 4, '--readers', 2),
  smallest('joins', ['hubbub'],
    'joins', '--connections', 20, '--rooms', 2, '--members', 5, '--publishers', 1, '--rate', 200),
  smallest('idle', ['hubbub'], 'idle', '--connections', 20, '--rooms', 2),
  { ...smallest('connect', OWN, 'connect', '--connections', 20, '--at-once', 5, '--rooms', 2), seconds: null },
  { ...smallest('resume', ['hubbub'], 'resume', '--connections', 20, '--rooms', 2), seconds: null, runner: 'resume' },
]

/** The cases that `only` names (scenarios or single cases; all where it is null) with these peers. */
export function chooseCases(only, peers) {
  const all = Object.entries({ ...SCENARIOS, smoke: SMOKE }).flatMap(([scenario, cases]) =>
    cases.map((one) => ({ setup: 3, runner: 'load', warmup: 1, ...one, scenario })))
  const known = new Set(all.flatMap(({ id, scenario }) => [id, scenario]))
  const unknown = only?.find((name) => !known.has(name))
  if (unknown !== undefined) throw new Error(`there is no scenario ${unknown}`)

  const isWanted = ({ id, scenario }) =>
    only === null ? scenario !== 'smoke' : only.includes(id) || only.includes(scenario)
  const takesPart = (name) => {
    const { peer } = contender(name)
    return peers.includes(peer) || (peer === 'sqlite' && peers.includes('hubbub'))
  }
  return all.filter(isWanted)
    .map((one) => ({ ...one, contenders: one.contenders.filter(takesPart) }))
    .filter((one) => one.contenders.length > 0)
}
