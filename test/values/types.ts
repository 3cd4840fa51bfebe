import {
  bigint, bigserial, bit, boolean, char, cidr, customType, date, doublePrecision, geometry, halfvec, inet, integer, interval, json, jsonb,
  line, macaddr, macaddr8, numeric, pgEnum, point, real, smallint, sparsevec, text, time, timestamp, uuid, varchar, vector
} from 'drizzle-orm/pg-core'
import * as pgCore from 'drizzle-orm/pg-core'
import { infinity, minusInfinity } from '../../src/index.js'
import { arrayOfArrays, isDrizzle1 } from '../helpers/drizzle.js'
import type * as PgCore1 from 'drizzle-orm-1/pg-core'
import type { PgColumnBuilderBase } from 'drizzle-orm/pg-core'

/** The methods of a column builder that these tests use. */
export interface Builder extends PgColumnBuilderBase {
  array (): Builder
}

/** A value of JavaScript, and the same value in SQL. */
export type Pair = readonly [value: unknown, literal: string]

/** A type of column with odd values. Its arrays are made from them. */
export interface ColumnType {
  readonly name: string
  readonly column: () => Builder
  /** The type in SQL. */
  readonly sql: string
  readonly values: readonly Pair[]
  /** Whether PostgreSQL can compare two values for equality. @defaultValue true */
  readonly comparable?: boolean
  /** Whether PostgreSQL can order the values. @defaultValue as `comparable` */
  readonly isOrdered?: boolean
  /** Whether the type is tested without its arrays. @defaultValue false */
  readonly isScalarOnly?: boolean
}

const mood = pgEnum('mood', ['fine', 'so, so', '"odd"', 'NULL', '{}', 'back\\slash'])
const citext = customType<{ data: string }>({ dataType: () => 'citext' })
const email = customType<{ data: string }>({ dataType: () => 'email' })
const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
const box = customType<{ data: string }>({ dataType: () => 'box' })
const money = customType<{ data: string }>({ dataType: () => 'money' })
const xml = customType<{ data: string }>({ dataType: () => 'xml' })
const range = customType<{ data: string }>({ dataType: () => 'int4range' })
const pair = customType<{ data: string }>({ dataType: () => 'pair' })
/** A custom type, whose own functions convert the values. */
const cents = customType<{ data: { cents: number }, driverData: string }>({
  dataType: () => 'numeric', toDriver: ({ cents }) => String(cents / 100), fromDriver: (text) => ({ cents: Math.round(Number(text) * 100) })
})

/** The domains and types that the table below uses. */
export const typesSql = `
  create type mood as enum ('fine', 'so, so', '"odd"', 'NULL', '{}', 'back\\slash');
  create domain citext as text;
  create domain email as text check (value like '%@%');
  create domain vector as text;
  create domain halfvec as text;
  create domain sparsevec as text;
  create domain geometry as text;
  create type pair as (name text, number integer)`

const same = (...texts: readonly string[]): Pair[] => texts.map((text) => [text, text])
const odd = same('', 'NULL', 'null', '"', 'C:\\temp', '\\', '\\"', '{}', '{a,b}', 'a,b', 'a;b', ' padded ', "it's", '$1', 'two\nlines', 'ünï☃', '[0:1]={1,2}')
const documents: Pair[] = [
  '10.50',
  'true',
  'null',
  '{"a":1}',
  '"quoted"',
  '',
  'C:\\temp',
  '[1,2]',
  10.5,
  true,
  false,
  0,
  [],
  [1, [2]],
  {},
  { a: "it's", b: null, c: ['{', '"', '\\'] }
]
  .map((value) => [value, JSON.stringify(value)])
const utc = (text: string): Date => new Date(text)
const beforeChrist = new Date(0)
beforeChrist.setUTCFullYear(-43, 2, 15)
const numbers: Pair[] = [[0, '0'], [-1, '-1'], [32767, '32767']]

const bytes: Pair[] = [[Buffer.from([]), ''], [Buffer.from([0, 92, 34, 255]), '\\x005c22ff'], [Buffer.from('NULL'), '\\x4e554c4c']]

/** The types of column that only Drizzle 1.0 has. */
function typesOf1 (): ColumnType[] {
  const { bigint, bytea } = pgCore as unknown as typeof PgCore1
  return [
    {
      name: 'bigint string',
      column: () => bigint({ mode: 'string' }) as unknown as Builder,
      sql: 'bigint',
      values: same('0', '9223372036854775807', '-9223372036854775808')
    },
    { name: 'bytea of Drizzle', column: () => bytea() as unknown as Builder, sql: 'bytea', values: bytes }
  ]
}

/** Every type of column in Drizzle, and some custom types. */
export const columnTypes: readonly ColumnType[] = [
  ...isDrizzle1 ? typesOf1() : [],
  { name: 'text', column: () => text(), sql: 'text', values: odd },
  { name: 'varchar', column: () => varchar({ length: 40 }), sql: 'varchar(40)', values: odd },
  { name: 'char', column: () => char({ length: 3 }), sql: 'char(3)', values: same('abc', 'a\\c', '"""', '{,}') },
  { name: 'enum', column: () => mood(), sql: 'mood', values: same('fine', 'so, so', '"odd"', 'NULL', '{}', 'back\\slash') },
  { name: 'citext', column: () => citext(), sql: 'citext', values: odd },
  { name: 'domain', column: () => email(), sql: 'email', values: same('a@b', '"@\\', '{@}', 'NULL@') },
  { name: 'composite', column: () => pair(), sql: 'pair', values: same('(a,1)', '("a ""quoted\\\\",2)', '("",3)', '(,)'), comparable: false },
  { name: 'smallint', column: () => smallint(), sql: 'smallint', values: [...numbers, [-32768, '-32768']] },
  { name: 'integer', column: () => integer(), sql: 'integer', values: [...numbers, [-2147483648, '-2147483648']] },
  { name: 'bigint number', column: () => bigint({ mode: 'number' }), sql: 'bigint', values: [...numbers, [9007199254740991, '9007199254740991'], [5, '5']] },
  {
    name: 'bigint',
    column: () => bigint({ mode: 'bigint' }),
    sql: 'bigint',
    values: [[0n, '0'], [1n, '1'], [9223372036854775807n, '9223372036854775807'], [-9223372036854775808n, '-9223372036854775808']]
  },
  { name: 'bigserial', column: () => bigserial({ mode: 'bigint' }) as unknown as Builder, sql: 'bigint', values: [[7n, '7']], isScalarOnly: true },
  {
    name: 'numeric',
    column: () => numeric(),
    sql: 'numeric',
    values: same('1.50', '0', '0.000', '12345678901234567890.123456789', 'NaN', 'Infinity', '-Infinity')
  },
  {
    name: 'numeric number',
    column: () => numeric({ mode: 'number' }),
    sql: 'numeric',
    values: [[1.5, '1.5'], [0, '0'], [-1e21, '-1000000000000000000000'], [NaN, 'NaN'], [Infinity, 'Infinity']]
  },
  {
    name: 'numeric bigint',
    column: () => numeric({ mode: 'bigint' }),
    sql: 'numeric',
    values: [[0n, '0'], [123456789012345678901234567890n, '123456789012345678901234567890']]
  },
  { name: 'numeric of its own', column: () => cents(), sql: 'numeric', values: [[{ cents: 150 }, '1.5'], [{ cents: -1 }, '-0.01']] },
  { name: 'real', column: () => real(), sql: 'real', values: [[1.5, '1.5'], [0.1, '0.1'], [NaN, 'NaN'], [-Infinity, '-Infinity'], [1e-37, '1e-37']] },
  {
    name: 'double precision',
    column: () => doublePrecision(),
    sql: 'double precision',
    values: [[0.1 + 0.2, '0.30000000000000004'], [1e308, '1e308'], [NaN, 'NaN'], [Infinity, 'Infinity'], [5e-324, '5e-324']]
  },
  { name: 'boolean', column: () => boolean(), sql: 'boolean', values: [[true, 'true'], [false, 'false']] },
  {
    name: 'bytea',
    column: () => bytea(),
    sql: 'bytea',
    values: bytes
  },
  { name: 'bit', column: () => bit({ dimensions: 3 }), sql: 'bit(3)', values: same('000', '101') },
  { name: 'uuid', column: () => uuid(), sql: 'uuid', values: same('00000000-0000-0000-0000-000000000000', '9b2f6a0e-3f5c-4f0e-8a52-0d9a8f1c2b3d') },
  { name: 'json', column: () => json(), sql: 'json', values: documents, comparable: false },
  { name: 'jsonb', column: () => jsonb(), sql: 'jsonb', values: documents },
  {
    name: 'timestamptz',
    column: () => timestamp({ withTimezone: true }),
    sql: 'timestamptz',
    values: [
      [utc('2026-02-01T00:00:00Z'), '2026-02-01 00:00:00+00'], [
        utc('2026-11-26T09:05:00.123Z'),
        '2026-11-26 09:05:00.123+00'
      ], [utc('1850-01-01T00:00:00Z'), '1850-01-01 00:00:00+00'], [infinity, 'infinity'], [minusInfinity, '-infinity'],
      [utc('0044-03-15T12:00:00Z'), '0044-03-15 12:00:00+00'], [
        utc('+012026-12-31T23:59:59.999Z'),
        '12026-12-31 23:59:59.999+00'
      ], [beforeChrist, '0044-03-15 00:00:00+00 BC'], [utc('-000001-07-01T00:00:00Z'), '0002-07-01 00:00:00+00 BC']]
  },
  {
    name: 'timestamp',
    column: () => timestamp(),
    sql: 'timestamp',
    values: [
      [
        utc('2026-02-01T00:00:00Z'),
        '2026-02-01 00:00:00'
      ], [infinity, 'infinity'], [minusInfinity, '-infinity'], [utc('0001-01-01T00:00:00Z'), '0001-01-01 00:00:00'], [
        utc('+010000-01-01T00:00:00Z'),
        '10000-01-01 00:00:00'
      ], [beforeChrist, '0044-03-15 00:00:00 BC']]
  },
  {
    name: 'timestamptz string',
    column: () => timestamp({ withTimezone: true, mode: 'string' }),
    sql: 'timestamptz',
    values: same('2026-02-01 00:00:00.123456+00', 'infinity', '0044-03-15 00:00:00+00 BC')
  },
  {
    name: 'timestamp string',
    column: () => timestamp({ mode: 'string' }),
    sql: 'timestamp',
    values: same('2026-02-01 00:00:00.123456', '-infinity', '12026-01-01 00:00:00')
  },
  {
    name: 'date',
    column: () => date({ mode: 'date' }),
    sql: 'date',
    values: [
      [utc('2026-02-01T00:00:00Z'), '2026-02-01'], [infinity, 'infinity'], [minusInfinity, '-infinity'], [
        utc('+012026-02-03T00:00:00Z'),
        '12026-02-03'
      ], [beforeChrist, '0044-03-15 BC'], [utc('0044-03-15T00:00:00Z'), '0044-03-15']]
  },
  { name: 'date string', column: () => date(), sql: 'date', values: same('2026-02-01', 'infinity', '0044-03-15 BC', '12026-02-03') },
  { name: 'time', column: () => time(), sql: 'time', values: same('00:00:00', '23:59:59.999999', '24:00:00') },
  { name: 'timetz', column: () => time({ withTimezone: true }), sql: 'timetz', values: same('09:05:00+05:30', '23:59:59.5-08') },
  { name: 'interval', column: () => interval(), sql: 'interval', values: same('00:00:00', '1 year 2 mons -3 days +04:05:06.789', '-00:00:01') },
  { name: 'inet', column: () => inet(), sql: 'inet', values: same('192.168.0.1', '10.1.0.0/16', '::1') },
  { name: 'cidr', column: () => cidr(), sql: 'cidr', values: same('10.1.0.0/16', '2001:db8::/32') },
  { name: 'macaddr', column: () => macaddr(), sql: 'macaddr', values: same('08:00:2b:01:02:03') },
  { name: 'macaddr8', column: () => macaddr8(), sql: 'macaddr8', values: same('08:00:2b:01:02:03:04:05') },
  { name: 'point', column: () => point(), sql: 'point', values: [[[1.5, -2], '(1.5,-2)'], [[0.1, 1e300], '(0.1,1e300)']], comparable: false },
  { name: 'point object', column: () => point({ mode: 'xy' }), sql: 'point', values: [[{ x: 1.5, y: -2 }, '(1.5,-2)']], comparable: false },
  { name: 'line', column: () => line(), sql: 'line', values: [[[1, 2, 3], '{1,2,3}']], isOrdered: false },
  { name: 'line object', column: () => line({ mode: 'abc' }), sql: 'line', values: [[{ a: 1, b: 2.5, c: -3 }, '{1,2.5,-3}']], isOrdered: false },
  { name: 'box', column: () => box(), sql: 'box', values: same('(2,2),(1,1)', '(0.5,3),(0,0)'), isOrdered: false },
  { name: 'money', column: () => money(), sql: 'money', values: same('$1,234.50', '-$0.05') },
  { name: 'xml', column: () => xml(), sql: 'xml', values: same('<a b="c">{"\\,}</a>'), comparable: false },
  { name: 'range', column: () => range(), sql: 'int4range', values: same('[1,5)', 'empty', '(,)') },
  // The extensions are not installed. Domains of the same names stand for their types.
  { name: 'vector', column: () => vector({ dimensions: 3 }), sql: 'vector', values: [[[1, 2.5, -3], '[1,2.5,-3]']] },
  { name: 'halfvec', column: () => halfvec({ dimensions: 2 }), sql: 'halfvec', values: [[[1, 0.5], '[1,0.5]']] },
  { name: 'sparsevec', column: () => sparsevec({ dimensions: 3 }), sql: 'sparsevec', values: same('{1:1,3:2}/3') },
  { name: 'geometry', column: () => geometry({ type: 'point', mode: 'tuple' }), sql: 'geometry', values: [], isScalarOnly: true }
]

/** A literal, cast to its type. */
const cast = (literal: string, sql: string): string => `'${literal.replaceAll("'", "''")}'::${sql}`

/** One column of the matrix: a type, or an array of it, and its values as SQL. */
export interface MatrixColumn {
  readonly name: string
  readonly column: () => Builder
  readonly sql: string
  /** A value of JavaScript, and an SQL expression of the same value. */
  readonly values: readonly Pair[]
  readonly comparable: boolean
  readonly isOrdered: boolean
}

/** Each type, its arrays and its arrays of arrays. NULL is among the values of each. */
export const matrix: readonly MatrixColumn[] = columnTypes.flatMap((
  { name, column, sql, values, comparable = true, isOrdered = comparable, isScalarOnly = false }
) => {
  const scalars: Pair[] = [...values.map(([value, literal]): Pair => [value, cast(literal, sql)]), [null, `null::${sql}`]]
  const elements = scalars.map(([value]) => value)
  const list = `array[${scalars.map(([, expression]) => expression).join()}]`
  const scalar: MatrixColumn = { name, column, sql, values: isScalarOnly && values.length > 0 ? scalars.slice(0, -1) : scalars, comparable, isOrdered }
  if (isScalarOnly) return [scalar]
  return [scalar, {
    name: `${name}[]`,
    column: () => column().array(),
    sql: `${sql}[]`,
    values: [[elements, list], [[], `array[]::${sql}[]`], [[null], `array[null]::${sql}[]`], [null, `null::${sql}[]`]],
    // PostgreSQL compares arrays only if their elements have an order.
    comparable: isOrdered,
    isOrdered
  }, {
    name: `${name}[][]`,
    column: () => arrayOfArrays(column()),
    sql: `${sql}[][]`,
    values: [[[elements, elements], `array[${list},${list}]`], [[], `array[]::${sql}[]`], [null, `null::${sql}[]`]],
    comparable: isOrdered,
    isOrdered
  }]
})
