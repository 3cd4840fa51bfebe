import type { Channel } from 'node:diagnostics_channel'

/** Subscribes to a channel of this package, with the type of its messages. The returned function ends that. */
export function subscribe<Message> (channel: Channel<unknown, Message>, listener: (message: Message) => void): () => void {
  const typed = listener as (message: unknown) => void // a channel has messages of one type only
  channel.subscribe(typed)
  return () => channel.unsubscribe(typed)
}
