/**
 * Random writes of several connections against an audited table, with rollbacks and killed backends: `npm run test:audit`, with
 * `-- --writes 20000` for another number. At the end the entries, replayed in their order, must give the rows of the table.
 *
 * Exits with 1 if they do not, or if the history holds a value of the masked column.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { eq, sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { audit, openDatabase, softDelete, version } from '../../../src/index.js'
import { createMigration, runMigrations } from '../../../src/migrations/index.js'
import { startPostgres } from '../../../src/testing/index.js'
import { recordingLogger } from '../../helpers/logger.js'
import { replay, run } from '../../src/audit/audited.js'
import type { RepositorySession } from '../../../src/index.js'

const { values } = parseArgs({ options: { writes: { type: 'string', default: '20000' } } })
const writes = Number(values.writes)
const workers = 8
const keys = 200

const items = pgTable('items', {
  id: integer().primaryKey(),
  parent: integer(),
  label: text(),
  size: integer().notNull().default(0),
  secret: text(),
  seen: integer(),
  ...softDelete(),
  ...version()
})
const itemsHistory = audit(items, { mask: ['secret'], ignore: ['seen'] })

const home = mkdtempSync(join(tmpdir(), 'audit-'))
const { connectionString, stop } = await startPostgres({ folder: join(home, 'postgres'), persistent: false })
await createMigration({ message: 'start', schema: { items, itemsHistory }, folder: join(home, 'drizzle') })
await runMigrations({ connectionString, folder: join(home, 'drizzle') })
const database = await openDatabase({
  connectionString, pool: { size: workers, maxOverflow: 2 }, slowQueryMillis: 3_600_000, statementTimeoutSeconds: 0, logger: recordingLogger()
})
await run(database, 'alter table items add foreign key (parent) references items on delete cascade on update cascade')

const randomBelow = (limit: number): number => Math.floor(Math.random() * limit)
const raw = (session: RepositorySession, statement: string) => session.execute(sql.raw(statement))
const secret = () => `hunter${randomBelow(1e6)}`

const kinds: ReadonlyArray<(session: RepositorySession, id: number) => Promise<unknown>> = [
  (session, id) => session.repo(items).create({ id, label: 'made', secret: secret() }),
  (session, id) => session.repo(items).update(id, { size: randomBelow(5), secret: secret() }),
  (session, id) => session.repo(items).upsert({ id, label: 'upserted', secret: secret() }),
  (session, id) => session.repo(items).upsertMany([{ id, size: 7 }, { id: (id + 1) % keys, size: 8 }]),
  (session, id) => session.repo(items).getOrCreate({ id }, { label: 'got' }),
  (session, id) => session.repo(items).softDelete(id),
  (session, id) => session.repo(items).withDeleted().updateMany({ id: { lt: id, gt: id - 5 } }, { label: 'many' }),
  (session, id) => session.repo(items).delete(id),
  (session) => session.repo(items).purge({ olderThan: 0 }),
  (session, id) => session.execute(sql`insert into ${items} ("id", "secret") values (${id}, ${secret()}) on conflict ("id") do update set "label" = 'conflict'`),
  (session, id) => session.execute(sql`update ${items} set "seen" = ${randomBelow(9)} where ${eq(items.id, id)}`),
  (session, id) => raw(session, `update items set id = ${randomBelow(keys)} where id = ${id}`),
  (session, id) => raw(session, `update items set parent = (select id from items where id < ${id} order by random() limit 1) where id = ${id}`),
  (session, id) => raw(session, `merge into items using (values (${id}), (${id + 1})) v (id) on items.id = v.id when matched and size > 5 then delete
    when matched then update set size = size + 1 when not matched then insert (id, secret) values (v.id, '${secret()}')`),
  (session, id) => raw(session, `with gone as (delete from items where id = ${id} returning id) insert into items (id) select id + ${keys} from gone on conflict do nothing`),
  (session, id) => raw(session, id === 0 ? 'truncate items' : 'select 1'),
  (session, id) => raw(session, id < 20 ? 'select pg_terminate_backend(pg_backend_pid())' : 'select 1')
]

let [done, failed, rolledBack] = [0, 0, 0]
async function work (): Promise<void> {
  while (done < writes) {
    done++
    try {
      await database.session(async (session) => {
        for (let more = randomBelow(3); more >= 0; more--) await (kinds[randomBelow(kinds.length)] as typeof kinds[0])(session, randomBelow(keys))
        if (randomBelow(5) === 0) {
          session.rollbackOnly()
          rolledBack++
        }
      })
    } catch {
      failed++
    }
  }
}
await Promise.all(Array.from({ length: workers }, work))

const failures = await replay(database, { table: 'items', history: 'items_history', columns: ['id', 'parent', 'label', 'size', 'version'] })
const { rows: [leaks] } = await database.execute<{ count: number }>(sql`select count(*)::int as count from items_history h where h::text like '%hunter%'`)
if (leaks?.count !== 0) failures.push(`${leaks?.count} entries hold a masked value`)
const { rows } = await database.execute<{ operation: string, count: number }>(sql`select operation, count(*)::int as count from items_history group by 1 order by 1`)
console.log(`${done} transactions, ${failed} failed, ${rolledBack} rolled back; entries: ${rows.map(({ operation, count }) => `${count} ${operation}`).join(', ')}`)

/** Microseconds for each row of a statement. */
async function timed (statement: string): Promise<number> {
  const start = performance.now()
  await run(database, statement)
  return (performance.now() - start) * 1000 / 2_000
}
await run(database, 'truncate items; create table bare (like items including all)')
for (const [name, on] of [['without', 'bare'], ['with', 'items']] as const) {
  const inserted = await timed(`insert into ${on} (id, label) select n, 'a label' from generate_series(1, 2000) n`)
  const updated = await timed(`update ${on} set label = 'another'`)
  console.log(`${name} an audit: ${inserted.toFixed(1)} µs for each row inserted, ${updated.toFixed(1)} µs updated`)
}
await database.close()
await stop()
for (const failure of failures) console.error(`FAILED: ${failure.slice(0, 2000)}`)
process.exitCode = failures.length === 0 ? 0 : 1
