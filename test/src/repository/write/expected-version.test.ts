import t from 'tap'
import { NotFoundError, StaleRowError, UsageError, ValidationError, increment } from '../../../../src/index.js'
import { openDatabase } from '../../../../src/index.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { softDelete, version } from '../../../../src/model/columns.js'

const pages = pgTable('pages', { id: integer().primaryKey(), text: text(), edits: integer().notNull().default(0), ...softDelete(), ...version() })
const plain = pgTable('plain', { id: integer().primaryKey(), text: text() })

const { connectionString } = await createTestDatabase(t, {
  sql: `create table pages (id integer primary key, text text, edits integer not null default 0, "deletedAt" timestamptz(3), version integer not null default 1);
        create table plain (id integer primary key, text text);`
})
const database = await openDatabase({ connectionString })
t.teardown(() => database.close())
const repo = database.repo(pages)

t.beforeEach(async () => {
  await repo.withDeleted().deleteMany({}, { all: true })
  await repo.create({ id: 1, text: 'first' })
})

t.test('changes only a row that has the version', async (t) => {
  t.match(await repo.update(1, { text: 'second' }, { expectedVersion: 1 }), { text: 'second', version: 2 })
  await t.rejects(repo.update(1, { text: 'third' }, { expectedVersion: 1 }), StaleRowError)
  await t.rejects(repo.updateOrThrow(1, { text: 'third' }, { expectedVersion: 3 }), {
    code: 'DB_STALE_ROW', statusCode: 409, context: { operation: 'update', table: 'pages', columns: ['version'] }
  })
  t.match(await repo.get(1), { text: 'second', version: 2 })
})

t.test('a missing row is not a conflict', async (t) => {
  t.equal(await repo.update(9, { text: 'x' }, { expectedVersion: 1 }), undefined)
  await t.rejects(repo.updateOrThrow(9, { text: 'x' }, { expectedVersion: 1 }), NotFoundError)
  await repo.softDelete(1)
  t.equal(await repo.update(1, { text: 'x' }, { expectedVersion: 1 }), undefined, 'nor is one that was deleted')
  t.match(await repo.withDeleted().update(1, { text: 'x' }, { expectedVersion: 2 }), { text: 'x', version: 3 })
})

t.test('an empty update writes nothing, and still reports another version', async (t) => {
  t.match(await repo.update(1, {}, { expectedVersion: 1 }), { text: 'first', version: 1 })
  t.match(await repo.update(1, { text: undefined }, {}), { version: 1 })
  await t.rejects(repo.update(1, {}, { expectedVersion: 2 }), StaleRowError)
  t.equal(await repo.update(9, {}, { expectedVersion: 1 }), undefined)
})

t.test('refuses an invalid version, and a table without versions', async (t) => {
  const options: unknown[] = [{ expectedVersion: undefined }, { expectedVersion: null }, { expectedVersion: '1' }, { expectedVersion: 1.5 }]
  for (const wrong of options) await t.rejects(repo.update(1, { text: 'x' }, wrong as never), ValidationError)
  for (const wrong of [{ version: 1 }, 1, null]) await t.rejects(repo.update(1, { text: 'x' }, wrong as never), UsageError)
  await t.rejects(repo.update(1, { text: 'x' }, { expectedVersion: 2 ** 40 }), ValidationError)
  await t.rejects(database.repo(plain).update(1, { text: 'x' }, { expectedVersion: 1 as never }), { message: /needs a table with \.\.\.version\(\)/ })
  t.equal((await repo.getOrThrow(1)).version, 1)
})

t.test('of two sessions that read the same version one writes, and the other gets an error', async (t) => {
  await using one = database.createSession()
  await using other = database.createSession()
  const [mine, theirs] = await Promise.all([one.repo(pages).getOrThrow(1), other.repo(pages).getOrThrow(1)])

  await one.repo(pages).update(1, { text: 'mine' }, { expectedVersion: mine.version })
  const late = other.repo(pages).update(1, { text: 'theirs' }, { expectedVersion: theirs.version })   // waits for the lock of the first
  await one.commit()

  await t.rejects(late, StaleRowError)
  await other.commit()                                                  // a conflict leaves the transaction usable
  t.match(await repo.get(1), { text: 'mine', version: 2 })
})

t.test('parallel updates that read, change and retry lose nothing', async (t) => {
  const edit = async (): Promise<void> => {
    const { edits, version: expectedVersion } = await repo.getOrThrow(1)
    await repo.update(1, { edits: edits + 1 }, { expectedVersion }).catch((error: unknown) => {
      if (!(error instanceof StaleRowError)) throw error
      return edit()
    })
  }
  await Promise.all(Array.from({ length: 10 }, edit))
  t.match(await repo.get(1), { edits: 10, version: 11 })
  await Promise.all(Array.from({ length: 10 }, () => repo.update(1, { edits: increment(1) })))
  t.match(await repo.get(1), { edits: 20 })
})
