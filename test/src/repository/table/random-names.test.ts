import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { getTableName, sql } from 'drizzle-orm'
import { integer, numeric, pgTable, text, unique } from 'drizzle-orm/pg-core'
import t from 'tap'
import { increment } from '../../../../src/repository/types/increment.js'
import { listQuery } from '../../../../src/repository/list-query/list-query.js'
import { Repositories } from '../../../../src/repository/repository-factory.js'
import { openRepositories } from '../../../helpers/runner.js'
import { declare, whereOf } from '../../../helpers/drizzle.js'
import type { Test as Tap } from 'tap'

t.setTimeout(300_000)

/** Names that statements use themselves, words of PostgreSQL, JavaScript and filters, and names with odd characters. */
const special = [
  'wanted', 'place', 'list', 'row', 'there', 'excluded', 'key_0', 'key_1', 'c0', 'c1', 'value', 'value_1', 'related', 'related_1', 'rows', 'whole',
  'whole_1', 'found', 'types', 'type', 'created', 'data', 'met',
  'and', 'or', 'not', 'eq', 'in', 'like', 'limit', 'sort', 'constructor', '__proto__', 'toString', 'hasOwnProperty', 'select', 'order', 'user',
  'table', 'default', 'null', 'text', 'json', 'path',
  'WANTED', 'camelCase', 'a"b', '""', "it's", 'a.b', 'a\\b', '$1', '%', ' ', 'ünï☃', 'x'.repeat(63), `${'x'.repeat(62)}y`, 'ö'.repeat(31)
]

const name = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...special) },
  fc.string({ unit: fc.constantFrom(...'aZ_0"\'\\. ${}ö-'), minLength: 1, maxLength: 20 }))

/** Names of system columns, which no column of a table may have. */
const systemColumns = ['xmax', 'xmin', 'ctid', 'tableoid', 'cmin', 'cmax']

const names = fc.record({
  table: fc.oneof(name, fc.constantFrom(...systemColumns)),
  columns: fc.uniqueArray(name, { minLength: 6, maxLength: 6 }),
  // Drizzle keeps columns as properties of the table, where `__proto__` cannot be one.
  keys: fc.uniqueArray(
    fc.oneof(name, fc.constantFrom(...systemColumns)).filter((key) => key !== '__proto__' &&
      key !== 'enableRLS' &&
      key !== '_' &&
      key !== '$inferSelect' &&
      key !== '$inferInsert' &&
      key !== 'getSQL'),
    { minLength: 8, maxLength: 8 }
  )
})

type Names = typeof names extends fc.Arbitrary<infer Value> ? Value : never

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const { runner } = await openRepositories(t, '')

/** A row of the model, by the keys of its columns. */
type Row = Record<string, unknown>

async function useEverything (t: Tap, { table: tableName, columns, keys }: Names): Promise<void> {
  // tap mistakes an object with a key `constructor` for a class.
  const same = (found: unknown, wanted: unknown): void => { t.ok(isDeepStrictEqual(found, wanted), { found, wanted }) }
  const [id, parent, word, count, list, price] = keys as [string, string, string, string, string, string]
  const [one, many] = keys.slice(6) as [string, string]
  const [idName, parentName, wordName, countName, listName, priceName] = columns as [string, string, string, string, string, string]
  // TypeScript does not know the keys, which are random.
  const table = pgTable(tableName, {
    [id]: integer(idName).primaryKey(),
    [parent]: integer(parentName),
    [word]: text(wordName),
    [count]: integer(countName),
    [list]: text(listName).array(),
    [price]: numeric(priceName)
  }, (own) => [unique('u').on(own[word] as never)])
  const declared = declare({ table }, {
    table: {
      [one]: { one: 'table', from: parent, to: id, name: 'family' },
      [many]: { many: 'table', from: id, to: parent, name: 'family' }
    }
  })
  await runner.client.query(`drop table if exists ${quoted(tableName)};
    create table ${quoted(tableName)} (
      ${quoted(idName)} integer primary key, ${quoted(parentName)} integer, ${quoted(wordName)} text unique, ${quoted(countName)} integer,
      ${quoted(listName)} text[], ${quoted(priceName)} numeric
    )`)
  const repositories = new Repositories({ ...declared, defaultLimit: 100, maxLimit: 1000 })
  const repo = repositories.create(runner, table) as unknown as LooseRepository
  const rowOf = (n: number): Row => ({
    [id]: n,
    [parent]: n < 4 ? null : n % 4,
    [word]: `w${String(n).padStart(3, '0')}`,
    [count]: n % 5,
    [list]: [`z${99 - n}`, null],
    [price]: `${n}.50`
  })
  const rows = Array.from({ length: 55 }, (_, n) => rowOf(n))
  const where = (holds: (row: Row) => boolean): Row[] => rows.filter(holds)
  same(await repo.create(rows[0]), rows[0])
  same(await repo.createMany(rows.slice(1)), rows.slice(1))
  same(await repo.getMany([9, 3, 54]), [rows[9], rows[3], rows[54]])
  same(await repo.upsert({ ...rows[5], [price]: '1.10' }), { row: rows[5] = { ...rows[5], [price]: '1.10' }, created: false })
  same(
    await repo.upsert({ ...rows[5], [id]: 900, [count]: 9 }, { target: word, update: { [count]: increment(0) }, where: { [count]: { lt: 9 } } }),
    { row: rows[5], created: false }
  )
  const upserted = [...rows, rowOf(55)]
  same(await repo.upsertMany(upserted), upserted.map((row, n) => ({ row, created: n === 55 })))
  rows.push(rowOf(55))
  same(await repo.getOrCreate({ [word]: 'w007' }, { [id]: 901 }), { row: rows[7], created: false })
  const made = { [id]: 902, [parent]: null, [word]: { eq: 'new' }, [count]: null, [list]: null, [price]: null }
  same(await repo.getOrCreate({ [word]: made[word] }, { [id]: 902 }), { row: { ...made, [word]: 'new' }, created: true })
  t.equal(await repo.delete(902), true)
  same(await repo.update(8, { [count]: increment(5), [list]: null }), rows[8] = { ...rows[8], [count]: 8, [list]: null })

  const order = { orderBy: { [id]: 'asc' }, limit: 100 }
  same(await repo.filter({ [word]: 'w010' }, order), [rows[10]])
  same(await repo.filter({ [parent]: null }, order), where((row) => row[parent] === null))
  same(
    await repo.filter({ [count]: { gte: 2, lt: 4 }, [price]: { ne: '12.5' } }, order),
    where((row) => [2, 3].includes(row[count] as number) && row[id] !== 12)
  )
  same(await repo.filter({ [list]: { arrayContains: ['z90'] } }, order), [rows[9]])
  same(
    await repo.filter({ or: [{ [id]: 1 }, { and: [{ [count]: 2 }, { [parent]: { in: [1, 3] } }] }] }, order),
    where((row) => row[id] === 1 || (row[count] === 2 && [1, 3].includes(row[parent] as number)))
  )
  same(await repo.filter({ not: { and: [{ [id]: { gt: 2 } }] } }, order), where((row) => (row[id] as number) <= 2))
  same(await repo.filter(sql`${table[word as never]} < 'w003'`, order), rows.slice(0, 3))
  const queries = listQuery(table, { filterable: [word, count] as never, sortable: [word] as never, searchable: [word] as never })
  if (word !== 'limit' && word !== 'sort' && count !== 'limit' && count !== 'sort') {
    same(await repo.filter(...queries.filter({ [word]: 'w020', [`${count}[lte]`]: '4', sort: `-${word}` }) as [unknown, object]), [rows[20]])
  }
  const related = await repo.with({
    [one]: { columns: { [price]: true, [word]: true } },
    [many]: {
      limit: 2,
      where: whereOf(sql`${table[id as never]} > ${5}`),
      orderBy: (fields: Record<string, unknown>, { desc }: { desc: (column: unknown) => unknown }) => desc(fields[word]),
      with: { [one]: true }
    }
  }).getAll(order)
  same(related, rows.map((row) => {
    const parentRow = row[parent] === null ? undefined : rows[row[parent] as number]
    const children = where((child) => child[parent] === row[id] && (child[id] as number) > 5).reverse().slice(0, 2)
    return {
      ...row,
      [one]: parentRow === undefined ? null : { [price]: parentRow[price], [word]: parentRow[word] },
      [many]: children.map((child) => ({ ...child, [one]: row }))
    }
  }))
  const streamed: unknown[] = []
  for await (const row of repo.stream({}, { orderBy: { [word]: 'desc' }, batchSize: 9 })) streamed.push(row)
  same(streamed, rows.toReversed())
  const paged: unknown[] = []
  for (let after: string | null | undefined; after !== null;) {
    const page: { items: unknown[], next: string | null } = await repo.cursor({}, {
      limit: 20, orderBy: { [count]: 'desc', [word]: 'asc' }, ...(after !== undefined && { after })
    })
    paged.push(...page.items)
    after = page.next
  }
  same(paged, rows.toSorted((a, b) => (b[count] as number) - (a[count] as number) || (a[id] as number) - (b[id] as number)))
  t.equal(await repo.updateMany({ [count]: { gt: 3 } }, { [price]: null }), where((row) => (row[count] as number) > 3).length)
  t.equal(await repo.deleteMany({ [price]: null }), where((row) => (row[count] as number) > 3).length)
  await runner.client.query(`drop table ${quoted(getTableName(table))}`)
}

/** A repository whose columns are known at run time only. */
interface LooseRepository {
  create (row: unknown): Promise<unknown>
  createMany (rows: unknown): Promise<unknown>
  getMany (ids: number[]): Promise<unknown>
  upsert (row: unknown, options?: unknown): Promise<unknown>
  upsertMany (rows: unknown): Promise<unknown>
  getOrCreate (filter: unknown, defaults: unknown): Promise<unknown>
  update (id: number, changes: unknown): Promise<unknown>
  updateMany (filter: unknown, changes: unknown): Promise<number>
  delete (id: number): Promise<boolean>
  deleteMany (filter: unknown): Promise<number>
  filter (filter: unknown, page: object): Promise<unknown>
  with (relations: unknown): { getAll (page: object): Promise<unknown> }
  stream (filter: unknown, options: object): AsyncIterable<unknown>
  cursor (filter: unknown, page: object): Promise<{ items: unknown[], next: string | null }>
}

t.test('every method works with random names of tables and columns', async (t) => {
  await fc.assert(fc.asyncProperty(names, async (given) => {
    await t.test(JSON.stringify(given), (t) => useEverything(t, given))
    if (!t.passing()) throw new Error('seen above')
  }), { numRuns: 40, seed: 14, endOnFailure: true })
})
