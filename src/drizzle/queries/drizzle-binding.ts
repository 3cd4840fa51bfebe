/**
 * Real Drizzle databases whose queries run on our runner.
 */
import { DefaultLogger, SQL } from 'drizzle-orm'
import { PgRaw } from 'drizzle-orm/pg-core/query-builders/raw'
import { UsageError } from '../../errors/errors.js'
import { isEntity } from '../entity.js'
import { isDrizzle1 } from '../version.js'
import { Sessions045 } from './sessions-045.js'
import { Sessions1 } from './sessions-1.js'
import { executeResult, rawStatement } from './drizzle-runner.js'
import { PreparedNames } from './prepared-names.js'
import type { Logger as QueryLogger, SQLWrapper } from 'drizzle-orm'
import type { DrizzleDatabase } from '../types/drizzle-database.js'
import type { DrizzleRunner, DrizzleSessions, DrizzleSettings } from './drizzle-runner.js'

/** Binds Drizzle to a runner of statements. */
export class DrizzleBinding {
  readonly #sessions: DrizzleSessions
  readonly #logger: QueryLogger | undefined

  constructor ({ schema, relations, casing, queryLogger }: DrizzleSettings) {
    this.#logger = typeof queryLogger === 'object' ? queryLogger : queryLogger ? new DefaultLogger() : undefined
    const shared = { schema, relations, casing, logger: this.#logger, names: new PreparedNames() }
    this.#sessions = isDrizzle1 ? new Sessions1(shared) : new Sessions045(shared)
  }

  /** A Drizzle database whose queries run on the runner; the program declares the type of its schema. */
  bind<Drizzle = DrizzleDatabase> (runner: DrizzleRunner): Drizzle {
    return this.#sessions.database(runner) as Drizzle
  }

  /** Runs a query of any Drizzle database, or an `sql` template. */
  async execute (runner: DrizzleRunner, statement: SQLWrapper): Promise<unknown> {
    if (isEntity(statement, PgRaw)) return this.execute(runner, statement.getSQL())
    if (hasSession(statement)) {
      const rebound = Object.create(statement, this.#sessions.rebinding(statement, runner)) as Rebindable
      // A `$count` is both a promise and an SQL fragment; any other query is prepared by its session.
      return rebound._prepare === undefined ? await rebound : await rebound._prepare().execute()
    }
    if (!isEntity(statement, SQL)) throw new UsageError('execute takes a Drizzle query or an sql`…` template')
    const { sql: text, params } = this.#sessions.dialect.sqlToQuery(statement)
    this.#logger?.logQuery(text, params)
    return executeResult(await runner.run(rawStatement({ text }, params)))
  }
}

interface Rebindable {
  readonly session: unknown
  readonly _prepare?: () => { execute (): Promise<unknown> }
}

function hasSession (statement: unknown): statement is object {
  return typeof statement === 'object' && statement !== null && 'session' in statement && statement.session !== undefined
}
