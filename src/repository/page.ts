import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { ValidationError } from '../errors/errors.js'
import { about } from './encode.js'
import { findColumn, isPlainObject } from './filter.js'
import { isColumn, isSql } from './rows.js'
import type { ColumnCodec } from './rows.js'
import type { Shape } from './shape.js'
import type { LockStrength } from './types.js'

/** The bounds of lists. */
export interface Limits {
  /** How many rows a list has when no limit is given. */
  readonly defaultLimit: number
  /** The largest limit that may be given. */
  readonly maxLimit: number
}

/** PostgreSQL's words for a row lock. */
export interface LockClause {
  readonly strength: 'update' | 'no key update' | 'share' | 'key share'
  readonly nowait: boolean
  readonly skipLocked: boolean
}

/** The options of a read, checked. */
export interface ReadOptions {
  readonly columns: readonly ColumnCodec[]
  readonly lock: LockClause | undefined
  readonly orderBy: readonly SQL[]
}

/** What the user gave, and which options the method has. */
export interface AskedOptions {
  readonly options: unknown
  readonly kind: 'row' | 'first' | 'page'
}

interface TableColumns {
  readonly codecs: readonly ColumnCodec[]
  readonly columns: ReadonlyMap<string, ColumnCodec>
  readonly primaryKey: readonly ColumnCodec[]
}

const known: Record<AskedOptions['kind'], ReadonlySet<string>> = {
  row: new Set(['columns', 'lock']),
  first: new Set(['columns', 'lock', 'orderBy']),
  page: new Set(['columns', 'lock', 'orderBy', 'skip', 'limit'])
}

/**
 * Reads the options of a read and adds what they ask for to the shape, after its filter; `skip` and `limit` are left to {@link addPage}.
 *
 * @throws ValidationError naming the option or column that is wrong.
 */
export function parseReadOptions (shape: Shape, table: TableColumns, { options, kind }: AskedOptions): ReadOptions {
  const given = options === undefined ? {} : options
  if (!isPlainObject(given)) throw new ValidationError(`The options of a read are an object of ${[...known[kind]].join(', ')}`)
  for (const name of Object.keys(given)) {
    if (!known[kind].has(name)) {
      throw new ValidationError(`Unknown option "${name.slice(0, 63)}": use ${[...known[kind]].join(', ')}`)
    }
  }
  return {
    columns: parseColumns(given['columns'], table, shape),
    lock: parseLock(given['lock'], shape),
    orderBy: kind === 'row' ? [] : parseOrder(given['orderBy'], table, shape)
  }
}

function parseColumns (keys: unknown, table: TableColumns, shape: Shape): readonly ColumnCodec[] {
  if (keys === undefined) return table.codecs
  if (!Array.isArray(keys) || keys.length === 0) throw new ValidationError('"columns" takes an array of at least one column name')
  const asked = new Set(keys.map((key) => findColumn(String(key), table.columns)))
  const columns = table.codecs.filter((codec) => asked.has(codec))
  shape.key += `[${columns.map(({ index }) => index).join(',')}]`
  return columns
}

const strengths = {
  update: 'update',
  noKeyUpdate: 'no key update',
  share: 'share',
  keyShare: 'key share'
} as const satisfies Record<LockStrength, LockClause['strength']>

function isStrength (value: unknown): value is LockStrength {
  return typeof value === 'string' && Object.hasOwn(strengths, value)
}

function parseLock (lock: unknown, shape: Shape): LockClause | undefined {
  if (lock === undefined) return undefined
  const { strength, nowait, skipLocked } = isPlainObject(lock) ? lock : { strength: lock }
  if (!isStrength(strength)) throw new ValidationError(`"lock" is one of ${Object.keys(strengths).join(', ')}, or an object { strength, nowait, skipLocked }`)
  if (nowait === true && skipLocked === true) throw new ValidationError('"lock" takes either nowait or skipLocked')
  const clause = { strength: strengths[strength], nowait: nowait === true, skipLocked: skipLocked === true }
  shape.key += `for ${clause.strength}${clause.nowait ? ' nowait' : ''}${clause.skipLocked ? ' skip locked' : ''};`
  return clause
}

/** The order asked for, and behind it the primary key: a list without a total order loses rows between its pages. */
function parseOrder (orderBy: unknown, table: TableColumns, shape: Shape): readonly SQL[] {
  const order = isPlainObject(orderBy) || orderBy === undefined
    ? Object.entries(orderBy ?? {}).map(([key, value]) => parseOrderColumn(findColumn(key, table.columns), value, shape))
    : [orderBy].flat().map((expression) => ({ codec: undefined, sql: parseOrderExpression(expression, shape) }))
  const ordered = new Set(order.map(({ codec }) => codec))
  const rest = table.primaryKey.filter((codec) => !ordered.has(codec))
  return [...order.map((part) => part.sql), ...rest.map(({ column }) => sql`${column}`)]
}

const directions = { asc: sql` asc`, desc: sql` desc` }
const nullOrders = { first: sql` nulls first`, last: sql` nulls last`, default: sql`` }

function parseOrderColumn (codec: ColumnCodec, value: unknown, shape: Shape): { codec: ColumnCodec, sql: SQL } {
  const { direction, nulls = 'default' } = isPlainObject(value) ? value : { direction: value }
  if ((direction !== 'asc' && direction !== 'desc') || (nulls !== 'first' && nulls !== 'last' && nulls !== 'default')) {
    throw new ValidationError(
      `Column "${codec.key}" in "orderBy": write 'asc', 'desc' or { direction: 'asc' | 'desc', nulls: 'first' | 'last' }`,
      about(codec)
    )
  }
  shape.key += `${codec.index}${direction} ${nulls},`
  return { codec, sql: sql`${codec.column}${directions[direction]}${nullOrders[nulls]}` }
}

function parseOrderExpression (expression: unknown, shape: Shape): SQL {
  if (!isSql(expression) && !isColumn(expression)) {
    throw new ValidationError('"orderBy" takes an object { column: \'asc\' | \'desc\' } or Drizzle\'s columns and expressions')
  }
  const own = sql`${expression}`
  shape.addOwn(own)
  return own
}

/**
 * Adds `limit` and `skip` to the shape, as the last two parameters of a list.
 *
 * @throws ValidationError for anything but whole numbers within bounds.
 */
export function addPage (options: unknown, { defaultLimit, maxLimit }: Limits, shape: Shape): void {
  const { limit = defaultLimit, skip = 0 } = isPlainObject(options) ? options : {}
  if (!isCount(limit) || limit > maxLimit) throw new ValidationError(`"limit" is a whole number from 0 to ${maxLimit}`)
  if (!isCount(skip)) throw new ValidationError(`"skip" is a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`)
  shape.values.push(limit, skip)
}

function isCount (value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
