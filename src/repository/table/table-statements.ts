import { sql } from 'drizzle-orm'
import { constant, isConstant, unlessSame } from '../../drizzle/constant-sql.js'
import { relationalSchema } from '../../drizzle/relations/relational-schema.js'
import { mockDatabase, newDialect } from '../../drizzle/sql-writer.js'
import { describeTable } from '../../model/table.js'
import { GenerationCache } from '../../runtime/generation-cache.js'
import { statementName } from '../../statement/statement-name.js'
import { describeColumn, rowReader } from '../../values/column-codec.js'
import { findColumn } from './find-column.js'
import { Shape } from './statement-shape.js'
import type { SQL } from 'drizzle-orm'
import type { PgColumn, PgDialect, PgTable } from 'drizzle-orm/pg-core'
import type { RelationalSchema } from '../../drizzle/relations/relational-table.js'
import type { MockDatabase, WriterSettings } from '../../drizzle/sql-writer.js'
import type { RowReader, Statement, StatementContext, StatementKind } from '../../statement/statement.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import type { SqlWriter } from './statement-shape.js'

/** The casing, the schema and the limits of a database. */
export interface StatementSettings extends Limits {
  /** As given to `drizzle()`. @defaultValue the names in the table */
  readonly casing?: 'snake_case' | 'camelCase' | undefined
  /** As given to `drizzle()`; it declares the relations. */
  readonly schema?: Record<string, unknown> | undefined
  /** As given to `drizzle()` of Drizzle 1.0. */
  readonly relations?: Record<string, unknown> | undefined
}

/** SQL as text and parameters. */
type WrittenQuery = ReturnType<PgDialect['sqlToQuery']>

/** Drizzle as a writer of SQL that runs nothing; one per database. */
export class SqlBuilder implements SqlWriter {
  readonly limits: Limits
  readonly drizzle: MockDatabase
  readonly dialect: PgDialect
  readonly #settings: WriterSettings
  #schema: RelationalSchema | undefined
  readonly #constants = new WeakMap<SQL, WrittenQuery>()
  readonly #excluded = new WeakMap<PgColumn, SQL>()
  readonly #names = new WeakMap<PgColumn, string>()

  constructor ({ casing, schema, relations, defaultLimit, maxLimit }: StatementSettings) {
    this.limits = { defaultLimit, maxLimit }
    this.#settings = { casing, schema, relations }
    this.drizzle = mockDatabase(casing)
    this.dialect = newDialect(casing)
  }

  /** The tables and their relations. */
  get schema (): RelationalSchema {
    this.#schema ??= relationalSchema(this.#settings)
    return this.#schema
  }

  /** Writes SQL as text and parameters; a constant is written only once. */
  sqlToQuery (own: SQL): WrittenQuery {
    const known = this.#constants.get(own)
    if (known !== undefined) return known
    const written = this.dialect.sqlToQuery(own)
    if (isConstant(own)) this.#constants.set(own, written)
    return written
  }

  /** SQL with unqualified column names, as in the column list of INSERT or in an index. */
  unqualified (own: SQL): SQL {
    return sql.raw(this.dialect.sqlToQuery(own, 'indexes').sql)
  }

  /** The value of a column that ON CONFLICT did not insert: `excluded.column`. One that is read as a Date keeps its microseconds. */
  excluded ({ column, coarse }: Pick<ColumnCodec, 'column' | 'coarse'>): SQL {
    let own = this.#excluded.get(column)
    if (own === undefined) {
      const excluded = sql`excluded.${this.unqualified(sql`${column}`)}`
      this.#excluded.set(column, own = constant(coarse ? unlessSame(column, excluded) : excluded))
    }
    return own
  }

  /** The name of a column, unquoted. */
  columnName (column: PgColumn): string {
    let name = this.#names.get(column)
    if (name === undefined) this.#names.set(column, name = this.dialect.sqlToQuery(sql`${column}`, 'indexes').sql.slice(1, -1).replaceAll('""', '"'))
    return name
  }
}

/** A statement to build for a new shape. */
export interface Blueprint {
  readonly query: SQL
  /** The columns of the result; without them its rows are arrays. */
  readonly columns?: readonly ColumnCodec[]
  /** Reads the rows of the result. @defaultValue a reader of `columns` */
  readonly reader?: RowReader
  /** @defaultValue 'write' */
  readonly kind?: StatementKind
  /** @defaultValue false */
  readonly nowait?: boolean
}

/** A statement built once and run with the values of each call of its shape. */
interface Compiled {
  readonly kind: StatementKind
  readonly text: string
  readonly name: string | undefined
  readonly nowait: boolean
  readonly context: StatementContext
  readonly reader: RowReader | undefined
}

/** The columns that the reads of a table select, and what they make of a row. */
export interface RowForm {
  readonly codecs: readonly ColumnCodec[]
  readonly rowReader: (columns: readonly ColumnCodec[]) => RowReader
}

/** Every column, as objects. */
const wholeRows = (codecs: readonly ColumnCodec[]): RowForm => ({ codecs, rowReader })

/** The number of statement names in this process. */
let names = 0

/** The minimum number of cached shapes per table: more than an application has calls, few enough to drop shapes made by clients. */
const rememberedShapes = 200

/** The minimum number of remembered warned callers per table: more than an application has routes. A program may make a label per job. */
const rememberedCallers = 1000

/** The statements of one table. The table is described once, each shape is built once. */
export class TableStatements implements RowForm {
  readonly table: PgTable
  readonly builder: SqlBuilder
  readonly name: string
  readonly codecs: readonly ColumnCodec[]
  readonly rowReader: RowForm['rowReader']
  readonly columns: ReadonlyMap<string, ColumnCodec>
  readonly primaryKey: readonly ColumnCodec[]
  /** The column of `softDelete()`, and whether deleted rows are hidden. */
  readonly softDelete: { readonly codec: ColumnCodec, readonly filter: boolean } | undefined
  readonly version: ColumnCodec | undefined
  /** Keys of the columns that only PostgreSQL may write. */
  readonly generated: ReadonlySet<string>
  /** Labels of callers whose log has the warning of the default limit. A forgotten caller is warned again. */
  readonly warnedCallers = new GenerationCache<true>(rememberedCallers)
  readonly #shapes = new GenerationCache<Compiled>(rememberedShapes)

  /** @throws UsageError for a view, or a table without a primary key. */
  constructor (table: PgTable, builder: SqlBuilder, formOf = wholeRows) {
    const model = describeTable(table)
    const codecs = Object.entries(model.columns).map(([key, column], index) => describeColumn(key, index, column))
    const form = formOf(codecs)
    this.table = table
    this.builder = builder
    this.name = model.name
    this.codecs = form.codecs
    this.rowReader = form.rowReader
    this.columns = new Map(codecs.map((codec) => [codec.key, codec]))
    this.primaryKey = model.primaryKey.map((key) => findColumn(key, this.columns))
    this.softDelete = model.softDelete && { codec: findColumn(model.softDelete.key, this.columns), filter: model.softDelete.filter }
    this.version = model.version === undefined ? undefined : findColumn(model.version, this.columns)
    this.generated = model.generated
  }

  /** A new shape. */
  shape (operation: string): Shape {
    return new Shape(operation, this.builder)
  }

  /** The statement of a shape with its values. The blueprint is called only for a new shape. The result has all properties, so that a watched one has its shape. */
  call (shape: Shape, blueprint: () => Blueprint): Statement {
    const { kind, text, name, nowait, context, reader } = this.#compiled(shape, blueprint)
    return { kind, text, name, values: shape.values, rowMode: 'array', reader, nowait, context, types: undefined, message: undefined }
  }

  #compiled (shape: Shape, blueprint: () => Blueprint): Compiled {
    const remembered = shape.cacheable ? this.#shapes.get(shape.key) : undefined
    if (remembered !== undefined) return remembered
    const { query, columns, reader = columns && this.rowReader(columns), kind = 'write', nowait = false } = blueprint()
    const text = this.builder.dialect.sqlToQuery(query).sql
    const compiled: Compiled = {
      kind,
      text,
      // A statement that rarely repeats would push reusable ones out of the cache.
      name: shape.cacheable ? statementName(++names, text) : undefined,
      nowait,
      context: Object.freeze({ operation: shape.operation, table: this.name }),
      reader
    }
    if (shape.cacheable) this.#shapes.set(shape.key, compiled)
    return compiled
  }

  /** The column list of an INSERT. */
  names (columns: readonly ColumnCodec[]): SQL {
    return sql.join(columns.map(({ column }) => this.builder.unqualified(sql`${column}`)), sql`, `)
  }

  /** All columns, for RETURNING. */
  returned (): SQL {
    return sql.join(this.codecs.map(({ column }) => column), sql`, `)
  }

  /** These columns as fields of Drizzle's `select` or `returning`. */
  fields (columns: readonly ColumnCodec[]): Record<string, ColumnCodec['column']> {
    return Object.fromEntries(columns.map(({ key, column }) => [key, column]))
  }
}

/** The limits of lists. */
export interface Limits {
  /** How many rows a list has without a limit. */
  readonly defaultLimit: number
  /** The largest limit that may be given. */
  readonly maxLimit: number
}
