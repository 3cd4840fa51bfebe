import { statementChannel, transactionChannel } from '../../src/channels/channels.js'
import { messageCaller } from '../../src/channels/messages.js'
import { subscribe } from '../../src/channels/subscribe.js'
import { AsyncContext } from '../../src/runtime/async-context.js'
import { ignore } from '../../src/runtime/promises.js'
import { captureStack, framesOf } from '../../src/statement/call-site.js'
import { labelOf } from './request-marks.js'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { StatementMessage, TransactionMessage } from '../../src/channels/messages.js'

const advice = 'a statement over server.db ran beside the open transaction of its request, on a connection of its own: it sees nothing of the transaction, ' +
  'stays when that is rolled back, and may wait for its locks. Use request.db or request.repo(), or server.db.transaction() if it is meant so'

/**
 * Warns, once for each route, of statements over `server.db` in a handler whose request has an open transaction in the same database.
 *
 * Only the async context of a statement tells in which handler it was started. On Node 20 that makes each promise of the process slower, so it is for development.
 */
export function warnOutsideTransaction (fastify: FastifyInstance): void {
  const handlers = new AsyncContext<FastifyRequest>()
  const open = new WeakMap<object, Set<TransactionMessage>>()
  const warned = new Set<string>()

  const begun = (message: TransactionMessage): void => {
    const { request } = message[messageCaller]
    if (request === undefined) return
    open.set(request, (open.get(request) ?? new Set()).add(message))
  }
  const ended = (message: TransactionMessage): void => {
    open.get(Object(message[messageCaller].request))?.delete(message)
  }
  const started = ({ [messageCaller]: caller, transaction, database, table, text }: StatementMessage): void => {
    // With server.db.transaction() the program has said that it wants another one.
    if (caller.request !== undefined || transaction !== undefined) return
    const request = handlers.current
    if (request === undefined || ![...open.get(request) ?? []].some((one) => one.database === database)) return
    const route = labelOf(request)
    if (warned.has(route)) return
    warned.add(route)
    request.log.warn({ route, database, table, statement: text, stack: framesOf(captureStack()) }, advice)
  }

  const ends = [
    handlers.enter(),
    subscribe<TransactionMessage>(transactionChannel.start, begun),
    subscribe<TransactionMessage>(transactionChannel.asyncEnd, ended),
    subscribe<StatementMessage>(statementChannel.start, started)
  ]
  // Fastify calls the handler from within `done`.
  fastify.addHook('preHandler', (request, _reply, done) => { handlers.run(request, done).catch(ignore) })
  fastify.addHook('onClose', async () => { for (const end of ends) end() })
}
