import { asc, sql } from 'drizzle-orm'
import * as pgCore from 'drizzle-orm/pg-core'
import t from 'tap'
import { DatabaseError, openDatabase } from '../../../src/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { isDrizzle1 } from '../../helpers/drizzle.js'
import type * as PgCore1 from 'drizzle-orm-1/pg-core'
import type { Database, DatabaseOptions } from '../../../src/index.js'

const { integer, pgTable, text, timestamp } = pgCore
const columns = () => ({ id: integer().primaryKey().generatedAlwaysAsIdentity(), fullName: text(), createdAt: timestamp() })

/** Drizzle writes these names as the properties are called. */
const people = pgTable('people', columns())

/** Drizzle writes these names in snake case: by `casing` in 0.45, by the table in 1.0. */
const snake = isDrizzle1 ? {} : { casing: 'snake_case' } as const
const snakeTable = (isDrizzle1 ? (pgCore as unknown as typeof PgCore1).snakeCase.table : pgTable) as typeof pgTable

const { connectionString } = await createTestDatabase(t, {
  sql: `
    create table people (id integer primary key generated always as identity, full_name text, created_at timestamp);
    create table "camelPeople" (id integer primary key generated always as identity, "fullName" text, "createdAt" timestamp);
    create schema "odd""one";
    create table user_accounts (id integer primary key);`
})

async function open (options: DatabaseOptions = {}): Promise<Database> {
  const database = await openDatabase({ connectionString, ...options })
  t.teardown(() => database.close())
  return database
}

/** The message of the error, which has the SQLSTATE of a missing name. */
async function messageOf (statement: Promise<unknown>): Promise<string> {
  const error = await statement.catch((error: unknown) => error)
  if (error instanceof DatabaseError && error.code === 'DB_ERROR' && /^42(?:703|P01)$/.test(String(error.context.sqlState))) return error.message
  throw new Error('not the error of a missing name', { cause: error })
}

const wayOut = isDrizzle1 ? 'declare the table with snakeCase.table() of drizzle-orm/pg-core' : "set casing: 'snake_case' for this database, and in drizzle.config.ts"
const wayBack = isDrizzle1 ? 'declare the table with pgTable()' : "leave out casing: 'snake_case'"

t.test('says that a column exists in snake case, and how Drizzle writes it so', async (t) => {
  const database = await open()
  const repo = database.repo(people)
  const known = `Column "createdAt" does not exist, and "created_at" does: ${wayOut}, or name this column in its declaration`
  t.equal(await messageOf(repo.getAll({ columns: ['createdAt'] })), known)
  t.equal(await messageOf(database.session((session) => session.repo(people).filter({ createdAt: null }, { columns: ['id'] }))), known)
  t.equal(await messageOf(database.drizzle.select({ id: people.id }).from(people).orderBy(asc(people.createdAt)).execute()), known)
  const drain = async (): Promise<void> => { for await (const row of repo.stream({}, { columns: ['createdAt'] })) t.fail(String(row)) }
  t.equal(await messageOf(drain()), known)
})

t.test('says so of a column for which PostgreSQL proposes none', async (t) => {
  const message = `Column "fullName" does not exist. If the database calls it "full_name", ${wayOut}, or name this column in its declaration. Otherwise run your migrations`
  const database = await open()
  t.equal(await messageOf(database.repo(people).create({ fullName: 'Ada' })), message)
  t.equal(await messageOf(database.repo(people).createMany(Array.from({ length: 60 }, () => ({ fullName: 'Ada' })))), message)
  t.equal(await messageOf(database.transaction((session) => session.drizzle.insert(people).values({ fullName: '☃𝒳' }).execute())), message)
  t.match(await messageOf(database.execute(sql`select '☃𝒳', "people"."fullName" from people where 'a' = ${'b'}`)), /^Column "fullName" does not exist, and "full_name" does: /)
})

t.test('says that a column exists in camel case', async (t) => {
  const database = await open(snake)
  const camelPeople = snakeTable('camelPeople', columns())
  const known = `Column "created_at" does not exist, and "createdAt" does: ${wayBack}, or name this column in its declaration`
  t.equal(await messageOf(database.repo(camelPeople).getAll({ columns: ['createdAt'] })), known)
})

t.test('says that a table has another name, which casing does not change', async (t) => {
  const message = 'Table "userAccounts" does not exist. If the database calls it "user_accounts", declare it under that name: ' +
    'casing changes the names of columns alone. Otherwise run your migrations'
  t.equal(await messageOf((await open(snake)).repo(pgTable('userAccounts', { id: integer().primaryKey() })).getAll()), message)
  t.equal(await messageOf((await open()).repo(pgCore.pgSchema('odd"one').table('userAccounts', { id: integer().primaryKey() })).getAll()), message)
})

t.test('says nothing of names whose case is not the reason', async (t) => {
  const [database, cased] = [await open(), await open(snake)]
  const rest = `, ${wayOut}, or name this column in its declaration. Otherwise run your migrations`
  const named = pgTable('people', { id: integer().primaryKey(), other: text('otherName'), nick: text('nick_name'), age: integer() })
  t.equal(await messageOf(database.repo(named).getAll({ columns: ['age'] })), await messageOf(database.execute(sql`select age from people`)))
  t.equal(await messageOf(database.repo(named).getAll({ columns: ['nick'] })), await messageOf(database.execute(sql`select nick_name from people`)))
  t.equal(await messageOf(database.execute(sql`select id from "nope"`)), 'A table does not exist in the database: run your migrations')
  t.equal(await messageOf(database.execute(sql`select nope.id from people`)), 'A table does not exist in the database: run your migrations')
  t.equal(await messageOf(database.execute(sql`select "odd""Name" from people`)), 'Column "odd"Name" does not exist. If the database calls it "odd_name"'.concat(rest))
  if (!isDrizzle1) {
    t.notMatch(await messageOf(cased.repo(named).getAll({ columns: ['other'] })), /casing/, 'the option is there, and this column has a name of its own')
  }
})
