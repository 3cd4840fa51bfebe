import { sql } from 'drizzle-orm'
import { date, doublePrecision, integer, interval, pgTable, text } from 'drizzle-orm/pg-core'
import pg from 'pg'
import t from 'tap'
import { openDatabase } from '../../../src/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { unhurried } from '../../helpers/database.js'
import type { Database, OpenOptions } from '../../../src/index.js'
import type { Test } from '../../helpers/test.js'

const days = pgTable('days', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(), d: date({ mode: 'date' }), span: interval(), tall: doublePrecision(), names: text().array()
})
const february = { d: new Date('2026-02-01T00:00:00Z'), span: '1 year -00:00:01', tall: 0.1 + 0.2, names: ['a', null] as unknown as string[] }

/** A database whose settings format every value differently from the default. */
async function openOdd (t: Test, open: (connectionString: string) => OpenOptions = (connectionString) => ({ connectionString })): Promise<Database> {
  const { connectionString, database: setUp } = await createTestDatabase(t as never, {
    sql: 'create table days (id integer primary key generated always as identity, d date, span interval, tall float8, names text[])'
  })
  const { rows: [row] } = await setUp.execute<{ name: string }>(sql`select current_database() as name`)
  for (const set of [
    "datestyle = 'SQL, DMY'",
    "intervalstyle = 'iso_8601'",
    'extra_float_digits = 0',
    'array_nulls = off'
  ]) await setUp.execute(sql.raw(`alter database ${row?.name} set ${set}`))
  const database = await openDatabase({ pool: { size: 1, maxOverflow: 0 }, ...unhurried, ...open(connectionString) })
  t.teardown(() => database.close())
  return database
}

const settingsOf = async (database: Database): Promise<unknown> =>
  (await database.pool.query("select concat_ws('; ', current_setting('datestyle'), current_setting('intervalstyle'), current_setting('extra_float_digits'), current_setting('array_nulls')) as all")).rows[0].all

t.test('values are read correctly under any database settings; only DateStyle\'s input order stays', async (t) => {
  const database = await openOdd(t)
  t.match(await database.repo(days).create(february), february)
  t.equal(await settingsOf(database), 'ISO, DMY; postgres; 1; on')
  t.strictSame((await database.execute(sql`select '01/02/2026'::date::text as day`)).rows, [{ day: '2026-02-01' }])
})

t.test('20 close numbers are 20 rows of a cursor, whatever extra_float_digits the database has', async (t) => {
  const database = await openOdd(t)
  const repo = database.repo(days)
  await repo.createMany(Array.from({ length: 20 }, (_, place) => ({ tall: 1 + place * Number.EPSILON })))
  const seen: number[] = []
  for (let after: string | null | undefined; after !== null && seen.length < 40;) {
    const page = await repo.cursor({}, { orderBy: { tall: 'asc' }, limit: 3, ...(after !== undefined && { after }) })
    seen.push(...page.items.map(({ id }) => id))
    after = page.next
  }
  t.strictSame(seen, Array.from({ length: 20 }, (_, place) => place + 1))
})

t.test('a setting changed by hand lasts no longer than the checkout', async (t) => {
  const database = await openOdd(t)
  for (const change of [
    sql`set datestyle to 'German'`,
    sql`SELECT SET_CONFIG(${'DateStyle'}, ${'SQL, DMY'}, false)`,
    sql`reset all`,
    sql`set extra_float_digits = -5`,
    sql`do $$ begin execute 'set inter' || 'valstyle = iso_8601'; end $$`
  ]) {
    await database.execute(change)
    t.match(await database.repo(days).create(february), february)
  }
  await database.execute(sql`select set_config('app.tenant', ${'42'}, false)`)
})

t.test('a connection that is reset on release gets the settings again', async (t) => {
  const database = await openOdd(t, (connectionString) => ({ connectionString, pool: { size: 1, maxOverflow: 0, resetOnRelease: true } }))
  for (let turn = 0; turn < 3; turn++) t.match(await database.repo(days).create(february), february)
  t.equal(await settingsOf(database), 'ISO, DMY; postgres; 1; on')
})

t.test('within a transaction that has set another style a date is refused rather than misread', async (t) => {
  const database = await openOdd(t)
  const { id } = await database.repo(days).create(february)
  await t.rejects(database.transaction(async (session) => {
    await session.execute(sql`set local datestyle = 'SQL, DMY'`)
    await session.repo(days).get(id)
  }), { name: 'DatabaseError', message: /Column "d" of a row cannot be read: .*datestyle/, context: { operation: 'get', table: 'days', columns: ['d'] } })
  t.match(await database.repo(days).get(id), february)
})

t.test('behind a pooler the settings precede each transaction and its scopes, and end with it', async (t) => {
  const database = await openOdd(t, (connectionString) => {
    const pool = new pg.Pool({ connectionString, max: 1 })
    // A pooler reports a process id that the server does not have.
    pool.on('connect', (client) => Object.assign(client, { processID: 0 }))
    t.teardown(() => pool.end())
    return { pg: pool, pool: {} }
  })
  const repo = database.repo(days)
  t.match(await repo.create(february), february)
  await database.transaction(async (session) => {
    await session.transaction(async (scope) => { t.match(await scope.repo(days).create(february), february) })
    await session.transaction(async (scope) => { await scope.repo(days).create(february); scope.rollbackOnly() })
    t.match(await session.repo(days).getAll(), [february, february])
  })
  t.equal((await repo.getAll()).length, 2)
  const streamed: unknown[] = []
  for await (const row of repo.stream()) streamed.push(row)
  t.match(streamed, [february, february])
  await database.execute(sql`vacuum days`)
  t.match(await database.execute(sql`select d::text as d from days limit 1`), { rows: [{ d: '2026-02-01' }] })
  await t.rejects(repo.create({ id: 1 } as never))
  t.equal(await settingsOf(database), 'SQL, DMY; iso_8601; 0; off')
})

t.test('behind a pooler a statement whose name was lost is sent again, with its settings', async (t) => {
  const database = await openOdd(t, (connectionString) => {
    const pool = new pg.Pool({ connectionString, max: 1 })
    pool.on('connect', (client) => Object.assign(client, { processID: 0 }))
    t.teardown(() => pool.end())
    return { pg: pool, pool: {} }
  })
  await database.repo(days).create(february)
  t.match(await database.repo(days).get(1), february)
  await database.pool.query('deallocate all')
  t.match(await database.repo(days).get(1), february)
})
