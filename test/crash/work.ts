import { subjectsOf } from './operations.js'
import { counters, few, lefts, rights } from './tables.js'
import type { FastifyReply, onRequestAsyncHookHandler, onSendAsyncHookHandler, preHandlerAsyncHookHandler } from 'fastify'
import type { RequestTransactionOptions, Session } from '../../plugins/index.js'

/** What a route of a server with this package does. */
export interface OwnRoute {
  readonly transaction?: RequestTransactionOptions
  readonly hooks?: {
    readonly onRequest?: onRequestAsyncHookHandler
    readonly preHandler?: preHandlerAsyncHookHandler
    readonly onSend?: onSendAsyncHookHandler
  }
  /** A stream, or the reply that it has sent itself, is the answer; otherwise that is the id. */
  readonly work: (session: Session, id: number, reply: FastifyReply) => Promise<unknown>
}

/** The id that a request is about. */
export function idOf ({ params }: { readonly params: unknown }): number {
  return Number((params as { id: string }).id)
}

/** Both rows. */
export async function insertPair (session: Session, id: number): Promise<void> {
  await session.repo(lefts).create({ id })
  await session.repo(rights).create({ id, parent: id })
}

/** Counts, and writes down what was counted. */
export async function count (session: Session, id: number, options?: { lock: 'update' }): Promise<void> {
  const { counter } = subjectsOf(id, few)
  const { value } = await session.repo(counters).getOrThrow(counter, options)
  await session.repo(counters).update(counter, { value: value + 1 })
  await session.repo(rights).create({ id, parent: id, counter })
}

/** An inner scope is meant to fail by itself; a lost connection is another matter. */
export function ignoreDuplicate (error: { code?: unknown }): void {
  if (error.code !== 'DB_UNIQUE_VIOLATION') throw error
}
