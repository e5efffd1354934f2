import { useClipboard } from '@vueuse/core'
import { mentioned } from '@/components/composer/mentions'
import { findMessage } from '@/protocol/fold'
import type { User } from '@/protocol/messages'
import { useChatStore } from '@/stores/chat'
import { useRoomsStore } from '@/stores/rooms'

/** What can be done in a room; all of it goes through the outbox. */
export function useRoomActions(rid: string, people: () => readonly User[]) {
  const chat = useChatStore()
  const rooms = useRoomsStore()
  // The old way of copying works on plain http too.
  const { copy: toClipboard } = useClipboard({ legacy: true })

  function message(seq: number) {
    return findMessage(rooms.byId.get(rid)?.log.messages ?? [], seq)
  }

  function send(text: string): Promise<void> {
    const mentions = mentioned(text, people())
    return chat.write(rid, mentions.length > 0 ? { op: 'send', text, mentions } : { op: 'send', text })
  }

  return {
    message,
    send,
    edit: (target: number, text: string) => chat.write(rid, { op: 'edit', target, text }),
    remove: (target: number) => chat.write(rid, { op: 'delete', target }),
    react: (target: number, emoji: string, on: boolean) =>
      chat.write(rid, { op: 'react', target, emoji, on }),
    copy: (seq: number) => toClipboard(message(seq)?.text ?? ''),
    retry: (key: string) => chat.client?.outbox.retry(key),
    discard: (key: string) => chat.client?.outbox.discard(key),
  }
}
