import { eq, sql } from 'drizzle-orm'
import { alias, integer, pgMaterializedView, pgSchema, pgTable, pgView, primaryKey, serial, text, timestamp, unique } from 'drizzle-orm/pg-core'
import t from 'tap'
import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { UsageError, UniqueViolationError } from '../../../src/errors/errors.js'
import { softDelete, timestamps, version } from '../../../src/model/columns.js'
import { describeTable } from '../../../src/model/table.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { uniqueLive } from '../../../src/model/unique-live.js'
import { snakeCase, snakeCaseTable } from '../../helpers/drizzle.js'
import { statementsFor } from '../../helpers/drizzle-kit.js'
import { openRepositories } from '../../helpers/runner.js'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { SoftDeleteKey, VersionKey } from '../../../src/model/own-columns.js'

const users = pgTable('users', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  email: text('e_mail').notNull(),
  search: text().generatedAlwaysAs(sql`lower(e_mail)`),
  number: integer().generatedByDefaultAsIdentity(),
  ...timestamps(),
  ...softDelete(),
  ...version()
}, (table) => [unique().on(table.email)])

t.test('describes a table as Drizzle does', async (t) => {
  const model = describeTable(users)
  t.equal(model.table, users)
  t.equal(model.name, 'users')
  t.strictSame(Object.keys(model.columns), ['id', 'email', 'search', 'number', 'createdAt', 'updatedAt', 'deletedAt', 'version'])
  t.equal(model.columns['email'], users.email)
  t.strictSame(model.primaryKey, ['id'])
  t.strictSame(model.softDelete, { key: 'deletedAt', filter: true })
  t.equal(model.version, 'version')
  t.strictSame([...model.generated], ['id', 'search'])
})

t.test('describes a table once', async (t) => {
  t.equal(describeTable(users), describeTable(users))
})

t.test('includes the schema in the name', async (t) => {
  t.equal(describeTable(pgSchema('app').table('users', { id: serial().primaryKey() })).name, 'app.users')
})

t.test('lists composite keys in the order of the key, whatever their SQL names', async (t) => {
  const members = pgTable('members', { userId: integer('user'), groupId: integer(), role: text() },
    (table) => [primaryKey({ columns: [table.groupId, table.userId] })])
  t.strictSame(describeTable(members).primaryKey, ['groupId', 'userId'])
  t.strictSame([...describeTable(members).generated], [])
})

t.test('recognizes the columns of this package by their mark, not by their name', async (t) => {
  const mine = pgTable('mine', { id: serial().primaryKey(), deletedAt: timestamp(), version: integer() })
  t.equal(describeTable(mine).softDelete, undefined)
  t.equal(describeTable(mine).version, undefined)

  const { deletedAt: removedAt } = softDelete({ filter: false })
  const { version: revision } = version()
  const renamed = pgTable('renamed', { id: serial().primaryKey(), removedAt, revision })
  t.strictSame(describeTable(renamed).softDelete, { key: 'removedAt', filter: false })
  t.equal(describeTable(renamed).version, 'revision')
})

t.test('the same columns spread into two tables belong to both', async (t) => {
  const shared = { ...softDelete(), ...version() }
  const one = pgTable('one', { id: serial().primaryKey(), ...shared })
  const two = pgTable('two', { id: serial().primaryKey(), ...shared })
  for (const table of [one, two]) t.match(describeTable(table), { softDelete: { key: 'deletedAt' }, version: 'version' })
})

t.test('names that every object or table has are not columns', async (t) => {
  const { columns } = describeTable(users)
  for (const name of ['constructor', '__proto__', 'hasOwnProperty', 'toString', 'enableRLS', '_', '$inferSelect', 'getSQL']) {
    t.equal(columns[name], undefined, name)
    t.notOk(name in columns, name)
  }
})

t.test('an alias of a table is described as Drizzle does', async (t) => {
  t.strictSame(describeTable(alias(users, 'u')).softDelete, { key: 'deletedAt', filter: true })
})

t.test('a table without a primary key is refused by name, with the way out', async (t) => {
  const events = pgTable('events', { at: timestamp(), what: text() })
  for (let attempt = 0; attempt < 2; attempt++) {
    t.throws(() => describeTable(events), new UsageError('Table "events" has no primary key: declare one, or read it through `drizzle`', {
      context: { table: 'events' }
    }))
  }
})

t.test('views are refused by name and by type, with the way out', async (t) => {
  const everyone = pgView('everyone').as((query) => query.select().from(users))
  const summary = pgSchema('app').materializedView('summary').as((query) => query.select().from(users).where(eq(users.id, 1)))
  const existing = pgMaterializedView('existing', { id: integer() }).existing()
  const message = (name: string) => ({
    name: 'UsageError', message: `View "${name}" cannot be used as a table: read it through \`drizzle\``, context: { table: name }
  })

  // @ts-expect-error a view is not a table
  t.throws(() => describeTable(everyone), message('everyone'))
  // @ts-expect-error a view is not a table
  t.throws(() => describeTable(summary), message('summary'))
  // @ts-expect-error a view is not a table
  t.throws(() => describeTable(existing), message('existing'))
})

t.test('a value that is not a table is refused', async (t) => {
  for (const nothing of [undefined, null, {}, 'users', { users }, class Users {}]) {
    t.throws(() => describeTable(nothing as unknown as PgTable), {
      name: 'UsageError', message: 'A table made by pgTable() of drizzle-orm/pg-core is needed'
    })
  }
})

const documentColumns = () => ({
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  body: text().notNull(),
  ...timestamps(),
  ...softDelete(),
  ...version()
})
const documents = pgTable('documents', documentColumns())

const plain = pgTable('plain', { id: integer().primaryKey(), deletedAt: timestamp(), version: integer() })

/** Compiles only for equal types. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : never

t.test('the types are those of Drizzle columns', async (t) => {
  const selected: Same<typeof documents.$inferSelect, {
    id: number, body: string, createdAt: Date, updatedAt: Date, deletedAt: Date | null, version: number
  }> = true
  const inserted: typeof documents.$inferInsert = { body: 'all that has to be given' }
  // @ts-expect-error version is a number
  const wrong: typeof documents.$inferInsert = { body: '', version: 'one' }
  t.ok(selected && inserted && wrong)

  // @ts-expect-error filter is a boolean
  t.throws(() => softDelete({ filter: 'yes' }), UsageError)
  // @ts-expect-error the option does not exist
  t.throws(() => softDelete({ filtered: true }), UsageError)
})

t.test("the type of a table tells marked columns from the user's own", async (t) => {
  const softDeleteKey: Same<SoftDeleteKey<typeof documents>, 'deletedAt'> = true
  const versionKey: Same<VersionKey<typeof documents>, 'version'> = true
  const noSoftDelete: Same<SoftDeleteKey<typeof plain>, never> = true
  const noVersion: Same<VersionKey<typeof plain>, never> = true
  t.ok(softDeleteKey && versionKey && noSoftDelete && noVersion)
  t.match(plain, { deletedAt: { name: 'deletedAt' } })
})

for (const { name, table, casing, stamps: [createdAt, updatedAt, deletedAt] } of [
  { name: 'no', table: documents, casing: {}, stamps: ['"createdAt"', '"updatedAt"', '"deletedAt"'] },
  { name: 'snake_case', table: snakeCaseTable('documents', documentColumns()), casing: snakeCase, stamps: ['created_at', 'updated_at', 'deleted_at'] }
]) {
  t.test(`columns work on real rows with ${name} casing`, async (t) => {
    const { connectionString } = await createTestDatabase(t, {
      sql: `create table documents (
              id int primary key generated always as identity, body text not null,
              ${createdAt} timestamptz(3) not null default now(), ${updatedAt} timestamptz(3) not null default now(),
              ${deletedAt} timestamptz(3), version int not null default 1)`
    })
    const client = new pg.Client(connectionString)
    await client.connect()
    t.after(() => client.end())
    const db = drizzle({ client, ...casing })

    await db.execute(sql`begin`)
    const inserted = await db.insert(table).values([{ body: 'one' }, { body: 'two' }]).returning()
    const [{ now } = {}] = (await db.execute<{ now: string }>(sql`select now()::timestamptz(3)::text as now`)).rows
    for (const row of inserted) {
      t.match(row, { deletedAt: null, version: 1 })
      t.strictSame(row.createdAt, new Date(now ?? ''), 'rows made together share the time of their transaction')
      t.strictSame(row.updatedAt, row.createdAt, 'a row never updated has two equal times')
    }
    const first = await update('first')
    await db.execute(sql`select pg_sleep(0.005)`)
    const second = await update('second')
    t.ok(second.updatedAt > first.updatedAt, 'two updates in one transaction have two times')
    t.ok(first.updatedAt >= first.createdAt)
    t.strictSame(second.createdAt, inserted[0]?.createdAt, 'an update keeps createdAt')
    await db.execute(sql`commit`)

    async function update (body: string) {
      const [row] = await db.update(table).set({ body }).where(eq(table.id, 1)).returning()
      if (row === undefined) throw new Error('The row is gone')
      return row
    }
  })
}

for (const { name, table, casing } of [{ name: 'no', table: pgTable, casing: {} }, { name: 'snake_case', table: snakeCaseTable, casing: snakeCase }]) {
  t.test(`uniqueness holds among live rows only, in the migration of drizzle-kit, with ${name} casing`, async (t) => {
    const people = table('people', { id: integer().primaryKey(), firm: text().notNull(), email: text().notNull(), ...softDelete() },
      (table) => [uniqueLive(table.firm, table.email)])
    const { repo: open } = await openRepositories(t, (await statementsFor({ people }, casing)).join(';'), casing)
    const repo = open(people)
    await repo.create({ id: 1, firm: 'a', email: 'ada@example.com' })
    await t.rejects(repo.create({ id: 2, firm: 'a', email: 'ada@example.com' }), UniqueViolationError)
    await repo.create({ id: 3, firm: 'b', email: 'ada@example.com' })

    await repo.softDelete(1)
    await repo.create({ id: 2, firm: 'a', email: 'ada@example.com' })
    await t.rejects(repo.restore(1), UniqueViolationError, 'a live row has the same value')
    t.ok((await repo.onlyDeleted().getOrThrow(1)).deletedAt, 'the row stays deleted')
    await repo.softDelete(2)
    t.equal((await repo.restore(1))?.deletedAt, null)
  })
}

t.test('uniqueness among live rows needs a table with softDelete()', async (t) => {
  const plain = pgTable('plain', { id: integer().primaryKey() }, (table) => [uniqueLive(table.id)])
  t.throws(() => describeTable(plain), UsageError)
})
