import { isPostgresError } from '../errors/redact.js'
import type { TracingChannel } from 'node:diagnostics_channel'
import type { Ending } from './messages.js'

/** Whether somebody subscribes to a channel: otherwise nothing of it is published. */
export function isWatched<Message extends object> ({ start, end, asyncStart, asyncEnd, error }: TracingChannel<unknown, Message>): boolean {
  return start.hasSubscribers || asyncEnd.hasSubscribers || error.hasSubscribers || end.hasSubscribers || asyncStart.hasSubscribers
}

/** Runs a function between `start` and `end`, with the stores that subscribers have bound to the channel. */
export function begin<Message extends object, Result> (channel: TracingChannel<unknown, Message>, message: Message, fn: () => Result): Result {
  return channel.start.runStores(message, () => {
    try {
      return fn()
    } finally {
      channel.end.publish(message)
    }
  })
}

/** Publishes the end of what {@link begin} has begun, and with an error its failure. */
export function finish<Message extends Ending> (channel: TracingChannel<unknown, Message>, message: Message, error?: Error): void {
  if (error !== undefined) {
    message.error = error
    message.sqlState = sqlStateOf(error)
    channel.error.publish(message as Message & { error: unknown })
  }
  channel.asyncStart.publish(message)
  channel.asyncEnd.publish(message)
}

/** PostgreSQL's SQLSTATE of an error: its own, or that of the error behind it. Codes of Node are none. */
export function sqlStateOf (error: unknown): string | undefined {
  if (isPostgresError(error)) return error.code
  const { cause } = Object(error)
  return cause === undefined ? undefined : sqlStateOf(cause)
}
