import type { PgColumn } from 'drizzle-orm/pg-core'
import { columnTypeOf } from '../../drizzle/column-types.js'
import { UsageError } from '../../errors/errors.js'
import type { JsonSchema, QueryType } from './query-type.js'
import { booleans, queryTypeOf } from './value-types.js'

/** The operators for any column. */
export type PlainOperator = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte' | 'in' | 'notIn' | 'between' | 'isNull'

/** The operators for text. LIKE patterns are left out, because a client's pattern could take long. */
export type SearchOperator = 'contains' | 'startsWith' | 'endsWith'

/** One filter parameter of a query string. */
export interface FilterParameter {
  readonly key: string
  readonly column: string
  readonly operator: PlainOperator | SearchOperator
  readonly schema: JsonSchema
  /** Reads the operand of the operator; undefined for an invalid value. */
  readonly read: (given: unknown) => unknown
}

const plainOperators: readonly PlainOperator[] = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'notIn', 'between', 'isNull']
const searchOperators: readonly SearchOperator[] = ['contains', 'startsWith', 'endsWith']
const textTypes = new Set(['PgText', 'PgVarchar', 'PgChar'])

/** The most values of a list. */
const longestList = 100

/** Reserved parameters. For a column with such a name, equality is `name[eq]`. */
const reserved = new Set(['sort', 'search', 'limit', 'page', 'after', 'before'])

/** Whether a column holds text that can be searched. */
export function isTextual (column: PgColumn): boolean {
  return textTypes.has(columnTypeOf(column))
}

/**
 * The parameters of one column: `name` for equality, `name[operator]` for other operators.
 *
 * @throws UsageError for a column without a query type, and for an operator that the column does not have.
 */
export function parametersOf (name: string, column: PgColumn, asked: readonly string[] | undefined): FilterParameter[] {
  const type = queryTypeOf(column)
  if (type === undefined) throw new UsageError(`Column "${name}" cannot be filtered: values of its type cannot be in a query string`)
  const known = isTextual(column) ? [...plainOperators, ...searchOperators] : plainOperators
  const unknown = asked?.find((operator) => !known.some((one) => one === operator))
  if (unknown !== undefined) throw new UsageError(`Column "${name}" has no operator "${unknown}" in a query string, use some of ${known.join(', ')}`)
  return known.filter((operator) => asked?.includes(operator) ?? true).map((operator) => ({
    key: operator === 'eq' && !reserved.has(name) ? name : `${name}[${operator}]`,
    column: name,
    operator,
    ...operandOf(operator, type)
  }))
}

function operandOf (operator: PlainOperator | SearchOperator, type: QueryType): QueryType {
  switch (operator) {
    case 'in':
    case 'notIn': return listOf(type, { description: 'values, separated by commas', fits: (length) => length <= longestList })
    case 'between': return listOf(type, { description: 'two values, separated by a comma', fits: (length) => length === 2 })
    case 'isNull': return booleans
    default: return type
  }
}

function listOf (type: QueryType, { description, fits }: { description: string, fits: (length: number) => boolean }): QueryType {
  return {
    schema: { type: 'string', description },
    read: (given) => {
      if (typeof given === 'object') return undefined
      // A validator may have converted a list of one element to a number.
      const values = String(given).split(',').map(type.read)
      return values.includes(undefined) || !fits(values.length) ? undefined : values
    }
  }
}
