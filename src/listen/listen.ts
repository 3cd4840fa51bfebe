import { checkCall, mustBeFunction } from '../errors/check-call.js'
import { called } from '../runtime/option-checks.js'
import { checkChannel } from './channel.js'
import { Listener, type ListenerParts, type Notification } from './listener.js'
import type { Listening } from './listening.js'

/** The options of `database.listen()`. */
export interface ListenOptions {
  /**
   * Called each time notifications may have been missed: the connection was lost, and the channel is listened to again. Read the state anew in it: whatever
   * is sent from then on reaches the handler, after `onGap` has ended.
   */
  readonly onGap?: (() => unknown) | undefined
}

/** A listener of `database.listen()`. */
export interface Subscription {
  /** Ends it: the handler is not called again. Resolves when PostgreSQL has confirmed it; a call that runs is not awaited. */
  close (): Promise<void>
}

/** Listens to a channel. @throws {UsageError} for a channel, a handler or an option that cannot be used */
export async function listen (listening: Listening, channel: string, parts: Pick<ListenerParts, 'logger' | 'track'> & {
  readonly handler: (notification: Notification) => unknown, readonly options: ListenOptions
}): Promise<Subscription> {
  const { handler, options, logger, track } = parts
  checkChannel(channel)
  const refusal = mustBeFunction(handler, 'listen()')
  if (refusal !== undefined) throw refusal
  checkCall('listen()', options, { onGap: called })
  const listener = new Listener({ handler, onGap: options.onGap, logger, track })
  await listening.add(channel, listener)
  return { close: () => listening.remove(channel, listener) }
}
