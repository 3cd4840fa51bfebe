import t from 'tap'
import { sql } from 'drizzle-orm'
import { UsageError, ValidationError } from '../../../../src/errors/errors.js'
import { openRepositories } from '../../../helpers/runner.js'
import { drafts, draftsSql, users, usersSql } from '../schema.js'

const people = "insert into users (email, name, age) select 'u' || n, 'n' || n % 3, n from generate_series(1, 25) n;"
const opened = await openRepositories(t, usersSql + draftsSql + people)
const { runner } = opened
const repo = opened.repo(users)

t.test('gives a page, the first being 1, with the number of all that match', async (t) => {
  const page = await repo.paginate({ name: 'n1' }, { page: 2, limit: 4, orderBy: { age: 'desc' }, columns: ['age'] })
  t.strictSame(page, { items: [{ age: 13 }, { age: 10 }, { age: 7 }, { age: 4 }], page: 2, limit: 4, total: 9, pages: 3 })
  t.match(await repo.paginate(), { page: 1, limit: 100, total: 25, pages: 1, items: { length: 25 } })
  t.match((await repo.paginate({}, { limit: 25 })), { pages: 1 })
  t.match((await repo.paginate({}, { limit: 24 })), { pages: 2 })
})

t.test('the total is right past the end, and where nothing matches', async (t) => {
  t.strictSame(await repo.paginate({ age: { lte: 7 } }, { page: 9, limit: 5 }), { items: [], page: 9, limit: 5, total: 7, pages: 2 })
  t.strictSame(await repo.paginate({ age: { in: [] } }, { limit: 5 }), { items: [], page: 1, limit: 5, total: 0, pages: 0 })
})

t.test('takes a Drizzle condition and expressions to order by', async (t) => {
  const { items, total } = await repo.paginate(sql`${users.age} > ${20}`, { orderBy: sql`-${users.age}`, limit: 2, columns: ['age'] })
  t.strictSame([items, total], [[{ age: 25 }, { age: 24 }], 5])
})

t.test('a count of its own is sent, no window over every row, and one shape is one statement', async (t) => {
  const from = runner.statements.length
  await repo.paginate({ age: 1 }, { page: 2, limit: 3 })
  await repo.paginate({ age: 2 }, { page: 3, limit: 4 })
  const [list, count, ...more] = runner.statements.slice(from)
  t.match(list?.text, /^select .* from "users" where "users"."age" = \$1 order by "users"."id" limit \$2 offset \$3$/)
  t.match(count?.text, /^select count\(\*\) from "users" where "users"."age" = \$1$/)
  t.same(more.map(({ text }) => text), [list?.text, count?.text])
})

t.test('sees what the repository sees', async (t) => {
  const draftRepo = opened.repo(drafts)
  await draftRepo.create({ title: 'lives' })
  await draftRepo.create({ title: 'is gone', deletedAt: new Date() })
  t.match(await draftRepo.paginate(), { total: 2 })
  t.match(await draftRepo.onlyDeleted().paginate(), { total: 1, items: [{ title: 'is gone' }] })
})

t.test('68: refuses a page or limit that is no whole number from 1 on, before anything is sent', async (t) => {
  const from = runner.statements.length
  for (const page of [0, -1, 1.5, NaN, Infinity, 1e300, '1', null, Number.MAX_SAFE_INTEGER]) {
    await t.rejects(repo.paginate({}, { page: page as number, limit: 10 }), ValidationError)
  }
  for (const limit of [0, -1, 1.5, NaN, 1e12, 1001, '1;drop', null]) await t.rejects(repo.paginate({}, { limit: limit as number }), ValidationError)
  await t.rejects(repo.paginate({}, { skip: 1 } as never), /Unknown option "skip"/)
  await t.rejects(repo.paginate({ nope: 1 } as never), ValidationError)
  await t.rejects(repo.paginate({}, { orderBy: { nope: 'asc' } as never }), ValidationError)
  await t.rejects(repo.paginate({}, [] as never), UsageError)
  t.equal(runner.statements.length, from)
})
