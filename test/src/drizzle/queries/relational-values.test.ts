import { sql } from 'drizzle-orm'
import { drizzle as connect } from 'drizzle-orm/node-postgres'
import { bigint, customType, integer, interval, numeric, pgTable, real, text, timestamp } from 'drizzle-orm/pg-core'
import t from 'tap'
import { openDatabase } from '../../../../src/index.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { isDrizzle1 } from '../../../helpers/drizzle.js'
import { selfRelations, type valueTable } from '../../../values/round-trip.js'
import type { Database } from '../../../../src/index.js'
import type { Test } from '../../../helpers/test.js'

const integers = customType<{ data: number[] }>({ dataType: () => 'integer[]' })
const doubled = customType<{ data: number, driverData: number }>({ dataType: () => 'integer', fromDriver: (value) => value * 2 })
const things = pgTable('things', {
  id: integer().primaryKey(),
  big: bigint({ mode: 'bigint' }),
  price: numeric({ precision: 30, scale: 9 }),
  ratio: real(),
  at: timestamp({ withTimezone: true, precision: 3 }),
  list: bigint({ mode: 'bigint' }).array(),
  integers: integers(),
  doubled: doubled(),
  doubles: doubled().array(),
  span: interval(),
  word: text()
})
const ddl = `create table things (id integer primary key, big bigint, price numeric(30, 9), ratio real, at timestamptz(3), list bigint[], integers integer[],
    doubled integer, doubles integer[], span interval, word text);
  insert into things values
    (1, 9007199254740993, 12345678901234567890.123456789, 'NaN', 'infinity', '{9007199254740993,null}', '{1,2}', 4, '{5,null}', '1 day', '5'),
    (2, null, null, null, null, null, null, null, null, null, null)`

const declared = selfRelations({ things: things as unknown as ReturnType<typeof valueTable> })

type Row = typeof things.$inferSelect
type Queries = Record<'things', { findMany (options?: object): Query, findFirst (options?: object): Query }>

interface Query extends PromiseLike<Array<Row & { me: Row, mine: Row[] }>> {
  prepare (name: string): { execute (): Promise<unknown> }
  execute (): Promise<unknown>
}

const queries = ({ query }: { query: unknown }): Queries => query as Queries

async function open (t: Test): Promise<Database> {
  const { connectionString } = await createTestDatabase(t as never, { sql: ddl })
  const database = await openDatabase({ connectionString, ...declared })
  t.teardown(() => database.close())
  return database
}

t.test('Drizzle\'s relational queries read columns as a SELECT does, in the row and in related rows', async (t) => {
  const database = await open(t)
  const rows = await database.drizzle.select().from(things).orderBy(things.id)
  t.match(rows[0], { big: 9007199254740993n, ratio: NaN, integers: [1, 2], doubled: 8, doubles: [10, null] })
  const related = rows.map((row) => ({ ...row, me: row, mine: [row] }))
  const options = { with: { me: true, mine: true } }
  t.strictSame(await queries(database.drizzle).things.findMany(options), related)
  t.strictSame(await queries(database.drizzle).things.findFirst(options), related[0])
  t.strictSame(await database.session(async (session) => await queries(session.drizzle).things.findMany(options)), related)
  t.strictSame(await database.drizzle.transaction(async (tx) => await queries(tx).things.findMany(options)), related)
  t.strictSame(await queries(database.drizzle).things.findMany(options).prepare('things').execute(), related)
  t.strictSame(await queries(database.drizzle).things.findMany({ columns: { word: true } }), [{ word: '5' }, { word: null }])
  const x = (fields: typeof things) => sql`${fields.id} + 1`
  const extras = isDrizzle1 ? { x } : (fields: typeof things) => ({ x: x(fields).as('x') })
  t.strictSame(
    await queries(database.drizzle).things.findFirst({ columns: { id: true }, with: { me: { columns: { big: true }, extras, with: { mine: true } } } }),
    { id: 1, me: { big: 9007199254740993n, x: 2, mine: [rows[0]] } },
    'also deeper, beside an expression'
  )
  const mock = connect.mock(declared as { schema: Record<string, unknown> })
  t.strictSame(await database.execute(queries(mock).things.findMany(options) as never), related, 'also in the query of another Drizzle database')
})

t.test('a related value that its column cannot hold is an error that names the column', async (t) => {
  const database = await open(t)
  await database.pool.query("update things set at = '290000-01-01'")
  await t.rejects(queries(database.drizzle).things.findMany({ columns: { id: true }, with: { me: true } }).execute(), {
    name: 'DatabaseError',
    message: /Column "at" of a row cannot be read: .*outside the range of a Date/,
    context: { table: 'things', columns: ['at'], operation: 'read' }
  })
})
