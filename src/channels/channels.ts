/**
 * The channels of Node's `diagnostics_channel` on which the package tells what it does. Without a subscriber each costs one check.
 *
 * A tracing channel publishes its `start` synchronously in the caller's async context, then `end`, and when the response has come `asyncStart` and `asyncEnd`,
 * after a failure `error` before them; each time the same message object. Subscribe by name, or by these objects, which are the same.
 * https://nodejs.org/docs/latest-v20.x/api/diagnostics_channel.html#tracingchannel-channels
 */
import { channel, tracingChannel } from 'node:diagnostics_channel'
import type { Channel, TracingChannel } from 'node:diagnostics_channel'
import type { AcquireMessage, ConnectMessage, LeakMessage, ReleaseMessage, RetryMessage, StatementMessage, TransactionMessage } from './messages.js'

/** One message for each {@link StatementMessage}: the tracing channel `data-access:statement`. */
export const statementChannel: TracingChannel<unknown, StatementMessage> = tracingChannel('data-access:statement')

/** One message for each {@link TransactionMessage}: the tracing channel `data-access:transaction`. */
export const transactionChannel: TracingChannel<unknown, TransactionMessage> = tracingChannel('data-access:transaction')

/** One message for each {@link AcquireMessage}: the tracing channel `data-access:acquire`. */
export const acquireChannel: TracingChannel<unknown, AcquireMessage> = tracingChannel('data-access:acquire')

/** Publishes a {@link ReleaseMessage}: the channel `data-access:release`. */
export const releaseChannel = typed<ReleaseMessage>('data-access:release')

/** Publishes a {@link ConnectMessage}: the channel `data-access:connect`. */
export const connectChannel = typed<ConnectMessage>('data-access:connect')

/** Publishes a {@link LeakMessage}: the channel `data-access:leak`. */
export const leakChannel = typed<LeakMessage>('data-access:leak')

/** Publishes a {@link RetryMessage}: the channel `data-access:retry`. */
export const retryChannel = typed<RetryMessage>('data-access:retry')

function typed<Message> (name: string): Channel<unknown, Message> {
  return channel(name) as Channel<unknown, Message> // Node's own function has no parameter for the type
}
