import t from 'tap'
import { TransactionRollbackError, eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import { QueryBuilder, bigint, customType, integer, pgTable, text } from 'drizzle-orm/pg-core'
import { beside } from '../../../helpers/backend.js'
import { open } from '../../../helpers/database.js'
import { openEchoing, words } from '../../../helpers/echo.js'
import { declared, posts, users } from '../../../helpers/schema.js'
import { DatabaseError, UniqueViolationError, UsageError } from '../../../../src/index.js'
import { isDrizzle1, related, relations, snakeCaseTable } from '../../../helpers/drizzle.js'
import type { schema } from '../../../helpers/schema.js'
import type { DrizzleDatabase, DrizzleQuery, Session, StatementRunner } from '../../../../src/index.js'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'

/** The type of the schema reaches `query` where a program registers it; tests of several schemas do not. */
function typed (database: DrizzleDatabase): NodePgDatabase<typeof schema> {
  return database as unknown as NodePgDatabase<typeof schema>
}

t.test('every kind of query runs in the session\'s transaction, and resolves with its own result', async (t) => {
  const { database, sent } = await openEchoing(t)
  const session = database.createSession()
  const db = typed(session.drizzle)
  t.equal(session.drizzle, session.drizzle)
  const [ada] = await db.insert(users).values({ email: 'ada' }).returning()
  t.same(ada, { id: 1, email: 'ada', balance: 0 })
  await db.insert(posts).values({ userId: 1, title: 'Hello' })
  t.same(await db.select().from(users), [ada])
  t.match(await db.update(users).set({ balance: 5 }).where(eq(users.id, 1)), { rowCount: 1, command: 'UPDATE' })
  t.same(await db.query.users.findMany({ with: { posts: true } }), [{ ...ada, balance: 5, posts: [{ id: 1, userId: 1, title: 'Hello' }] }])
  t.same(await db.query.users.findFirst({ columns: { email: true } }), { email: 'ada' })
  t.equal(await db.$count(users), 1)
  t.match(await db.execute(sql`select 1 as one`), { rows: [{ one: 1 }], rowCount: 1, command: 'SELECT' })
  t.same(await db.select({ n: sql<number>`1` }).from(users).prepare('named').execute(), [{ n: 1 }])
  t.match(await db.delete(posts), { rowCount: 1 })
  t.equal(await database.repo(users).count(), 0, 'nobody else sees it')
  await session.rollback()
  t.same(words(sent()).filter((trip) => /begin|commit|rollback/.test(trip)), ['begin; insert', 'rollback'])
})

t.test('a name given to a statement is prepared in PostgreSQL for that one statement', async (t) => {
  const { database } = await openEchoing(t)
  const session = database.createSession()
  const db = typed(session.drizzle)
  const names = async (): Promise<unknown[]> =>
    (await session.execute<{ name: string }>(sql`select name from pg_prepared_statements where name not like 'data\\_access%' order by name`)).rows.map(({ name }) => name)
  const lists = pgTable('lists', { list: text().array(), other: bigint({ mode: 'bigint' }).array() })
  await db.insert(users).values([{ email: 'ada' }, { email: 'grace' }])
  const byEmail = () => db.select({ id: users.id }).from(users).where(eq(users.email, sql.placeholder('email'))).prepare('byEmail')
  for (const email of ['ada', 'grace', 'ada']) t.equal((await byEmail().execute({ email })).length, 1)
  t.strictSame(await names(), ['byEmail'])
  t.same(await db.select({ email: users.email }).from(users).where(eq(users.id, 1)).prepare('byEmail').execute(), [{ email: 'ada' }], 'another statement')
  const byId = (isDrizzle1 ? { id: sql.placeholder('id') } : eq(users.id, sql.placeholder('id'))) as ReturnType<typeof eq>
  t.match(await db.query.users.findFirst({ where: byId }).prepare('first').execute({ id: 2 }), { email: 'grace' })
  const read = (column: typeof lists.list | typeof lists.other) => db.select({
    list: sql`'{1,NULL}'::text[]`.mapWith(column)
  }).from(users).limit(1).prepare('read').execute()
  t.strictSame(await read(lists.list), [{ list: ['1', null] }])
  t.strictSame(await read(lists.other), [{ list: [1n, null] }], 'the same text, read in another way')
  t.strictSame(await read(lists.list), [{ list: ['1', null] }])
  for (const name of ['', 'data_access_1', 'x'.repeat(64)]) t.equal((await db.select().from(users).prepare(name).execute()).length, 2)
  t.strictSame(await names(), ['byEmail', 'first', 'read'])
  await session.rollback()
})

t.test('execute() takes queries of any Drizzle database, and runs them here', async (t) => {
  const { database } = await openEchoing(t)
  const elsewhere = drizzle.mock(declared as { schema: typeof schema })
  const session = database.createSession()
  await session.execute(elsewhere.insert(users).values({ email: 'ada' }))
  for (const db of [elsewhere, typed(database.drizzle), typed(session.drizzle)]) {
    t.match(await session.execute(db.select().from(users)), [{ email: 'ada' }])
    t.match(await session.execute(db.query.users.findFirst() as unknown as DrizzleQuery<unknown>), { email: 'ada' })
    t.equal(await session.execute(db.$count(users) as unknown as DrizzleQuery<number>), 1)
    t.match(await session.execute(db.execute(sql`select count(*)::int as n from users`)), { rows: [{ n: 1 }], rowCount: 1, command: 'SELECT' })
  }
  t.same(await session.execute(sql`select ${1}::int as n`), { rows: [{ n: 1 }], rowCount: 1, command: 'SELECT' })
  t.equal(await database.execute(elsewhere.$count(users) as unknown as DrizzleQuery<number>), 0)
  await session.rollback()
})

t.test('execute() refuses other values than SQL, and names the accepted ones', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  const bad: unknown[] = ['select 1', undefined, null, 7, {}, [], { text: 'select 1' }, users, new QueryBuilder().select().from(users)]
  for (const runner of [session, database]) {
    for (const statement of bad) {
      const result = runner.execute(statement as never)
      await t.rejects(result, UsageError)
      await t.rejects(result, { message: 'execute takes a Drizzle query or an sql`…` template' })
    }
  }
  t.equal(session.outcome, 'none')
})

t.test('errors are those of this package, without the statement and its values', async (t) => {
  const { database } = await openEchoing(t)
  const ways: Record<string, (runner: StatementRunner & { drizzle: DrizzleDatabase }) => PromiseLike<unknown>> = {
    query: ({ drizzle }) => drizzle.insert(users).values({ email: 'secret' }),
    execute: (runner) => runner.execute(drizzle.mock().insert(users).values({ email: 'secret' })),
    prepared: ({ drizzle }) => drizzle.insert(users).values({ email: sql.placeholder('email') }).prepare('p').execute({ email: 'secret' }),
    sql: ({ drizzle }) => drizzle.execute(sql`insert into users (email) values (${'secret'})`),
    transaction: ({ drizzle }) => drizzle.transaction((tx) => tx.insert(users).values({ email: 'secret' }))
  }
  await database.drizzle.insert(users).values({ email: 'secret' })
  for (const [name, way] of Object.entries(ways)) {
    for (const runner of [database, database.createSession()]) {
      const error: unknown = await way(runner).then(() => undefined, (error: unknown) => error)
      t.type(error, UniqueViolationError, name)
      t.notMatch(String(error), /secret|insert/)
      if ('rollback' in runner) await runner.rollback()
    }
  }
  const counted = await database.drizzle.$count(sql`nothing where email = ${'secret'}` as never).catch((error: unknown) => error)
  t.type(counted, DatabaseError)
  t.notMatch(String(counted), /secret|select/)
})

t.test('its own transactions are nested scopes, with savepoints of their own', async (t) => {
  const { database, sent } = await openEchoing(t)
  await database.session(async ({ drizzle }) => {
    await drizzle.transaction(async (tx) => {
      await tx.insert(users).values({ email: 'kept' })
      await t.rejects(tx.transaction(async (inner) => {
        await inner.insert(users).values({ email: 'undone' })
        inner.rollback()
      }).catch((error: unknown) => { throw new Error(String(error instanceof TransactionRollbackError)) }), { message: 'true' })
      const both = ['a', 'b'].map((email) => tx.transaction((inner) => inner.insert(users).values({ email })))
      await Promise.all(both)
      t.equal(await tx.$count(users), 3)
      t.match(await typed(tx as unknown as DrizzleDatabase).query.users.findFirst(), { email: 'kept' })
    })
  })
  t.match(sent(), [
    /^begin; savepoint s1; insert/, /^savepoint s2; insert/, 'rollback to savepoint s2; release savepoint s2',
    /^savepoint s3; insert/, /^release savepoint s3; savepoint s4; insert/, 'release savepoint s4; ', /count/, /select/, 'commit'
  ])
})

t.test('the database\'s own transaction takes Drizzle\'s config, and is ours', async (t) => {
  const { database, sent } = await openEchoing(t)
  await database.drizzle.transaction(async (tx) => {
    await tx.select().from(users)
    await tx.transaction((inner) => inner.select().from(users))
  }, { isolationLevel: 'serializable', accessMode: 'read only', deferrable: true })
  await t.rejects(database.drizzle.transaction(async (tx) => {
    await tx.insert(users).values({ email: 'ada' })
    tx.rollback()
  }).catch((error: unknown) => { throw new Error(String(error instanceof TransactionRollbackError)) }), { message: 'true' })
  await database.drizzle.transaction(async (tx) => {
    await tx.setTransaction({ isolationLevel: 'repeatable read' })
    t.match(await tx.execute(sql`select current_setting('transaction_isolation') as level`), { rows: [{ level: 'repeatable read' }] })
  })
  await database.drizzle.insert(users).values({ email: 'alone' })
  t.match(sent(), [
    'begin isolation level serializable, read only, deferrable; ', /^select/, 'savepoint s1; ', /^select/, 'commit',
    /^begin; insert/, 'rollback',
    'begin; ', 'set transaction isolation level repeatable read', /^select/, 'commit',
    /^insert/
  ])
})

t.test('Drizzle\'s own migrator runs over it, in one transaction, and fails with errors of ours', async (t) => {
  const text = 'create table first (id int);--> statement-breakpoint\ncreate table second (id int);'
  const migrationsFolder = t.testdir(isDrizzle1
    ? { '20260101000000_first': { 'migration.sql': text } }
    : { meta: { '_journal.json': JSON.stringify({ entries: [{ idx: 0, when: 1, tag: '0000_first', breakpoints: true }] }) }, '0000_first.sql': text })
  const { database, sent } = await openEchoing(t)
  await migrate(database.drizzle, { migrationsFolder })
  await migrate(database.drizzle, { migrationsFolder })
  t.equal(sent().filter((trip) => trip.startsWith('create table first')).length, 1)
  t.match(await beside(database, 'select from second'), [])

  await beside(database, 'alter table drizzle.__drizzle_migrations rename column hash to nothing')
  const error: unknown = await migrate(database.drizzle, { migrationsFolder }).catch((error: unknown) => error)
  t.type(error, DatabaseError)
  t.notMatch(String(error), /select|hash/)
})

t.test('names are written in the casing of the settings, in relational queries too', async (t) => {
  const people = snakeCaseTable('people', { id: integer().primaryKey().generatedAlwaysAsIdentity(), fullName: text() })
  const pets = snakeCaseTable('pets', { id: integer().primaryKey().generatedAlwaysAsIdentity(), ownerId: integer().references(() => people.id) })
  const own = {
    people,
    pets,
    peopleRelations: relations(people, ({ many }) => ({ pets: many(pets) })),
    petsRelations: relations(pets, ({ one }) => ({ owner: one(people, { fields: [pets.ownerId], references: [people.id] }) }))
  }
  const own1 = () => related({ people, pets }, ({ one, many, ...tables }) => {
    const ends = { from: tables['pets']?.['ownerId'], to: tables['people']?.['id'] }
    return { people: { pets: many['pets']?.() }, pets: { owner: one['people']?.(ends) } }
  })
  const database = await open(t, isDrizzle1 ? { relations: own1() } : { schema: own, casing: 'snake_case' })
  await beside(database, 'create table people (id int primary key generated always as identity, full_name text)')
  await beside(database, 'create table pets (id int primary key generated always as identity, owner_id int references people)')
  await database.session(async (session) => {
    const db = session.drizzle as unknown as NodePgDatabase<typeof own>
    await db.insert(people).values({ fullName: 'Ada' })
    await session.repo(pets).create({ ownerId: 1 })
    t.same(await db.query.people.findMany({ with: { pets: true } }), [{ id: 1, fullName: 'Ada', pets: [{ id: 1, ownerId: 1 }] }])
    t.same((await session.execute(sql`select ${people.fullName} from ${people}`)).rows, [{ full_name: 'Ada' }])
  })
})

t.test('an error of a custom column type is thrown unchanged', async (t) => {
  const failure = new Error('cannot be read')
  const strange = customType<{ data: string }>({ dataType: () => 'text', fromDriver () { throw failure } })
  const database = await open(t)
  const guests = pgTable('users', { email: strange() })
  await database.repo(users).create({ email: 'ada' })
  t.equal(await database.drizzle.select().from(guests).catch((error: unknown) => error), failure)
})

t.test('works without a schema; there is no relational query then', async (t) => {
  const database = await open(t, { schema: undefined, relations: undefined })
  await database.drizzle.insert(users).values({ email: 'ada' })
  t.match(await database.drizzle.select().from(users), [{ email: 'ada' }])
  t.same(Object.keys(database.drizzle.query), [])
})

t.test('execute gives the results of all statements that a text holds, in their order, everywhere', async (t) => {
  const database = await open(t)
  const text =
    sql.raw("select 1 as a, 2 as b; insert into users (email) values ('a'), ('b'); select 3 as c; select 4 as d where false; do $$ begin end $$; select 5 as e")
  const results = [
    {
      rows: [{ a: 1, b: 2 }], rowCount: 1, command: 'SELECT'
    }, { rows: [], rowCount: 2, command: 'INSERT' }, { rows: [{ c: 3 }], rowCount: 1, command: 'SELECT' },
    { rows: [], rowCount: 0, command: 'SELECT' }, { rows: [], rowCount: null, command: 'DO' }, { rows: [{ e: 5 }], rowCount: 1, command: 'SELECT' }
  ]
  const expected = { ...results.at(-1), results }
  const undone = async (work: (session: Session) => Promise<unknown>): Promise<unknown> => database.session(async (session) => {
    session.rollbackOnly()
    return await work(session)
  })

  t.strictSame(await undone((session) => session.execute(text)), expected)
  t.strictSame(await undone((session) => session.repo(users).execute(text)), expected)
  t.match(await undone((session) => session.drizzle.execute(text)), expected)
  t.strictSame(await database.execute(text), expected)
  t.strictSame(await database.execute(sql.raw('select 1 as one;;')), { rows: [{ one: 1 }], rowCount: 1, command: 'SELECT' }, 'one statement has one result')
  t.notOk('results' in await database.drizzle.execute(sql`select 1`))
  t.strictSame(
    (await database.execute(sql.raw("delete from users; insert into users (email) values ('c') returning email"))).results?.map(({ rowCount }) => rowCount),
    [2, 1]
  )
})
