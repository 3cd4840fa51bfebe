import type { SQLWrapper } from 'drizzle-orm'
import type { CustomTypesConfig } from 'pg'
import type { Logger } from '../runtime/logger.js'

/**
 * What PostgreSQL may be asked to do by a statement.
 *
 * `read`: a SELECT of one table that the repository built, without a row lock; only these may run outside the transaction.
 * `write`: any other statement that the repository built.
 * `raw`: the user's own SQL, which may hold anything, even a COMMIT.
 */
export type StatementKind = 'read' | 'write' | 'raw'

/** What an error may tell of a statement: names from the schema, never a value. */
export interface StatementContext {
  readonly operation: string
  readonly table?: string
  readonly columns?: readonly string[]
}

/** Makes a row of the texts of its columns, `null` where there is none. */
export type RowParser = (texts: ReadonlyArray<string | null>) => unknown

/** Gives the parser for rows that PostgreSQL describes like this: asked once for a statement of a connection. */
export type RowReader = (fields: ReadonlyArray<{ readonly dataTypeID: number }>) => RowParser

/** One SQL statement on its way to PostgreSQL. */
export interface Statement {
  readonly kind: StatementKind
  readonly text: string
  readonly values: readonly unknown[]
  /** Under which PostgreSQL may keep the statement for a connection; the same text for ever. Without one it is parsed each time. */
  readonly name?: string | undefined
  /** How its rows are read; by pg's parsers unless given. */
  readonly reader?: RowReader | undefined
  /** Rows as arrays in the order of the selected columns, instead of objects. */
  readonly rowMode?: 'array' | undefined
  /** How the text of each column type becomes a JavaScript value; pg's own parsers unless given. */
  readonly types?: CustomTypesConfig | undefined
  /** The statement asked for its row lock with NOWAIT: a lock timeout is a conflict then, not an overload. */
  readonly nowait?: boolean
  readonly context: StatementContext
}

/** What PostgreSQL answered. `Row` is an array with `rowMode: 'array'`. */
export interface StatementResult<Row = Record<string, unknown>> {
  readonly rows: Row[]
  readonly rowCount: number | null
  readonly command: string
  /** Where the text held several statements, what each was answered, in their order; the last of them is told above, too. */
  readonly results?: ReadonlyArray<StatementResult<Row>> | undefined
  /** The columns, where PostgreSQL was asked for them. */
  readonly fields?: ReadonlyArray<{ readonly name: string, readonly dataTypeID: number }> | undefined
}

/** The rows of one statement, read a batch at a time. */
export interface RowSource<Row> {
  /** The rows that come next, none at the end. One call at a time. */
  fetch (): Promise<Row[]>
  /** Ends it, wherever it is; a second call does nothing. Never rejects. */
  close (): Promise<void>
}

/** A Drizzle query that has not run yet: it resolves with its own result. */
export interface DrizzleQuery<Result> extends SQLWrapper {
  execute (): Promise<Result>
}

/**
 * The narrow interface that a repository stands on: "run this statement".
 * A session runs it in its transaction, a database commits each by itself.
 */
export interface StatementRunner {
  /** In whose name its statements run: the route, say, and the log that tells of it. */
  readonly caller: { readonly logger: Logger, readonly label: string }
  run<Row> (statement: Statement): Promise<StatementResult<Row>>
  /** The rows of a read, over a read-only connection of its own that is taken for the first batch. */
  stream<Row> (statement: Statement, batchSize: number): RowSource<Row>
  execute<Result> (query: DrizzleQuery<Result>): Promise<Result>
  execute<Row = Record<string, unknown>> (statement: SQLWrapper): Promise<StatementResult<Row>>
  /** All or nothing: a nested scope in a session, a transaction of its own on a database. */
  transaction<Result> (fn: (runner: StatementRunner) => Promise<Result>): Promise<Result>
}
