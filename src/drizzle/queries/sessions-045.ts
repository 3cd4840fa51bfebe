/** The sessions of Drizzle 0.45. */
import * as drizzle from 'drizzle-orm'
import { NodePgDatabase, NodePgSession, NodePgTransaction } from 'drizzle-orm/node-postgres'
import { mustBeFunction } from '../../errors/check-call.js'
import { handled } from '../../runtime/promises.js'
import { newDialect } from '../sql-writer.js'
import { clientResult, rawStatement, withoutStatement } from './drizzle-runner.js'
import { exactDialect, relationalReading } from './exact-dialect-045.js'
import { readExactly } from './exact-fields.js'
import type { SQL, TablesRelationalConfig } from 'drizzle-orm'
import type { NodePgClient, NodePgSessionOptions } from 'drizzle-orm/node-postgres'
import type { PgDialect, PgPreparedQuery, PgTransactionConfig, PreparedQueryConfig } from 'drizzle-orm/pg-core'
import type { StatementResult } from '../../statement/statement.js'
import type { DrizzleDatabase } from '../types/drizzle-database.js'
import type { ClientQuery, DrizzleRunner, DrizzleSessions, SessionSettings } from './drizzle-runner.js'
import type { PreparedNames } from './prepared-names.js'

type RelationalSchema = ConstructorParameters<typeof NodePgSession<Record<string, unknown>, TablesRelationalConfig>>[2]

/** Drizzle's classes over one schema. */
export class Sessions045 implements DrizzleSessions {
  readonly dialect: PgDialect
  readonly #shared: Shared

  constructor ({ schema, casing, logger, names }: SessionSettings) {
    this.dialect = exactDialect(newDialect(casing))
    this.#shared = { schema: schema && relational(schema), names, options: logger === undefined ? {} : { logger } }
  }

  database (runner: DrizzleRunner): DrizzleDatabase {
    // The program declares the registered schema; `drizzle()` trusts its type in the same way.
    return new NodePgDatabase<Record<string, unknown>>(this.dialect, this.#session(runner), this.#shared.schema) as unknown as DrizzleDatabase
  }

  /** A query keeps the casing of its own database. */
  rebinding (statement: object, runner: DrizzleRunner): PropertyDescriptorMap {
    const { dialect } = statement as { dialect?: PgDialect }
    return { session: { value: this.#session(runner) }, ...(dialect !== undefined && { dialect: { value: exactDialect(dialect) } }) }
  }

  #session (runner: DrizzleRunner): BoundSession {
    return new BoundSession(runner, this.dialect, this.#shared)
  }
}

function relational (schema: Record<string, unknown>): RelationalSchema {
  const { tables, tableNamesMap } = drizzle.extractTablesRelationalConfig(schema, drizzle.createTableRelationsHelpers)
  return { fullSchema: schema, schema: tables, tableNamesMap }
}

/** The parts that the sessions of one database share. */
interface Shared {
  readonly schema: RelationalSchema
  readonly names: PreparedNames
  readonly options: NodePgSessionOptions
}

class BoundSession extends NodePgSession<Record<string, unknown>, TablesRelationalConfig> {
  readonly #runner: DrizzleRunner
  readonly #shared: Shared

  constructor (runner: DrizzleRunner, dialect: PgDialect, shared: Shared) {
    // Drizzle only calls `query` of its client.
    const client = {
      query: async (query: ClientQuery, values: unknown[]): Promise<StatementResult> => {
        return clientResult(await runner.run<Record<string, unknown>>(rawStatement(query, values)))
      }
    } as unknown as NodePgClient
    super(client, dialect, shared.schema, shared.options)
    this.#runner = runner
    this.#shared = shared
  }

  override prepareQuery<T extends PreparedQueryConfig = PreparedQueryConfig> (
    ...[query, fields, name, isArrays, customMapper, ...rest]: Parameters<typeof NodePgSession.prototype.prepareQuery<T>>
  ): PgPreparedQuery<T> {
    const selected = customMapper === undefined && fields !== undefined ? readExactly(fields) : undefined
    const exact = selected ?? relationalReading(query)
    const kept = name === undefined ? name : this.#shared.names.keep(name, { text: query.sql, readBy: exact?.columns ?? [] })
    const prepared = super.prepareQuery<T>(query, selected?.fields ?? fields, kept, isArrays, customMapper, ...rest)
    // The query object is its own, so it can carry the reader to the statement.
    if (exact !== undefined) Object.assign((prepared as unknown as { queryConfig: ClientQuery }).queryConfig, { reader: exact.reader })
    const execute = prepared.execute.bind(prepared)
    prepared.execute = (values) => handled(execute(values).catch(withoutStatement))
    return prepared
  }

  /** Drizzle's migrator calls it to read its table. */
  override all<Row = unknown> (query: SQL): Promise<Row[]> {
    return handled(super.all<Row>(query).catch(withoutStatement))
  }

  override transaction<Result> (
    fn: (tx: NodePgTransaction<Record<string, unknown>, TablesRelationalConfig>) => Promise<Result>,
    config?: PgTransactionConfig
  ): Promise<Result> {
    const refusal = mustBeFunction(fn, 'transaction()')
    if (refusal !== undefined) return handled(Promise.reject(refusal))
    return this.#runner.transaction((scope) => {
      return fn(new BoundTransaction(this.dialect, new BoundSession(scope, this.dialect, this.#shared), this.#shared.schema))
    }, config)
  }
}

/** Drizzle's own nested transactions give every savepoint the same name; ours use a scope. */
class BoundTransaction extends NodePgTransaction<Record<string, unknown>, TablesRelationalConfig> {
  readonly #session: BoundSession

  constructor (dialect: PgDialect, session: BoundSession, schema: RelationalSchema) {
    super(dialect, session, schema)
    this.#session = session
  }

  override transaction<Result> (
    fn: (tx: NodePgTransaction<Record<string, unknown>, TablesRelationalConfig>) => Promise<Result>
  ): Promise<Result> {
    return this.#session.transaction(fn)
  }
}
