/** The seam between Drizzle's sessions, which differ by version, and our runner of statements. */
import { DrizzleQueryError } from 'drizzle-orm'
import type { Logger as QueryLogger } from 'drizzle-orm'
import type { PgDialect, PgTransactionConfig } from 'drizzle-orm/pg-core'
import type { CustomTypesConfig } from 'pg'
import type { DrizzleDatabase } from '../types/drizzle-database.js'
import type { PreparedNames } from './prepared-names.js'
import type { RowReader, Statement, StatementResult, StatementRunner } from '../../statement/statement.js'

/** Runs Drizzle's queries and transactions: a session, a scope, or a database. */
export interface DrizzleRunner extends Pick<StatementRunner, 'run'> {
  transaction<Result> (fn: (runner: DrizzleRunner) => Result | Promise<Result>, options?: PgTransactionConfig): Promise<Result>
}

/** The options of `drizzle()` that decide how queries are written. */
export interface DrizzleSettings {
  readonly schema: Record<string, unknown> | undefined
  readonly relations: Record<string, unknown> | undefined
  readonly casing: 'snake_case' | 'camelCase' | undefined
  /** `true` prints queries. */
  readonly queryLogger: boolean | QueryLogger | undefined
}

/** The parts that the sessions of one database share. */
export interface SessionSettings extends Omit<DrizzleSettings, 'queryLogger'> {
  readonly logger: QueryLogger | undefined
  readonly names: PreparedNames
}

/** Drizzle's own classes, bound to a runner: one implementation for each version of Drizzle. */
export interface DrizzleSessions {
  readonly dialect: PgDialect
  /** A database whose queries run on the runner. */
  database (runner: DrizzleRunner): DrizzleDatabase
  /** The properties that let a query of another Drizzle database run on the runner. */
  rebinding (statement: object, runner: DrizzleRunner): PropertyDescriptorMap
}

/** The query that Drizzle passes to a pg client. */
export interface ClientQuery {
  readonly text: string
  /** The name given to `.prepare('name')`. */
  readonly name?: string | undefined
  readonly rowMode?: 'array' | undefined
  readonly types?: CustomTypesConfig
  /** Reads its rows where Drizzle's own mapper loses something. */
  readonly reader?: RowReader | undefined
}

/** The statement of a query. */
export function rawStatement ({ text, name, rowMode, types, reader }: ClientQuery, values: readonly unknown[]): Statement {
  return { kind: 'raw', text, name, values, rowMode, types, reader, context: { operation: 'execute' } }
}

/** The result that Drizzle expects of a pg client. */
export function clientResult<Row> ({ rows, rowCount, command, fields, results }: StatementResult<Row>): StatementResult<Row> {
  return { rows, rowCount, command, fields, ...(results !== undefined && { results }) }
}

/** The result of `execute`: as pg gives it, with each result if there are several. */
export function executeResult (result: StatementResult): StatementResult {
  const { results } = result
  return { ...plain(result), ...(results !== undefined && { results: results.map(plain) }) }
}

function plain<Row> ({ rows, rowCount, command }: StatementResult<Row>): StatementResult<Row> {
  return { rows, rowCount, command }
}

/** Unwraps Drizzle's error, whose message holds the SQL and its values: Fastify would send it to the client. */
export function withoutStatement (error: unknown): never {
  throw error instanceof DrizzleQueryError ? error.cause : error
}
