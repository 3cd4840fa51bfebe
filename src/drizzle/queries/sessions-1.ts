/** The sessions of Drizzle 1.0. With 0.45 installed they are never made; the types are those of 1.0. */
import * as drizzle from 'drizzle-orm'
import * as nodePostgres from 'drizzle-orm/node-postgres'
import * as pgCore from 'drizzle-orm/pg-core'
import { mustBeFunction } from '../../errors/check-call.js'
import { handled } from '../../runtime/promises.js'
import { parserOf } from '../../values/driver-values.js'
import { clientResult, rawStatement, withoutStatement } from './drizzle-runner.js'
import { exactDialect, mapperReading } from './exact-dialect-1.js'
import type * as Drizzle1 from 'drizzle-orm-1'
import type * as NodePostgres1 from 'drizzle-orm-1/node-postgres'
import type * as PgCore1 from 'drizzle-orm-1/pg-core'
import type { DrizzleDatabase } from '../types/drizzle-database.js'
import type { DrizzleRunner, DrizzleSessions, SessionSettings } from './drizzle-runner.js'

const { defineRelations, NoopLogger } = drizzle as unknown as typeof Drizzle1
const { NodePgDatabase, NodePgSession, NodePgTransaction } = nodePostgres as unknown as typeof NodePostgres1
const { PgAsyncPreparedQuery } = pgCore as unknown as typeof PgCore1

type Relations = Drizzle1.AnyRelations
type PrepareParameters = Parameters<NodePostgres1.NodePgSession<Relations>['prepareQuery']>

/** Drizzle's classes over one set of relations. */
export class Sessions1 implements DrizzleSessions {
  readonly dialect = exactDialect()
  readonly #dialect = this.dialect as unknown as PgCore1.PgDialect
  readonly #shared: Shared

  constructor ({ schema, relations, logger, names }: SessionSettings) {
    this.#shared = { names, logger: logger ?? new NoopLogger(), relations: (relations ?? defineRelations(schema ?? {})) as Relations }
  }

  database (runner: DrizzleRunner): DrizzleDatabase {
    // The program declares its relations; `drizzle()` trusts their type in the same way.
    return new NodePgDatabase(this.#dialect, this.#session(runner), this.#shared.relations) as unknown as DrizzleDatabase
  }

  /** Another database may convert values differently, and a query keeps the mapper of its first run. */
  rebinding (statement: object, runner: DrizzleRunner): PropertyDescriptorMap {
    const { config } = statement as { config?: object }
    return {
      session: { value: this.#session(runner) },
      dialect: { value: this.#dialect },
      ...(config !== undefined && { config: { value: { ...config, mapper: undefined, shape: undefined } } })
    }
  }

  #session (runner: DrizzleRunner): BoundSession1 {
    return new BoundSession1(runner, this.#dialect, this.#shared)
  }
}

/** pg's parsers, but for the types that Drizzle reads as text. */
const types = { getTypeParser: (oid: number) => parserOf(oid) ?? String }

/** The parts that the sessions of one database share. */
interface Shared extends Pick<SessionSettings, 'names'> {
  readonly relations: Relations
  readonly logger: Drizzle1.Logger
}

class BoundSession1 extends NodePgSession<Relations> {
  readonly #runner: DrizzleRunner
  readonly #shared: Shared

  constructor (runner: DrizzleRunner, dialect: PgCore1.PgDialect, shared: Shared) {
    super({} as NodePostgres1.NodePgClient, dialect, shared.relations) // no query of ours uses the client
    this.#runner = runner
    this.#shared = shared
  }

  override prepareQuery<T extends PgCore1.PreparedQueryConfig> (...[query, mode, name, mapper]: PrepareParameters): PgCore1.PgAsyncPreparedQuery<T> {
    const exact = mapper && mapperReading(mapper)
    const statement = {
      text: query.sql,
      name: typeof name === 'string' ? this.#shared.names.keep(name, { text: query.sql, readBy: exact?.columns ?? [] }) : undefined,
      rowMode: mode === 'arrays' ? 'array' as const : undefined,
      types,
      reader: exact?.reader
    }
    const run = async (values: readonly unknown[] = []): Promise<unknown> => {
      const result = await this.#runner.run<Record<string, unknown>>(rawStatement(statement, values))
      return mode === 'raw' ? clientResult(result) : result.rows
    }
    const prepared = new PgAsyncPreparedQuery<T>(run, query, mapper, mode, this.#shared.logger, undefined, undefined, undefined, true)
    const execute = prepared.execute.bind(prepared)
    prepared.execute = (values) => handled(execute(values).catch(withoutStatement))
    return prepared
  }

  override transaction<Result> (
    fn: (tx: NodePostgres1.NodePgTransaction<Relations>) => Promise<Result>,
    config?: PgCore1.PgTransactionConfig
  ): Promise<Result> {
    const refusal = mustBeFunction(fn, 'transaction()')
    if (refusal !== undefined) return handled(Promise.reject(refusal))
    return this.#runner.transaction((scope) => {
      return fn(new BoundTransaction1(this.dialect, new BoundSession1(scope, this.dialect, this.#shared), this.#shared.relations))
    }, config as Parameters<DrizzleRunner['transaction']>[1])
  }
}

/** Drizzle's own nested transactions give every savepoint the same name; ours use a scope. */
class BoundTransaction1 extends NodePgTransaction<Relations> {
  readonly #session: BoundSession1

  constructor (dialect: PgCore1.PgDialect, session: BoundSession1, relations: Relations) {
    super(dialect, session, relations, 0, false)
    this.#session = session
  }

  override transaction<Result> (fn: (tx: NodePostgres1.NodePgTransaction<Relations>) => Promise<Result>): Promise<Result> {
    return this.#session.transaction(fn)
  }
}
