import { sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { openDatabase } from '../../../../src/database/open-database.js'
import { SerializationFailureError } from '../../../../src/errors/errors.js'
import { softDelete } from '../../../../src/model/columns.js'
import { uniqueLive } from '../../../../src/model/unique-live.js'
import { createTestDatabase, expectNoLeaks } from '../../../../src/testing/index.js'

const counters = pgTable('counters', { id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text().notNull().unique(), hits: integer().notNull() })
const tags = pgTable(
  'tags',
  { id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text().notNull(), ...softDelete() },
  (table) => [uniqueLive(table.name)]
)

const { connectionString } = await createTestDatabase(t, {
  sql: `create table counters (id integer primary key generated always as identity, name text not null unique, hits integer not null);
    create table tags (id integer primary key generated always as identity, name text not null, "deletedAt" timestamptz(3));
    create unique index on tags (name) where "deletedAt" is null;`
})
const database = await openDatabase({ connectionString, pool: { size: 20, maxOverflow: 0 } })
t.teardown(() => database.close())
t.beforeEach(() => database.execute(sql`truncate counters, tags restart identity`))
t.afterEach(() => expectNoLeaks(database))

const hundred = Array.from({ length: 100 }, (_, n) => n)
const onTarget = { target: 'name', update: { hits: sql`${counters.hits} + 1` } } as const

t.test('a hundred parallel upserts of one key make one row, without an error', async (t) => {
  const results = await Promise.all(hundred.map(() => database.repo(counters).upsert({ name: 'a', hits: 1 }, onTarget)))
  t.equal(results.filter(({ created }) => created).length, 1)
  t.same(results.map(({ row: { hits } }) => hits).sort((one, other) => one - other), hundred.map((n) => n + 1))
  t.equal(await database.repo(counters).count(), 1)
})

t.test('a hundred parallel upserts in sessions with other work make one row', async (t) => {
  const results = await Promise.all(hundred.map((n) => database.session(async (session) => {
    await session.repo(tags).create({ name: `own ${n}` })
    return await session.repo(counters).upsert({ name: 'a', hits: 1 }, onTarget)
  })))
  t.equal(results.filter(({ created }) => created).length, 1)
  t.equal((await database.repo(counters).getByOrThrow({ name: 'a' })).hits, 100)
  t.equal(await database.repo(tags).count(), 100)
})

t.test('a hundred parallel calls of getOrCreate for one key make one row, without an error', async (t) => {
  const results = await Promise.all(hundred.map((n) => database.repo(counters).getOrCreate({ name: 'a' }, { hits: n })))
  t.equal(results.filter(({ created }) => created).length, 1)
  t.equal(new Set(results.map(({ row: { id, hits } }) => `${id} ${hits}`)).size, 1)
  t.equal(await database.repo(counters).count(), 1)

  const live = await Promise.all(hundred.map(() => database.repo(tags).getOrCreate({ name: 'a' })))
  t.equal(live.filter(({ created }) => created).length, 1)
  t.equal(await database.repo(tags).count(), 1)
})

t.test('a hundred parallel calls of getOrCreate in sessions keep the transactions whole', async (t) => {
  const results = await Promise.all(hundred.map((n) => database.session(async (session) => {
    await session.repo(tags).create({ name: `before ${n}` })
    const { created } = await session.repo(counters).getOrCreate({ name: 'a' }, { hits: n })
    await session.repo(tags).create({ name: `after ${n}` })
    return created
  })))
  t.equal(results.filter((created) => created).length, 1)
  t.equal(await database.repo(counters).count(), 1)
  t.equal(await database.repo(tags).count(), 200)
})

t.test('getOrCreate waits for a transaction that has the key, and creates the row if that rolls back', async (t) => {
  for (const [end, created] of [['commit', false], ['rollback', true]] as const) {
    const first = database.createSession()
    const second = database.createSession()
    await first.repo(counters).create({ name: end, hits: 1 })
    const asked = second.repo(counters).getOrCreate({ name: end }, { hits: 2 })
    await waitsForLock()
    await first[end]()
    t.match(await asked, { created, row: { hits: created ? 2 : 1 } })
    await second.commit()
    await first.close()
  }
})

async function waitsForLock (): Promise<void> {
  for (;;) {
    const { rows } = await database.execute(sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`)
    if (rows.length > 0) return
  }
}

t.test('a row committed after the snapshot is a conflict, which retries resolve', async (t) => {
  for (const isolationLevel of ['repeatable read', 'serializable'] as const) {
    const ways = {
      upsert: (repo: ReturnType<typeof database.repo<typeof counters>>, name: string) => repo.upsert({ name, hits: 1 }, onTarget),
      getOrCreate: (repo: ReturnType<typeof database.repo<typeof counters>>, name: string) => repo.getOrCreate({ name }, { hits: 1 })
    }
    for (const [way, run] of Object.entries(ways)) {
      const name = `${way} ${isolationLevel}`
      let attempts = 0
      const work = (retries: number) => database.transaction(async (session) => {
        await session.repo(tags).count()
        if (attempts++ === 0) await database.repo(counters).create({ name, hits: 1 })
        return await run(session.repo(counters), name)
      }, { isolationLevel, retries })
      await t.rejects(work(0), SerializationFailureError, name)
      attempts = 0
      await database.execute(sql`truncate counters`)
      t.equal((await work(2)).created, false, name)
      t.equal(attempts, 2)
    }
  }
})

t.test('parallel upserts of many rows, in the same order, make each row once', async (t) => {
  const rows = Array.from({ length: 500 }, (_, n) => ({ name: `n${n}`, hits: 1 }))
  const results = await Promise.all([1, 2, 3, 4].map(() => database.repo(counters).upsertMany(rows, onTarget)))
  t.equal(results.flat().filter(({ created }) => created).length, 500)
  t.equal(await database.repo(counters).count({ hits: 4 }), 500)
  for (const result of results) t.same(result.map(({ row: { name } }) => name), rows.map(({ name }) => name))
})

t.test('a failed upsert of many rows leaves its session whole and usable', async (t) => {
  await database.session(async (session) => {
    await session.repo(counters).create({ name: 'kept', hits: 1 })
    await t.rejects(session.repo(counters).upsertMany([{ name: 'a', hits: 1 }, { name: 'b', hits: sql`1 / 0` }], onTarget))
    await t.rejects(session.repo(counters).createMany(Array.from({ length: 2500 }, (_, n) => ({ name: `${n % 2400}`, hits: 1 }))))
  })
  t.same((await database.repo(counters).getAll()).map(({ name }) => name), ['kept'])
})
