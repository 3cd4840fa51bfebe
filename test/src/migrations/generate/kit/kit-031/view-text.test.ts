import { join } from 'node:path'
import { eq, sql } from 'drizzle-orm'
import { QueryBuilder, integer, pgTable, pgView } from 'drizzle-orm/pg-core'
import t from 'tap'
import { createMigration } from '../../../../../../src/migrations/index.js'

t.test('refuses a name in a view that casing changes in one place only', async (t) => {
  const users = pgTable('users', { id: integer(), userId: integer() })
  const folder = join(t.testdir({}), 'drizzle')
  const inner = new QueryBuilder().select({ sum: sql<number>`1`.as('userId') }).from(users).as('inner_one')
  const view = pgView('clash').as((q) => q.select({ userId: inner.sum }).from(inner))
  await t.rejects(
    createMigration({ message: 'all', folder, schema: { users, view }, casing: 'snake_case' }),
    { code: 'DB_MIGRATION_FAILED', message: /^The view clash names userId, which casing makes user_id in one place and leaves as it is in another/ }
  )
  await t.resolves(createMigration({ message: 'all', folder, schema: { users, view } }))

  const base = pgView('base').as((q) => q.select({ sum: sql<number>`1`.as('userId') }).from(users))
  const joined = pgView('joined').as((q) => q.select({ sum: base.sum, id: users.id }).from(base).innerJoin(users, eq(users.userId, base.sum)))
  await t.rejects(
    createMigration({ message: 'joined', folder, schema: { users, base, joined }, casing: 'snake_case' }),
    { code: 'DB_MIGRATION_FAILED', message: /^The view joined names userId/ }
  )
})
