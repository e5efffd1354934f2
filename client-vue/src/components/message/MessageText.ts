import { computed, defineComponent, h, type PropType, type VNode } from 'vue'
import { isOnlyEmoji, parseText, type Part } from './rich-text'

function draw(part: Part, me: string): VNode | string {
  if (part.kind === 'text') return part.text
  if (part.kind === 'bold') return h('strong', part.text)
  if (part.kind === 'code') return h('code', part.text)
  if (part.kind === 'block') return h('pre', { tabindex: 0 }, [h('code', part.text)])
  if (part.kind === 'mention') {
    const mine = part.name.toLowerCase() === me.toLowerCase()
    return h('span', { class: ['mention', { mine }] }, part.text)
  }
  const link = { href: part.href, target: '_blank', rel: 'noopener noreferrer nofollow' }
  return h('a', link, part.text)
}

/** A message's text, drawn from its parts as nodes: no HTML is ever made of it. */
export default defineComponent({
  name: 'MessageText',
  props: {
    text: { type: String, required: true },
    /** What counts as a mention; see mentionPattern(). */
    names: { type: null as unknown as PropType<RegExp | null>, default: null },
    /** The reader's own name. */
    me: { type: String, required: true },
  },
  setup(props) {
    const large = computed(() => isOnlyEmoji(props.text))
    const parts = computed(() => parseText(props.text, props.names))
    return () =>
      h(
        'div',
        { class: ['message-text', { large: large.value }], 'data-testid': 'message-text', dir: 'auto' },
        parts.value.map((part) => draw(part, props.me)),
      )
  },
})
