/**
 * A message's text as parts to be drawn: code, bold, links and mentions are recognised, and
 * whatever is not is text.  Nothing here is ever HTML.
 */
export type Part =
  | { kind: 'text'; text: string }
  | { kind: 'bold'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'block'; text: string; lang: string }
  | { kind: 'link'; text: string; href: string }
  | { kind: 'mention'; text: string; name: string }

const BLOCK = /```([\w+#.-]*)\n?([\s\S]*?)```\n?/g
const INLINE = /(`[^`\n]+`)|(\*\*[^\s*](?:[^\n]{0,500}?[^\s*])??\*\*)|(https?:\/\/[^\s<>"'`]+)/g

/** What ends a sentence is not part of a link; a bracket is, if it was opened inside. */
function linkEnd(url: string): number {
  let end = url.length
  for (;;) {
    const last = url[end - 1]!
    if (/[.,;:!?*_~]/.test(last)) end--
    else if (last === ')' && !url.slice(0, end - 1).includes('(')) end--
    else if (last === ']' && !url.slice(0, end - 1).includes('[')) end--
    else return end
  }
}

function safeHref(url: string): string | null {
  try {
    const { protocol, hostname, href } = new URL(url)
    return (protocol === 'https:' || protocol === 'http:') && hostname !== '' ? href : null
  } catch {
    return null
  }
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** A pattern of `@name` for the names given, the longest first; null where there are none. */
export function mentionPattern(names: readonly string[]): RegExp | null {
  const known = [...new Set(names)].filter((n) => n !== '').sort((a, b) => b.length - a.length)
  if (known.length === 0) return null
  const any = known.map(escapeRegExp).join('|')
  return new RegExp(`(?<![\\p{L}\\p{N}_@])@(${any})(?![\\p{L}\\p{N}_])`, 'giu')
}

function pushMentions(parts: Part[], text: string, names: RegExp | null): void {
  if (text === '') return
  let at = 0
  if (names !== null) {
    for (const m of text.matchAll(names)) {
      if (m.index > at) parts.push({ kind: 'text', text: text.slice(at, m.index) })
      parts.push({ kind: 'mention', text: m[0], name: m[1]! })
      at = m.index + m[0].length
    }
  }
  if (at < text.length) parts.push({ kind: 'text', text: text.slice(at) })
}

function pushInline(parts: Part[], text: string, names: RegExp | null): void {
  let at = 0
  for (const m of text.matchAll(INLINE)) {
    const [whole, code, bold, url] = m
    if (m.index < at) continue
    const href = url === undefined ? null : safeHref(url.slice(0, linkEnd(url)))
    if (url !== undefined && href === null) continue
    pushMentions(parts, text.slice(at, m.index), names)
    at = m.index + whole.length
    if (code !== undefined) parts.push({ kind: 'code', text: code.slice(1, -1) })
    else if (bold !== undefined) parts.push({ kind: 'bold', text: bold.slice(2, -2) })
    else if (url !== undefined && href !== null) {
      const end = linkEnd(url)
      parts.push({ kind: 'link', text: url.slice(0, end), href })
      at = m.index + end
    }
  }
  pushMentions(parts, text.slice(at), names)
}

export function parseText(text: string, names: RegExp | null = null): Part[] {
  const parts: Part[] = []
  let at = 0
  for (const m of text.matchAll(BLOCK)) {
    pushInline(parts, text.slice(at, m.index), names)
    parts.push({ kind: 'block', text: m[2]!.replace(/\n$/, ''), lang: m[1]! })
    at = m.index + m[0].length
  }
  pushInline(parts, text.slice(at), names)
  return parts
}

const EMOJI = /^(?:\p{RGI_Emoji}|\s)+$/v
const MANY = 8

/** Whether a text is nothing but a few emoji: those are shown large. */
export function isOnlyEmoji(text: string): boolean {
  if (text.length > 120 || text.trim() === '' || !EMOJI.test(text)) return false
  return [...new Intl.Segmenter().segment(text.replace(/\s/g, ''))].length <= MANY
}
