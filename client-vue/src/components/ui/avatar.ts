/** A hue for a user, the same on every screen: FNV-1a over the name. */
export function hueOf(name: string): number {
  let h = 0x811c9dc5
  for (const c of name) h = Math.imul(h ^ c.codePointAt(0)!, 0x01000193)
  return (h >>> 0) % 360
}

/** One or two letters that stand for a name. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((w) => w !== '')
  const letters = words.length > 1 ? [words[0]!, words.at(-1)!] : [words[0] ?? '?']
  return letters.map((w) => [...w][0]!.toLocaleUpperCase()).join('')
}
