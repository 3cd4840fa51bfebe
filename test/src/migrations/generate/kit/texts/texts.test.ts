import { join } from 'node:path'
import { and, eq, exists, gt, inArray, isNotNull, lt, ne, sql, type SQL } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import {
  QueryBuilder, alias, bigint, boolean, check, customType, date, doublePrecision, index, integer, json, jsonb, line, numeric, pgEnum,
  pgMaterializedView, pgPolicy, pgSchema, pgTable, pgView,
  point, smallint, text, time, timestamp, uniqueIndex, uuid, varchar, type PgColumnBuilderBase
} from 'drizzle-orm/pg-core'
import t from 'tap'
import type { Test } from 'tap'
import { checkMigrations, createMigration, runMigrations, type CreateOptions } from '../../../../../../src/migrations/index.js'
import { readCatalogue } from '../../../../../model-based/migrations/catalogue.js'
import { arrayOfArrays, isDrizzle1 } from '../../../../../helpers/drizzle.js'
import { open } from '../../round-trip.js'

/** A database with the tables of a model. */
async function migrated (t: Test, schema: Record<string, unknown>, { casing }: Pick<CreateOptions, 'casing'> = {}) {
  const opened = await open(t)
  const folder = join(t.testdir({}), 'drizzle')
  await createMigration({ message: 'all', folder, schema, casing })
  await runMigrations({ connectionString: opened.connectionString, folder })
  t.strictSame(await createMigration({ message: 'again', folder, schema, casing }), {}, 'there is nothing more to do')
  t.ok((await checkMigrations({ connectionString: opened.connectionString, folder, schema, casing })).ok)
  return { ...opened, db: drizzle({ client: opened.client, ...casing !== undefined && { casing } }) }
}

const odd = ["it's", 'a"b', 'a\\b', '\\', "''", '{a,b}', '', ' ', 'NULL', '--', '$1', '$$', 'a\nb', '/* */', '€']
const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
const money = customType<{ data: { cents: number }, driverData: string }>({
  dataType: () => 'numeric(10, 2)', toDriver: ({ cents }) => (cents / 100).toFixed(2)
})
const object = { a: odd, b: { "it's": 'a"b', 'c\\d': null }, n: [1, 2.5, true] }

t.test('any default of any column equals the same value inserted', async (t) => {
  const mood = pgEnum('mood', ['a', "it's", 'b"c', 'd\\e'])
  const cases: PgColumnBuilderBase[] = [
    ...odd.flatMap((value) => [
      text().default(value), varchar({ length: 40 }).default(value), text().array().default([value, 'x']), arrayOfArrays(text()).default([[value], ['x']]),
      json().default({ value }), jsonb().default({ value }), jsonb().default({ [value]: [value] }), jsonb().default([value]),
      jsonb().array().default([{ value }, [value], null, 5])
    ]),
    ...mood.enumValues.flatMap((value) => [mood().default(value), mood().array().default([value])]),
    text().array().default([]), ...isDrizzle1 ? [] : [text().array(2).default(['a', 'b'])], text().array().default([
      null as unknown as string,
      'null',
      'NULL'
    ]), integer().array().default([1, -2, null as unknown as number]),
    jsonb().default(object), jsonb().default([]), jsonb().default({}), jsonb().default(5), jsonb().default(true), jsonb().default("it's"),
    jsonb().default('plain'), jsonb().array().default(['plain', "it's", object]), json().array().default([object]),
    bigint({ mode: 'bigint' }).default(0n), bigint({ mode: 'bigint' }).default(-9223372036854775808n),
    bigint({ mode: 'bigint' }).array().default([1n, -5n]), bigint({ mode: 'number' }).default(-5),
    smallint().default(-1), integer().default(0), boolean().default(false), boolean().array().default([true, false]),
    doublePrecision().default(NaN), doublePrecision().default(-Infinity), doublePrecision().default(-1.5e-30),
    doublePrecision().array().default([NaN, Infinity, 1]),
    numeric().default('1.50'), numeric({ mode: 'number' }).default(2.5), numeric({ mode: 'bigint' }).default(12345678901234567890n),
    numeric().array().default(['1.50', 'NaN']), numeric({ mode: 'bigint' }).array().default([5n]),
    date().default('2026-02-01'), date({ mode: 'date' }).default(new Date('2026-02-01')), date({ mode: 'date' }).array().default([new Date('2026-02-01')]),
    timestamp().default(new Date('2026-02-01T03:04:05.678Z')),
    timestamp({ withTimezone: true, precision: 3 }).default(new Date('2026-02-01T03:04:05.678Z')), timestamp({ mode: 'string' }).default('2026-02-01 03:04:05'),
    timestamp().array().default([new Date('2026-02-01T03:04:05.678Z')]), time().default('12:00'), uuid().default('6ad2f92c-0b4a-4f4b-8c55-0d6b6a1f6f8e'),
    bytes().default(Buffer.from("a'\\\0")), money().default({ cents: -150 }), money().array().default([{ cents: 5 }]),
    point().default([1, 2.5]), point({ mode: 'xy' }).default({ x: 1, y: -2 }), point().array().default([[1, 2], [3, 4]]), line().default([1, 2, 3])
  ]
  const table = pgTable('t', { id: integer().primaryKey(), ...Object.fromEntries(cases.map((column, index) => [`c${index}`, column])) })
  const { client, db } = await migrated(t, { table, mood })
  const given: Record<string, unknown> = Object.fromEntries(cases.map((column, index) => [
    `c${index}`,
    (column as unknown as { config: { default: unknown } }).config.default
  ]))

  await client.query('insert into t (id) values (1)')
  await db.insert(table).values({ ...given, id: 2 })
  for (const index of cases.keys()) {
    const { rows: [first, second] } = await client.query(`select c${index}::text as value from t order by id`)
    t.strictSame(first, second, `${JSON.stringify(second)}`)
  }
})

t.test('SQL in a default may hold values', async (t) => {
  const table = pgTable('t', {
    id: integer().primaryKey(),
    name: text().default(sql`upper(${"it's"})`),
    count: bigint({ mode: 'bigint' }).default(sql`(${1n} + ${2})`),
    on: timestamp().default(sql`(${new Date(0)}::timestamptz at time zone 'UTC')`),
    bytes: bytes().default(sql`${Buffer.from('a')}`),
    list: integer().array().default(sql`${sql.param([1, null, 2])}`),
    five: integer().default(sql`coalesce(${null}, ${5})`),
    object: jsonb().default(sql`${{ "it's": 'a"b' }}`),
    pieces: bytes().array().default([Buffer.from("a'\\\0"), Buffer.alloc(0)])
  })
  const { client } = await migrated(t, { table })
  await client.query('insert into t (id) values (1)')
  const { rows: [row] } = await client.query('select name, count::text, "on"::text, bytes, list, five, object, pieces from t')
  t.strictSame(row, {
    name: "IT'S",
    count: '3',
    on: '1970-01-01 00:00:00',
    bytes: Buffer.from('a'),
    list: [1, null, 2],
    five: 5,
    object: { "it's": 'a"b' },
    pieces: [Buffer.from("a'\\\0"), Buffer.alloc(0)]
  })
})

t.test('conditions with values equal the same conditions written as SQL', async (t) => {
  const day = new Date('2026-02-01T00:00:00Z')
  const raw = (text: string): SQL => sql.raw(text)
  const model = (isRaw: boolean) => {
    const mood = pgEnum('mood', ['a', "it's"])
    const pick = (built: SQL | undefined, text: string) => isRaw ? raw(text) : built!
    const users = pgTable('users', {
      id: integer().primaryKey(),
      on: boolean(),
      n: integer(),
      big: bigint({ mode: 'bigint' }),
      name: text(),
      mood: mood(),
      at: timestamp({ withTimezone: true }),
      key: text().generatedAlwaysAs((): SQL => pick(sql`lower(${users.name}) || ${"'$1"}`, "lower(name) || '''$1'")),
      twice: integer().generatedAlwaysAs(pick(sql`n * ${2}`, 'n * 2'))
    }, (self) => [
      uniqueIndex('on_index').on(self.id).where(pick(eq(self.on, true), '"on" = true')),
      index().on(self.n, self.name).where(pick(
        and(gt(self.n, -5), ne(self.name, "it's"), inArray(self.mood, ['a', "it's"])),
        "n > -5 and name <> 'it''s' and mood in ('a', 'it''s')"
      )),
      index('expression').on(pick(sql`(${self.n} + ${1})`, '(n + 1)'), self.id),
      check('n_check', pick(gt(self.n, 0), 'n > 0')), check(
        'big_check',
        pick(lt(self.big, 9007199254740993n), 'big < 9007199254740993')
      ), check('at_check', pick(gt(self.at, day), "at > '2026-02-01T00:00:00.000Z'")),
      pgPolicy('own', { using: pick(eq(self.name, 'x'), "name = 'x'"), withCheck: pick(eq(self.n, 5), 'n = 5') })
    ])
    const linked = pgPolicy('linked', { using: pick(eq(users.n, 1), 'n = 1') }).link(users)
    return { mood, users, linked }
  }
  const [built, written] = [await migrated(t, model(false)), await migrated(t, model(true))]
  t.strictSame(await readCatalogue(built.client), await readCatalogue(written.client))
})

t.test('policies of tables outside the model keep their values, too', async (t) => {
  const elsewhere = pgTable('elsewhere', { id: integer() })
  const folder = join(t.testdir({}), 'drizzle')
  const schema = {
    linked: pgPolicy('linked', { for: 'insert', withCheck: eq(elsewhere.id, 1) }).link(elsewhere), loose: pgPolicy('loose', { using: sql`true` })
  }
  await createMigration({ message: 'all', folder, schema })
  const { client, connectionString } = await open(t)
  await client.query('create table elsewhere (id integer)')
  await runMigrations({ connectionString, folder })
  const { rows } = await client.query('select policyname, with_check from pg_policies')
  t.strictSame(rows, [{ policyname: 'linked', with_check: '(id = 1)' }])
})

t.test('views keep their values, and get the cased names of columns', async (t) => {
  const users = pgTable('users', {
    id: integer().primaryKey(),
    userId: integer(),
    fullName: text(),
    bigOne: bigint({ mode: 'bigint' }),
    createdAt: timestamp(),
    explicitName: text('explicitName')
  })
  const posts = pgSchema('blog').table('posts', { id: integer().primaryKey(), userId: integer(), postTitle: text() })
  const other = alias(users, 'otherUsers')
  const build = new QueryBuilder()
  const withPosts = build.$with('withPosts').as(build.select({
    userId: posts.userId, how: sql<number>`count(*)`.as('howMany')
  }).from(posts).groupBy(posts.userId))
  const inner = build.select({ userId: users.userId, upper: sql<string>`upper(${users.fullName})`.as('upperName') }).from(users).as('innerOne')
  const one = pgView('one').as((q) => q.select().from(users).where(and(eq(users.userId, 1), lt(users.bigOne, 5n), gt(users.createdAt, new Date(0)))))
  const views = {
    one,
    two: pgView('two').as((q) => q.select({ id: one.id, userId: one.userId }).from(one)),
    three: pgMaterializedView('three').as((q) => q.select({
      userId: posts.userId, title: posts.postTitle, name: users.fullName
    }).from(posts).innerJoin(users, eq(users.userId, posts.userId))),
    four: pgView('four').as((q) => q.select({ id: other.id, userId: other.userId }).from(other).orderBy(other.userId)),
    five: pgView('five').as((q) => q.with(withPosts).select({ userId: withPosts.userId, how: withPosts.how }).from(withPosts)),
    six: pgView('six').as((q) => q.select({ userId: inner.userId, upper: inner.upper }).from(inner)),
    seven: pgView('seven').as((q) => q.select({
      id: users.id, explicit: users.explicitName, title: sql<string>`${users.fullName} || ${"it's"}`.as('postTitle')
    }).from(users).where(exists(build.select({ userId: posts.userId }).from(posts).where(eq(posts.userId, users.userId))))),
    eight: pgView('eight').as((q) => q.select({ userId: users.userId }).from(users).unionAll(build.select({ userId: posts.userId }).from(posts).where(inArray(
      posts.userId,
      build.select({ userId: users.userId }).from(users)
    )))),
    nine: pgView('nine', { userId: integer() }).as(sql`select ${users.userId} from ${users} where ${users.userId} > ${1n} and ${isNotNull(users.fullName)}`),
    ten: pgView('ten').as((q) => q.select({ id: users.id }).from(users).where(and(inArray(users.userId, [1, 5]), inArray(users.fullName, ["it's", 'a']))))
  }
  for (const casing of isDrizzle1 ? [undefined] : [undefined, 'snake_case', 'camelCase'] as const) {
    const { db, client } = await migrated(t, { users, posts, blog: pgSchema('blog'), ...views }, { casing })
    await db.insert(users).values([
      { id: 1, userId: 1, fullName: 'a', bigOne: 1n, createdAt: new Date(86400000), explicitName: 'e' },
      { id: 2, userId: 2, fullName: 'b' }
    ])
    await db.insert(posts).values({ id: 1, userId: 1, postTitle: 'p' })
    await client.query('refresh materialized view three')
    t.strictSame(await db.select({ id: one.id, userId: one.userId, name: one.fullName }).from(one).where(eq(one.userId, 1)), [{ id: 1, userId: 1, name: 'a' }])
    for (const view of [views.two, views.four, views.five, views.six, views.seven, views.eight, views.ten]) t.ok((await db.select().from(view)).length > 0)
    t.strictSame(await db.select().from(views.three), [{ userId: 1, title: 'p', name: 'a' }])
    t.strictSame(await db.select().from(views.nine), [{ userId: 2 }])
    t.strictSame(await db.select({ title: views.seven.title }).from(views.seven), [{ title: "ait's" }])
  }
})

t.test('refuses an unwritable value with table and column, and leaves the model unchanged', async (t) => {
  const folder = join(t.testdir({}), 'drizzle')
  const refuses = (schema: Record<string, unknown>, place: string) => t.rejects(
    createMigration({ message: 'all', folder, schema }),
    { code: 'DB_MIGRATION_FAILED', message: new RegExp(`^${place} holds a value that cannot be written into a migration`) }
  )
  const circle: unknown[] = []
  circle.push(circle)
  const id = integer()
  await refuses({ t: pgTable('t', { id, a: text().default(sql`${sql.placeholder('a')}`) }) }, 'The default of t\\.a')
  await refuses({ t: pgSchema('s').table('t', { id, a: jsonb().default(circle) }) }, 'The default of s\\.t\\.a')
  await refuses({ t: pgTable('t', { id, a: jsonb().default({ n: 1n }) }) }, 'The default of t\\.a')
  await refuses({ t: pgTable('t', { id, a: timestamp().default(new Date('x')) }) }, 'The default of t\\.a')
  await refuses({ t: pgTable('t', { id, a: text().generatedAlwaysAs(sql`${Symbol('x')}`) }) }, 'The expression of t\\.a')
  await refuses({ t: pgTable('t', { id }, (self) => [check('c', eq(self.id, sql.placeholder('a')))]) }, 'The check c of t')
  await refuses({ t: pgTable('t', { id }, (self) => [index('i').on(self.id).where(eq(self.id, sql.placeholder('a')))]) }, 'The index i of t')
  await refuses({ t: pgTable('t', { id }, (self) => [pgPolicy('p', { using: eq(self.id, sql.placeholder('a')) })]) }, 'The policy p of t')
  const users = pgTable('users', { id, big: bigint({ mode: 'bigint' }).default(0n), key: text().generatedAlwaysAs(sql`${'a'}`) })
  const chunks = [...(users.key.generated!.as as SQL).queryChunks]
  await refuses({ users, v: pgView('v').as((q) => q.select().from(users).where(eq(users.id, sql.placeholder('a')))) }, 'The view v')
  t.equal(users.big.default, 0n)
  t.strictSame((users.key.generated!.as as SQL).queryChunks, chunks)
})
