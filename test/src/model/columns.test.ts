import { sql } from 'drizzle-orm'
import { bigint, customType, date, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import t from 'tap'
import { StaleRowError, UsageError } from '../../../src/errors/errors.js'
import { softDelete, timestamps, version } from '../../../src/model/columns.js'
import { asDeletedAt, asUpdatedAt, asVersion } from '../../../src/model/own-columns.js'
import { describeTable } from '../../../src/model/table.js'
import { uniqueLive } from '../../../src/model/unique-live.js'
import { sqlTypeOf } from '../../../src/drizzle/column-types.js'
import { openRepositories } from '../../helpers/runner.js'
import type { TimePrecision } from '../../../src/model/columns.js'

const named = pgTable('NAMED', {
  id: integer('ID').primaryKey(),
  name: text('NAME').notNull(),
  ...timestamps({ createdAt: 'CREATED', updatedAt: 'LAST CHANGE', precision: 6 }),
  ...softDelete({ name: 'REMOVED', precision: null }),
  ...version({ name: 'REVISION' })
}, (table) => [uniqueLive(table.name)])

const namedSql = `create table "NAMED" (
  "ID" int primary key, "NAME" text not null,
  "CREATED" timestamptz(6) not null default now(), "LAST CHANGE" timestamptz(6) not null default now(), "REMOVED" timestamptz,
  "REVISION" int not null default 1
)`

t.test('columns have the names and the precision that the table has', async (t) => {
  t.strictSame(Object.values(describeTable(named).columns).map((column) => [column.name, sqlTypeOf(column)]), [
    ['ID', 'integer'], ['NAME', 'text'],
    ['CREATED', 'timestamp (6) with time zone'], ['LAST CHANGE', 'timestamp (6) with time zone'], ['REMOVED', 'timestamp with time zone'],
    ['REVISION', 'integer']
  ])
  for (const precision of [0, 1, 2, 3, 4, 5, 6] as const) {
    t.equal(sqlTypeOf(pgTable('t', timestamps({ precision })).createdAt), `timestamp (${precision}) with time zone`)
  }
  t.equal(sqlTypeOf(pgTable('t', softDelete()).deletedAt), 'timestamp (3) with time zone')
})

t.test('each of the timestamps can be left out', async (t) => {
  t.strictSame(Object.keys(timestamps()), ['createdAt', 'updatedAt'])
  t.strictSame(Object.keys(timestamps({ updatedAt: false })), ['createdAt'])
  t.strictSame(Object.keys(timestamps({ createdAt: false, updatedAt: 'modified' })), ['updatedAt'])
  t.strictSame(timestamps({ createdAt: false, updatedAt: false }), {})
})

t.test('a table with names of its own is written and read like any other', async (t) => {
  const { repo: open } = await openRepositories(t, namedSql)
  const repo = open(named)
  const created = await repo.create({ id: 1, name: 'a' })
  t.strictSame(created.updatedAt, created.createdAt)
  t.equal(created.version, 1)
  const updated = await repo.updateOrThrow(1, { name: 'b' }, { expectedVersion: 1 })
  t.equal(updated.version, 2)
  t.ok(updated.updatedAt > created.createdAt)
  await t.rejects(repo.update(1, { name: 'c' }, { expectedVersion: 1 }), StaleRowError)
  const { row } = await repo.upsert({ id: 1, name: 'd' })
  t.equal(row.version, 3, 'an upsert is an update, too')
  t.ok(row.updatedAt >= updated.updatedAt)

  t.ok((await repo.softDelete(1))?.deletedAt)
  t.equal(await repo.get(1), undefined)
  t.equal((await repo.create({ id: 2, name: 'd' })).name, 'd', 'uniqueLive() finds the column of the mark')
  t.equal(await repo.purge({ olderThan: 0 }), 1, 'microseconds are no reason to keep the row')
})

const instant = customType<{ data: string }>({ dataType: () => 'timestamptz' })
const own = pgTable('own', {
  id: integer().primaryKey(),
  name: text().notNull(),
  modified: asUpdatedAt(timestamp('modified', { mode: 'string' }).notNull()),
  touched: asUpdatedAt(instant()),
  day: asUpdatedAt(date().notNull().default(sql`'2000-01-01'`)),
  removed: asDeletedAt(timestamp('removed on', { mode: 'string' })),
  revision: asVersion(bigint({ mode: 'number' }).notNull())
})

const ownSql = `create table own (
  id int primary key, name text not null, modified timestamp not null, touched timestamptz, day date not null default '2000-01-01',
  "removed on" timestamp, revision bigint not null
)`

t.test('marked columns of a program work as those of this package', async (t) => {
  const { repo: open, runner } = await openRepositories(t, ownSql)
  const repo = open(own)
  const created = await repo.create({ id: 1, name: 'a' })
  t.match(created, { revision: 1, removed: null, day: '2000-01-01' }, 'a new row gets what has no default')
  t.ok(created.modified)
  t.ok(created.touched)

  const updated = await repo.updateOrThrow(1, { name: 'b' }, { expectedVersion: 1 })
  t.equal(updated.revision, 2)
  t.ok(updated.modified > created.modified)
  t.ok(String(updated.touched) > String(created.touched))
  t.not(updated.day, '2000-01-01')
  t.equal((await repo.updateOrThrow(1, { modified: '2001-02-03 04:05:06.123456' })).modified, '2001-02-03 04:05:06.123456', 'a given value counts')
  t.equal(await repo.updateMany({ id: 1 }, { name: 'c' }), 1)
  t.equal((await repo.upsert({ id: 1, name: 'd' })).row.revision, 5)

  t.ok((await repo.softDelete(1))?.removed)
  t.equal(await repo.get(1), undefined)
  t.equal((await repo.restore(1))?.removed, null)
  for (const olderThan of [new Date(Date.now() + 86_400_000 * 2), new Date(Date.UTC(11_000, 0)), 0]) {
    await repo.softDelete(1)
    t.equal(await repo.purge({ olderThan }), 1)
    await repo.create({ id: 1, name: 'e' })
  }
  await t.rejects(repo.purge({ olderThan: new Date(NaN) }), { name: 'ValidationError' })
  t.match(runner.statements.at(-1), { text: /insert into/ })
})

t.test('a marked column with a default keeps it', async (t) => {
  const counted = pgTable('counted', { id: integer().primaryKey(), name: text(), revision: asVersion(integer().notNull().default(0)) })
  const { repo } = await openRepositories(t, 'create table counted (id int primary key, name text, revision int not null default 0)')
  t.equal((await repo(counted).create({ id: 1 })).revision, 0)
  t.equal((await repo(counted).updateOrThrow(1, { name: 'a' }, { expectedVersion: 0 })).revision, 1)
})

t.test('the deleted rows of a marked column are shown if the mark says so', async (t) => {
  const kept = pgTable('kept', { id: integer().primaryKey(), removed: asDeletedAt(date(), { filter: false }) })
  t.strictSame(describeTable(kept).softDelete, { key: 'removed', filter: false })
})

for (const { what, columns, words } of [
  { what: 'a text as the time of the last change', columns: { k: asUpdatedAt(text()) }, words: 'asUpdatedAt() takes a timestamp or a date' },
  { what: 'a list of times as the time of the last change', columns: { k: asUpdatedAt(timestamp().array()) }, words: 'asUpdatedAt() takes' },
  { what: 'a number as the mark of deletion', columns: { k: asDeletedAt(integer()) }, words: 'asDeletedAt() takes a timestamp or a date that can be null' },
  { what: 'a time that cannot be null as the mark of deletion', columns: { k: asDeletedAt(timestamp()).notNull() }, words: 'asDeletedAt() takes' },
  { what: 'a text as a version', columns: { k: asVersion(text().notNull()) }, words: 'asVersion() takes a column with notNull() that is an integer' },
  { what: 'a version that can be null', columns: { k: asVersion(integer()) }, words: 'asVersion() takes' },
  { what: 'a version that is read as a bigint', columns: { k: asVersion(bigint({ mode: 'bigint' }).notNull()) }, words: 'asVersion() takes' }
]) {
  t.test(`a table with ${what} is refused when it is first used`, async (t) => {
    const table = pgTable('t', { id: integer().primaryKey(), ...columns })
    t.throws(() => describeTable(table), { name: 'UsageError', message: `Table "t", column "k": ${words}`, context: { table: 't', columns: ['k'] } })
  })
}

t.test('a table with two marks of one kind is refused, with both columns', async (t) => {
  const twice = pgTable('twice', { id: integer().primaryKey(), ...version(), revision: asVersion(integer().notNull()) })
  t.throws(() => describeTable(twice), { message: 'Table "twice", column "version" and "revision": a table has one column that marks deletion, and one version' })
  const removed = pgTable('removed', { id: integer().primaryKey(), ...softDelete(), removed: asDeletedAt(timestamp()) })
  t.throws(() => describeTable(removed), { message: /^Table "removed", column "deletedAt" and "removed": / })
  const both = pgTable('both', { id: integer().primaryKey(), removed: asUpdatedAt(asDeletedAt(timestamp())), seen: asUpdatedAt(timestamp()) })
  t.match(describeTable(both), { softDelete: { key: 'removed' } }, 'one column may have two marks, and any number may have the time of the change')
})

t.test('a wrong option is refused by its name', async (t) => {
  t.throws(() => timestamps({ precision: 7 as TimePrecision }), new UsageError('"precision" of timestamps() must be a whole number from 0 to 6, or null'))
  // @ts-expect-error true is no name
  t.throws(() => timestamps({ createdAt: true }), new UsageError('"createdAt" of timestamps() must be a name, or false'))
  // @ts-expect-error the option does not exist
  t.throws(() => version({ precision: 3 }), new UsageError('"precision" of version() is not an option: use name'))
  // @ts-expect-error no column
  t.throws(() => asVersion('revision'), new UsageError("asVersion() takes the column as it is declared, such as asVersion(integer('name'))"))
  // @ts-expect-error a built column belongs to a table
  t.throws(() => asUpdatedAt(named.createdAt), new UsageError("asUpdatedAt() takes the column as it is declared, such as asUpdatedAt(timestamp('name'))"))
})
