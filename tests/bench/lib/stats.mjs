// Medians, spreads and numbers as people read them.

export function median(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b)
  if (sorted.length === 0) return NaN
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** {median, min, max, n} of what is there; the median is NaN where nothing is. */
export function spread(values) {
  const there = values.filter(Number.isFinite)
  return { median: median(there), min: Math.min(...there), max: Math.max(...there), n: there.length }
}

/** Three significant digits, with thousands set apart. */
export function number(value) {
  if (!Number.isFinite(value)) return '–'
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  const rounded = Number(value.toPrecision(3))
  return digits > 0 ? rounded.toFixed(Math.min(digits, 5)) : Math.round(value).toLocaleString('en-US')
}

/** 12 345 678 as "12.3 M". */
export function count(value) {
  if (!Number.isFinite(value)) return '–'
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)} M`
  if (value >= 1e4) return `${Math.round(value / 1e3)} k`
  return number(value)
}

/** Microseconds as "87 µs" or "4.31 ms". */
export function duration(us) {
  if (!Number.isFinite(us)) return '–'
  if (us < 1000) return `${number(us)} µs`
  return us < 1e6 ? `${number(us / 1e3)} ms` : `${number(us / 1e6)} s`
}

/** "median (min–max)". */
export function spreadText(values, text = number) {
  const { median: middle, min, max, n } = spread(values)
  if (n === 0) return '–'
  return n === 1 ? text(middle) : `${text(middle)} (${text(min)}–${text(max)})`
}
