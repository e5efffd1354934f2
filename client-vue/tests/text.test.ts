import { describe, expect, it } from 'vitest'
import { matching, mentionAt, mentioned } from '@/components/composer/mentions'
import { isOnlyEmoji, mentionPattern, parseText } from '@/components/message/rich-text'
import { hueOf, initialsOf } from '@/components/ui/avatar'
import { foldName, isRoomName } from '@/protocol/room-state'

const brief = (text: string, names: string[] = []) =>
  parseText(text, mentionPattern(names)).map((p) => (p.kind === 'text' ? p.text : `<${p.kind}:${p.text}>`))

describe('text', () => {
  it('has links, which end before the sentence does', () => {
    expect(brief('see https://a.b/c?d=e#f, or (http://x.y/z).')).toEqual([
      'see ',
      '<link:https://a.b/c?d=e#f>',
      ', or (',
      '<link:http://x.y/z>',
      ').',
    ])
    expect(brief('https://en.wikipedia.org/wiki/A_(b)')).toEqual(['<link:https://en.wikipedia.org/wiki/A_(b)>'])
  })

  it('has no links but http and https', () => {
    for (const text of ['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'https://']) {
      expect(brief(text)).toEqual([text])
    }
  })

  it('has bold, code and blocks of code, with nothing inside them read again', () => {
    expect(brief('a **b** `c **d** https://e.f` g')).toEqual([
      'a ',
      '<bold:b>',
      ' ',
      '<code:c **d** https://e.f>',
      ' g',
    ])
    expect(brief('x\n```js\nlet a = `b`\n```\ny')).toEqual(['x\n', '<block:let a = `b`>', 'y'])
  })

  it('leaves what is not closed as it is', () => {
    for (const text of ['a ** b', '2 * 3 ** 4', '`x', '```x', '****', '<b>no</b>']) {
      expect(brief(text)).toEqual([text])
    }
  })

  it('has mentions of known names, the longest first, and not inside words', () => {
    expect(brief('@Ann Lee, @ann! me@ann.org @annie', ['Ann', 'Ann Lee'])).toEqual([
      '<mention:@Ann Lee>',
      ', ',
      '<mention:@ann>',
      '! me@ann.org @annie',
    ])
  })

  it('is not slow on hostile input', () => {
    const start = performance.now()
    for (const unit of ['**a', '`', '```', '((((', 'https://', '@a', '** ']) parseText(unit.repeat(4000))
    expect(performance.now() - start).toBeLessThan(1500)
  })
})

describe('emoji alone', () => {
  it.each(['🚀', '👨‍👩‍👧 🎉', '❤️', '🇩🇪', '👍🏽'])('%s is large', (text) => {
    expect(isOnlyEmoji(text)).toBe(true)
  })

  it.each(['', ' ', '1', '#', 'hi 🚀', '🚀'.repeat(9)])('%s is not', (text) => {
    expect(isOnlyEmoji(text)).toBe(false)
  })
})

describe('mentions in the composer', () => {
  const people = ['Ann Lee', 'Bob', 'Annika'].map((name, i) => ({ id: `u${i}`, name }))

  it('are offered for what stands before the caret', () => {
    expect(mentionAt('hi @an', 6)).toEqual({ from: 3, query: 'an' })
    expect(mentionAt('hi @an', 5)).toEqual({ from: 3, query: 'a' })
    expect(mentionAt('mail me@an', 10)).toBeNull()
    expect(matching(people, 'an').map((u) => u.name)).toEqual(['Ann Lee', 'Annika'])
  })

  it('give the ids of those who are called', () => {
    expect(mentioned('@ann lee and @Bob: @Bob!', people)).toEqual(['u0', 'u1'])
    expect(mentioned('nobody@bob', people)).toEqual([])
  })
})

describe('room names', () => {
  it('are judged after folding', () => {
    expect(foldName('  Gen-ERAL ')).toBe('gen-eral')
    for (const name of ['a', 'Général', '東京', 'v1.2_x-y', 'x'.repeat(80)]) expect(isRoomName(name)).toBe(true)
    for (const name of ['', '-a', 'a.', 'a b', 'a/b', '🚀', 'x'.repeat(81)]) expect(isRoomName(name)).toBe(false)
  })
})

describe('an avatar', () => {
  it('shows the initials of the first and the last word', () => {
    expect(['Ada', 'ann marie lee', '  ', 'éa', '🚀 x'].map(initialsOf)).toEqual(['A', 'AL', '?', 'É', '🚀X'])
  })

  it('has a colour that depends on the name alone', () => {
    expect(hueOf('Ada')).toBe(hueOf('Ada'))
    expect(hueOf('Ada')).not.toBe(hueOf('Bob'))
  })
})
