import { sql } from 'drizzle-orm'
import { bigint, doublePrecision, integer, jsonb, numeric, pgTable, smallint, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { NotFoundError, StaleRowError, UsageError, ValidationError, increment } from '../../../../src/index.js'
import { softDelete, version } from '../../../../src/model/columns.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { openRepositories } from '../../../helpers/runner.js'

const posts = pgTable('posts', {
  id: integer().primaryKey(),
  title: text(),
  views: integer().notNull().default(0),
  small: smallint().default(0),
  big: bigint({ mode: 'bigint' }).default(0n),
  price: numeric({ precision: 12, scale: 2 }).default('0'),
  ratio: doublePrecision(),
  marks: integer().array(),
  doc: jsonb(),
  ...version()
})

const { repo: open, runner } = await openRepositories(t, `create table posts (
  id integer primary key, title text, views integer not null default 0, small smallint default 0, big bigint default 0,
  price numeric(12, 2) default 0, ratio float8, marks integer[], doc jsonb, version integer not null default 1
);`)
const repo = open(posts)

const pages = pgTable('pages', { id: integer().primaryKey(), text: text(), edits: integer().notNull().default(0), ...softDelete(), ...version() })
const plain = pgTable('plain', { id: integer().primaryKey(), text: text() })

const { database } = await createTestDatabase(t, {
  sql: `create table pages (
          id integer primary key, text text, edits integer not null default 0, "deletedAt" timestamptz(3), version integer not null default 1
        );
        create table plain (id integer primary key, text text);`
})
const pageRepo = database.repo(pages)

t.beforeEach(async () => {
  await runner.client.query('truncate posts')
  await runner.client.query('insert into posts (id) values (1), (2)')
  await pageRepo.withDeleted().deleteMany({}, { all: true })
  await pageRepo.create({ id: 1, text: 'first' })
})

t.test('increment() adds to the value of the row, for every numeric type', async (t) => {
  t.match(await repo.update(1, { views: increment(2), small: increment(-1), big: increment(2n ** 60n), price: increment('0.10'), title: 'x' }), {
    views: 2, small: -1, big: 2n ** 60n, price: '0.10', title: 'x', version: 2
  })
  t.match(await repo.updateOrThrow(1, { views: increment(1), price: increment(1.5), big: increment(1) }), { views: 3, price: '1.60', big: 2n ** 60n + 1n })
  t.equal(await repo.updateMany({ id: { in: [1, 2] } }, { views: increment(10) }), 2)
  t.same((await repo.getAll()).map(({ views }) => views), [13, 10])
  t.equal((await repo.update(1, { ratio: increment(1) }))?.ratio, null, 'NULL plus one is NULL')
})

t.test('increments by any amount share one statement, and so does SQL of the same text', async (t) => {
  const names = async (write: (n: number) => Promise<unknown>): Promise<number> => {
    const before = runner.statements.length
    for (let n = 1; n <= 5; n++) await write(n)
    return new Set(runner.statements.slice(before).map(({ name }) => name)).size
  }
  t.equal(await names((n) => repo.update(1, { views: increment(n) })), 1)
  t.equal(await names((n) => repo.update(1, { views: sql`${posts.views} * ${n}` })), 1)
  t.equal(await names((n) => repo.updateMany({ id: n }, { views: increment(-n), price: increment(n) })), 1)
  t.equal(new Set(runner.statements.slice(-15).map(({ name }) => name)).size, 3, 'the three statements differ')
  t.equal(runner.statements.at(-1)?.name !== undefined, true)
})

t.test('an increment is not accepted as a plain value, and needs an amount', async (t) => {
  const bad: Array<[object, RegExp]> = [
    [{ title: increment(1) }, /"title" holds no numbers/],
    [{ doc: increment(1) }, /"doc" holds no numbers/],
    [{ marks: increment(1) }, /"marks" holds no numbers/],
    [{ version: increment(1) }, /"version" counts the versions/],
    [{ views: increment(NaN) }, /"views" can be incremented by a finite number only/],
    [{ views: increment(Infinity) }, /finite/],
    [{ price: increment('') }, /finite/],
    [{ price: increment('NaN') }, /finite/],
    [{ views: increment(true as never) }, /finite/],
    [{ views: increment(0.5) }, /./],
    [{ views: increment(2 ** 31) }, /./],
    [{ small: increment(40_000) }, /./]
  ]
  for (const [values, message] of bad) {
    await t.rejects(repo.update(1, values as never), {
      name: /no numbers/.test(message.source) ? 'UsageError' : 'ValidationError', message
    })
  }
  await repo.update(1, { views: 2 ** 31 - 1 })
  await t.rejects(repo.update(1, { views: increment(1) }), ValidationError, 'the sum is too large')
  await t.rejects(repo.create({ id: 3, views: increment(1) as never }), { name: 'UsageError', message: /of a new row/ })
  await t.rejects(repo.filter({ views: increment(1) as never }), ValidationError)
  t.match(await repo.get(1), { views: 2 ** 31 - 1, title: null, doc: null, version: 2 })
})

t.test('changes only a row that has the version', async (t) => {
  t.match(await pageRepo.update(1, { text: 'second' }, { expectedVersion: 1 }), { text: 'second', version: 2 })
  await t.rejects(pageRepo.update(1, { text: 'third' }, { expectedVersion: 1 }), StaleRowError)
  await t.rejects(pageRepo.updateOrThrow(1, { text: 'third' }, { expectedVersion: 3 }), {
    code: 'DB_STALE_ROW', statusCode: 409, context: { operation: 'update', table: 'pages', columns: ['version'] }
  })
  t.match(await pageRepo.get(1), { text: 'second', version: 2 })
})

t.test('a missing row is not a conflict', async (t) => {
  t.equal(await pageRepo.update(9, { text: 'x' }, { expectedVersion: 1 }), undefined)
  await t.rejects(pageRepo.updateOrThrow(9, { text: 'x' }, { expectedVersion: 1 }), NotFoundError)
  await pageRepo.softDelete(1)
  t.equal(await pageRepo.update(1, { text: 'x' }, { expectedVersion: 1 }), undefined, 'nor is a deleted row')
  t.match(await pageRepo.withDeleted().update(1, { text: 'x' }, { expectedVersion: 2 }), { text: 'x', version: 3 })
})

t.test('an empty update writes nothing, and still reports another version', async (t) => {
  t.match(await pageRepo.update(1, {}, { expectedVersion: 1 }), { text: 'first', version: 1 })
  t.match(await pageRepo.update(1, { text: undefined }, {}), { version: 1 })
  await t.rejects(pageRepo.update(1, {}, { expectedVersion: 2 }), StaleRowError)
  t.equal(await pageRepo.update(9, {}, { expectedVersion: 1 }), undefined)
})

t.test('refuses an invalid version, and a table without versions', async (t) => {
  const options: unknown[] = [{ expectedVersion: undefined }, { expectedVersion: null }, { expectedVersion: '1' }, { expectedVersion: 1.5 }]
  for (const wrong of options) await t.rejects(pageRepo.update(1, { text: 'x' }, wrong as never), ValidationError)
  for (const wrong of [{ version: 1 }, 1, null]) await t.rejects(pageRepo.update(1, { text: 'x' }, wrong as never), UsageError)
  await t.rejects(pageRepo.update(1, { text: 'x' }, { expectedVersion: 2 ** 40 }), ValidationError)
  await t.rejects(database.repo(plain).update(1, { text: 'x' }, { expectedVersion: 1 as never }), { message: /needs a table with \.\.\.version\(\)/ })
  t.equal((await pageRepo.getOrThrow(1)).version, 1)
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
  t.match(await pageRepo.get(1), { text: 'mine', version: 2 })
})

t.test('parallel updates that read, change and retry lose nothing', async (t) => {
  const edit = async (): Promise<void> => {
    const { edits, version: expectedVersion } = await pageRepo.getOrThrow(1)
    await pageRepo.update(1, { edits: edits + 1 }, { expectedVersion }).catch((error: unknown) => {
      if (!(error instanceof StaleRowError)) throw error
      return edit()
    })
  }
  await Promise.all(Array.from({ length: 10 }, edit))
  t.match(await pageRepo.get(1), { edits: 10, version: 11 })
  await Promise.all(Array.from({ length: 10 }, () => pageRepo.update(1, { edits: increment(1) })))
  t.match(await pageRepo.get(1), { edits: 20 })
})
