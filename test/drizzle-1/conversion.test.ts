import { getTableColumns, sql } from 'drizzle-orm'
import { bigint, boolean, customType, date, integer, jsonb, point, pgTable, text } from 'drizzle-orm/pg-core'
import * as pgCore from 'drizzle-orm/pg-core'
import t from 'tap'
import { listQuery } from '../../src/repository/list-query/list-query.js'
import type * as PgCore1 from 'drizzle-orm-1/pg-core'
import { columnTypeOf, dataTypeOf, sqlTypeOf } from '../../src/drizzle/column-types.js'
import { open } from '../helpers/database.js'
import { openDatabase } from '../../src/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { related } from '../helpers/drizzle.js'
import { openRepositories } from '../helpers/runner.js'
import type { SQL } from 'drizzle-orm'

t.test('a column reads other types than its own as Drizzle 0.45 does', async (t) => {
  const { repo } = await openRepositories(t, `
    create table odd (id integer primary key, doc text, number text);
    insert into odd values (1, '{"a":1}', '7'), (2, 'no json', '8');
    create table whole (id integer primary key, doc integer);
    insert into whole values (1, 5);`)
  const odd = pgTable('odd', { id: integer().primaryKey(), doc: jsonb(), number: integer() })
  t.strictSame(await repo(odd).getAll(), [{ id: 1, doc: { a: 1 }, number: 7 }, { id: 2, doc: 'no json', number: 8 }])
  t.strictSame(await repo(pgTable('whole', { id: integer().primaryKey(), doc: jsonb() })).getAll(), [{ id: 1, doc: 5 }])
})

t.test('a custom type with a codec of Drizzle 1.0 reads what the codec makes, in lists too', async (t) => {
  const { repo } = await openRepositories(t, "create table big (id integer primary key, n bigint, list bigint[]); insert into big values (1, 9007199254740993, '{1,NULL}')")
  const doubled = customType<{ data: bigint, driverData: bigint }>({ dataType: () => 'bigint', codec: 'bigint', fromDriver: (value: bigint) => value * 2n } as never)
  const big = pgTable('big', { id: integer().primaryKey(), n: doubled(), list: doubled().array() })
  t.strictSame(await repo(big).getAll(), [{ id: 1, n: 18014398509481986n, list: [2n, null] }])
})

t.test('a custom type keeps its own way into JSON and out of it, in a relational query', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: 'create table odd (id integer primary key, a integer, b integer, c integer); insert into odd values (1, 7, 7, 7)' })
  const own = (params: object) => customType<{ data: unknown }>({ dataType: () => 'integer', fromDriver: (value) => [value], ...params })
  const odd = pgTable('odd', {
    id: integer().primaryKey(),
    a: own({})(),
    b: own({ fromJson: (value: unknown) => ({ json: value }) })(),
    c: own({ forJsonSelect: (name: SQL) => sql`${name} + 1` })()
  })
  const relations = related({ odd }, ({ one, odd }) => ({ odd: { me: one['odd']?.({ from: odd?.['id'], to: odd?.['id'] }) } }))
  const database = await openDatabase({ connectionString, relations })
  t.teardown(() => database.close())
  const { query } = database.drizzle as unknown as { query: { odd: { findMany (options: object): Promise<unknown> } } }
  const rows = await query.odd.findMany({ columns: { a: true }, with: { me: { columns: { id: false } } } })
  t.strictSame(rows, [{ a: [7], me: { a: [7], b: { json: 7 }, c: [8] } }])
})

t.test('a transaction of Drizzle without a function is refused', async (t) => {
  const database = await open(t)
  await t.rejects(database.drizzle.transaction('begin' as never), { name: 'UsageError', message: /transaction\(\)/ })
})

t.test('a bigint that is a string stands in a query string, as its shortest text', (t) => {
  const { bigint } = pgCore as unknown as typeof PgCore1
  const counts = pgTable('counts', { id: integer().primaryKey(), seen: bigint({ mode: 'string' }) as unknown as ReturnType<typeof text> })
  const list = listQuery(counts, { filterable: ['seen'] })
  t.strictSame(list.filter({ seen: '-009007199254740993' })[0], { and: [{ seen: { eq: '-9007199254740993' } }] })
  t.throws(() => list.filter({ seen: '9223372036854775808' }), { name: 'ValidationError' })
  t.end()
})

t.test('columns have the types that they have in Drizzle 0.45', async (t) => {
  const custom = customType<{ data: string }>({ dataType: () => 'citext' })
  const all = pgTable('all', {
    text: text(),
    number: integer(),
    big: bigint({ mode: 'bigint' }),
    flag: boolean(),
    day: date({ mode: 'date' }),
    json: jsonb(),
    pair: point(),
    xy: point({ mode: 'xy' }),
    list: text().array(),
    custom: custom()
  })
  t.strictSame(
    Object.entries(getTableColumns(all)).map(([key, column]) => [key, dataTypeOf(column), columnTypeOf(column), sqlTypeOf(column)]),
    [
      ['text', 'string', 'PgText', 'text'], ['number', 'number', 'PgInteger', 'integer'], ['big', 'bigint', 'PgBigInt64', 'bigint'],
      ['flag', 'boolean', 'PgBoolean', 'boolean'], ['day', 'date', 'PgDate', 'date'], ['json', 'json', 'PgJsonb', 'jsonb'],
      ['pair', 'array', 'PgPointTuple', 'point'], ['xy', 'json', 'PgPointObject', 'point'], ['list', 'array', 'PgArray', 'text[]'],
      ['custom', 'custom', 'PgCustomColumn', 'citext']
    ]
  )
})
