/**
 * The only file that uses Drizzle's sessions: real Drizzle databases whose queries run on our runner.
 */
import { DefaultLogger, DrizzleQueryError, SQL, createTableRelationsHelpers, extractTablesRelationalConfig } from 'drizzle-orm'
import { NodePgDatabase, NodePgSession, NodePgTransaction } from 'drizzle-orm/node-postgres'
import { PgDialect } from 'drizzle-orm/pg-core'
import { PgRaw } from 'drizzle-orm/pg-core/query-builders/raw'
import { UsageError } from '../../errors/errors.js'
import { handled } from '../../runtime/promises.js'
import { isEntity } from '../entity.js'
import { mustBeFunction } from '../../errors/check-call.js'
import { readExactly } from './exact-fields.js'
import { PreparedNames } from './prepared-names.js'
import type { Logger as QueryLogger, SQLWrapper, TablesRelationalConfig } from 'drizzle-orm'
import type { NodePgClient, NodePgSessionOptions } from 'drizzle-orm/node-postgres'
import type { PgPreparedQuery, PgTransactionConfig, PreparedQueryConfig } from 'drizzle-orm/pg-core'
import type { CustomTypesConfig } from 'pg'
import type { RegisteredSchema } from '../registered-schema.js'
import type { RowReader, Statement, StatementResult, StatementRunner } from '../../statement/statement.js'

/** A Drizzle database over the registered schema. */
export type DrizzleDatabase = NodePgDatabase<RegisteredSchema>

/** Runs Drizzle's queries and transactions: a session, a scope, or a database. */
export interface DrizzleRunner extends Pick<StatementRunner, 'run'> {
  transaction<Result> (fn: (runner: DrizzleRunner) => Result | Promise<Result>, options?: PgTransactionConfig): Promise<Result>
}

/** The options of `drizzle()` that decide how queries are written. */
export interface DrizzleSettings {
  readonly schema: Record<string, unknown> | undefined
  readonly casing: 'snake_case' | 'camelCase' | undefined
  /** `true` prints queries. */
  readonly queryLogger: boolean | QueryLogger | undefined
}

type RelationalSchema = ConstructorParameters<typeof NodePgSession<Record<string, unknown>, TablesRelationalConfig>>[2]

/** The query that Drizzle passes to a pg client. */
interface ClientQuery {
  readonly text: string
  /** The name given to `.prepare('name')`. */
  readonly name?: string | undefined
  readonly rowMode?: 'array'
  readonly types?: CustomTypesConfig
  /** Reads its rows where Drizzle's own mapper loses something. */
  readonly reader?: RowReader
}

/** Binds Drizzle to a runner of statements. */
export class DrizzleBinding {
  readonly #dialect: PgDialect
  readonly #schema: RelationalSchema
  readonly #names = new PreparedNames()
  readonly #logger: QueryLogger | undefined

  constructor ({ schema, casing, queryLogger }: DrizzleSettings) {
    this.#logger = typeof queryLogger === 'object' ? queryLogger : queryLogger ? new DefaultLogger() : undefined
    this.#dialect = new PgDialect(casing && { casing })
    if (schema === undefined) return
    const { tables, tableNamesMap } = extractTablesRelationalConfig(schema, createTableRelationsHelpers)
    this.#schema = { fullSchema: schema, schema: tables, tableNamesMap }
  }

  /** A Drizzle database whose queries run on the runner. */
  bind (runner: DrizzleRunner): DrizzleDatabase {
    const session = this.#session(runner)
    // The program declares the registered schema; `drizzle()` trusts its type in the same way.
    return new NodePgDatabase<Record<string, unknown>>(this.#dialect, session, this.#schema) as unknown as DrizzleDatabase
  }

  /** Runs a query of any Drizzle database, or an `sql` template. */
  async execute (runner: DrizzleRunner, statement: SQLWrapper): Promise<unknown> {
    if (isEntity(statement, PgRaw)) return this.execute(runner, statement.getSQL())
    if (hasSession(statement)) {
      const rebound = Object.create(statement, { session: { value: this.#session(runner) } }) as Rebindable
      // A `$count` is both a promise and an SQL fragment; any other query is prepared by its session.
      return rebound._prepare === undefined ? await rebound : await rebound._prepare().execute()
    }
    if (!isEntity(statement, SQL)) throw new UsageError('execute takes a Drizzle query or an sql`…` template')
    const { sql: text, params } = this.#dialect.sqlToQuery(statement)
    this.#logger?.logQuery(text, params)
    const result = await runner.run(raw({ text }, params))
    return { ...plain(result), ...(result.results !== undefined && { results: result.results.map(plain) }) }
  }

  #session (runner: DrizzleRunner): BoundSession {
    const options = this.#logger === undefined ? {} : { logger: this.#logger }
    return new BoundSession(runner, this.#dialect, { schema: this.#schema, names: this.#names, options })
  }
}

/** The result of `execute`. */
function plain<Row> ({ rows, rowCount, command }: StatementResult<Row>): StatementResult<Row> {
  return { rows, rowCount, command }
}

interface Rebindable {
  readonly session: unknown
  readonly _prepare?: () => { execute (): Promise<unknown> }
}

function hasSession (statement: unknown): statement is object {
  return typeof statement === 'object' && statement !== null && 'session' in statement && statement.session !== undefined
}

function raw ({ text, name, rowMode, types, reader }: ClientQuery, values: readonly unknown[]): Statement {
  return { kind: 'raw', text, name, values, rowMode, types, reader, context: { operation: 'execute' } }
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
        const { rows, rowCount, command, fields, results } = await runner.run<Record<string, unknown>>(raw(query, values))
        return { rows, rowCount, command, fields, ...(results !== undefined && { results }) }
      }
    } as unknown as NodePgClient
    super(client, dialect, shared.schema, shared.options)
    this.#runner = runner
    this.#shared = shared
  }

  override prepareQuery<T extends PreparedQueryConfig = PreparedQueryConfig> (
    ...[query, fields, name, isArrays, customMapper, ...rest]: Parameters<typeof NodePgSession.prototype.prepareQuery<T>>
  ): PgPreparedQuery<T> {
    const exact = customMapper === undefined && fields !== undefined ? readExactly(fields) : undefined
    const kept = name === undefined ? name : this.#shared.names.keep(name, { text: query.sql, readBy: exact?.columns ?? [] })
    const prepared = super.prepareQuery<T>(query, exact?.fields ?? fields, kept, isArrays, customMapper, ...rest)
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

/** Unwraps Drizzle's error, whose message holds the SQL and its values: Fastify would send it to the client. */
function withoutStatement (error: unknown): never {
  throw error instanceof DrizzleQueryError ? error.cause : error
}
