import t from 'tap'
import { sql } from 'drizzle-orm'
import { bigint, boolean, date, doublePrecision, integer, json, numeric, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { Client } from 'pg'
import { ValidationError } from '../../../../src/errors/errors.js'
import { identityOf, writeCursor } from '../../../../src/repository/read/cursor-token.js'
import { openRepositories } from '../../../helpers/runner.js'
import { memberships, membershipsSql } from '../schema.js'
import type { CursorOrder, CursorResult, Filter } from '../../../../src/index.js'

const events = pgTable('events', {
  id: integer().primaryKey(),
  at: timestamp({ withTimezone: true }).notNull(),
  rank: integer(),
  word: text(),
  price: numeric(),
  ratio: doublePrecision(),
  big: bigint({ mode: 'bigint' }),
  day: date(),
  token: uuid(),
  flag: boolean(),
  tags: text().array(),
  raw: json()
})

// Forty rows within 40 microseconds, which a Date cannot tell apart. All other columns have NULLs and repeated values.
const seed = `
  create table events (id integer primary key, at timestamptz not null, rank integer, word text, price numeric, ratio double precision, big bigint,
    day date, token uuid, flag boolean, tags text[], raw json);
  insert into events select n, '2026-01-01T00:00:00.000001Z'::timestamptz + (n / 2) * interval '1 microsecond', nullif(n % 5, 0), nullif('w"\\' || n % 3, 'w"\\0'),
    nullif(n % 4, 0) / 3.0, (n % 7) / 7.0::float8, nullif(n % 3, 1) * 3000000000, date '2026-01-01' + n % 3, md5((n % 6)::text)::uuid, nullif(n % 4, 3) = 1,
    case n % 3 when 0 then null when 1 then '{}'::text[] else array['a,b', null] end, '{}'
  from generate_series(1, 40) n;
  insert into memberships select chr(97 + n % 3), n, 'guest' from generate_series(1, 12) n;`

const { repo: open, runner, connectionString } = await openRepositories(t, membershipsSql + seed)
const repo = open(events)

type Order = CursorOrder<typeof events>

/** Walks a list to its end and back, and returns the rows of both ways. */
async function walk (orderBy: Order, limit: number, filter: Filter<typeof events> = {}): Promise<{ there: number[], back: number[] }> {
  const pages: Array<CursorResult<{ id: number }>> = []
  let page = await repo.cursor(filter, { orderBy, limit, columns: ['id'] })
  pages.push(page)
  while (page.next !== null) {
    page = await repo.cursor(filter, { orderBy, limit, columns: ['id'], after: page.next })
    pages.push(page)
  }
  const there = pages.flatMap(({ items }) => items.map(({ id }) => id))
  let back = page.items.map(({ id }) => id)
  while (page.previous !== null) {
    page = await repo.cursor(filter, { orderBy, limit, columns: ['id'], before: page.previous })
    back = [...page.items.map(({ id }) => id), ...back]
  }
  return { there, back }
}

t.test('walks to the end and back in the order of a full list, for all types, directions and NULLs', async (t) => {
  const orders: Order[] = [
    {},
    { id: 'desc' },
    { at: 'desc' },
    { at: 'asc', rank: 'desc', word: 'asc' },
    { rank: 'asc', id: 'desc' },
    { flag: 'desc', id: 'asc' }
  ]
  for (const key of ['at', 'rank', 'word', 'price', 'ratio', 'big', 'day', 'token', 'flag', 'tags'] as const) {
    orders.push({ [key]: 'asc' }, { [key]: 'desc' })
    for (const nulls of ['first', 'last'] as const) {
      orders.push(
        { [key]: { direction: 'asc', nulls }, at: { direction: 'desc', nulls } },
        { [key]: { direction: 'desc', nulls } }
      )
    }
  }
  for (const orderBy of orders) {
    const whole = (await repo.filter({}, { orderBy, limit: 100, columns: ['id'] })).map(({ id }) => id)
    for (const limit of [1, 7, 40]) t.strictSame(await walk(orderBy, limit), { there: whole, back: whole }, `${JSON.stringify(orderBy)} by ${limit}`)
  }
})

t.test('keeps its filter, also one written with Drizzle', async (t) => {
  const filter = { rank: { gt: 1 }, or: [{ word: null }, { id: { in: [4, 7, 9, 23] } }] }
  const whole = (await repo.filter(filter, { orderBy: { rank: 'desc' } })).map(({ id }) => id)
  t.strictSame(await walk({ rank: 'desc' }, 3, filter), { there: whole, back: whole })
  const even = sql`${events.id} % ${2} = 0`
  const evens = (await repo.filter(even, { orderBy: { word: 'asc' } })).map(({ id }) => id)
  t.strictSame(await walk({ word: 'asc' }, 4, even), { there: evens, back: evens })
  t.strictSame(await repo.cursor({ id: { in: [] } }), { items: [], next: null, previous: null })
})

t.test('walks by a composite key', async (t) => {
  const members = open(memberships)
  const first = await members.cursor({}, { limit: 5, orderBy: { group: 'desc' } })
  const second = await members.cursor({}, { limit: 5, orderBy: { group: 'desc' }, after: String(first.next) })
  const third = await members.cursor({}, { limit: 5, orderBy: { group: 'desc' }, after: String(second.next) })
  t.strictSame([first, second, third].flatMap(({ items }) => items), await members.getAll({ orderBy: { group: 'desc' } }))
  t.equal(third.next, null)
})

t.test('returns whole rows, or only the requested columns', async (t) => {
  const [row] = (await repo.cursor({}, { limit: 1 })).items
  t.strictSame(row, await repo.get(1))
  t.strictSame((await repo.cursor({}, { limit: 1, columns: ['word'], orderBy: { at: 'asc' } })).items, [{ word: 'w"\\1' }])
})

t.test('compares whole rows for an order in one direction without NULLs, and single columns otherwise', async (t) => {
  const textOf = async (orderBy: Order): Promise<string> => {
    const { next } = await repo.cursor({}, { orderBy, limit: 3, columns: ['id'] })
    await repo.cursor({}, { orderBy, limit: 3, columns: ['id'], after: String(next) })
    return String(runner.statements.at(-1)?.text.replaceAll('"events".', ''))
  }
  t.match(await textOf({}), 'where "id" > $1 order by "id" limit $2')
  t.match(await textOf({ at: 'desc' }), 'where ("at", "id") < ($1, $2) order by "at" desc, "id" desc limit $3')
  t.match(await textOf({ at: { direction: 'asc', nulls: 'first' } }), 'where ("at", "id") > ($1, $2) order by "at", "id" limit')
  t.match(await textOf({ at: 'asc', id: 'desc' }), 'where ("at" >= $1 and ("at" > $2 or ("at" = $3 and "id" < $4)))')
  t.match(await textOf({ rank: 'desc' }), 'where ("rank" is not null or ("rank" is null and "id" < $1))')
  t.match(await textOf({ rank: 'asc' }), 'where (("rank" > $1 or "rank" is null) or ("rank" = $2 and "id" > $3))')
})

t.test('reads one row more than the page has, and builds no statement twice', async (t) => {
  const from = runner.statements.length
  let after: string | undefined
  for (let page = 0; page < 5; page++) {
    after = (await repo.cursor({ rank: { gt: 0 } }, {
      orderBy: { at: 'desc' }, limit: 4, ...(after && { after })
    })).next ?? undefined
  }
  const statements = runner.statements.slice(from)
  for (const { values, kind, name } of statements) t.match([values.at(-1), kind, name], [5, 'read', String])
  t.equal(new Set(statements.slice(1).map(({ context }) => context)).size, 1)
})

t.test('a cursor is opaque, and holds the digits that a Date loses', async (t) => {
  const { next } = await repo.cursor({ id: 4 }, { orderBy: { at: 'asc' } })
  t.equal(next, null)
  const page = await repo.cursor({}, { orderBy: { at: 'asc' }, limit: 5 })
  t.match(page.next, /^[\w-]+$/)
  t.match(Buffer.from(String(page.next), 'base64url').toString(), /00:00:00\.000003/)
})

t.test('refuses a damaged cursor, and one of another table, order, filter or visibility', async (t) => {
  const orderBy = { at: 'asc' } as const
  const { next } = await repo.cursor({ rank: { gt: 1 } }, { orderBy, limit: 2 })
  const after = String(next)
  t.match(
    await repo.cursor({ rank: { gt: 1 } }, { orderBy, limit: 9, after, columns: ['id'] }),
    { items: Array },
    'other columns and another limit do not change the list'
  )
  const from = runner.statements.length
  for (const [filter, page] of [[{}, { orderBy }], [{ rank: { gt: 2 } }, { orderBy }], [{ rank: { gte: 1 } }, { orderBy }], [{ rank: { gt: 1 } }, {}],
    [{ rank: { gt: 1 } }, { orderBy: { at: 'desc' } }], [{ rank: { gt: 1 } }, { orderBy: { at: { direction: 'asc', nulls: 'first' } } }]] as const) {
    await t.rejects(repo.cursor(filter, { ...page, after }), { name: 'ValidationError', statusCode: 400, message: /does not belong to this list/ })
  }
  await t.rejects(open(memberships).cursor({}, { after }), ValidationError)
  const damaged = [
    after.slice(0, -1), after.slice(1), `${after}A`, `A${after}`, '', 'x', 'null', after.repeat(500), 7, null, [after], {},
    ...['[1]', '{', '7'].map((text) => Buffer.from(text).toString('base64url')),
    ...Array.from(after, (letter, place) => after.slice(0, place) + (letter === 'A' ? 'B' : 'A') + after.slice(place + 1))
  ]
  for (const cursor of damaged) {
    await t.rejects(repo.cursor({ rank: { gt: 1 } }, { orderBy, after: cursor as string }), ValidationError, String(cursor))
    await t.rejects(repo.cursor({ rank: { gt: 1 } }, { orderBy, before: cursor as string }), ValidationError)
  }
  t.equal(runner.statements.length, from)
})

t.test('a forged cursor gets 400, whatever it holds', async (t) => {
  const list = { identity: identityOf('events', 'cursor everything1asc default,', []), size: 2 }
  for (const position of [['once', '1'], ['2026-01-01 00:00 Mars/Base', '1'], ['2026-01-01', '1e9'], ['2026-01-01', '99999999999'], ['2026\u0000', '1']]) {
    const after = writeCursor(position, list)
    await t.rejects(repo.cursor({}, { orderBy: { at: 'asc' }, after }), ValidationError, String(position))
  }
  t.equal((await repo.cursor({}, { orderBy: { at: 'asc' }, after: writeCursor(['2026-01-01', '1'], list) })).items.length, 40, 'a cursor made by hand only moves within the list')
})

t.test('the page behind the last row, or before the first, is empty', async (t) => {
  await repo.createMany([{ id: 901, at: new Date(), big: 5n }, { id: 902, at: new Date(), big: 5n }])
  const filter = { big: 5n }
  const { next } = await repo.cursor(filter, { limit: 1 })
  const { previous } = await repo.cursor(filter, { limit: 1, after: String(next) })
  await repo.deleteMany({ id: { gt: 900 } })
  t.strictSame(await repo.cursor(filter, { limit: 1, after: String(next) }), { items: [], next: null, previous: null })
  t.strictSame(await repo.cursor(filter, { limit: 1, before: String(previous) }), { items: [], next: null, previous: null })
})

t.test('refuses an invalid page', async (t) => {
  const { next } = await repo.cursor({}, { limit: 1 })
  const after = String(next)
  await t.rejects(repo.cursor({}, { after, before: after }), /not both/)
  await t.rejects(repo.cursor({}, { orderBy: sql`1` as never }), /by columns alone/)
  await t.rejects(repo.cursor({}, { orderBy: [events.id] as never }), /by columns alone/)
  await t.rejects(repo.cursor({}, { orderBy: { raw: 'asc' } }), /no order for its type/)
  await t.rejects(repo.cursor({}, { orderBy: { nope: 'asc' } as never }), /Unknown column/)
  await t.rejects(repo.cursor({}, { lock: 'update' } as never), /"lock" of a read is not an option/)
  for (const limit of [0, -1, 1.5, NaN, 1e12, '5']) await t.rejects(repo.cursor({}, { limit: limit as number }), /"limit"/)
})

t.test('an error that the cursor did not cause stays unchanged', async (t) => {
  const { next } = await repo.cursor(sql`${events.id} > 0`, { limit: 1 })
  t.ok(next)
  await t.rejects(repo.cursor(sql`${events.id} / 0 > 0`, { limit: 1 }), { code: 'DB_ERROR' })
  await t.rejects(repo.cursor(sql`nope > 0`), { code: 'DB_ERROR' })
})

t.test('a row with a text too long for a cursor is an error that says so', async (t) => {
  await repo.create({ id: 1000, at: new Date(), word: 'x'.repeat(20_000) })
  await repo.create({ id: 1001, at: new Date(), word: 'x'.repeat(20_001) })
  await t.rejects(repo.cursor({ id: { gte: 1000 } }, { orderBy: { word: 'asc' }, limit: 1 }), /too long a text/)
  await repo.deleteMany({ id: { gte: 1000 } })
})

t.test('page 5,000 is read from an index without a sort, and reads as many rows as page 1', async (t) => {
  const client = new Client({ connectionString })
  await client.connect()
  t.teardown(() => client.end())
  await client.query(`
    create table visits (id integer primary key, at timestamptz not null, kind integer not null);
    insert into visits select n, '2026-01-01'::timestamptz + (n / 3) * interval '1 microsecond', n % 2 from generate_series(1, 52000) n;
    create index on visits (at, id); create index on visits (kind, at desc, id); analyze visits`)
  const visits = pgTable('visits', { id: integer().primaryKey(), at: timestamp({ withTimezone: true }).notNull(), kind: integer().notNull() })
  const visitRepo = open(visits)

  for (const orderBy of [{}, { at: 'desc' }, { at: 'asc' }] as const) {
    const [deep] = await visitRepo.getAll({ orderBy, skip: 49_989, limit: 1 })
    const shown = await visitRepo.cursor({}, { orderBy, limit: 10, columns: ['id'] })
    t.equal(shown.items.length, 10)
    const { rows: [texts] } = await client.query<{ at: string }>('select at::text as at from visits where id = $1', [deep?.id])
    const keys = 'at' in orderBy ? `1${orderBy.at} default,` : ''
    const position = 'at' in orderBy ? [String(texts?.at), String(deep?.id)] : [String(deep?.id)]
    const after = writeCursor(position, { identity: identityOf('visits', `cursor everything${keys}`, []), size: position.length })
    await visitRepo.cursor({}, { orderBy, limit: 10, columns: ['id'], after })
    const { text = '', values = [] } = runner.statements.at(-1) ?? {}
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`explain (analyze, format json) ${text}`, [...values])
    const nodes = nodesOf(rows[0]?.['QUERY PLAN'][0].Plan as Plan)
    t.notOk(nodes.some((node) => node['Node Type'].includes('Sort')), 'no sort')
    const scan = nodes.at(-1)
    t.match(scan?.['Node Type'], /^Index (Only )?Scan$/)
    t.equal(scan?.['Actual Rows'], 11)
    t.equal(scan?.['Rows Removed by Filter'] ?? 0, 0)
  }
})

interface Plan {
  readonly 'Node Type': string
  readonly 'Actual Rows': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Plan[]
}

function nodesOf (plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]
}
