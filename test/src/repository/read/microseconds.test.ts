import { integer, pgTable, timestamp } from 'drizzle-orm/pg-core'
import t from 'tap'
import { openRepositories } from '../../../helpers/runner.js'
import type { Filter } from '../../../../src/index.js'

const precisions = [0, 1, 2, 3, 4, 5, 6, undefined] as const
const texts = [
  '2026-01-02 03:04:05', '2026-01-02 03:04:05.000001', '2026-01-02 03:04:05.12', '2026-01-02 03:04:05.123', '2026-01-02 03:04:05.123001',
  '2026-01-02 03:04:05.123456', '2026-01-02 03:04:05.123999', '2026-01-02 03:04:05.124', '1969-12-31 23:59:59.999999', '1900-05-06 07:08:09.000999',
  '0044-03-15 00:00:00.500001 BC', '12026-01-02 03:04:05.678901', 'infinity', '-infinity'
]

type Compare = (a: number, b: number) => boolean
const comparisons: Readonly<Record<'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte', Compare>> = {
  eq: (a, b) => a === b, ne: (a, b) => a !== b, lt: (a, b) => a < b, lte: (a, b) => a <= b, gt: (a, b) => a > b, gte: (a, b) => a >= b
}

interface Case { readonly filter: unknown, readonly matches: (rank: number) => boolean }

/** Each operator with a value that was read, and its rank among the values that were read. */
function cases (value: unknown, rank: number, next: { readonly value: unknown, readonly rank: number }): Case[] {
  const plain = Object.entries(comparisons).flatMap(([name, compare]): Case[] => [
    { filter: { at: { [name]: value } }, matches: (own) => compare(own, rank) },
    { filter: { not: { at: { [name]: value } } }, matches: (own) => !compare(own, rank) }
  ])
  const oneOf: Compare = (own) => own === rank || own === next.rank
  return [
    ...plain,
    { filter: { at: value }, matches: (own) => own === rank },
    { filter: { at: { in: [value, next.value] } }, matches: (own) => oneOf(own, 0) },
    { filter: { at: { in: [next.value, value] } }, matches: (own) => oneOf(own, 0) },
    { filter: { at: { notIn: [value, next.value] } }, matches: (own) => !oneOf(own, 0) },
    { filter: { not: { at: { in: [value] } } }, matches: (own) => own !== rank },
    { filter: { not: { at: { notIn: [value] } } }, matches: (own) => own === rank },
    { filter: { at: { between: [value, next.value] } }, matches: (own) => own >= rank && own <= next.rank },
    { filter: { not: { at: { between: [value, value] } } }, matches: (own) => own !== rank }
  ]
}

for (const withTimezone of [false, true]) {
  for (const precision of precisions) {
    const type = `timestamp${precision === undefined ? '' : `(${precision})`} ${withTimezone ? 'with' : 'without'} time zone`
    const config = { withTimezone, ...precision !== undefined && { precision } }
    const tables = {
      date: pgTable('moments', { id: integer().primaryKey(), at: timestamp({ ...config, mode: 'date' }) }),
      string: pgTable('moments', { id: integer().primaryKey(), at: timestamp({ ...config, mode: 'string' }) })
    }
    t.test(`${type}: each operator compares the values that are read`, async (t) => {
      const rows = texts.map((text, index) => `(${index}, '${text}')`)
      const { repo, runner } = await openRepositories(t, `create table moments (id int primary key, at ${type}); insert into moments values ${rows.join()}, (99, null)`)
      for (const [mode, table] of Object.entries(tables)) {
        const read = await repo(table).filter({ at: { isNull: false } }, { orderBy: { at: 'asc' } })
        const values = mode === 'date'
          ? [...new Map(read.map(({ at }) => [Number(at), at])).values()]
          : [...new Map(read.map(({ at }) => [String(at), at])).values()]
        const rankOf = (value: unknown): number => values.findIndex((other) => mode === 'date' ? Number(other) === Number(value) : other === value)
        const wrong: string[] = []
        for (const [rank, value] of values.entries()) {
          const nextRank = Math.min(rank + 1, values.length - 1)
          for (const { filter, matches } of cases(value, rank, { value: values[nextRank], rank: nextRank })) {
            const found = await repo(table).filter(filter as Filter<typeof tables.date> & Filter<typeof tables.string>, { columns: ['id'] })
            const wanted = read.filter(({ at }) => matches(rankOf(at))).map(({ id }) => id)
            if (found.map(({ id }) => id).join() !== wanted.sort((a, b) => a - b).join()) wrong.push(JSON.stringify({ mode, filter, found, wanted }))
          }
        }
        t.strictSame(wrong, [])
        t.ok(values.length > (precision === 0 ? 5 : 6))
      }
      const narrow = runner.statements.filter(({ text }) => /date_trunc|between \$1 and \$2/.test(text))
      t.equal(narrow.some(({ text }) => text.includes('date_trunc')), precision === undefined || precision > 3, 'other columns are compared as they are')
    })
  }
}

const readings = pgTable('readings', { id: integer().primaryKey(), at: timestamp().notNull().unique(), note: integer() })
const readingsSql = `
  create table readings (id int primary key, at timestamp not null unique, note int);
  insert into readings select n, '2026-01-02 03:04:05.000001'::timestamp + n * interval '700 microseconds', n from generate_series(1, 3000) n;
  analyze readings`

t.test('a row that was read is found by its time, with each method that takes a filter', async (t) => {
  const { repo: open } = await openRepositories(t, `${readingsSql}; delete from readings where id % 2 = 0`)
  const repo = open(readings)
  const row = await repo.getOrThrow(7)
  const { at } = row
  t.strictSame(await repo.getBy({ at }), row)
  t.strictSame(await repo.first({ at }), row)
  t.strictSame(await repo.filter({ at: { in: [at] } }), [row])
  t.equal(await repo.count({ at }), 1)
  t.equal(await repo.exists({ at }), true)
  t.strictSame((await repo.paginate({ at })).items, [row])
  t.strictSame((await repo.cursor({ at })).items, [row])
  t.strictSame(await repo.getOrCreate({ at }, { id: 5000 }), { row, created: false })
  t.equal(await repo.updateMany({ id: 7, at }, { note: 70 }), 1, 'the time as a check for concurrent changes')
  t.equal(await repo.updateMany({ id: 9, at }, { note: 70 }), 0)
  const streamed = []
  for await (const one of repo.stream({ at })) streamed.push(one.note)
  t.strictSame(streamed, [70])
  t.equal(await repo.deleteMany({ at }), 1)
})

t.test('pages by cursor lose no row and repeat none, although their times are read without microseconds', async (t) => {
  const { repo: open } = await openRepositories(t, readingsSql)
  const repo = open(readings)
  const ids: number[] = []
  let after: string | undefined
  do {
    const { items, next } = await repo.cursor({}, { orderBy: { at: 'asc' }, limit: 1000, ...after !== undefined && { after } })
    ids.push(...items.map(({ id }) => id))
    after = next ?? undefined
  } while (after !== undefined)
  t.strictSame(ids, Array.from({ length: 3000 }, (_, index) => index + 1))
})

t.test('an index finds the rows', async (t) => {
  const { repo: open, runner } = await openRepositories(t, readingsSql)
  const repo = open(readings)
  const { at } = await repo.getOrThrow(2000)
  for (const filter of [{ at }, { at: { in: [at] } }, { at: { between: [at, at] } }, { at: { gt: new Date('2026-01-02T03:04:07Z') } }] as const) {
    t.ok((await repo.filter(filter)).length > 0)
    const { text, values } = runner.statements.at(-1) as { text: string, values: readonly unknown[] }
    const { rows } = await runner.client.query<{ 'QUERY PLAN': string }>(`explain ${text}`, [...values])
    t.match(rows.map((line) => line['QUERY PLAN']).join('\n'), /Index Cond: .*at/, JSON.stringify(filter))
  }
})
