/** Jobs of other libraries in the transaction of a session: a job is there exactly when its transaction is. */
import { UsageError } from '../errors/errors.js'
import { Scope } from './scope.js'
import type { StatementResult } from '../statement/statement.js'

/** The option `db` of pg-boss: runs its SQL in a transaction. */
export interface JobExecutor {
  executeSql (text: string, values?: readonly unknown[]): Promise<StatementResult>
}

/**
 * Lets pg-boss add jobs in the transaction of a session or scope: pass it as option `db` to `send`, `publish` or `insert`.
 * pg-boss sees the job when the transaction is committed, and never if it is rolled back.
 *
 * @throws {UsageError} for anything but a session or scope: on `fastify.db` the job would commit by itself
 * @example
 * ```ts
 * await request.repo(orders).create({ id })
 * await boss.send('confirm-order', { id }, { db: jobExecutor(request.db) })
 * ```
 */
export function jobExecutor (session: Scope<unknown>): JobExecutor {
  mustBeSession(session, 'jobExecutor()')
  return { executeSql: (text, values) => session.query(text, values) }
}

/** @throws {UsageError} for anything but a session or a scope */
export function mustBeSession (session: unknown, call: string): void {
  if (session instanceof Scope) return
  throw new UsageError(`${call} takes a session or a scope of one, for example request.db: on a database the job would commit by itself`)
}
