import { unknownOption } from '../../errors/check-call.js'
import { UsageError, ValidationError } from '../../errors/errors.js'
import { isCount, isPlainObject } from '../../runtime/option-checks.js'
import { findColumn } from '../table/find-column.js'
import { parseOrder } from './order.js'
import type { SQL } from 'drizzle-orm'
import type { ColumnCodec } from '../../values/column-codec.js'
import type { Shape } from '../table/statement-shape.js'
import type { Limits } from '../table/table-statements.js'
import type { LockStrength } from '../types/filters.js'

/** The SQL of each row lock. */
export interface LockClause {
  readonly strength: 'update' | 'no key update' | 'share' | 'key share'
  readonly nowait: boolean
  readonly skipLocked: boolean
}

/** The options of a read, checked. */
export interface ReadOptions {
  readonly columns: readonly ColumnCodec[]
  readonly lock: LockClause | undefined
  /** Makes the SQL of the order. */
  readonly orderBy: () => readonly SQL[]
}

/** The given options, and the kind of read that decides which are allowed. */
export interface AskedOptions {
  readonly options: unknown
  readonly kind: OptionsKind
}

type OptionsKind = 'row' | 'first' | 'page' | 'numbered' | 'cursor' | 'stream'

interface TableColumns {
  readonly codecs: readonly ColumnCodec[]
  readonly columns: ReadonlyMap<string, ColumnCodec>
  readonly primaryKey: readonly ColumnCodec[]
}

const known: Record<OptionsKind, ReadonlySet<string>> = {
  row: new Set(['columns', 'lock']),
  first: new Set(['columns', 'lock', 'orderBy']),
  page: new Set(['columns', 'lock', 'orderBy', 'skip', 'limit']),
  numbered: new Set(['columns', 'orderBy', 'page', 'limit']),
  cursor: new Set(['columns', 'orderBy', 'after', 'before', 'limit']),
  stream: new Set(['columns', 'orderBy', 'batchSize'])
}

/**
 * The options of a read, by their names.
 *
 * @throws UsageError for an option that the method does not have.
 */
export function knownOptions ({ options, kind }: AskedOptions): Readonly<Record<string, unknown>> {
  const given = options === undefined ? {} : options
  if (!isPlainObject(given)) throw new UsageError(`The options of a read must be an object of ${[...known[kind]].join(', ')}`)
  for (const name of Object.keys(given)) {
    if (!known[kind].has(name)) throw unknownOption(name, 'a read', known[kind])
  }
  return given
}

const noOrder = (): readonly SQL[] => []

/**
 * Checks the options of a read and adds them to the shape, after its filter. The caller adds the limit.
 *
 * @throws ValidationError for an unknown column, UsageError for an unknown option or lock.
 */
export function parseReadOptions (shape: Shape, table: TableColumns, asked: AskedOptions): ReadOptions {
  const given = knownOptions(asked)
  return {
    columns: parseColumns(given['columns'], table, shape),
    lock: parseLock(given['lock'], shape),
    orderBy: asked.kind === 'row' ? noOrder : parseOrder(given['orderBy'], table, shape)
  }
}

/** The wanted columns, in the order of the table; all of them if none are named. */
export function parseColumns (keys: unknown, table: TableColumns, shape: Shape): readonly ColumnCodec[] {
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
  const { strength, nowait = false, skipLocked = false, ...others }: Record<string, unknown> = isPlainObject(lock) ? lock : { strength: lock }
  if (!isStrength(strength) || typeof nowait !== 'boolean' || typeof skipLocked !== 'boolean' || Object.keys(others).length > 0) {
    throw new UsageError(`"lock" is one of ${Object.keys(strengths).join(', ')}, or an object { strength, nowait: true, skipLocked: true }`)
  }
  if (nowait && skipLocked) throw new UsageError('"lock" takes either nowait or skipLocked')
  const clause = { strength: strengths[strength], nowait, skipLocked }
  shape.key += `for ${clause.strength}${clause.nowait ? ' nowait' : ''}${clause.skipLocked ? ' skip locked' : ''};`
  return clause
}

/** The limit and the offset of a list. */
export interface Bounds {
  readonly limit: number
  readonly skip: number
}

/**
 * Reads `limit` and `skip`, the last two parameters of a list.
 *
 * @throws ValidationError for anything but whole numbers within bounds.
 */
export function boundsOf (options: unknown, { defaultLimit, maxLimit }: Limits): Bounds {
  const { limit = defaultLimit, skip = 0 } = isPlainObject(options) ? options : {}
  if (!isCount(limit) || limit > maxLimit) throw new ValidationError(`"limit" is a whole number from 0 to ${maxLimit}`)
  if (!isCount(skip)) throw new ValidationError(`"skip" is a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`)
  return { limit, skip }
}

/**
 * Reads the size of a page: at least one row.
 *
 * @throws ValidationError for anything but a whole number within bounds.
 */
export function pageSizeOf (limit: unknown, { defaultLimit, maxLimit }: Limits): number {
  if (limit === undefined) return defaultLimit
  if (!isCount(limit) || limit < 1 || limit > maxLimit) throw new ValidationError(`"limit" is a whole number from 1 to ${maxLimit}`)
  return limit
}
