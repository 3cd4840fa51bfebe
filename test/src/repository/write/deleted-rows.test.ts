import t from 'tap'
import { relations } from 'drizzle-orm'
import { Repository, openDatabase } from '../../../../src/index.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { notes, notesSql } from '../schema.js'

type Notes = Repository<typeof notes>

interface Ids {
  readonly live: string
  readonly gone: string
}

const { connectionString } = await createTestDatabase(t, { sql: notesSql })
const database = await openDatabase({ connectionString, schema: { notes, noteRelations: relations(notes, () => ({})) } })
t.teardown(() => database.close())
const all = database.repo(notes).withDeleted()

/** The titles of those rows among the two that a promise of each has found. */
async function found (ids: Ids, one: (id: string) => Promise<unknown>): Promise<string[]> {
  const titles = []
  for (const [title, id] of Object.entries(ids)) {
    const row = await one(id).catch(() => undefined)
    if (row !== undefined && row !== false && row !== 0) titles.push(title)
  }
  return titles
}

const titles = (rows: ReadonlyArray<{ title: string }>): string[] => rows.map(({ title }) => title).sort().reverse()

/** The rows that a write has changed, or that are no longer there. */
async function written (write: () => Promise<unknown>): Promise<string[]> {
  const before = await all.getAll()
  await write()
  const versions = new Map((await all.getAll()).map(({ id, version }) => [id, version]))
  return titles(before.filter(({ id, version }) => versions.get(id) !== version))
}

/** Which of the rows `live` and `gone` each method finds or writes. */
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
  with: async (repo) => titles(await repo.with({} as never).getAll()),
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

/** Methods that go by the state of a row, whatever their repository sees. */
const fixed: Record<string, readonly [reached: (repo: Notes, ids: Ids) => Promise<string[]>, titles: readonly string[]]> = {
  softDelete: [(repo, ids) => written(() => found(ids, (id) => repo.softDelete(id))), ['live']],
  restore: [(repo, ids) => written(() => found(ids, (id) => repo.restore(id))), ['gone']],
  purge: [(repo) => written(() => repo.purge({ olderThan: 0 })), ['gone']],
  withDeleted: [async (repo) => titles(await repo.withDeleted().getAll()), ['live', 'gone']],
  onlyDeleted: [async (repo) => titles(await repo.onlyDeleted().getAll()), ['gone']]
}

/** Methods that make rows or repositories, run what they are given, or are called by others. */
const elsewhere = new Set([
  'create', 'createMany', 'repo', 'execute', 'beforeCreate', 'beforeUpdate', 'beforeDelete', 'afterCreate', 'afterUpdate', 'afterDelete'
])

async function two (): Promise<Ids> {
  await all.deleteMany({}, { all: true })
  const { id: live } = await all.create({ title: 'live' })
  const { id: gone } = await all.create({ title: 'gone' })
  await all.softDelete(gone)
  return { live, gone }
}

t.test('73: every method of a repository hides deleted rows unless they are requested', async (t) => {
  for (const method of Object.getOwnPropertyNames(Repository.prototype)) {
    if (method === 'constructor' || elsewhere.has(method)) continue
    const [rows, expected] = fixed[method] ?? [reached[method]]
    if (rows === undefined) {
      t.fail(`${method}() is new: say here which rows it reaches`)
      continue
    }
    const repo = database.repo(notes)
    t.same(await rows(repo, await two()), expected ?? ['live'], method)
    t.same(await rows(repo.withDeleted(), await two()), expected ?? ['live', 'gone'], `withDeleted().${method}`)
    t.same(await rows(repo.onlyDeleted(), await two()), expected ?? ['gone'], `onlyDeleted().${method}`)
  }
})
