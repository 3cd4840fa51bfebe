import { eq, sql } from 'drizzle-orm'
import { alias, integer, pgMaterializedView, pgSchema, pgTable, pgView, primaryKey, serial, text, timestamp, unique } from 'drizzle-orm/pg-core'
import type { PgTable } from 'drizzle-orm/pg-core'
import t from 'tap'
import { UsageError } from '../../../src/errors/errors.js'
import { softDelete, timestamps, version } from '../../../src/model/columns.js'
import { describeTable } from '../../../src/model/table.js'

const users = pgTable('users', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  email: text('e_mail').notNull(),
  search: text().generatedAlwaysAs(sql`lower(e_mail)`),
  number: integer().generatedByDefaultAsIdentity(),
  ...timestamps(),
  ...softDelete(),
  ...version()
}, (table) => [unique().on(table.email)])

t.test('tells what Drizzle knows of a table', async (t) => {
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

t.test('finds it out once', async (t) => {
  t.equal(describeTable(users), describeTable(users))
})

t.test('takes the name of a schema along', async (t) => {
  t.equal(describeTable(pgSchema('app').table('users', { id: serial().primaryKey() })).name, 'app.users')
})

t.test('knows composite keys in the order of the key, whatever their SQL names', async (t) => {
  const members = pgTable('members', { userId: integer('user'), groupId: integer(), role: text() },
    (table) => [primaryKey({ columns: [table.groupId, table.userId] })])
  t.strictSame(describeTable(members).primaryKey, ['groupId', 'userId'])
  t.strictSame([...describeTable(members).generated], [])
})

t.test('knows its own columns by their mark, not by their name', async (t) => {
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

t.test('names that objects and tables bring along are no columns', async (t) => {
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

  // @ts-expect-error a view is no table
  t.throws(() => describeTable(everyone), message('everyone'))
  // @ts-expect-error a view is no table
  t.throws(() => describeTable(summary), message('summary'))
  // @ts-expect-error a view is no table
  t.throws(() => describeTable(existing), message('existing'))
})

t.test('what is no table at all is refused', async (t) => {
  for (const nothing of [undefined, null, {}, 'users', { users }, class Users {}]) {
    t.throws(() => describeTable(nothing as unknown as PgTable), {
      name: 'UsageError', message: 'A table made by pgTable() of drizzle-orm/pg-core is needed'
    })
  }
})
