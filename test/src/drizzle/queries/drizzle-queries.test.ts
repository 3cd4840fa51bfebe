import t from 'tap'
import { eq, sql, max } from 'drizzle-orm'
import { alias, bigint, date, integer, jsonb, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import { open } from '../../../helpers/database.js'
import { build } from '../../../helpers/server.js'
import { schema, users } from '../../../helpers/schema.js'
import { openDatabase, infinity, minusInfinity } from '../../../../src/index.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import type { Logger } from 'drizzle-orm'
import type { OpenOptions } from '../../../../src/index.js'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'

interface Seen { readonly text: string, readonly values: unknown[] }

/** A logger of Drizzle's that keeps what it sees. */
function recorder (): { logger: Logger, seen: Seen[], take (): string[] } {
  const seen: Seen[] = []
  return {
    seen,
    logger: { logQuery: (text, values) => { seen.push({ text, values }) } },
    take: () => seen.splice(0).map(({ text }) => /^\w+/.exec(text)?.[0] ?? '')
  }
}

t.test('Drizzle\'s logger gets text and values of each query, in the database, sessions and scopes', async (t) => {
  const { logger, seen, take } = recorder()
  const database = await open(t, { drizzle: { logger } })
  const db = database.drizzle as unknown as NodePgDatabase<typeof schema>
  await db.insert(users).values({ email: 'ada' })
  t.match(seen.splice(0), [{ text: /^insert into "users"/, values: ['ada'] }])
  await db.query.users.findMany({ with: { posts: true } })
  await db.$count(users)
  await db.select().from(users).where(eq(users.id, sql.placeholder('id'))).prepare('byId').execute({ id: 7 })
  t.strictSame(seen.at(-1)?.values, [7], 'a placeholder as its value')
  t.strictSame(take(), ['select', 'select', 'select'])
  await database.session(async (session) => {
    await session.drizzle.update(users).set({ balance: 1 })
    await session.execute(sql`select ${1}::int`)
    await session.execute(db.select().from(users))
    await session.drizzle.transaction(async (tx) => await tx.transaction(async (inner) => await inner.delete(users)))
  })
  t.strictSame(seen[1], { text: 'select $1::int', values: [1] })
  t.strictSame(take(), ['update', 'select', 'select', 'delete'], 'and neither BEGIN, savepoints nor COMMIT')
  await database.repo(users).create({ email: 'grace' })
  t.strictSame(take(), [], 'no repository')
})

t.test('a query that its logger throws at is not sent, and the transaction goes on', async (t) => {
  const broken = new Error('full')
  const database = await open(t, { drizzle: { logger: { logQuery () { throw broken } } } })
  await database.session(async (session) => {
    await session.repo(users).create({ email: 'ada' })
    await t.rejects(session.drizzle.delete(users), broken)
    await t.rejects(session.execute(sql`delete from users`), broken)
  })
  t.equal(await database.repo(users).count(), 1)
})

t.test('request.db.drizzle has the logger of the plugin\'s options', async (t) => {
  const { logger, take } = recorder()
  const server = await build(t, { drizzle: { logger } })
  server.get('/', async (request) => await request.db.drizzle.select().from(users))
  t.strictSame((await server.inject('/')).json(), [])
  t.strictSame(take(), ['select'])
})

t.test('with true Drizzle\'s own logger prints, with false and undefined nothing does', async (t) => {
  const printed = t.capture(console, 'log')
  for (const logger of [false, undefined]) await (await open(t, { drizzle: { logger } })).drizzle.select().from(users)
  t.strictSame(printed(), [])
  await (await open(t, { drizzle: { logger: true } })).drizzle.select().from(users).where(eq(users.email, 'ada'))
  t.match(printed().map(({ args }) => args), [[/^Query: select .* -- params: \["ada"\]$/]])
})

t.test('Drizzle\'s cache and an invalid logger are refused before a connection is opened', async (t) => {
  const refusal = (options: object): Promise<unknown> => openDatabase({
    connectionString: 'postgresql://nobody@127.0.0.1:1/none', ...options
  } as OpenOptions).catch((error: unknown) => error)
  const cache = /^is refused: a cache knows nothing of transactions/
  for (const [setting, options, reason] of [
    ['cache', { cache: {} }, cache],
    ['drizzle.cache', { drizzle: { cache: {} } }, cache],
    ['drizzle.schema', { drizzle: { schema } }, /is not an option: use drizzle\.logger$/],
    ...[null, 1, '', [], true, () => undefined].map((drizzle) => ['drizzle', { drizzle }, /must be an object: { logger }/] as const),
    ...[null, 1, '', [], {}, () => undefined].map((logger) => [
      'drizzle.logger',
      { drizzle: { logger } },
      /must be true, false or an object with the method logQuery/
    ] as const),
    ...[true, recorder().logger].map((logger) => ['logger', { logger }, /Drizzle's own logger goes into drizzle: { logger }/] as const)
  ] as const) {
    const error = await refusal(options)
    t.match(error, { name: 'SettingsError', setting })
    t.match(String((error as Error).message).slice(setting.length + 1), reason)
  }
})

const things = pgTable('things', {
  id: integer().primaryKey(), ids: bigint({ mode: 'bigint' }).array(), paper: jsonb(), at: timestamp(), day: date({ mode: 'date' }), name: text()
})
const word = () => text()
const ddl = `create table things (id integer primary key, ids bigint[], paper jsonb, at timestamp, day date, name text);
  insert into things values (1, '{1,null}', '"10.50"', 'infinity', '-infinity', 'one'), (2, '{}', 'null', '0044-03-15 00:00:00', '12026-01-01', null)`

t.test('Drizzle\'s own queries read columns as repositories do, under every alias', async (t) => {
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
    message: /Column "at" of a row cannot be read: .*outside the range of a Date/,
    context: { table: 'things', columns: ['at'], operation: 'execute' }
  })
  await t.rejects(
    database.repo(pgTable('things', { id: integer().primaryKey(), at: bigint({ mode: 'bigint' }) })).get(1),
    { message: 'Column "at" of a row cannot be read: its declared type cannot read the stored value' }
  )
})

t.test('a result column called __proto__ is a key like every other, and inherits nothing', async (t) => {
  const { database } = await createTestDatabase(t)
  const { rows: [row] } = await database.execute<Record<string, unknown>>(sql`select '{"isAdmin":true}'::jsonb as "__proto__", 1 as id, null as constructor`)
  t.strictSame(Object.entries(row ?? {}), [['__proto__', { isAdmin: true }], ['id', 1], ['constructor', null]])
  t.equal(Object.getPrototypeOf(row), Object.prototype)
  t.equal(row?.['isAdmin'], undefined)
})

t.test('columns may have names of inherited properties', async (t) => {
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
