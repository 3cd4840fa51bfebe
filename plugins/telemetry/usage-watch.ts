import { acquireChannel, statementChannel, transactionChannel } from '../../src/channels/channels.js'
import { messageCaller } from '../../src/channels/messages.js'
import { subscribe } from '../../src/channels/subscribe.js'
import { RequestUsage } from './request-usage.js'
import type { Channel } from 'node:diagnostics_channel'
import type { FastifyRequest } from 'fastify'
import type { AcquireMessage, StatementMessage, TransactionMessage } from '../../src/channels/messages.js'

/** Every message about the work of a request. */
type RequestMessage = StatementMessage | AcquireMessage | TransactionMessage

/** Counts what the requests of one server do to its databases, as long as it is subscribed. */
export class UsageWatch {
  readonly #usages = new WeakMap<object, RequestUsage>()
  readonly #ends: ReadonlyArray<() => void> = [
    this.#listen<StatementMessage>(statementChannel.asyncEnd, (usage, message) => usage.addStatement(message)),
    this.#listen<AcquireMessage>(acquireChannel.asyncEnd, (usage, message) => usage.addWait(message)),
    this.#listen<TransactionMessage>(transactionChannel.asyncEnd, (usage, message) => usage.addTransaction(message))
  ]

  /** Counts for this request from now on. Requests of other servers in the process are not counted here. */
  begin (request: FastifyRequest): void {
    this.#usages.set(request, new RequestUsage())
  }

  /** What a request did so far; undefined if it has not used a database. */
  of (request: FastifyRequest): RequestUsage | undefined {
    const usage = this.#usages.get(request)
    return usage === undefined || (usage.statements === 0 && usage.waitMillis === 0) ? undefined : usage
  }

  /** Ends the subscription. */
  end (): void {
    for (const end of this.#ends) end()
  }

  #listen<Message extends RequestMessage> (channel: Channel<unknown, Message>, add: (usage: RequestUsage, message: Message) => void): () => void {
    return subscribe(channel, (message) => {
      const usage = this.#usages.get(Object(Object(message[messageCaller]).request)) // only the caller of a request has one
      if (usage !== undefined) add(usage, message)
    })
  }
}
