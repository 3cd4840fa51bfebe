import { typeOf } from '../../values/driver-values.js'
import { sqlTypeOf } from '../../drizzle/column-types.js'
import { sqlStates } from '../../errors/sqlstate-codes.js'
import type { Change } from './column-values.js'
import type { ColumnCodec } from '../../values/column-codec.js'

/** A value that does not fit its column. PostgreSQL reports that there is one, but not which. */
export interface Misfit {
  readonly codec: ColumnCodec
  /** The index of its row. */
  readonly place: number
}

/** True if a text does not fit a column; undefined if that cannot be decided here. */
type Check = (text: string, codec: ColumnCodec) => boolean | undefined

const integerBits: Readonly<Record<string, number>> = {
  smallint: 16, int2: 16, smallserial: 16, integer: 32, int: 32, int4: 32, serial: 32, bigint: 64, int8: 64, bigserial: 64
}
const floats = new Set(['real', 'float4', 'double precision', 'float8'])
const numerics = new Set(['numeric', 'decimal'])
const times = /^(?:date|time|timestamp|timetz|timestamptz|interval)\b/
const texts = /^(?:text|varchar|character varying|char|character|bpchar|citext)\b/
const integer = /^\s*[-+]?\d+\s*$/
const special = /^\s*[-+]?(?:nan|inf|infinity)\s*$/i
const uuid = /^\{?[0-9a-f]{4}(?:-?[0-9a-f]{4}){7}\}?$/i
const boolean = /^\s*(?:t|tr|tru|true|f|fa|fal|fals|false|y|ye|yes|n|no|on|of|off|0|1)\s*$/i

/** By SQLSTATE. */
const checks: Readonly<Record<string, Check | undefined>> = {
  // Trailing spaces do not count.
  [sqlStates.stringDataRightTruncation]: (text, { column }) => {
    const length = /\((\d+)\)$/.exec(sqlTypeOf(column))?.[1]
    return length !== undefined && [...text.replace(/ +$/, '')].length > Number(length)
  },
  [sqlStates.numericValueOutOfRange]: (text, { column }) => {
    const bits = integerBits[typeOf(column)]
    if (bits !== undefined) return integer.test(text) && BigInt(text) !== BigInt.asIntN(bits, BigInt(text))
    const [, precision, scale = '0'] = /^(?:numeric|decimal)\((\d+)(?:, *(\d+))?\)$/.exec(sqlTypeOf(column)) ?? []
    if (precision !== undefined) return Math.abs(Number(text)) + 0.5 / 10 ** Number(scale) >= 10 ** (Number(precision) - Number(scale))
    return floats.has(typeOf(column)) ? undefined : false
  },
  [sqlStates.invalidTextRepresentation]: (text, { column }) => {
    const type = typeOf(column)
    if (column.enumValues !== undefined && !texts.test(type)) return !column.enumValues.includes(text)
    if (type in integerBits) return !integer.test(text)
    if (floats.has(type) || numerics.has(type)) return (text.trim() === '' || Number.isNaN(Number(text))) && !special.test(text)
    if (type === 'uuid') return !uuid.test(text)
    if (type === 'boolean') return !boolean.test(text)
    return texts.test(type) || times.test(type) ? false : undefined
  },
  [sqlStates.invalidDatetimeFormat]: timesOnly,
  [sqlStates.datetimeFieldOverflow]: timesOnly,
  [sqlStates.invalidTimeZoneDisplacementValue]: timesOnly,
  [sqlStates.intervalFieldOverflow]: timesOnly
}

function timesOnly (_text: string, { column }: ColumnCodec): boolean | undefined {
  return times.test(typeOf(column)) ? undefined : false
}

/** The value that an error of PostgreSQL is about: the first that does not fit its column, or the only one that cannot be decided. */
export function findMisfit (sqlState: string, rows: ReadonlyArray<readonly Change[]>): Misfit | undefined {
  const check = checks[sqlState]
  if (check === undefined) return undefined
  const possible: Misfit[] = []
  for (const [place, changes] of rows.entries()) {
    for (const [codec, value] of changes) {
      const text = textOf(value)
      const isWrong = text === undefined ? false : check(text, codec)
      if (isWrong === true) return { codec, place }
      if (isWrong === undefined) possible.push({ codec, place })
    }
  }
  return possible.length === 1 ? possible[0] : undefined
}

/** The text that is sent for a value; undefined if it is not sent as text. */
export function textOf (value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : undefined
}
