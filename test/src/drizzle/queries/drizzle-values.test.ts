import { max, sql } from 'drizzle-orm'
import { alias, bigint, date, integer, jsonb, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import t from 'tap'
import { infinity, minusInfinity } from '../../../../src/index.js'
import { createTestDatabase } from '../../../../src/testing/index.js'

const things = pgTable('things', {
  id: integer().primaryKey(), ids: bigint({ mode: 'bigint' }).array(), paper: jsonb(), at: timestamp(), day: date({ mode: 'date' }), name: text()
})
const word = () => text()
const ddl = `create table things (id integer primary key, ids bigint[], paper jsonb, at timestamp, day date, name text);
  insert into things values (1, '{1,null}', '"10.50"', 'infinity', '-infinity', 'one'), (2, '{}', 'null', '0044-03-15 00:00:00', '12026-01-01', null)`

t.test('Drizzle\'s own queries read the columns that Drizzle misreads as repositories do, under every alias', async (t) => {
  const { database } = await createTestDatabase(t, { sql: ddl })
  const { drizzle } = database
  const rows = await drizzle.select().from(things).orderBy(things.id)
  t.strictSame(rows, await database.repo(things).getAll())
  t.equal(rows[0]?.at, infinity)
  t.equal(rows[0]?.day, minusInfinity)
  t.strictSame(await drizzle.select({
    last: max(things.at), own: sql`${things.ids}`.mapWith(things.ids).as('own'), plain: sql`${things.ids}`, name: things.name
  }).from(things).where(sql`id = 1`).groupBy(things.ids, things.name),
  [{ last: infinity, own: [1n, null], plain: ['1', null], name: 'one' }])
  t.strictSame(
    await drizzle.update(things).set({ paper: 'true' }).where(sql`id = 1`).returning({ paper: things.paper, at: things.at }),
    [{ paper: 'true', at: infinity }]
  )
  t.strictSame(
    await drizzle.insert(things).values({ id: 3, at: infinity, day: minusInfinity }).returning({ at: things.at, day: things.day }),
    [{ at: infinity, day: minusInfinity }]
  )
  const other = alias(things, 'other')
  t.strictSame(
    await drizzle.select({ one: things, other }).from(things).leftJoin(other, sql`false`).where(sql`${things.id} = 2`),
    [{ one: rows[1], other: null }]
  )
  t.strictSame(
    await drizzle.select({ n: sql<number>`1`, sub: sql`(${drizzle.select({ name: things.name }).from(things).where(sql`id = 1`)})` }).from(things).limit(1),
    [{ n: 1, sub: 'one' }]
  )
})

t.test('a value that none of them can hold is an error that names its column', async (t) => {
  const { database } = await createTestDatabase(t, {
    sql: "create table things (id integer primary key, at timestamp); insert into things values (1, '290000-01-01')"
  })
  await t.rejects(database.drizzle.select({ at: things.at }).from(things), {
    name: 'DatabaseError',
    message: /Column "at" of a row cannot be read: .*too far away/,
    context: { table: 'things', columns: ['at'], operation: 'execute' }
  })
  await t.rejects(
    database.repo(pgTable('things', { id: integer().primaryKey(), at: bigint({ mode: 'bigint' }) })).get(1),
    { message: 'Column "at" of a row cannot be read: the type that it is declared with cannot read what is stored' }
  )
})

t.test('a result column called __proto__ is a key as any other, and inherits nothing', async (t) => {
  const { database } = await createTestDatabase(t)
  const { rows: [row] } = await database.execute<Record<string, unknown>>(sql`select '{"isAdmin":true}'::jsonb as "__proto__", 1 as id, null as constructor`)
  t.strictSame(Object.entries(row ?? {}), [['__proto__', { isAdmin: true }], ['id', 1], ['constructor', null]])
  t.equal(Object.getPrototypeOf(row), Object.prototype)
  t.equal(row?.['isAdmin'], undefined)
})

t.test('columns may be called as what every object inherits', async (t) => {
  const names = ['constructor', 'toString', 'hasOwnProperty', 'valueOf', 'toJSON'] as const
  const { database } = await createTestDatabase(t, { sql: `create table odd (id integer primary key, ${names.map((name) => `"${name}" text`).join()})` })
  const columns = Object.fromEntries(names.map((name) => [name, word()])) as unknown as Record<typeof names[number], ReturnType<typeof word>>
  const repo = database.repo(pgTable('odd', { id: integer().primaryKey(), ...columns }))
  const empty = { id: 1, constructor: null, toString: null, hasOwnProperty: null, valueOf: null, toJSON: null }
  t.strictSame(Object.entries(await repo.create({ id: 1 } as never)), Object.entries(empty), 'what is not given is not what an object inherits')
  for (const name of names) {
    t.strictSame(Object.entries(await repo.update(1, { [name]: name } as never) ?? {}), Object.entries({ ...empty, [name]: name }))
    t.strictSame((await repo.filter({ [name]: name } as never)).length, 1)
    t.strictSame((await repo.upsert({ id: 1, [name]: null } as never)).row[name], null)
    t.strictSame((await repo.cursor(undefined, { orderBy: { [name]: 'asc' } as never })).items.length, 1)
  }
  t.strictSame(
    (await repo.createMany(Array.from({ length: 60 }, (_, place) => ({ id: 10 + place })) as never)).map(({ constructor }) => constructor),
    Array.from({ length: 60 }, () => null)
  )
  t.strictSame((await repo.upsertMany(Array.from({ length: 60 }, (_, place) => ({ id: 10 + place, toString: 'x' })) as never)).length, 60)
})
