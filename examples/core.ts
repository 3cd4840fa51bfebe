/**
 * The core without Fastify: a script that moves money. Run it by
 *
 *     DATABASE_URL=postgresql://localhost/shop npx tsx examples/core.ts
 *
 * Without a DATABASE_URL it creates a database, and drops it at the end. In your own program, import from
 * 'fastify-data-access/core'.
 */
import { sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { openDatabase } from '../src/index.js'
import { createTestDatabase } from '../src/testing/index.js'

const accounts = pgTable('core_example_accounts', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  owner: text().notNull(),
  cents: integer().notNull()
})

const own = process.env['DATABASE_URL'] ? undefined : await createTestDatabase()
const database = await openDatabase(own && { connectionString: own.connectionString })

await database.execute(sql`create table if not exists ${accounts} (
  id integer primary key generated always as identity, owner text not null, cents integer not null check (cents >= 0)
)`)

// Each call of a repository of the database commits by itself.
const ada = await database.repo(accounts).create({ owner: 'Ada', cents: 1000 })
const grace = await database.repo(accounts).create({ owner: 'Grace', cents: 0 })

// session(fn): both updates or none. It commits when the function resolves, and rolls back when it throws.
async function move (cents: number): Promise<void> {
  await database.session(async (session) => {
    const { cents: has } = await session.repo(accounts).getOrThrow(ada.id, { lock: 'update' })
    await session.repo(accounts).update(grace.id, { cents })
    await session.repo(accounts).update(ada.id, { cents: has - cents })
  })
}
await move(300)
console.log('300 cents were moved')
await move(5000).catch((error) => console.log(`5000 were not: ${error.code}`))

// createSession(): the same by hand. Without a commit, the end of the block rolls it back.
{
  await using session = database.createSession()
  await session.repo(accounts).deleteMany({ id: { in: [ada.id, grace.id] } })
  console.log(`inside the session ${await session.repo(accounts).count({ id: { in: [ada.id, grace.id] } })} of the two are left`)
}

// transaction(fn) takes PostgreSQL's options: here, one snapshot for all reads.
const { owners, total } = await database.transaction(async (session) => {
  const rows = await session.repo(accounts).getMany([ada.id, grace.id])
  return { owners: rows.map(({ owner, cents }) => `${owner} ${cents}`), total: rows.reduce((sum, { cents }) => sum + cents, 0) }
}, { isolationLevel: 'repeatable read', accessMode: 'read only' })
console.log(`in the end: ${owners.join(', ')}; together ${total}`)

await database.repo(accounts).deleteMany({ id: { in: [ada.id, grace.id] } })
await database.close()
await own?.drop()
