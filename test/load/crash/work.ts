import { setTimeout as wait } from 'node:timers/promises'
import { subjectsOf } from './operations.js'
import { counters, few, lefts, rights } from './tables.js'
import type { FastifyReply, onRequestAsyncHookHandler, onSendAsyncHookHandler, preHandlerAsyncHookHandler } from 'fastify'
import type { RequestTransactionOptions, Session } from '../../../plugins/index.js'

/** The work of a route of a server with this package. */
export interface OwnRoute {
  readonly transaction?: RequestTransactionOptions
  readonly hooks?: {
    readonly onRequest?: onRequestAsyncHookHandler
    readonly preHandler?: preHandlerAsyncHookHandler
    readonly onSend?: onSendAsyncHookHandler
  }
  /** Returns a stream or the reply that it has sent; otherwise the response is the id. */
  readonly work: (session: Session, id: number, reply: FastifyReply) => Promise<unknown>
}

/** The id in the URL of a request. */
export function idOf ({ params }: { readonly params: unknown }): number {
  return Number((params as { id: string }).id)
}

/** Inserts both rows. */
export async function insertPair (session: Session, id: number): Promise<void> {
  await session.repo(lefts).create({ id })
  await session.repo(rights).create({ id, parent: id })
}

/** The way in which a counter is read. */
interface Reading {
  readonly lock?: 'update'
  /** A pause during which other requests may count. */
  readonly pauseMillis?: number
}

/** Reads a counter, and writes the next number. */
export async function countUp (session: Session, counter: number, { lock, pauseMillis = 0 }: Reading = {}): Promise<void> {
  const { value } = await session.repo(counters).getOrThrow(counter, lock && { lock })
  if (pauseMillis > 0) await wait(pauseMillis)
  await session.repo(counters).update(counter, { value: value + 1 })
}

/** Inserts both rows, and increments a counter in between. */
export async function increment (session: Session, id: number, reading?: Reading): Promise<void> {
  const { counter } = subjectsOf(id, few)
  await session.repo(lefts).create({ id })
  await countUp(session, counter, reading)
  await session.repo(rights).create({ id, parent: id, counter })
}

/** Ignores the intended failure of an inner scope, but not a lost connection. */
export function ignoreDuplicate (error: { code?: unknown }): void {
  if (error.code !== 'DB_UNIQUE_VIOLATION') throw error
}
