import type { SQLWrapper } from 'drizzle-orm'
import type { CustomTypesConfig } from 'pg'
import type { Logger } from '../runtime/logger.js'

/**
 * The kind of a statement.
 *
 * `read`: a SELECT of one table that the repository built, without a row lock; only these may run outside the transaction.
 * `write`: every other statement that the repository built.
 * `raw`: the user's own SQL, which may hold anything, even a COMMIT.
 */
export type StatementKind = 'read' | 'write' | 'raw'

/** The part of a statement that an error may contain: names from the schema, never a value. */
export interface StatementContext {
  readonly operation: string
  readonly table?: string
  readonly columns?: readonly string[]
}

/** Makes a row from the texts of its columns; `null` is NULL. */
export type RowParser = (texts: ReadonlyArray<string | null>) => unknown

/** Makes the parser for rows with these columns; called once for a prepared statement of a connection. */
export type RowReader = (fields: ReadonlyArray<{ readonly dataTypeID: number }>) => RowParser

/** What is told of a statement to those who watch: the connection adds its time, and its server. */
export interface ObservedMessage {
  namespace: string | undefined
  serverAddress: string | undefined
  serverPort: number | undefined
  durationMillis?: number | undefined
  processId?: number | undefined
}

/** One SQL statement. */
export interface Statement {
  readonly kind: StatementKind
  readonly text: string
  readonly values: readonly unknown[]
  /** The name under which PostgreSQL may prepare it; a name always has the same text. Without one it is parsed each time. */
  readonly name?: string | undefined
  /** Reads its rows; without one pg's parsers do. */
  readonly reader?: RowReader | undefined
  /** Rows as arrays in the order of the selected columns, instead of objects. */
  readonly rowMode?: 'array' | undefined
  /** The parsers of column types; pg's own by default. */
  readonly types?: CustomTypesConfig | undefined
  /** The statement takes its row lock with NOWAIT: a lock timeout is a conflict then, not an overload. */
  readonly nowait?: boolean | undefined
  readonly context: StatementContext
  /** What the channel of statements tells of it, while somebody subscribes. */
  readonly message?: ObservedMessage | undefined
}

/** The result of a statement. `Row` is an array with `rowMode: 'array'`. */
export interface StatementResult<Row = Record<string, unknown>> {
  readonly rows: Row[]
  readonly rowCount: number | null
  readonly command: string
  /** If the text held several statements: the result of each, in order. The last one is repeated above. */
  readonly results?: ReadonlyArray<StatementResult<Row>> | undefined
  /** The columns, if PostgreSQL described them. */
  readonly fields?: ReadonlyArray<{ readonly name: string, readonly dataTypeID: number }> | undefined
}

/** The rows of one statement, read a batch at a time. */
export interface RowSource<Row> {
  /** The next rows; an empty array at the end. One call at a time. */
  fetch (): Promise<Row[]>
  /** Ends it at any point; a second call does nothing. Never rejects. */
  close (): Promise<void>
}

/** A Drizzle query that has not run yet: it resolves with its own result. */
export interface DrizzleQuery<Result> extends SQLWrapper {
  execute (): Promise<Result>
}

/**
 * The narrow interface that a repository uses: "run this statement".
 * A session runs it in its transaction, a database commits each by itself.
 */
export interface StatementRunner {
  /** The caller of its statements, for example a route, and its log. */
  readonly caller: { readonly logger: Logger, readonly label: string }
  run<Row> (statement: Statement): Promise<StatementResult<Row>>
  /** The rows of a read, over a read-only connection of its own that is taken for the first batch. */
  stream<Row> (statement: Statement, batchSize: number): RowSource<Row>
  execute<Result> (query: DrizzleQuery<Result>): Promise<Result>
  execute<Row = Record<string, unknown>> (statement: SQLWrapper): Promise<StatementResult<Row>>
  /** All or nothing: a nested scope in a session, a transaction of its own on a database. */
  transaction<Result> (fn: (runner: StatementRunner) => Promise<Result>): Promise<Result>
}
