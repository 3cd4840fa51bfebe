import { UsageError, ValidationError } from '../../errors/errors.js'
import { isPlainObject } from '../../runtime/option-checks.js'
import { isSql } from '../../values/column-codec.js'
import { about, encode, encodePattern } from '../../values/encode-value.js'
import { findColumn } from '../table/find-column.js'
import { allOf, anyOf, everything, negate, nothing } from './condition.js'
import { amongTimes, compare, within } from './time-conditions.js'
import type { Moment } from './time-conditions.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import type { Columns } from '../table/find-column.js'
import type { Condition, Test } from './condition.js'

/**
 * Reads a filter: finds its columns and operators, and encodes its values.
 *
 * @throws ValidationError naming the column or operator that is unknown, undefined or of the wrong type.
 */
export function parseFilter (filter: unknown, columns: Columns): Condition {
  if (filter === undefined) return everything
  if (isSql(filter)) return { kind: 'own', sql: filter }
  if (!isPlainObject(filter)) {
    throw new ValidationError('A filter is an object { column: value | null | { operator: value } } or a Drizzle condition')
  }
  return allOf(Object.entries(filter).map(([key, value]) => parseEntry(key, value, columns)))
}

function parseEntry (key: string, value: unknown, columns: Columns): Condition {
  if (value === undefined) throw undefinedIn(key)
  if (isColumnKey(key, value, columns)) return parseColumn(findColumn(key, columns), value)
  switch (key) {
    case 'and': return allOf(parseList(key, value, columns))
    case 'or': return anyOf(parseList(key, value, columns))
    default: return negate(columns.has(key) && Array.isArray(value) ? allOf(parseList(key, value, columns)) : parseFilter(value, columns))
  }
}

export const joining: ReadonlySet<string> = new Set(['and', 'or', 'not'])

function parseList (key: string, list: unknown, columns: Columns): Condition[] {
  if (!Array.isArray(list)) throw new ValidationError(`"${key}" in a filter takes an array of filters`)
  return list.map((item) => {
    if (item === undefined) throw undefinedIn(key)
    return parseFilter(item, columns)
  })
}

function undefinedIn (key: string): ValidationError {
  return new ValidationError(
    `"${key}" is undefined in a filter, which could mean every row or none: leave it out, or write null for IS NULL`,
    { context: { columns: [key] } }
  )
}

function parseColumn (codec: ColumnCodec, value: unknown): Condition {
  if (!isPlainObject(value)) return operators.eq(codec, value)
  const names = Object.keys(value)
  if (names.length === 0) throw new ValidationError(`Column "${codec.key}": the filter names no operator`, about(codec))
  return allOf(names.map((name) => {
    if (!isOperator(name)) {
      throw new ValidationError(`Column "${codec.key}": unknown operator "${name.slice(0, 63)}", use one of ${operatorNames}`, about(codec))
    }
    const operand = value[name]
    if (operand === undefined) throw undefinedIn(`${codec.key}.${name}`)
    return operators[name](codec, operand)
  }))
}

type Operator = (codec: ColumnCodec, operand: unknown) => Condition

function test (codec: ColumnCodec, name: Test, operands: readonly unknown[] = []): Condition {
  return { kind: 'test', codec, test: name, operands }
}

function comparison (name: Test, nullTest?: Test): Operator {
  return (codec, operand) => {
    if (operand !== null) return compare(codec, name, operandOf(codec, operand))
    if (nullTest === undefined) throw new ValidationError(`Column "${codec.key}": "${name}" cannot compare with null, use isNull`, about(codec))
    return test(codec, nullTest)
  }
}

/** Encodes the value of a comparison. SQL is refused: a condition with SQL is written with Drizzle as a whole. */
function operandOf (codec: ColumnCodec, operand: unknown): unknown {
  if (isSql(operand)) {
    throw new UsageError(`Column "${codec.key}": a filter takes values; write the condition with SQL as a Drizzle condition`, about(codec))
  }
  if (!codec.comparable) {
    throw new ValidationError(`Column "${codec.key}": PostgreSQL cannot compare values of its type, use isNull`, about(codec))
  }
  return encode(codec, operand)
}

function list (name: 'in' | 'notIn'): Operator {
  return (codec, operand) => {
    if (!Array.isArray(operand)) throw new ValidationError(`Column "${codec.key}": "${name}" takes an array`, about(codec))
    if (operand.length === 0) return name === 'in' ? nothing : everything
    const values = operand.map((item: unknown) => {
      if (item === null) throw new ValidationError(`Column "${codec.key}": null in "${name}" never matches, use isNull`, about(codec))
      return operandOf(codec, item)
    })
    if (codec.coarse) return amongTimes(codec, name, values.map((value, place) => [operand[place] as Date, String(value)] as const) as [Moment])
    // PostgreSQL does not treat an array of arrays as a list of arrays, and SQL cannot be an element.
    return codec.array || values.some(isSql) ? test(codec, `${name}Each`, values) : test(codec, name, [values])
  }
}

function between (codec: ColumnCodec, operand: unknown): Condition {
  if (!Array.isArray(operand) || operand.length !== 2 || operand.includes(null)) {
    throw new ValidationError(`Column "${codec.key}": "between" takes an array of two values`, about(codec))
  }
  const [from, to] = operand.map((bound: unknown) => operandOf(codec, bound))
  return codec.coarse ? within(codec, String(from), String(to)) : test(codec, 'between', [from, to])
}

function isNull (codec: ColumnCodec, operand: unknown): Condition {
  if (typeof operand !== 'boolean') throw new ValidationError(`Column "${codec.key}": "isNull" takes true or false`, about(codec))
  return test(codec, operand ? 'isNull' : 'notNull')
}

function pattern (name: 'like' | 'ilike', toPattern: (text: string) => string): Operator {
  return (codec, operand) => {
    if (!codec.textual) throw new ValidationError(`Column "${codec.key}" holds no text to search in`, about(codec))
    if (typeof operand !== 'string') throw new ValidationError(`Column "${codec.key}": the text to look for is not a string`, about(codec))
    return test(codec, name, [encodePattern(codec, toPattern(operand))])
  }
}

function arrays (name: Test): Operator {
  return (codec, operand) => {
    if (!codec.array || operand === null) throw new ValidationError(`Column "${codec.key}": an array is compared with an array`, about(codec))
    return test(codec, name, [operandOf(codec, operand)])
  }
}

/** PostgreSQL has containment for jsonb, not for json. */
function documents (name: Test): Operator {
  return (codec, operand) => {
    if (!codec.json || !codec.comparable) throw new ValidationError(`Column "${codec.key}" holds no jsonb to look into`, about(codec))
    return test(codec, name, [operand === null ? 'null' : operandOf(codec, operand)])
  }
}

/** Escapes the wildcards of a text for a pattern. */
export function literally (text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}

const operators = {
  eq: comparison('eq', 'isNull'),
  ne: comparison('ne', 'notNull'),
  lt: comparison('lt'),
  lte: comparison('lte'),
  gt: comparison('gt'),
  gte: comparison('gte'),
  in: list('in'),
  notIn: list('notIn'),
  between,
  isNull,
  like: pattern('like', (text) => text),
  ilike: pattern('ilike', (text) => text),
  contains: pattern('like', (text) => `%${literally(text)}%`),
  startsWith: pattern('like', (text) => `${literally(text)}%`),
  endsWith: pattern('like', (text) => `%${literally(text)}`),
  arrayContains: arrays('holds'),
  arrayContained: arrays('heldBy'),
  arrayOverlaps: arrays('overlaps'),
  jsonContains: documents('holds'),
  jsonContained: documents('heldBy')
} satisfies Record<string, Operator>

const operatorNames = Object.keys(operators).join(', ')

export function isOperator (name: string): name is keyof typeof operators {
  return Object.hasOwn(operators, name)
}

/**
 * Whether a key of a filter names a column. In a table with columns `and`, `or` or `not`, an array is always a list of filters, and
 * an object of operators always belongs to the column; any other object under `not` is a negated filter.
 */
export function isColumnKey (key: string, value: unknown, columns: Columns): boolean {
  if (!joining.has(key)) return true
  if (!columns.has(key) || Array.isArray(value) || isSql(value)) return false
  if (key !== 'not' || !isPlainObject(value)) return true
  const names = Object.keys(value)
  return names.length > 0 && names.every(isOperator)
}
