import t from 'tap'
import { UsageError, ValidationError } from '../../../../src/errors/errors.js'
import { openRepositories } from '../../../helpers/runner.js'
import { drafts, draftsSql, notes, notesSql, users, usersSql } from '../schema.js'

const { repo: open, runner } = await openRepositories(t, notesSql + draftsSql + usersSql)
const repo = open(notes)

t.beforeEach(async () => {
  await runner.client.query('truncate notes, drafts')
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
  t.equal(await repo.purge({ olderThan: 0 }), 0, 'rows that live stay')
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
