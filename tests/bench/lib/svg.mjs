// Plots as SVG text, without a library.  An image on a page does not know the page's colours, so
// each plot brings its own ground, light or dark as the reader's system is.

const WIDTH = 760
const LEFT = 128
const RIGHT = 150
const BAR = 13
const GAP = 4
const GROUP_GAP = 16
const TOP = 58

const COLOURS = {
  hubbub: ['#0969da', '#58a6ff'],
  floor: ['#6e7781', '#9ea7b3'],
  ws: ['#bc4c00', '#f0883e'],
  nchan: ['#1a7f37', '#3fb950'],
  nats: ['#8250df', '#bc8cff'],
  'hold-0': ['#6e7781', '#9ea7b3'],
  'hold-5': ['#0969da', '#58a6ff'],
}

const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
const fixed = (n) => Number(n.toFixed(1))

function style() {
  const rules = (i) => Object.entries(COLOURS).map(([name, pair]) => `.${name}{fill:${pair[i]};stroke:${pair[i]}}`).join('')
  return '<style>text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-size:14px;font-weight:600}' +
    '.quiet{fill:#59636e}.end{text-anchor:end}.middle{text-anchor:middle}.ground{fill:#fff;stroke:#d1d9e0}' +
    '.grid{stroke:#d1d9e0;fill:none}rect.bar{stroke:none}.pale{opacity:.35}path.curve{fill:none;stroke-width:2}' +
    `.whisker{stroke:#1f2328;stroke-width:1}${rules(0)}` +
    '@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.quiet{fill:#9198a1}.ground{fill:#0d1117;stroke:#3d444d}' +
    `.grid{stroke:#3d444d}.whisker{stroke:#f0f6fc}${rules(1)}}</style>`
}

function page(height, title, note, parts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">\n` +
    `<title>${escape(title)}</title>\n${style()}\n` +
    `<rect class="ground" x=".5" y=".5" width="${WIDTH - 1}" height="${height - 1}" rx="6"/>\n` +
    `<text class="title" x="16" y="24">${escape(title)}</text>\n` +
    `<text class="quiet" x="16" y="42">${escape(note)}</text>\n` +
    `${parts.join('\n')}\n</svg>\n`
}

/** 1, 2 and 5 of each power of ten where they are few, else the powers alone. */
function logTicks(low, high) {
  const powers = []
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) powers.push(10 ** e)
  const steps = powers.length > 4 ? [1] : [1, 2, 5]
  return powers.flatMap((p) => steps.map((s) => Number((p * s).toPrecision(3)))).filter((t) => t >= low && t <= high)
}

function linearTicks(high) {
  const rough = high / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((s) => s * power).find((s) => s >= rough)
  return Array.from({ length: Math.floor(high / step) + 1 }, (_, i) => Number((i * step).toPrecision(6)))
}

/**
 * Horizontal bars on a logarithmic scale.
 *
 * `groups` is [{label, bars: [{name, label, value, to?, low?, high?, text}]}].  A bar goes to
 * `value`, on in a paler tone to `to`, and has a whisker from `low` to `high`.
 */
export function barChart({ title, note, groups, tick = String }) {
  const bars = groups.flatMap((group) => group.bars)
  if (bars.length === 0) return null
  const all = bars.flatMap(({ value, to, low }) => [value, to, low]).filter((v) => Number.isFinite(v) && v > 0)
  const low = Math.min(...all) / 2
  const high = Math.max(...all) * 1.1
  const span = WIDTH - LEFT - RIGHT
  const x = (v) => fixed(LEFT + (span * Math.log(Math.max(v, low) / low)) / Math.log(high / low))

  const parts = []
  let y = TOP
  for (const group of groups) {
    if (group.label !== '') {
      parts.push(`<text x="16" y="${y + 10}" class="title">${escape(group.label)}</text>`)
      y += BAR + GAP + 2
    }
    for (const { name, label, value, to, low: from, high: until, text } of group.bars) {
      const middle = y + BAR / 2
      parts.push(`<text class="end" x="${LEFT - 8}" y="${y + 11}">${escape(label)}</text>`)
      parts.push(`<rect class="bar ${name}" x="${LEFT}" y="${y}" width="${fixed(x(value) - LEFT)}" height="${BAR}"/>`)
      if (to > value) {
        parts.push(`<rect class="bar pale ${name}" x="${x(value)}" y="${y}" width="${fixed(x(to) - x(value))}" height="${BAR}"/>`)
      }
      if (until > from) parts.push(`<path class="whisker" d="M${x(from)} ${middle}H${x(until)}"/>`)
      const end = Math.max(x(value), to > value ? x(to) : 0, until > from ? x(until) : 0)
      parts.push(`<text x="${fixed(end + 6)}" y="${y + 11}">${escape(text)}</text>`)
      y += BAR + GAP
    }
    y += GROUP_GAP
  }
  const grid = logTicks(low, high).flatMap((t) => [
    `<path class="grid" d="M${x(t)} ${TOP - 6}V${y - GROUP_GAP + 4}"/>`,
    `<text class="quiet middle" x="${x(t)}" y="${y + 4}">${escape(tick(t))}</text>`,
  ])
  return page(y + 18, title, note, [...grid, ...parts])
}

/** Lines over a logarithmic x axis; `series` is [{name, label, points: [{x, y, low, high}]}]. */
export function lineChart({ title, note, series, xTitle, xTick = String }) {
  const points = series.flatMap((one) => one.points)
  if (points.length === 0) return null
  const height = 340
  const bottom = height - 50
  const left = 60
  const [least, most] = [Math.min(...points.map((p) => p.x)), Math.max(...points.map((p) => p.x))]
  const top = Math.max(...points.map((p) => p.high ?? p.y)) * 1.1
  const x = (v) => fixed(left + ((WIDTH - left - RIGHT) * Math.log(v / least)) / Math.log(Math.max(most / least, 2)))
  const y = (v) => fixed(bottom - ((bottom - TOP) * v) / top)

  const parts = linearTicks(top).flatMap((t) => [
    `<path class="grid" d="M${left} ${y(t)}H${WIDTH - RIGHT}"/>`,
    `<text class="quiet end" x="${left - 8}" y="${y(t) + 4}">${t}</text>`,
  ])
  for (const v of new Set(points.map((p) => p.x))) {
    parts.push(`<text class="quiet middle" x="${x(v)}" y="${bottom + 18}">${escape(xTick(v))}</text>`)
  }
  parts.push(`<text class="quiet middle" x="${(left + WIDTH - RIGHT) / 2}" y="${bottom + 38}">${escape(xTitle)}</text>`)
  for (const { name, points: line } of series) {
    parts.push(`<path class="${name} curve" d="${line.map((p, i) => `${i === 0 ? 'M' : 'L'}${x(p.x)} ${y(p.y)}`).join('')}"/>`)
    for (const p of line) {
      parts.push(`<circle class="${name}" cx="${x(p.x)}" cy="${y(p.y)}" r="3"/>`)
      if (p.high > p.low) parts.push(`<path class="whisker" d="M${x(p.x)} ${y(p.low)}V${y(p.high)}"/>`)
    }
  }
  // Upwards from the axis, so that labels meet neither it nor each other.
  let free = bottom - 4
  for (const { label, points: line } of [...series].sort((a, b) => a.points.at(-1).y - b.points.at(-1).y)) {
    const at = Math.min(y(line.at(-1).y) + 4, free)
    parts.push(`<text x="${fixed(x(line.at(-1).x) + 10)}" y="${at}">${escape(label)}</text>`)
    free = at - 15
  }
  return page(height, title, note, parts)
}

/** Lines over the time in minutes; `series` is [{name, label, points: [{x, y}]}], one to three of them. */
export function timeChart({ title, note, series, xTitle = 'minutes' }) {
  const height = 300
  const bottom = height - 50
  const left = 60
  const points = series.flatMap((one) => one.points)
  const most = Math.max(...points.map((p) => p.x))
  const top = Math.max(...points.map((p) => p.y), 1) * 1.15
  const x = (v) => fixed(left + ((WIDTH - left - RIGHT) * v) / most)
  const y = (v) => fixed(bottom - ((bottom - TOP) * v) / top)
  const parts = [
    ...linearTicks(top).flatMap((t) => [
      `<path class="grid" d="M${left} ${y(t)}H${WIDTH - RIGHT}"/>`,
      `<text class="quiet end" x="${left - 8}" y="${y(t) + 4}">${t}</text>`,
    ]),
    ...linearTicks(most).map((t) => `<text class="quiet middle" x="${x(t)}" y="${bottom + 18}">${t}</text>`),
    `<text class="quiet middle" x="${(left + WIDTH - RIGHT) / 2}" y="${bottom + 38}">${escape(xTitle)}</text>`,
  ]
  let free = bottom - 4
  for (const { name, label, points: line } of [...series].sort((a, b) => a.points.at(-1).y - b.points.at(-1).y)) {
    parts.push(`<path class="${name} curve" d="${line.map((p, i) => `${i === 0 ? 'M' : 'L'}${x(p.x)} ${y(p.y)}`).join('')}"/>`)
    const at = Math.min(y(line.at(-1).y) + 4, free)
    parts.push(`<text x="${fixed(x(line.at(-1).x) + 10)}" y="${at}">${escape(label)}</text>`)
    free = at - 15
  }
  return page(height, title, note, parts)
}
