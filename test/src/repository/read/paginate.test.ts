import t from 'tap'
import { sql } from 'drizzle-orm'
import { integer, pgTable, timestamp } from 'drizzle-orm/pg-core'
import { Client } from 'pg'
import { UsageError, ValidationError } from '../../../../src/errors/errors.js'
import { cut } from '../../../../src/repository/read/default-limit.js'
import { SqlBuilder, TableStatements } from '../../../../src/repository/table/table-statements.js'
import { openRepositories } from '../../../helpers/runner.js'
import { drafts, draftsSql, users, usersSql } from '../schema.js'
import { seeded } from '../../../load/crash/random.js'
import type { CursorResult } from '../../../../src/index.js'
import type { StatementRunner } from '../../../../src/statement/statement.js'

const people = "insert into users (email, name, age) select 'u' || n, 'n' || n % 3, n from generate_series(1, 25) n;"
const opened = await openRepositories(t, usersSql + draftsSql + people)
const { runner } = opened
const repo = opened.repo(users)

t.test('returns a page, counted from 1, with the total of matching rows', async (t) => {
  const page = await repo.paginate({ name: 'n1' }, { page: 2, limit: 4, orderBy: { age: 'desc' }, columns: ['age'] })
  t.strictSame(page, { items: [{ age: 13 }, { age: 10 }, { age: 7 }, { age: 4 }], page: 2, limit: 4, total: 9, pages: 3 })
  t.match(await repo.paginate(), { page: 1, limit: 100, total: 25, pages: 1, items: { length: 25 } })
  t.match((await repo.paginate({}, { limit: 25 })), { pages: 1 })
  t.match((await repo.paginate({}, { limit: 24 })), { pages: 2 })
})

t.test('the total is right past the end, and when no row matches', async (t) => {
  t.strictSame(await repo.paginate({ age: { lte: 7 } }, { page: 9, limit: 5 }), { items: [], page: 9, limit: 5, total: 7, pages: 2 })
  t.strictSame(await repo.paginate({ age: { in: [] } }, { limit: 5 }), { items: [], page: 1, limit: 5, total: 0, pages: 0 })
})

t.test('takes a Drizzle condition, and expressions to order by', async (t) => {
  const { items, total } = await repo.paginate(sql`${users.age} > ${20}`, { orderBy: sql`-${users.age}`, limit: 2, columns: ['age'] })
  t.strictSame([items, total], [[{ age: 25 }, { age: 24 }], 5])
})

t.test('counts with its own statement, without a window function; each shape is one statement', async (t) => {
  const from = runner.statements.length
  await repo.paginate({ age: 1 }, { page: 2, limit: 3 })
  await repo.paginate({ age: 2 }, { page: 3, limit: 4 })
  const [list, count, ...more] = runner.statements.slice(from)
  t.match(list?.text, /^select .* from "users" where "users"."age" = \$1 order by "users"."id" limit \$2 offset \$3$/)
  t.match(count?.text, /^select count\(\*\) from "users" where "users"."age" = \$1$/)
  t.same(more.map(({ text }) => text), [list?.text, count?.text])
})

t.test('sees the same rows as the repository', async (t) => {
  const draftRepo = opened.repo(drafts)
  await draftRepo.create({ title: 'lives' })
  await draftRepo.create({ title: 'is gone', deletedAt: new Date() })
  t.match(await draftRepo.paginate(), { total: 2 })
  t.match(await draftRepo.onlyDeleted().paginate(), { total: 1, items: [{ title: 'is gone' }] })
})

t.test('68: refuses a page or limit that is not a whole number from 1, before anything is sent', async (t) => {
  const from = runner.statements.length
  for (const page of [0, -1, 1.5, NaN, Infinity, 1e300, '1', null, Number.MAX_SAFE_INTEGER]) {
    await t.rejects(repo.paginate({}, { page: page as number, limit: 10 }), ValidationError)
  }
  for (const limit of [0, -1, 1.5, NaN, 1e12, 1001, '1;drop', null]) await t.rejects(repo.paginate({}, { limit: limit as number }), ValidationError)
  await t.rejects(repo.paginate({}, { skip: 1 } as never), /"skip" of a read is not an option/)
  await t.rejects(repo.paginate({ nope: 1 } as never), ValidationError)
  await t.rejects(repo.paginate({}, { orderBy: { nope: 'asc' } as never }), ValidationError)
  await t.rejects(repo.paginate({}, [] as never), UsageError)
  t.equal(runner.statements.length, from)
})

const visits = pgTable('visits', { id: integer().primaryKey(), at: timestamp({ withTimezone: true }).notNull(), note: integer() })

t.test('a walk through 100,000 changing rows returns each row that stays exactly once', async (t) => {
  const { repo, connectionString } = await openRepositories(t, `
    create table visits (id integer primary key, at timestamptz not null, note integer);
    insert into visits select n * 10, '2026-01-01'::timestamptz + (n / 3) * interval '1 microsecond', null from generate_series(1, 100000) n;
    create index on visits (at, id); analyze visits`)
  const other = new Client({ connectionString })
  await other.connect()
  t.teardown(() => other.end())
  const random = seeded(5)
  const gone = new Set<number>()

  /** Inserts, deletes, moves and changes rows before, behind and at the position of the walk. */
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

t.test('forgets callers that it warned long ago, whatever their number', async (t) => {
  const table = new TableStatements(users, new SqlBuilder({ defaultLimit: 1, maxLimit: 10 }))
  const warned: string[] = []
  const list = (label: string): void => {
    const session = { caller: { label, logger: { warn: ({ route }: { route: string }) => warned.push(route) } } } as unknown as StatementRunner
    t.equal(cut({ rows: [{ id: 1 }, { id: 2 }], rowCount: 2, command: 'SELECT' }, { operation: 'getAll', options: undefined }, { session, table }).length, 1)
  }
  for (let job = 0; job < 1000; job++) list(`job ${job}`)
  for (let job = 0; job < 1000; job++) list(`job ${job}`)
  t.equal(warned.length, 1000, 'each of the last thousand is warned once')
  for (let job = 1000; job < 3000; job++) list(`job ${job}`)
  list('job 0')
  t.equal(warned.at(-1), 'job 0', 'the first was forgotten')
  t.equal(warned.length, 3001)
})
