/** Filters as data, and their result for a row: true, false, or null for SQL's unknown. */
import { sql } from 'drizzle-orm'
import { items } from './items.js'
import type { Filter } from '../../../src/index.js'
import type { Item } from './items.js'

export type Column = keyof Item

/** One operator and its operand. */
export type Operation = readonly [operator: string, operand: unknown]

export type Predicate =
  | { readonly column: Column, readonly value: unknown }
  | { readonly column: Column, readonly operations: readonly Operation[] }
  | { readonly and: readonly Predicate[] }
  | { readonly or: readonly Predicate[] }
  | { readonly not: Predicate }
  | { readonly drizzle: number }

type Truth = boolean | null

/** Turns a predicate into the filter of a repository. */
export function toFilter (predicate: Predicate): Filter<typeof items> {
  // By its name only, so that it works for every table.
  if ('drizzle' in predicate) return sql`rank > ${predicate.drizzle}`
  if ('and' in predicate) return { and: predicate.and.map(toFilter) } as Filter<typeof items>
  if ('or' in predicate) return { or: predicate.or.map(toFilter) } as Filter<typeof items>
  if ('not' in predicate) return { not: toFilter(predicate.not) } as Filter<typeof items>
  return { [predicate.column]: 'value' in predicate ? predicate.value : Object.fromEntries(predicate.operations) }
}

/** The result of a predicate for a row. */
export function truthOf (predicate: Predicate, row: Item): Truth {
  if ('drizzle' in predicate) return row.rank === null ? null : row.rank > predicate.drizzle
  if ('and' in predicate) return all(predicate.and.map((part) => truthOf(part, row)))
  if ('or' in predicate) return negate(all(predicate.or.map((part) => negate(truthOf(part, row)))))
  if ('not' in predicate) return negate(truthOf(predicate.not, row))
  const operations: readonly Operation[] = 'value' in predicate ? [['eq', predicate.value]] : predicate.operations
  return all(operations.map((operation) => test(predicate.column, row[predicate.column], operation)))
}

/** How many rows a predicate can match, judged by its form. An empty list matches none or all. */
export function extentOf (predicate: Predicate): 'all' | 'some' | 'none' {
  if ('and' in predicate) return least(predicate.and.map(extentOf))
  if ('or' in predicate) return opposite(least(predicate.or.map((part) => opposite(extentOf(part)))))
  if ('not' in predicate) return opposite(extentOf(predicate.not))
  if (!('operations' in predicate)) return 'some'
  return least(predicate.operations.map(([operator, operand]) => {
    if (!Array.isArray(operand) || operand.length > 0) return 'some'
    return operator === 'in' ? 'none' : operator === 'notIn' ? 'all' : 'some'
  }))
}

type Extent = ReturnType<typeof extentOf>

function least (extents: readonly Extent[]): Extent {
  if (extents.includes('none')) return 'none'
  return extents.includes('some') ? 'some' : 'all'
}

function opposite (extent: Extent): Extent {
  return extent === 'some' ? 'some' : extent === 'all' ? 'none' : 'all'
}

function all (truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false
  return truths.includes(null) ? null : true
}

function negate (truth: Truth): Truth {
  return truth === null ? null : !truth
}

function test (column: Column, value: unknown, [operator, operand]: Operation): Truth {
  if (operator === 'isNull') return (value === null) === operand
  if (operator === 'eq' && operand === null) return value === null
  if (operator === 'ne' && operand === null) return value !== null
  if (operator === 'in' && (operand as unknown[]).length === 0) return false
  if (operator === 'notIn' && (operand as unknown[]).length === 0) return true
  if (value === null) return null
  switch (operator) {
    case 'eq': return compare(column, value, operand) === 0
    case 'ne': return compare(column, value, operand) !== 0
    case 'lt': return compare(column, value, operand) < 0
    case 'lte': return compare(column, value, operand) <= 0
    case 'gt': return compare(column, value, operand) > 0
    case 'gte': return compare(column, value, operand) >= 0
    case 'in': return (operand as unknown[]).some((one) => compare(column, value, one) === 0)
    case 'notIn': return !(operand as unknown[]).some((one) => compare(column, value, one) === 0)
    case 'between': return compare(column, value, (operand as unknown[])[0]) >= 0 && compare(column, value, (operand as unknown[])[1]) <= 0
    case 'like': return like(operand as string, 's').test(value as string)
    case 'ilike': return like(operand as string, 'si').test(value as string)
    case 'contains': return (value as string).includes(operand as string)
    case 'startsWith': return (value as string).startsWith(operand as string)
    case 'endsWith': return (value as string).endsWith(operand as string)
    case 'arrayContains': return (operand as unknown[]).every((one) => (value as unknown[]).includes(one))
    case 'arrayContained': return (value as unknown[]).every((one) => (operand as unknown[]).includes(one))
    case 'arrayOverlaps': return (operand as unknown[]).some((one) => (value as unknown[]).includes(one))
    case 'jsonContains': return holds(value, operand)
    case 'jsonContained': return holds(operand, value)
    default: throw new Error(`The model does not know the operator ${operator}`)
  }
}

/** Compares two values of one column. Neither is NULL. */
export function compare (column: Column, one: unknown, other: unknown): number {
  if (column === 'score') return Number(one) - Number(other)
  if (column === 'at' || column === 'deletedAt') return (one as Date).getTime() - (other as Date).getTime()
  if (column === 'doc') return canonical(one) === canonical(other) ? 0 : 1
  if (column === 'tags') return compareLists(one as string[], other as string[])
  return one === other ? 0 : (one as string) < (other as string) ? -1 : 1
}

function compareLists (one: readonly string[], other: readonly string[]): number {
  const place = one.findIndex((value, index) => value !== other[index])
  if (place === -1) return one.length - other.length
  return other[place] === undefined ? 1 : (one[place] as string) < other[place] ? -1 : 1
}

function like (pattern: string, flags: string): RegExp {
  const source = pattern.replace(/\\(.)|%|_|[.*+?^${}()|[\]]/gs, (token, escaped?: string) => {
    if (token === '%') return '.*'
    return token === '_' ? '.' : `\\${escaped ?? token}`.replace(/^\\(?=\w)/, '').replace(/^\\(?=[%_])/, '')
  })
  return new RegExp(`^${source}$`, flags)
}

function canonical (value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => isDocument(part) ? Object.fromEntries(Object.entries(part).sort()) : part)
}

/** https://www.postgresql.org/docs/current/datatype-json.html#JSON-CONTAINMENT */
function holds (whole: unknown, part: unknown): boolean {
  if (Array.isArray(part)) return Array.isArray(whole) && part.every((one) => whole.some((other) => holds(other, one)))
  if (isDocument(part)) return isDocument(whole) && Object.entries(part).every(([key, value]) => Object.hasOwn(whole, key) && holds(whole[key], value))
  return whole === part
}

function isDocument (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
