import { sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { Client } from 'pg'
import t from 'tap'
import { openDatabase } from '../../../../src/index.js'
import { increment } from '../../../../src/repository/types/increment.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { createDatabase15 } from '../../../helpers/postgres-15.js'
import { until } from '../../../helpers/until.js'

const tableOf = (name: string) => pgTable(name, { d: integer().primaryKey(), n: integer(), note: text() }) // the same type for both tables, for loops over them
const parts = tableOf('parts')
const parent = tableOf('parent')

// Partitions with another order of columns than their table, partitions of partitions, and tables that inherit.
const tables = `
  create table parts (d integer, n integer, note text, primary key (d)) partition by range (d);
  create table parts_low partition of parts for values from (0) to (1000);
  create table parts_high (note text, gone integer, n integer, d integer not null);
  alter table parts_high drop column gone;
  alter table parts attach partition parts_high for values from (1000) to (2000);
  create table parts_rest partition of parts default partition by hash (d);
  create table parts_rest_0 partition of parts_rest for values with (modulus 1, remainder 0);
  create table parent (d integer primary key, n integer, note text);
  create table child (more text) inherits (parent);
  create function leave() returns trigger language plpgsql as $$ begin return case when new.note = 'leave' then null else new end; end $$;
  create trigger leave before update on parts for each row execute function leave();`

const places = [5, 1005, 9005]

for (const [version, create] of [['18', createTestDatabase], ['15', createDatabase15]] as const) {
  t.test(`PostgreSQL ${version}`, async (t) => {
    const { connectionString } = await create(t, { sql: tables })
    const database = await openDatabase({ connectionString })
    t.teardown(() => database.close())

    for (const table of [parts, parent]) {
      t.test(`upserts report created rows in ${table === parts ? 'partitions' : 'a table that others inherit from'}`, async (t) => {
        const repo = database.repo(table)
        for (const d of places) {
          t.strictSame(await repo.upsert({ d, n: 1 }), { row: { d, n: 1, note: null }, created: true })
          t.strictSame(await repo.upsert({ d, n: 2 }), { row: { d, n: 2, note: null }, created: false })
          t.strictSame(await repo.upsert({ d, n: 3 }, { update: { n: increment(5) }, where: { n: 2 } }), { row: { d, n: 7, note: null }, created: false })
          t.strictSame(await repo.upsert({ d, n: 3 }, { where: { n: 2 } }), { row: { d, n: 7, note: null }, created: false })
          t.match(await repo.getOrCreate({ d }, { n: 9 }), { row: { n: 7 }, created: false })
          t.match(await repo.getOrCreate({ d: d + 1 }, { n: 9 }), { row: { n: 9 }, created: true })
        }
      })

      t.test('created and existing rows are told apart, many and few, inside and outside a transaction', async (t) => {
        const rows = (offset: number): Array<{ d: number, n: number }> => Array.from({ length: 300 }, (_, n) => ({ d: offset + n * 10, n }))
        const everySecond = rows(0).filter(({ d }) => d % 20 === 0)
        await database.repo(table).deleteMany({}, { all: true })
        await database.repo(table).upsertMany(everySecond)
        const met = await database.repo(table).upsertMany(rows(0))
        t.strictSame(met.map(({ created }) => created), rows(0).map(({ d }) => d % 20 !== 0))
        await database.session(async (session) => {
          const repo = session.repo(table)
          for (const d of [0, 1, 10, 2, 1000, 1001]) t.equal((await repo.upsert({ d, n: -1 })).created, d % 10 !== 0)
          t.strictSame(
            (await repo.upsertMany([{ d: 20 }, { d: 3, n: 0 }, { d: 3, n: 1 }, { d: 1003 }])).map(({ created }) => created),
            [false, true, false, true]
          )
        })
      })
    }

    t.test('a row that a trigger left unchanged does not make others look as if they had existed', async (t) => {
      await database.repo(parts).deleteMany({}, { all: true })
      await database.repo(parts).create({ d: 1, n: 1 })
      await database.session(async (session) => {
        const repo = session.repo(parts)
        await session.execute(sql`insert into parts (d, note) values (1, 'leave') on conflict (d) do update set note = excluded.note`)
        await repo.upsert({ d: 1, note: 'leave' }).catch(() => {})
        t.equal((await repo.upsert({ d: 2, n: 2 })).created, true)
        t.equal((await repo.upsert({ d: 2, n: 3 })).created, false)
      })
    })

    t.test("an upsert that waits for another transaction's row reports that it existed", async (t) => {
      const client = new Client({ connectionString })
      await client.connect()
      t.teardown(() => client.end())
      for (const table of [parts, parent]) {
        await database.repo(table).deleteMany({}, { all: true })
        await client.query(`begin; insert into ${table === parts ? 'parts' : 'parent'} values (1, 1)`)
        const waiting = database.repo(table).upsert({ d: 1, n: 2 })
        await until(async () =>
          (await database.execute<{ waiting: boolean }>(sql`select exists(select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock') as waiting`)).rows[0]?.waiting ===
          true)
        await client.query('commit')
        t.strictSame(await waiting, { row: { d: 1, n: 2, note: null }, created: false })
      }
    })

    t.test('when many create the same row at once, one reports that it was created', async (t) => {
      for (const table of [parts, parent]) {
        await database.repo(table).deleteMany({}, { all: true })
        const all = await Promise.all(Array.from({ length: 200 }, (_, n) => database.repo(table).upsert({ d: places[n % 3] as number, n })))
        t.equal(all.filter(({ created }) => created).length, 3)
      }
    })
  })
}
