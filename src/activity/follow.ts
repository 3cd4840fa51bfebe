import { acquireChannel, leakChannel, statementChannel, transactionChannel } from '../channels/channels.js'
import { ignore } from '../runtime/promises.js'
import type { ChannelListener } from 'node:diagnostics_channel'
import type { AcquireMessage, DatabasePlace, LeakMessage, StatementMessage, TransactionMessage } from '../channels/messages.js'

/** What is called for the messages about one database. Nothing here may throw: Node would end the process. */
export interface ActivityListener {
  readonly statementStarted?: (message: StatementMessage) => void
  /** Before all that is called for its end. */
  readonly statementEnding?: (message: StatementMessage) => void
  readonly statementEnded?: (message: StatementMessage) => void
  readonly transactionStarted?: (message: TransactionMessage) => void
  readonly transactionEnding?: (message: TransactionMessage) => void
  readonly transactionEnded?: (message: TransactionMessage) => void
  readonly waitEnding?: (message: AcquireMessage) => void
  readonly waitEnded?: (message: AcquireMessage) => void
  readonly leaked?: (message: LeakMessage) => void
}

/** Calls a listener for the messages about a database, and its replicas; the returned function ends that. */
export function follow (place: DatabasePlace, listener: ActivityListener): () => void {
  const subscriptions = [
    subscribe(statementChannel.start, place, listener.statementStarted),
    subscribe(statementChannel.asyncStart, place, listener.statementEnding),
    subscribe(statementChannel.asyncEnd, place, listener.statementEnded),
    subscribe(transactionChannel.start, place, listener.transactionStarted),
    subscribe(transactionChannel.asyncStart, place, listener.transactionEnding),
    subscribe(transactionChannel.asyncEnd, place, listener.transactionEnded),
    subscribe(acquireChannel.asyncStart, place, listener.waitEnding),
    subscribe(acquireChannel.asyncEnd, place, listener.waitEnded),
    subscribe(leakChannel, place, listener.leaked)
  ]
  return () => { for (const end of subscriptions) end() }
}

/** The part of a channel that is needed, whatever its messages are. */
interface Subscribable {
  subscribe (listener: ChannelListener): void
  unsubscribe (listener: ChannelListener): unknown
}

function subscribe<Message extends DatabasePlace> (channel: Subscribable, place: DatabasePlace, listener: ((message: Message) => void) | undefined): () => void {
  if (listener === undefined) return ignore
  const hear: ChannelListener = (message) => {
    if (isSameDatabase(place, message as Message)) listener(message as Message) // each channel has one kind of message
  }
  channel.subscribe(hear)
  return () => { channel.unsubscribe(hear) }
}

/** Whether two places are one database. Several servers of a process may each have one of the same name: the name in PostgreSQL tells them apart. */
export function isSameDatabase (one: DatabasePlace, other: DatabasePlace): boolean {
  const { namespace = other.namespace } = one
  return one.database === other.database && (other.namespace === undefined || namespace === other.namespace)
}
