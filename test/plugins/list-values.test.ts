import { sql } from 'drizzle-orm'
import {
  bigint, bigserial, boolean, char, date, doublePrecision, integer, numeric, pgEnum, pgTable, real, serial, smallint, smallserial, text, time,
  timestamp, uuid, varchar
} from 'drizzle-orm/pg-core'
import t from 'tap'
import { listQuery } from '../../plugins/index.js'
import { build } from '../helpers/server.js'
import type { PgColumnBuilderBase } from 'drizzle-orm/pg-core'

const mood = pgEnum('mood', ['fine', 'so "so"'])
const size = pgEnum('size', { small: 's', large: "L's" })

/** A type of column, the texts of its smallest, largest and other odd values in a query string and in SQL, and texts that are not values of it. */
interface Case {
  readonly column: () => PgColumnBuilderBase
  readonly sql: string
  readonly found: readonly string[]
  readonly refused: readonly string[]
  /** Spellings that the reader refuses, and that Fastify's validator may convert to a number. */
  readonly spelled?: readonly string[]
}

const wholeNumbers = ['1.5', '1_000', '--1', '٣']
const spelled = ['1e3', '0x10', '+1']
const smallints: Omit<Case, 'column'> = { sql: 'smallint', found: ['-32768', '-1', '0', '32767'], refused: [...wholeNumbers, '-32769', '32768'], spelled }
const integers: Omit<Case, 'column'> = {
  sql: 'integer', found: ['-2147483648', '-1', '0', '2147483647'], refused: [...wholeNumbers, '-2147483649', '2147483648'], spelled
}
const safeIntegers: Omit<Case, 'column'> = {
  sql: 'bigint',
  found: ['-9007199254740991', '0', '9007199254740991'],
  refused: [...wholeNumbers, '-9007199254740992', '9007199254740992', '9223372036854775807'],
  spelled
}
const bigints: Omit<Case, 'column'> = {
  sql: 'bigint',
  found: ['-9223372036854775808', '0', '1234567890123456789', '9223372036854775807'],
  refused: [...wholeNumbers, '-9223372036854775809', '9223372036854775808', '9'.repeat(2000)],
  spelled
}
const texts: Omit<Case, 'column'> = {
  sql: 'varchar(40)', found: ['', 'NULL', '{}', "it's \\ \"odd\"", '50%', ' padded ', 'ünï☃', '__proto__'], refused: ['\0']
}
const notTimes = [
  'now', 'today', 'epoch', 'NaN', '1', '2026-02-30', '2026-13-01', '2026-00-01', '0000-01-01', '10000-01-01', '2026-02-30T00:00:00Z', '01/02/2026',
  '2026-01-01T25:00:00Z', '2026-01-01T00:60:00Z', '2026-01-01T00:00:00+20:00', '2026-01-01T00:00:00+02:60'
]
const endless = ['infinity', '-infinity']

const cases: Readonly<Record<string, Case>> = {
  smallint: { column: () => smallint(), ...smallints },
  smallserial: { column: () => smallserial(), ...smallints },
  integer: { column: () => integer(), ...integers },
  serial: { column: () => serial(), ...integers },
  'bigint number': { column: () => bigint({ mode: 'number' }), ...safeIntegers },
  'bigserial number': { column: () => bigserial({ mode: 'number' }), ...safeIntegers },
  bigint: { column: () => bigint({ mode: 'bigint' }), ...bigints },
  bigserial: { column: () => bigserial({ mode: 'bigint' }), ...bigints },
  numeric: {
    column: () => numeric(),
    sql: 'numeric',
    found: ['0', '-0.05', '12345678901234567890.123456789', '9'.repeat(1000), `0.${'0'.repeat(999)}1`],
    refused: ['1e5', '1.', '.5', 'NaN', 'Infinity', '٣', '9'.repeat(1001)]
  },
  'numeric number': {
    column: () => numeric({ mode: 'number' }),
    sql: 'numeric',
    found: ['0', '-0.05', '1e21'],
    refused: ['NaN', 'Infinity', '1e400', '٣'],
    spelled: ['1.', '.5']
  },
  'numeric bigint': {
    column: () => numeric({ mode: 'bigint' }),
    sql: 'numeric',
    found: ['0', '-1', '9'.repeat(1000)],
    refused: [...wholeNumbers, ...spelled, '9'.repeat(1001)]
  },
  real: {
    column: () => real(),
    sql: 'real',
    found: ['0', '0.1', '-3.4028235e38', '3.4028235e38', '1.4e-45', '1.1754944e-38'],
    refused: ['3.5e38', '-1e39', '1e-46', '-1e-300', 'NaN', 'Infinity', '1e400', '1e']
  },
  'double precision': {
    column: () => doublePrecision(),
    sql: 'double precision',
    found: ['0', '0.30000000000000004', '-1.7976931348623157e308', '1.7976931348623157e308', '5e-324'],
    refused: ['NaN', 'Infinity', '1e309', '-1e309', '1e']
  },
  boolean: { column: () => boolean(), sql: 'boolean', found: ['true', 'false'], refused: ['yes', '2', 'TRUE', 'null'] },
  text: { column: () => text(), ...texts, sql: 'text' },
  varchar: { column: () => varchar({ length: 40 }), ...texts },
  char: { column: () => char({ length: 3 }), sql: 'char(3)', found: ['abc', '"\\\'', '{,}'], refused: ['\0'] },
  enum: { column: () => mood(), sql: 'mood', found: ['fine', 'so "so"'], refused: ['', 'Fine', 'toString'] },
  'enum object': { column: () => size(), sql: 'size', found: ['s', "L's"], refused: ['', 'small', 'S'] },
  'text of some': { column: () => text({ enum: ['a', 'b'] }), sql: 'text', found: ['a', 'b'], refused: ['', 'c'] },
  uuid: {
    column: () => uuid(),
    sql: 'uuid',
    found: ['00000000-0000-0000-0000-000000000000', 'FFFFFFFF-ffff-ffff-ffff-ffffffffffff'],
    refused: ['', '0', '{00000000-0000-0000-0000-000000000000}', '00000000-0000-0000-0000-00000000000g']
  },
  timestamptz: {
    column: () => timestamp({ withTimezone: true }),
    sql: 'timestamptz',
    found: [
      '0001-01-01T00:00:00Z', '2024-02-29T12:00:00.123+05:30', '9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59-15:59', '0001-01-01T00:00:00+15:59',
      ...endless
    ],
    refused: [...notTimes, '2026-01-01T00:00:00', '2026-01-01 00:00:00Z']
  },
  timestamp: {
    column: () => timestamp(),
    sql: 'timestamp',
    found: ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z', '2024-02-29T24:00:00Z', ...endless],
    refused: [...notTimes, '2026-01-01T00:00:00']
  },
  date: {
    column: () => date({ mode: 'date' }),
    sql: 'date',
    found: ['0001-01-01', '2024-02-29', '9999-12-31', ...endless],
    refused: [...notTimes, '2026-02-29']
  },
  'timestamptz string': {
    column: () => timestamp({ withTimezone: true, mode: 'string' }),
    sql: 'timestamptz',
    found: ['0001-01-01T00:00:00Z', '2026-02-01 00:00:00.123456+00', '2026-02-01 00:00:00+05:30', '9999-12-31T23:59:59.999999-15:59', ...endless],
    refused: [...notTimes, '2026-01-01T00:00:00']
  },
  'timestamp string': {
    column: () => timestamp({ mode: 'string' }),
    sql: 'timestamp',
    found: ['0001-01-01', '2026-02-01 00:00:00.123456', '2026-02-02T00:00:00Z', '9999-12-31T24:00:00', ...endless],
    refused: [...notTimes, '2026-01-01T00:00:00+01:00']
  },
  'date string': {
    column: () => date(),
    sql: 'date',
    found: ['0001-01-01', '2024-02-29', '9999-12-31', ...endless],
    refused: [...notTimes, '2026-02-29', '2026-01-01T00:00:00Z']
  },
  time: {
    column: () => time(),
    sql: 'time',
    found: ['00:00', '09:05:00.123456', '24:00:00'],
    refused: ['24:00:01', '25:00', '09:60', '09:00:60', '9:00', 'noon', '09:00Z', 'infinity']
  },
  timetz: {
    column: () => time({ withTimezone: true }),
    sql: 'timetz',
    found: ['00:00:00+15:59', '09:05:00.5-08', '24:00:00Z', '12:00:00+00'],
    refused: ['24:00:01', '25:00Z', '09:00+16', '09:00+05:60', 'noon', 'infinity']
  }
}

for (const [name, { column, sql: type, found, refused, spelled = [] }] of Object.entries(cases)) {
  t.test(`a list finds the smallest and the largest ${name}, and refuses invalid values`, async (t) => {
    const server = await build(t, {})
    const things = pgTable('things', { id: integer().primaryKey(), c: column() as ReturnType<typeof text> })
    await server.db.execute(sql.raw('create type mood as enum (\'fine\', \'so "so"\'); create type size as enum (\'s\', \'L\'\'s\')'))
    await server.db.execute(sql.raw(`create table things (id integer primary key, c ${type})`))
    for (const [id, text] of found.entries()) await server.db.execute(sql`insert into things values (${id}, ${text}::text::${sql.raw(type)})`)
    await server.db.execute(sql`insert into things values (-1, null)`)
    const list = listQuery(things, { filterable: ['c'], sortable: ['c'] })
    const ids = async (request: { query: unknown }): Promise<number[]> =>
      (await server.db.repo(things).filter(...list.filter(request.query))).map(({ id }) => id)
    server.get('/checked', { schema: { querystring: list.schema } }, ids)
    server.get('/raw', ids)
    for (const path of ['/checked', '/raw']) {
      for (const [id, text] of found.entries()) {
        const value = encodeURIComponent(text)
        for (const operator of ['c', 'c[eq]', 'c[in]', 'c[lte]', 'c[gte]']) {
          if (operator === 'c[eq]' || (operator === 'c[in]' && text.includes(','))) continue
          const reply = await server.inject(`${path}?${operator}=${value}&sort=-c`)
          t.equal(reply.statusCode, 200, `${path} ${operator} ${text.slice(0, 40)} ${reply.body}`)
          t.ok(reply.json().includes(id), `${path} ${operator} ${text.slice(0, 40)}`)
        }
        t.strictSame((await server.inject(`${path}?c[ne]=${value}`)).json().includes(id), false)
      }
      for (const text of path === '/raw' ? [...refused, ...spelled] : refused) {
        const value = encodeURIComponent(text)
        for (const operator of ['c', 'c[in]', 'c[gt]']) {
          const { statusCode, body } = await server.inject(`${path}?${operator}=${value}`)
          t.equal(statusCode, 400, `${path} ${operator} ${text.slice(0, 40)} ${body}`)
        }
      }
    }
  })
}
