import type {
  AddedEvent,
  ArchiveEvent,
  DeleteEvent,
  EditEvent,
  ExpireEvent,
  KeepEvent,
  MemberEvent,
  MessageEvent,
  OtherLogEvent,
  PresenceEvent,
  ReactEvent,
  ReadEvent,
  RemovedEvent,
  RenameEvent,
  ServerEvent,
  TopicEvent,
  TypingEvent,
} from './messages'

/** What to do with each kind of event.  A kind that is left out is ignored. */
export interface EventHandlers {
  message?(event: MessageEvent): void
  edit?(event: EditEvent): void
  delete?(event: DeleteEvent): void
  react?(event: ReactEvent): void
  topic?(event: TopicEvent): void
  rename?(event: RenameEvent): void
  member?(event: MemberEvent): void
  archive?(event: ArchiveEvent): void
  keep?(event: KeepEvent): void
  expire?(event: ExpireEvent): void
  other?(event: OtherLogEvent): void
  presence?(event: PresenceEvent): void
  typing?(event: TypingEvent): void
  read?(event: ReadEvent): void
  added?(event: AddedEvent): void
  removed?(event: RemovedEvent): void
  ping?(): void
}

/** The one place that tells events apart: whoever reads events brings handlers to it. */
export function dispatch(event: ServerEvent, to: EventHandlers): void {
  switch (event.ev) {
    case 'message':
      return to.message?.(event)
    case 'edit':
      return to.edit?.(event)
    case 'delete':
      return to.delete?.(event)
    case 'react':
      return to.react?.(event)
    case 'topic':
      return to.topic?.(event)
    case 'rename':
      return to.rename?.(event)
    case 'member':
      return to.member?.(event)
    case 'archive':
      return to.archive?.(event)
    case 'keep':
      return to.keep?.(event)
    case 'expire':
      return to.expire?.(event)
    case 'other':
      return to.other?.(event)
    case 'presence':
      return to.presence?.(event)
    case 'typing':
      return to.typing?.(event)
    case 'read':
      return to.read?.(event)
    case 'added':
      return to.added?.(event)
    case 'removed':
      return to.removed?.(event)
    case 'ping':
      return to.ping?.()
    case 'unknown':
      return
  }
}
