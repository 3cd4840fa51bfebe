import { UsageError } from '../../errors/errors.js'
import { collect } from '../filter/condition.js'
import { findColumn } from '../table/find-column.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import type { Condition } from '../filter/condition.js'
import type { Shape } from '../table/statement-shape.js'
import type { TableStatements } from '../table/table-statements.js'

/** A column, as the caller names it, and the rows to compute one value of. */
export interface ColumnValues {
  readonly column: unknown
  readonly where: Condition
}

/** The column that a caller names. @throws ValidationError for an unknown one, UsageError for anything but a name */
export function namedColumn (table: TableStatements, operation: string, key: unknown): ColumnCodec {
  if (typeof key !== 'string') throw new UsageError(`${operation}() takes the name of a column, and then a filter`)
  return findColumn(key, table.columns)
}

/** The shape of a read of this column over the matching rows. */
export function shapeOf (table: TableStatements, operation: string, { codec, where }: { codec: ColumnCodec, where: Condition }): Shape {
  const shape = table.shape(operation)
  shape.key += `${codec.index} `
  collect(where, shape)
  return shape
}
