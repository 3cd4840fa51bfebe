import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { ColumnCodec } from '../../values/column-codec.js'
import { slot } from '../table/statement-shape.js'
import type { Shape } from '../table/statement-shape.js'

/**
 * The test of a column. `inEach` and `notInEach` have one parameter per element, `in` and `notIn` one array. `inMillis` and
 * `notInMillis` compare a time without its microseconds.
 */
export type Test =
  | 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte' | 'in' | 'notIn' | 'inEach' | 'notInEach' | 'inMillis' | 'notInMillis'
  | 'between' | 'isNull' | 'notNull' | 'like' | 'ilike' | 'holds' | 'heldBy' | 'overlaps'

/** A row comparison of several columns with as many values; an index over the columns supports it. */
interface RowComparison {
  readonly kind: 'row'
  readonly codecs: readonly ColumnCodec[]
  readonly test: 'gt' | 'lt'
  readonly operands: readonly unknown[]
}

/** A column has the value that it has in the only row of the table that matches; several are an error of PostgreSQL. */
interface OnlyMatch {
  readonly kind: 'only'
  readonly codec: ColumnCodec
  readonly part: Condition
}

/** A checked filter: its columns exist, its values are encoded, and no part of it is empty. */
export type Condition =
  | { readonly kind: 'everything' | 'nothing' }
  | { readonly kind: 'test', readonly codec: ColumnCodec, readonly test: Test, readonly operands: readonly unknown[] }
  | RowComparison
  | OnlyMatch
  | { readonly kind: 'and' | 'or', readonly parts: readonly Condition[] }
  | { readonly kind: 'not', readonly part: Condition }
  | { readonly kind: 'own', readonly sql: SQL }

/** The condition that is true for every row. */
export const everything: Condition = { kind: 'everything' }

/** The condition that is true for no row. */
export const nothing: Condition = { kind: 'nothing' }

/** All of the parts. Parts that are always true are left out, so an empty filter is found at any depth. */
export function allOf (parts: readonly Condition[]): Condition {
  const kept = parts.filter(({ kind }) => kind !== 'everything')
  if (kept.some(({ kind }) => kind === 'nothing')) return nothing
  return kept.length > 1 ? { kind: 'and', parts: kept } : kept[0] ?? everything
}

/** At least one of the parts. */
export function anyOf (parts: readonly Condition[]): Condition {
  const kept = parts.filter(({ kind }) => kind !== 'nothing')
  if (kept.some(({ kind }) => kind === 'everything')) return everything
  return kept.length > 1 ? { kind: 'or', parts: kept } : kept[0] ?? nothing
}

/** The negation of the part; NULL stays NULL, as in SQL. */
export function negate (part: Condition): Condition {
  if (part.kind === 'everything') return nothing
  return part.kind === 'nothing' ? everything : { kind: 'not', part }
}

/** The columns and values of a condition on a key, for an error that names the key. */
export function operandsOf (condition: Condition): Array<readonly [codec: ColumnCodec, value: unknown]> {
  const parts = condition.kind === 'and' ? condition.parts : [condition]
  return parts.filter((part) => part.kind === 'test').flatMap(({ codec, operands }) => operands.map((operand) => [codec, operand] as const))
}

/** Adds a condition to the shape of a call. */
export function collect (condition: Condition, shape: Shape): void {
  switch (condition.kind) {
    case 'test':
      shape.key += `${condition.codec.index}${condition.test}${condition.operands.length},`
      for (const operand of condition.operands) shape.add(operand)
      break
    case 'row':
      shape.key += `(${condition.codecs.map(({ index }) => index).join()})${condition.test},`
      for (const operand of condition.operands) shape.add(operand)
      break
    case 'and':
    case 'or':
      shape.key += `${condition.kind}(`
      for (const part of condition.parts) collect(part, shape)
      shape.key += ')'
      break
    case 'not':
      shape.key += 'not('
      collect(condition.part, shape)
      shape.key += ')'
      break
    case 'only':
      shape.key += `only${condition.codec.index}(`
      collect(condition.part, shape)
      shape.key += ')'
      break
    case 'own':
      shape.addOwn(condition.sql)
      break
    default:
      shape.key += condition.kind
  }
}

/** The condition as SQL, its parameters in the order of {@link collect}; undefined if it is always true. */
export function toSql (condition: Condition): SQL | undefined {
  switch (condition.kind) {
    case 'everything': return undefined
    case 'nothing': return sql`false`
    case 'own': return sql`(${condition.sql})`
    case 'not': return sql`not (${toSql(condition.part)})`
    case 'row': return rowSql(condition)
    case 'only': return onlySql(condition)
    case 'test': return testSql(condition.codec, condition.test, condition.operands)
    default: return sql`(${sql.join(condition.parts.map(toSql), condition.kind === 'and' ? sql` and ` : sql` or `)})`
  }
}

const comparisons = {
  eq: sql` = `,
  ne: sql` <> `,
  lt: sql` < `,
  lte: sql` <= `,
  gt: sql` > `,
  gte: sql` >= `,
  like: sql` like `,
  ilike: sql` ilike `,
  holds: sql` @> `,
  heldBy: sql` <@ `,
  overlaps: sql` && `
}

function rowSql ({ codecs, test, operands }: RowComparison): SQL {
  const columns = codecs.map(({ column }) => sql`${column}`)
  return sql`(${sql.join(columns, sql`, `)})${comparisons[test]}(${sql.join(operands.map(slot), sql`, `)})`
}

function onlySql ({ codec: { column }, part }: OnlyMatch): SQL {
  return sql`${column} = (select ${column} from ${column.table} where ${toSql(part)})`
}

function testSql ({ column }: ColumnCodec, test: Test, operands: readonly unknown[]): SQL {
  const slots = operands.map(slot)
  switch (test) {
    case 'isNull': return sql`${column} is null`
    case 'notNull': return sql`${column} is not null`
    case 'between': return sql`${column} between ${slots[0]} and ${slots[1]}`
    case 'in': return sql`${column} = any(${slots[0]})`
    case 'notIn': return sql`${column} <> all(${slots[0]})`
    case 'inMillis': return sql`date_trunc('milliseconds', ${column}) = any(${slots[0]})`
    case 'notInMillis': return sql`date_trunc('milliseconds', ${column}) <> all(${slots[0]})`
    case 'inEach': return sql`${column} in (${sql.join(slots, sql`, `)})`
    case 'notInEach': return sql`${column} not in (${sql.join(slots, sql`, `)})`
    default: return sql`${column}${comparisons[test]}${slots[0]}`
  }
}
