/** So many hues, far enough apart to be told from each other. */
const HUES = 18

/** A hue for a name, the same on every screen: FNV-1a, mixed so that like names differ. */
export function hueOf(name: string): number {
  let h = 0x811c9dc5
  for (const c of name) h = Math.imul(h ^ c.codePointAt(0)!, 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (((h ^ (h >>> 16)) >>> 0) % HUES) * (360 / HUES)
}

/** One or two letters that stand for a name. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((w) => w !== '')
  const letters = words.length > 1 ? [words[0]!, words.at(-1)!] : [words[0] ?? '?']
  return letters.map((w) => [...w][0]!.toLocaleUpperCase()).join('')
}
