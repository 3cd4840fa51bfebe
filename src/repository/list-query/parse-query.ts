import { ValidationError } from '../../errors/errors.js'
import { literally } from '../filter/parse-filter.js'
import { isPlainObject } from '../../runtime/option-checks.js'
import type { FilterParameter } from './parameters.js'
import type { Direction } from '../types/filters.js'

/** The declared parameters of a list. */
export interface DeclaredList {
  readonly filters: readonly FilterParameter[]
  readonly sortable: readonly string[]
  readonly searchable: readonly string[]
  readonly limits: { readonly defaultLimit: number | undefined, readonly maxLimit: number | undefined }
}

/** A call of a method of a list: what it allows, and its scope. */
export interface ListCall {
  /** The parameters of the page besides `limit`. */
  readonly pageKeys: readonly string[]
  /** The filter of the scope, or none. */
  readonly scope: readonly unknown[]
}

/**
 * Reads the filter and the page of a query string. The filter joins the scope and the parameters, in the order in which they are declared, by AND.
 *
 * @throws ValidationError naming a parameter that is undeclared or cannot be read.
 */
export function readQuery (declared: DeclaredList, query: unknown, { pageKeys, scope }: ListCall): [filter: unknown, page: unknown] {
  if (!isPlainObject(query)) throw new ValidationError('A query string is an object of parameters')
  const given = new Map(Object.entries(query).filter(([, value]) => value !== undefined))
  const take = (key: string): unknown => {
    const value = given.get(key)
    given.delete(key)
    return value
  }
  const filters = declared.filters.flatMap((parameter) => filterOf(parameter, take(parameter.key)))
  const search = searchOf(declared.searchable, take('search'))
  const orderBy = orderOf(declared.sortable, take('sort'))
  const limit = limitOf(declared.limits, take('limit'))
  const page = pageKeys.flatMap((key) => pageOf(key, take(key)))
  const [unknown] = given.keys()
  if (unknown !== undefined) throw new ValidationError(`Unknown parameter "${unknown.slice(0, 63)}"`)
  return [{ and: [...scope, ...filters, ...search] }, { orderBy, ...(limit !== undefined && { limit }), ...Object.fromEntries(page) }]
}

function filterOf ({ key, column, operator, read }: FilterParameter, given: unknown): object[] {
  if (given === undefined) return []
  const operand = read(given)
  if (operand === undefined) throw unreadable(key, 'values of the type of its column')
  return [{ [column]: { [operator]: operand } }]
}

function searchOf (searchable: readonly string[], given: unknown): object[] {
  if (given === undefined) return []
  if (typeof given !== 'string' || given === '' || searchable.length === 0) throw unreadable('search', 'a text, if the list has searchable columns')
  return [{ or: searchable.map((column) => ({ [column]: { ilike: `%${literally(given)}%` } })) }]
}

function orderOf (sortable: readonly string[], given: unknown): Readonly<Record<string, Direction>> {
  if (given === undefined) return {}
  if (typeof given !== 'string') throw unreadable('sort', sortForm)
  const keys = given.split(',').map((part): [string, Direction] => part.startsWith('-') ? [part.slice(1), 'desc'] : [part, 'asc'])
  const order = new Map(keys)
  if (order.size < keys.length || keys.some(([key]) => !sortable.includes(key))) throw unreadable('sort', sortForm)
  return Object.fromEntries(order)
}

function limitOf ({ defaultLimit, maxLimit = Infinity }: DeclaredList['limits'], given: unknown): number | undefined {
  if (given === undefined) return defaultLimit
  const limit = wholeNumber(given)
  if (limit === undefined || limit > maxLimit) throw unreadable('limit', `a whole number from 1 to ${Math.min(maxLimit, Number.MAX_SAFE_INTEGER)}`)
  return limit
}

function pageOf (key: string, given: unknown): Array<[string, unknown]> {
  if (given === undefined) return []
  const value = key === 'page' ? wholeNumber(given) : given
  if (value === undefined) throw unreadable(key, 'a whole number of at least 1')
  return [[key, value]]
}

function wholeNumber (given: unknown): number | undefined {
  const value = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given
  return Number.isSafeInteger(value) && (value as number) > 0 ? value as number : undefined
}

const sortForm = 'sortable columns, each at most once, with "-" in front of one for descending order'

function unreadable (key: string, takes: string): ValidationError {
  return new ValidationError(`The parameter "${key}" takes ${takes}`)
}
