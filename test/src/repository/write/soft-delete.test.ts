import t from 'tap'
import { NotFoundError, UsageError } from '../../../../src/errors/errors.js'
import { openRepositories } from '../../../helpers/runner.js'
import { drafts, draftsSql, notes, notesSql, users, usersSql } from '../schema.js'

const { repo: open, runner } = await openRepositories(t, notesSql + draftsSql + usersSql)
const repo = open(notes)

t.beforeEach(() => runner.client.query('truncate notes, drafts restart identity'))

async function two (): Promise<{ live: string, gone: string }> {
  const [live, gone] = await repo.createMany([{ title: 'live' }, { title: 'gone' }])
  await repo.softDelete(gone?.id ?? '')
  return { live: live?.id ?? '', gone: gone?.id ?? '' }
}

t.test('73: a soft-deleted row is invisible to every method', async (t) => {
  const { live, gone } = await two()

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
  t.equal(await repo.softDelete(id), undefined, 'there is no living row any more')

  t.equal((await repo.restore(id))?.deletedAt, null)
  t.equal(await repo.restore(id), undefined, 'there is no deleted row any more')
  t.equal((await repo.getOrThrow(id)).version, 3)
})

t.test('shows deleted rows on request', async (t) => {
  const { live, gone } = await two()
  t.equal(await repo.withDeleted().count(), 2)
  t.equal((await repo.withDeleted().get(gone))?.title, 'gone')
  t.same((await repo.onlyDeleted().getAll()).map(({ title }) => title), ['gone'])
  t.equal(await repo.onlyDeleted().get(live), undefined)
  t.equal(await repo.count(), 1, 'and to nobody else')
  t.equal(await repo.onlyDeleted().deleteMany({}, { all: true }), 1)
  t.equal(await repo.withDeleted().softDelete(gone), undefined)
})

t.test('hides nothing if the table has filter: false', async (t) => {
  const repo = open(drafts)
  const { id } = await repo.create({ title: 'x' })
  await repo.softDelete(id)
  t.ok((await repo.get(id))?.deletedAt)
  t.equal(await repo.softDelete(id), undefined, 'but it is deleted once')
  t.equal(await repo.onlyDeleted().count(), 1)
  t.equal(await repo.delete(id), true)
})

t.test('soft deletion needs a table with softDelete()', async (t) => {
  const plain = open(users) as unknown as typeof repo
  await t.rejects(plain.softDelete('1'), { name: 'UsageError', message: /softDelete\(\) needs a table with/ })
  await t.rejects(plain.restore('1'), UsageError)
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
