import { and, asc, desc, isNotNull, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { columnTypeOf } from '../../drizzle/column-types.js'
import { UsageError } from '../../errors/errors.js'
import { about } from '../../values/encode-value.js'
import { toSql } from '../filter/condition.js'
import { parameter } from '../table/statement-shape.js'
import { namedColumn, shapeOf } from './one-column.js'
import type { Statement } from '../../statement/statement.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import type { TableStatements } from '../table/table-statements.js'
import type { ColumnValues } from './one-column.js'

/** The two ends of an order. */
export type Extreme = 'min' | 'max'

/**
 * Selects the row with the least or the greatest value of a column, and this column alone. PostgreSQL plans `min()` in the same way
 * where an index has the column. Unlike the function, this works for each type with an order, among them uuid and boolean, and
 * the value keeps its type.
 */
export function selectExtreme (table: TableStatements, name: Extreme, { column: key, where }: ColumnValues): Statement {
  const codec = namedColumn(table, name, key)
  if (!codec.comparable || columnTypeOf(codec.column).startsWith('PgLine')) {
    throw new UsageError(`PostgreSQL has no order for the type of column "${codec.key}"`, about(codec))
  }
  const shape = shapeOf(table, name, { codec, where })
  shape.values.push(1)
  return table.call(shape, () => {
    const { column } = codec
    const order = name === 'min' ? asc(column) : desc(column)
    const query = table.builder.drizzle.select({ value: column }).from(table.table).where(and(toSql(where), isGiven(codec))).orderBy(order).limit(parameter)
    return { query: query.getSQL(), columns: [{ ...codec, key: 'value' }], kind: 'read' }
  })
}

/** Only IS DISTINCT FROM tells a composite value that consists of NULLs from NULL; an index serves IS NOT NULL. */
function isGiven ({ column, list }: ColumnCodec): SQL {
  return list === undefined ? sql`${column} is distinct from null` : isNotNull(column)
}
