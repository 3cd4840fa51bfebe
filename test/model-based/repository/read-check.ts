/** Calls every read method of a repository and of its model, and compares the results. */
import assert from 'node:assert/strict'
import { MultipleResultsError, NotFoundError } from '../../../src/index.js'
import { items } from './items.js'
import { RepositoryModel } from './model.js'
import { toFilter } from './predicates.js'
import type { CursorOrder, Database, Repository } from '../../../src/index.js'
import type { ReadCase } from './cases.js'
import type { Item } from './items.js'
import type { Visibility } from './model.js'

type Items = Repository<typeof items>

/** Fills the table, and throws at the first difference. */
export async function checkReads (database: Database, readCase: ReadCase): Promise<void> {
  await fill(database, readCase.rows)
  const repo = withVisibility(database.repo(items), readCase.visibility)
  const model = new RepositoryModel(readCase.rows, readCase.visibility)
  await Promise.all([checkRows(repo, model, readCase), checkLists(repo, model, readCase), checkCursor(repo, model, readCase)])
}

/** Replaces all rows. */
export async function fill (database: Database, rows: readonly Item[]): Promise<void> {
  const all = database.repo(items).withDeleted()
  await all.deleteMany({}, { all: true })
  await all.createMany(rows)
}

/** Returns the repository with this visibility. */
export function withVisibility<R extends { withDeleted (): R, onlyDeleted (): R }> (repo: R, visibility: Visibility): R {
  if (visibility === 'live') return repo
  return visibility === 'all' ? repo.withDeleted() : repo.onlyDeleted()
}

async function checkRows (repo: Items, model: RepositoryModel, { ids, predicate }: ReadCase): Promise<void> {
  const filter = toFilter(predicate)
  const matching = model.list(predicate, [])
  same('getMany', await repo.getMany(ids), model.getMany(ids))
  for (const id of ids) same('get', await repo.get(id), model.get(id))
  for (const id of ids) same('getOrThrow', await orClass(repo.getOrThrow(id)), model.get(id) ?? NotFoundError)
  same('getBy', await orClass(repo.getBy(filter)), matching.length > 1 ? MultipleResultsError : matching[0])
  same('getByOrThrow', await orClass(repo.getByOrThrow(filter)), matching.length > 1 ? MultipleResultsError : matching[0] ?? NotFoundError)
  same('count', await repo.count(filter), matching.length)
  same('exists', await repo.exists(filter), matching.length > 0)
}

async function checkLists (repo: Items, model: RepositoryModel, readCase: ReadCase): Promise<void> {
  const { predicate, order, skip, limit, columns } = readCase
  const filter = toFilter(predicate)
  const options = { orderBy: orderOf(readCase), ...(columns && { columns }) }
  const whole = model.list(predicate, order)
  const picked = (rows: readonly Item[]): unknown[] => rows.map((row) => pick(row, columns))
  same('getAll', await repo.getAll({ ...options, skip, limit }), picked(model.list({ and: [] }, order, { skip, limit })))
  same('filter', await repo.filter(filter, { ...options, skip, limit }), picked(whole.slice(skip, skip + limit)))
  same('first', await repo.first(filter, options), picked(whole)[0])
  const page = skip + 1
  same('paginate', await repo.paginate(filter, { ...options, page, limit }), {
    items: picked(whole.slice(skip * limit, page * limit)), page, limit, total: whole.length, pages: Math.ceil(whole.length / limit)
  })
  const streamed = []
  for await (const row of repo.stream(filter, { ...options, batchSize: limit })) streamed.push(row)
  same('stream', streamed, picked(whole))
}

/** Walks the list to its end and back. */
async function checkCursor (repo: Items, model: RepositoryModel, readCase: ReadCase): Promise<void> {
  const { predicate, order, limit, columns } = readCase
  const filter = toFilter(predicate)
  const options = { orderBy: orderOf(readCase), limit, ...(columns && { columns }) }
  const whole = model.list(predicate, order).map((row) => pick(row, columns))
  let page = await repo.cursor(filter, options)
  same('cursor', page.items, whole.slice(0, limit))
  same('cursor.previous', page.previous, null)
  for (let from = limit; from < whole.length; from += limit) {
    page = await repo.cursor(filter, { ...options, after: String(page.next) })
    same('cursor after', page.items, whole.slice(from, from + limit))
  }
  same('cursor.next', page.next, null)
  let end = Math.max(whole.length - page.items.length, 0)
  while (page.previous !== null) {
    page = await repo.cursor(filter, { ...options, before: page.previous })
    same('cursor before', page.items, whole.slice(Math.max(end - limit, 0), end))
    end -= page.items.length
  }
  same('the beginning of the list', end, 0)
}

function orderOf ({ order }: ReadCase): CursorOrder<typeof items> {
  return Object.fromEntries(order.map(({ column, direction, nulls }) => [column, nulls === undefined ? direction : { direction, nulls }]))
}

function pick (row: Item, columns: ReadCase['columns']): Partial<Item> {
  return columns === undefined ? row : Object.fromEntries(columns.map((column) => [column, row[column]]))
}

/** The result of a read, or the class of its error. */
export async function orClass (promise: Promise<unknown>): Promise<unknown> {
  return await promise.catch((error: unknown) => (error as Error).constructor)
}

function same (what: string, actual: unknown, expected: unknown): void {
  assert.deepEqual(actual, expected, `${what}: ${JSON.stringify(actual)} and not ${JSON.stringify(expected)}`)
}
