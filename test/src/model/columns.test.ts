import { eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import pg from 'pg'
import t from 'tap'
import { softDelete, timestamps, version } from '../../../src/model/columns.js'
import type { SoftDeleteKey, VersionKey } from '../../../src/model/columns.js'
import { createTestDatabase } from '../../../src/testing/index.js'

const documents = pgTable('documents', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  body: text().notNull(),
  ...timestamps(),
  ...softDelete(),
  ...version()
})

const plain = pgTable('plain', { id: integer().primaryKey(), deletedAt: timestamp(), version: integer() })

/** Compiles only for equal types. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : never

t.test('the types are those of Drizzle columns', async (t) => {
  const selected: Same<typeof documents.$inferSelect, {
    id: number, body: string, createdAt: Date, updatedAt: Date, deletedAt: Date | null, version: number
  }> = true
  const inserted: typeof documents.$inferInsert = { body: 'all that has to be given' }
  // @ts-expect-error version is a number
  const wrong: typeof documents.$inferInsert = { body: '', version: 'one' }
  t.ok(selected && inserted && wrong)

  // @ts-expect-error filter is a boolean
  softDelete({ filter: 'yes' })
  // @ts-expect-error there is no such option
  softDelete({ filtered: true })
})

t.test('the type of a table tells its marked columns from those of the user', async (t) => {
  const softDeleteKey: Same<SoftDeleteKey<typeof documents>, 'deletedAt'> = true
  const versionKey: Same<VersionKey<typeof documents>, 'version'> = true
  const noSoftDelete: Same<SoftDeleteKey<typeof plain>, never> = true
  const noVersion: Same<VersionKey<typeof plain>, never> = true
  t.ok(softDeleteKey && versionKey && noSoftDelete && noVersion)
  t.match(plain, { deletedAt: { name: 'deletedAt' } })
})

for (const casing of [undefined, 'snake_case'] as const) {
  t.test(`work on real rows with ${casing ?? 'no'} casing`, async (t) => {
    const [createdAt, updatedAt, deletedAt] = casing === undefined ? ['"createdAt"', '"updatedAt"', '"deletedAt"'] : ['created_at', 'updated_at', 'deleted_at']
    const { connectionString } = await createTestDatabase(t, {
      sql: `create table documents (
              id int primary key generated always as identity, body text not null,
              ${createdAt} timestamptz(3) not null default now(), ${updatedAt} timestamptz(3) not null default now(),
              ${deletedAt} timestamptz(3), version int not null default 1)`
    })
    const client = new pg.Client(connectionString)
    await client.connect()
    t.after(() => client.end())
    const db = drizzle(client, casing === undefined ? {} : { casing })

    await db.execute(sql`begin`)
    const inserted = await db.insert(documents).values([{ body: 'one' }, { body: 'two' }]).returning()
    const [{ now } = {}] = (await db.execute<{ now: string }>(sql`select now()::timestamptz(3)::text as now`)).rows
    for (const row of inserted) {
      t.match(row, { deletedAt: null, version: 1 })
      t.strictSame(row.createdAt, new Date(now ?? ''), 'rows made together share the time of their transaction')
      t.strictSame(row.updatedAt, row.createdAt, 'a row never updated has two equal times')
    }
    const first = await update('first')
    await db.execute(sql`select pg_sleep(0.005)`)
    const second = await update('second')
    t.ok(second.updatedAt > first.updatedAt, 'two updates in one transaction have two times')
    t.ok(first.updatedAt >= first.createdAt)
    t.strictSame(second.createdAt, inserted[0]?.createdAt, 'an update leaves createdAt alone')
    await db.execute(sql`commit`)

    async function update (body: string) {
      const [row] = await db.update(documents).set({ body }).where(eq(documents.id, 1)).returning()
      if (row === undefined) throw new Error('The row is gone')
      return row
    }
  })
}
