import { sql } from 'drizzle-orm'
import { columnTypeOf, dataTypeOf } from '../../drizzle/column-types.js'
import { DatabaseError, UsageError } from '../../errors/errors.js'
import { readerOf, typeOf } from '../../values/driver-values.js'
import { about } from '../../values/encode-value.js'
import { declaredReader } from '../../values/json-text.js'
import { holdsNumbers, holdsWholeNumbers } from '../../values/number-types.js'
import { toSql } from '../filter/condition.js'
import { namedColumn, shapeOf } from './one-column.js'
import type { RowReader, Statement } from '../../statement/statement.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import type { TableStatements } from '../table/table-statements.js'
import type { ColumnValues } from './one-column.js'

/** The functions of PostgreSQL that compute one value of many numbers. */
export type SumFunction = 'sum' | 'avg'

const intervals = /^interval\b(?!.*\])/

/** Selects the sum or the average of a column: one row with one value, which is null without a row. */
export function selectSum (table: TableStatements, name: SumFunction, { column: key, where }: ColumnValues): Statement {
  const codec = namedColumn(table, name, key)
  checkType(name, codec)
  const shape = shapeOf(table, name, { codec, where })
  return table.call(shape, () => ({
    query: table.builder.drizzle.select({ value: sql`${sql.raw(name)}(${codec.column})` }).from(table.table).where(toSql(where)).getSQL(),
    reader: name === 'sum' ? sumReader(codec) : averageReader(codec),
    kind: 'read'
  }))
}

/** PostgreSQL decides about a custom type of another name: it may be a domain over numbers. */
function checkType (name: SumFunction, codec: ColumnCodec): void {
  const { column, list } = codec
  const type = typeOf(column)
  const hasSum = holdsNumbers(column) || intervals.test(type) || (type === 'money' && name === 'sum')
  if (hasSum || (list === undefined && columnTypeOf(column) === 'PgCustomColumn')) return
  throw new UsageError(`PostgreSQL has no ${name}() for the type of column "${codec.key}"`, about(codec))
}

/** Reads a sum as the column reads its own values, although PostgreSQL gives a sum of integers a larger type. */
function sumReader (codec: ColumnCodec): RowReader {
  const { column } = codec
  const isExact = holdsWholeNumbers(column) && dataTypeOf(column) === 'number'
  const ofDeclared = declaredReader(column)
  return (fields) => {
    const read = codec.list === 'typed' ? ofDeclared : readerOf(column, Number(fields[0]?.dataTypeID))
    return ([text]) => {
      if (typeof text !== 'string') return { value: null }
      if (isExact && !Number.isSafeInteger(Number(text))) throw tooLarge(codec)
      return { value: read === undefined ? text : read(text) }
    }
  }
}

/** Reads an average: a number for a column of numbers, else PostgreSQL's text, for no other value has its decimals. */
function averageReader ({ column }: ColumnCodec): RowReader {
  const isNumber = dataTypeOf(column) === 'number'
  return () => ([text]) => ({ value: isNumber && text !== null ? Number(text) : text })
}

function tooLarge (codec: ColumnCodec): DatabaseError {
  return new DatabaseError(
    `The sum of column "${codec.key}" has more digits than a number holds: ` +
    'select it by execute(), which gives its text, or declare the column as bigint with mode: \'bigint\'',
    { context: { operation: 'sum', ...about(codec).context } }
  )
}
