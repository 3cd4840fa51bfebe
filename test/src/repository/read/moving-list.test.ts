import { integer, pgTable, timestamp } from 'drizzle-orm/pg-core'
import { Client } from 'pg'
import t from 'tap'
import { seeded } from '../../../load/crash/random.js'
import { openRepositories } from '../../../helpers/runner.js'
import type { CursorResult } from '../../../../src/index.js'

const visits = pgTable('visits', { id: integer().primaryKey(), at: timestamp({ withTimezone: true }).notNull(), note: integer() })

t.test('a walk of 100,000 rows that change under it meets each row that stays exactly once', async (t) => {
  const { repo, connectionString } = await openRepositories(t, `
    create table visits (id integer primary key, at timestamptz not null, note integer);
    insert into visits select n * 10, '2026-01-01'::timestamptz + (n / 3) * interval '1 microsecond', null from generate_series(1, 100000) n;
    create index on visits (at, id); analyze visits`)
  const other = new Client({ connectionString })
  await other.connect()
  t.teardown(() => other.end())
  const random = seeded(5)
  const gone = new Set<number>()

  /** Rows come, go, move and change anywhere: in front of the walk, behind it, and where it stands. */
  async function change (): Promise<void> {
    const any = (): number => (1 + random.below(100_000)) * 10
    const deleted = Array.from({ length: 50 }, any)
    const moved = Array.from({ length: 50 }, any)
    for (const id of [...deleted, ...moved]) gone.add(id)
    await other.query('delete from visits where id = any($1)', [deleted])
    await other.query("update visits set at = '2026-01-01'::timestamptz + $2 * interval '1 microsecond' where id = any($1)", [moved, random.below(34_000)])
    await other.query('update visits set note = 1 where id = any($1)', [Array.from({ length: 50 }, any)])
    await other.query(
      'insert into visits select id + 1 + $2, at, 2 from visits where id = any($1) on conflict do nothing',
      [Array.from({ length: 50 }, any), random.below(9)]
    )
  }

  const met = new Map<number, number>()
  let after: string | null = null
  let pages = 0
  do {
    const { items, next }: CursorResult<{ id: number }> = await repo(visits).cursor({}, {
      orderBy: { at: 'desc' }, limit: 1000, columns: ['id'], ...(after !== null && { after })
    })
    for (const { id } of items) met.set(id, (met.get(id) ?? 0) + 1)
    after = next
    pages++
    await change()
  } while (after !== null)

  const stayed = Array.from({ length: 100_000 }, (_, n) => (n + 1) * 10).filter((id) => !gone.has(id))
  t.ok(pages >= 90 && stayed.length > 80_000, `${pages} pages, ${stayed.length} rows stayed`)
  t.equal(stayed.filter((id) => met.get(id) !== 1).length, 0)
})
