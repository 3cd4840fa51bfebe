import { sql } from 'drizzle-orm'
import { check, foreignKey, index, integer, pgTable, primaryKey, text, unique, uniqueIndex } from 'drizzle-orm/pg-core'
import { Client } from 'pg'
import t from 'tap'
import { constraintNames } from '../../../src/drizzle/constraint-names.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { snakeCase, snakeCaseTable } from '../../helpers/drizzle.js'
import { statementsFor } from '../../helpers/drizzle-kit.js'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { Test } from 'tap'

type TableFunction = typeof pgTable

/** Tables with every kind of constraint, with a name and without. */
function tablesBy (table: TableFunction): Record<string, PgTable> {
  const users = table('users', { id: integer().primaryKey(), eMail: text().unique(), nickName: text().unique('one_nick'), firstName: text(), lastName: text() }, (own) => [
    unique().on(own.firstName, own.lastName),
    unique('names').on(own.lastName, own.nickName),
    uniqueIndex().on(own.firstName, own.eMail),
    uniqueIndex('lower_name').on(sql`lower(${own.lastName})`),
    index().on(own.lastName),
    check('first_not_empty', sql`${own.firstName} <> ''`)
  ])
  const posts = table('posts', { userId: integer().references(() => users.id), postNumber: integer(), motherId: integer(), motherNumber: integer() }, (own) => [
    primaryKey({ columns: [own.userId, own.postNumber] }),
    foreignKey({ columns: [own.motherId, own.motherNumber], foreignColumns: [own.userId, own.postNumber] }),
    foreignKey({ name: 'mother_userId', columns: [own.motherId], foreignColumns: [users.id] })
  ])
  const likes = table('likes', { userId: integer(), postNumber: integer() }, (own) => [
    primaryKey({ name: 'one_like', columns: [own.userId, own.postNumber] }),
    unique('ü'.repeat(40)).on(own.postNumber)
  ])
  return { users, posts, likes }
}

/** The names that PostgreSQL has when the statements of drizzle-kit have run. */
async function namesIn (t: Test, statements: readonly string[]): Promise<string[]> {
  const { connectionString } = await createTestDatabase(t, { sql: statements.join(';\n') })
  const client = new Client({ connectionString })
  await client.connect()
  t.after(() => client.end())
  const { rows } = await client.query<{ name: string }>(`
    select conname as name from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
    union select relname from pg_index join pg_class on pg_class.oid = indexrelid where indisunique and relnamespace = 'public'::regnamespace`)
  return rows.map(({ name }) => name).sort()
}

for (const { title, table, casing } of [{ title: 'as they are', table: pgTable, casing: {} }, { title: 'in snake case', table: snakeCaseTable, casing: snakeCase }]) {
  t.test(`are those that the migrations of drizzle-kit create, with columns ${title}`, async (t) => {
    const tables = tablesBy(table)
    const names = await namesIn(t, await statementsFor(tables, casing))
    t.equal(names.length, 14)
    t.strictSame([...constraintNames(Object.values(tables), casing.casing)].sort(), names)
  })
}
