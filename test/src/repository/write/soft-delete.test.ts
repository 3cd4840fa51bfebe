import t from 'tap'
import { NotFoundError, UsageError, ValidationError } from '../../../../src/errors/errors.js'
import { Repository } from '../../../../src/repository/repository.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { openRepositories } from '../../../helpers/runner.js'
import { drafts, draftsSql, notes, notesSql, users, usersSql } from '../schema.js'
import { relations } from '../../../helpers/drizzle.js'

const { repo: open, runner } = await openRepositories(t, notesSql + draftsSql + usersSql)
const repo = open(notes)

t.beforeEach(() => runner.client.query('truncate notes, drafts restart identity'))

async function createLiveAndGone (): Promise<{ live: string, gone: string }> {
  const [live, gone] = await repo.createMany([{ title: 'live' }, { title: 'gone' }])
  await repo.softDelete(gone?.id ?? '')
  return { live: live?.id ?? '', gone: gone?.id ?? '' }
}

t.test('73: a soft-deleted row is invisible to every method', async (t) => {
  const { live, gone } = await createLiveAndGone()

  t.equal(await repo.get(gone), undefined)
  await t.rejects(repo.getOrThrow(gone), NotFoundError)
  t.equal(await repo.getBy({ title: 'gone' }), undefined)
  await t.rejects(repo.getByOrThrow({ title: 'gone' }), NotFoundError)
  t.same((await repo.getMany([gone, live])).map(({ title }) => title), ['live'])
  t.same((await repo.getAll()).map(({ title }) => title), ['live'])
  t.same(await repo.filter({ title: 'gone' }), [])
  t.same(await repo.filter({ or: [{ title: 'gone' }, { id: gone }] }), [])
  t.equal((await repo.first({}, { orderBy: { title: 'asc' } }))?.title, 'live')
  t.equal(await repo.count(), 1)
  t.equal(await repo.exists({ id: gone }), false)
  t.equal(await repo.update(gone, { title: 'x' }), undefined)
  t.equal(await repo.update(gone, {}), undefined)
  await t.rejects(repo.updateOrThrow(gone, { title: 'x' }), NotFoundError)
  t.equal(await repo.updateMany({ title: { in: ['live', 'gone'] } }, { title: 'new' }), 1)
  t.equal(await repo.updateMany({}, { title: 'new' }, { all: true }), 1)
  t.equal(await repo.delete(gone), false)
  await t.rejects(repo.deleteOrThrow(gone), NotFoundError)
  t.equal(await repo.deleteMany({ id: gone }), 0)
  t.equal(await repo.deleteMany({}, { all: true }), 1)
  t.same((await runner.client.query('select title from notes')).rows, [{ title: 'gone' }])
})

t.test('deletes softly by the clock of the database, and restores', async (t) => {
  const { id } = await repo.create({ title: 'x' })

  const deleted = await repo.softDelete(id)
  t.ok(deleted?.deletedAt instanceof Date)
  t.equal(deleted?.version, 2)
  t.ok(deleted !== undefined && deleted.updatedAt >= deleted.createdAt)
  t.equal(await repo.softDelete(id), undefined, 'there is no live row any more')

  t.equal((await repo.restore(id))?.deletedAt, null)
  t.equal(await repo.restore(id), undefined, 'there is no deleted row any more')
  t.equal((await repo.getOrThrow(id)).version, 3)
})

t.test('soft deletes and restores a row that must be there', async (t) => {
  const { id } = await repo.create({ title: 'x' })
  await t.rejects(repo.restoreOrThrow(id), { name: 'NotFoundError', context: { operation: 'restoreOrThrow', table: 'notes' } })
  t.ok((await repo.softDeleteOrThrow(id)).deletedAt)
  await t.rejects(repo.softDeleteOrThrow(id), { name: 'NotFoundError', context: { operation: 'softDeleteOrThrow', table: 'notes' } })
  t.equal((await repo.restoreOrThrow(id)).deletedAt, null)
})

t.test('shows deleted rows on request', async (t) => {
  const { live, gone } = await createLiveAndGone()
  t.equal(await repo.withDeleted().count(), 2)
  t.equal((await repo.withDeleted().get(gone))?.title, 'gone')
  t.same((await repo.onlyDeleted().getAll()).map(({ title }) => title), ['gone'])
  t.equal(await repo.onlyDeleted().get(live), undefined)
  t.equal(await repo.count(), 1, 'other repositories do not show them')
  t.equal(await repo.onlyDeleted().deleteMany({}, { all: true }), 1)
  t.equal(await repo.withDeleted().softDelete(gone), undefined)
})

t.test('hides nothing if the table has filter: false', async (t) => {
  const repo = open(drafts)
  const { id } = await repo.create({ title: 'x' })
  await repo.softDelete(id)
  t.ok((await repo.get(id))?.deletedAt)
  t.equal(await repo.softDelete(id), undefined, 'a row is deleted once')
  t.equal(await repo.onlyDeleted().count(), 1)
  t.equal(await repo.delete(id), true)
})

t.test('soft deletion needs a table with softDelete()', async (t) => {
  const plain = open(users) as unknown as typeof repo
  await t.rejects(plain.softDelete('1'), { name: 'UsageError', message: /softDelete\(\) needs a table with/ })
  for (const method of ['restore', 'softDeleteOrThrow', 'restoreOrThrow'] as const) await t.rejects(plain[method]('1'), UsageError)
  t.equal(await plain.withDeleted().count(), 0)
  t.equal(await plain.onlyDeleted().count(), 0)
})

t.test('counts the versions of a row, which no caller can write', async (t) => {
  const { id, version } = await repo.create({ title: 'x' })
  t.equal(version, 1)
  t.equal((await repo.update(id, { title: 'y' }))?.version, 2)
  t.equal(await repo.updateMany({ id }, { title: 'z' }), 1)
  t.equal((await repo.update(id, {}))?.version, 3)
  for (const write of [() => repo.update(id, { version: 9 } as never), () => repo.create({ title: 'x', version: 9 } as never)]) {
    await t.rejects(write(), { code: 'DB_VALIDATION', message: /"version" counts the versions/ })
  }
})

t.test('sets updatedAt on every update, by the clock of the database', async (t) => {
  const { id } = await repo.create({ title: 'x' })
  await runner.client.query('update notes set "updatedAt" = \'2000-01-01\', "createdAt" = \'2000-01-01\'')
  const updated = await repo.update(id, { title: 'y' })
  t.ok(updated !== undefined && updated.updatedAt > updated.createdAt)
})

t.test('purge()', async (t) => {
  t.beforeEach(async () => {
    await runner.client.query(`insert into notes (title, "deletedAt") values
      ('live', null), ('today', now() - interval '1 hour'), ('week', now() - interval '7 days 1 hour'), ('year', now() - interval '366 days')`)
  })

  const left = async (): Promise<string[]> => (await repo.withDeleted().getAll({ orderBy: { title: 'asc' } })).map(({ title }) => title)

  t.test('purges rows that were deleted more than a number of days ago', async (t) => {
    t.equal(await repo.purge({ olderThan: 365 }), 1)
    t.same(await left(), ['live', 'today', 'week'])
    t.equal(await repo.purge({ olderThan: 7 }), 1)
    t.equal(await repo.purge({ olderThan: 0.05 }), 0, 'parts of a day count')
    t.equal(await repo.purge({ olderThan: 0.03 }), 1)
    t.same(await left(), ['live'])
    t.equal(await repo.purge({ olderThan: 0 }), 0, 'live rows stay')
  })

  t.test('purges rows that were deleted before a time', async (t) => {
    t.equal(await repo.purge({ olderThan: new Date(Date.now() - 2 * 86_400_000) }), 2)
    t.same(await left(), ['live', 'today'])
    t.equal(await repo.purge({ olderThan: new Date(Date.now() + 86_400_000) }), 1)
  })

  t.test('sends one statement for every number of days', async (t) => {
    await repo.purge({ olderThan: 1 })
    await repo.purge({ olderThan: 2 })
    const [one, two] = runner.statements.slice(-2)
    t.equal(one?.name, two?.name)
    t.not(one?.name, undefined)
    t.match(two, { values: [2], context: { operation: 'purge', table: 'notes' } })
  })

  t.test('purges all deleted rows with 0 days, even those of the same transaction', async (t) => {
    await runner.transaction(async () => {
      await repo.softDelete((await repo.create({ title: 'now' })).id)
      t.equal(await repo.purge({ olderThan: 0 }), 4)
    })
    t.same(await left(), ['live'])
  })

  t.test('purges in a repository that shows deleted rows, too', async (t) => {
    const drawer = open(drafts)
    await drawer.createMany([{ id: 1 }, { id: 2 }])
    await drawer.softDelete(1)
    t.equal(await drawer.purge({ olderThan: 0 }), 1)
    t.equal(await drawer.count(), 1)
  })

  t.test('a purge with no time, or an invalid one, deletes nothing', async (t) => {
    for (const options of [undefined, {}, null, 30, { olderThan: 1, limit: 5 }]) await t.rejects(repo.purge(options as never), UsageError)
    for (const olderThan of [undefined, '30', -1, NaN, Infinity, new Date(NaN)]) await t.rejects(repo.purge({ olderThan } as never), ValidationError)
    await t.rejects((open(users) as unknown as typeof repo).purge({ olderThan: 0 }), { message: /purge\(\) needs a table with/ })
    t.equal((await left()).length, 4)
  })
})

type Notes = Repository<typeof notes>

/** The keys of a live row and of a deleted one. */
interface Ids {
  readonly live: string
  readonly gone: string
}

const { database } = await createTestDatabase(t, { sql: notesSql, schema: { notes, noteRelations: relations(notes, () => ({})) } })
const all = database.repo(notes).withDeleted()

/** The titles of the rows that a call finds, of the live one and the deleted one. */
async function found (ids: Ids, one: (id: string) => Promise<unknown>): Promise<string[]> {
  const titles = []
  for (const [title, id] of Object.entries(ids)) {
    const row = await one(id).catch(() => undefined)
    if (row !== undefined && row !== false && row !== 0) titles.push(title)
  }
  return titles
}

const titles = (rows: ReadonlyArray<{ title: string }>): string[] => rows.map(({ title }) => title).sort().reverse()

/** The titles of the rows that a write changes or deletes. */
async function written (write: () => Promise<unknown>): Promise<string[]> {
  const before = await all.getAll()
  await write()
  const versions = new Map((await all.getAll()).map(({ id, version }) => [id, version]))
  return titles(before.filter(({ id, version }) => versions.get(id) !== version))
}

/** The rows that each method finds or writes, of `live` and `gone`. */
const reached: Record<string, (repo: Notes, ids: Ids) => Promise<string[]>> = {
  get: (repo, ids) => found(ids, (id) => repo.get(id)),
  getOrThrow: (repo, ids) => found(ids, (id) => repo.getOrThrow(id)),
  getBy: (repo, ids) => found(ids, (id) => repo.getBy({ id })),
  getByOrThrow: (repo, ids) => found(ids, (id) => repo.getByOrThrow({ id })),
  getMany: async (repo, { live, gone }) => titles(await repo.getMany([live, gone])),
  getAll: async (repo) => titles(await repo.getAll()),
  filter: async (repo, { live, gone }) => titles(await repo.filter({ or: [{ id: live }, { id: gone }] })),
  first: (repo, ids) => found(ids, (id) => repo.first({ id })),
  paginate: async (repo) => {
    const { items, total } = await repo.paginate()
    t.equal(total, items.length)
    return titles(items)
  },
  cursor: async (repo) => titles((await repo.cursor()).items),
  stream: async (repo) => {
    const rows = []
    for await (const row of repo.stream()) rows.push(row)
    return titles(rows)
  },
  count: (repo, ids) => found(ids, (id) => repo.count({ id })),
  exists: (repo, ids) => found(ids, (id) => repo.exists({ id })),
  sum: (repo, ids) => found(ids, async (id) => await repo.sum('version', { id }) ?? undefined),
  avg: (repo, ids) => found(ids, async (id) => await repo.avg('version', { id }) ?? undefined),
  min: (repo, ids) => found(ids, async (id) => await repo.min('title', { id }) ?? undefined),
  max: (repo, ids) => found(ids, async (id) => await repo.max('title', { id }) ?? undefined),
  with: async (repo) => titles(await repo.with({} as never).getAll()),
  json: async (repo) => titles(JSON.parse(String(await repo.json().getAll()))),
  writable: async (repo) => titles(await repo.writable(['title']).getAll()),
  unrestricted: async (repo) => titles(await repo['unrestricted']().getAll()),
  update: (repo, ids) => written(() => found(ids, (id) => repo.update(id, { createdAt: new Date() }))),
  updateOrThrow: (repo, ids) => written(() => found(ids, (id) => repo.updateOrThrow(
    id,
    { createdAt: new Date() },
    { expectedVersion: id === ids.live ? 1 : 2 }
  ))),
  updateMany: (repo) => written(() => repo.updateMany({}, { createdAt: new Date() }, { all: true })),
  upsert: (repo, ids) => written(() => found(ids, (id) => repo.upsert({ id, title: 'new' }))),
  upsertMany: (repo, ids) => written(() => found(ids, (id) => repo.upsertMany([{ id, title: 'new' }]))),
  getOrCreate: (repo, ids) => found(ids, async (id) => (await repo.getOrCreate({ id }, { title: 'new' })).created ? undefined : id),
  delete: (repo, ids) => written(() => found(ids, (id) => repo.delete(id))),
  deleteOrThrow: (repo, ids) => written(() => found(ids, (id) => repo.deleteOrThrow(id))),
  deleteMany: (repo) => written(() => repo.deleteMany({ title: { in: ['live', 'gone'] } }))
}

/** Methods whose result does not depend on the visibility of the repository. */
const fixed: Record<string, readonly [reached: (repo: Notes, ids: Ids) => Promise<string[]>, titles: readonly string[]]> = {
  softDelete: [(repo, ids) => written(() => found(ids, (id) => repo.softDelete(id))), ['live']],
  softDeleteOrThrow: [(repo, ids) => written(() => found(ids, (id) => repo.softDeleteOrThrow(id))), ['live']],
  restore: [(repo, ids) => written(() => found(ids, (id) => repo.restore(id))), ['gone']],
  restoreOrThrow: [(repo, ids) => written(() => found(ids, (id) => repo.restoreOrThrow(id))), ['gone']],
  purge: [(repo) => written(() => repo.purge({ olderThan: 0 })), ['gone']],
  withDeleted: [async (repo) => titles(await repo.withDeleted().getAll()), ['live', 'gone']],
  onlyDeleted: [async (repo) => titles(await repo.onlyDeleted().getAll()), ['gone']]
}

/** Methods that create rows or repositories, run the user's own SQL, read the history of rows, or are hooks. */
const elsewhere = new Set([
  'create', 'createMany', 'repo', 'execute', 'history', 'beforeCreate', 'beforeUpdate', 'beforeDelete', 'afterCreate', 'afterUpdate', 'afterDelete'
])

async function createBoth (): Promise<Ids> {
  await all.deleteMany({}, { all: true })
  const { id: live } = await all.create({ title: 'live' })
  const { id: gone } = await all.create({ title: 'gone' })
  await all.softDelete(gone)
  return { live, gone }
}

/** The methods of a class and of those that it extends. */
function methodsOf (prototype: object | null): string[] {
  if (prototype === null || prototype === Object.prototype) return []
  return [...Object.getOwnPropertyNames(prototype), ...methodsOf(Object.getPrototypeOf(prototype) as object | null)]
}

t.test('73: every method of a repository hides deleted rows unless they are requested', async (t) => {
  for (const method of methodsOf(Repository.prototype)) {
    if (method === 'constructor' || elsewhere.has(method)) continue
    const [rows, expected] = fixed[method] ?? [reached[method]]
    if (rows === undefined) {
      t.fail(`${method}() is new: say here which rows it reaches`)
      continue
    }
    const repo = database.repo(notes)
    t.same(await rows(repo, await createBoth()), expected ?? ['live'], method)
    t.same(await rows(repo.withDeleted(), await createBoth()), expected ?? ['live', 'gone'], `withDeleted().${method}`)
    t.same(await rows(repo.onlyDeleted(), await createBoth()), expected ?? ['gone'], `onlyDeleted().${method}`)
  }
})
