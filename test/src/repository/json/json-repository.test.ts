import t, { type Test } from 'tap'
import { sql } from 'drizzle-orm'
import { Repository } from '../../../../src/index.js'
import { JsonRepository } from '../../../../src/repository/json/json-repository.js'
import { MultipleResultsError, UsageError, ValidationError } from '../../../../src/errors/errors.js'
import { openRepositories } from '../../../helpers/runner.js'
import { drafts, draftsSql, memberships, membershipsSql, users, usersSql } from '../schema.js'
import type { JsonText } from '../../../../src/index.js'

const people = `
  insert into users (email, name, age, settings, born_at) select 'u' || n, 'n' || n % 3, nullif(n, 3), '{"theme": "dark"}', '2000-01-01 00:00:00+00' from generate_series(1, 25) n;
  insert into memberships values ('a', 1), ('b', 2);
  insert into drafts (title, "deletedAt") values ('lives', null), ('is gone', now());`
const opened = await openRepositories(t, usersSql + membershipsSql + draftsSql + people)
const { runner } = opened
const repo = opened.repo(users)

const person = {
  type: 'object',
  properties: { id: { type: 'integer' }, name: { type: 'string' }, age: { type: 'integer', nullable: true }, bornAt: { type: 'string', format: 'date-time' } }
} as const
const columns = ['id', 'name', 'age', 'bornAt'] as const
const json = repo.json(person)

/** What a repository reads, as JSON. */
const same = async (t: Test, actual: Promise<JsonText | undefined>, wanted: Promise<unknown>): Promise<void> => {
  t.equal((await actual)?.text, JSON.stringify(await wanted))
}

t.test('each method reads the same rows as the repository, as their JSON', async (t) => {
  await same(t, json.get(3), repo.get(3, { columns }))
  await same(t, json.getOrThrow(4), repo.getOrThrow(4, { columns }))
  await same(t, json.getBy({ email: 'u5' }), repo.getBy({ email: 'u5' }, { columns }))
  await same(t, json.getByOrThrow({ email: 'u5' }, { lock: 'share' }), repo.getByOrThrow({ email: 'u5' }, { columns }))
  await same(t, json.getMany([7, 404, 6]), repo.getMany([7, 404, 6]).then((rows) => rows.map(({ id, name, age, bornAt }) => ({ id, name, age, bornAt }))))
  await same(t, json.getAll({ limit: 4, skip: 2, orderBy: { age: 'desc' } }), repo.getAll({ limit: 4, skip: 2, orderBy: { age: 'desc' }, columns }))
  await same(t, json.filter({ name: 'n1', age: { gt: 5 } }), repo.filter({ name: 'n1', age: { gt: 5 } }, { columns }))
  await same(t, json.first({ name: 'n2' }, { orderBy: { id: 'desc' } }), repo.first({ name: 'n2' }, { orderBy: { id: 'desc' }, columns }))
  await same(t, json.paginate({ name: 'n2' }, { page: 2, limit: 3 }), repo.paginate({ name: 'n2' }, { page: 2, limit: 3, columns }))
  await same(t, json.cursor({}, { limit: 3, orderBy: { bornAt: 'asc' } }), repo.cursor({}, { limit: 3, orderBy: { bornAt: 'asc' }, columns }))
  await same(t, opened.repo(memberships).json().getAll(), opened.repo(memberships).getAll())
})

t.test('a list without rows is an empty list, and no row is undefined', async (t) => {
  t.equal((await json.filter({ age: { in: [] } })).text, '[]')
  t.equal((await json.getMany([])).text, '[]')
  t.equal((await json.paginate({ age: 404 })).text, '{"items":[],"page":1,"limit":100,"total":0,"pages":0}')
  t.strictSame([await json.get(404), await json.getBy({ age: 404 }), await json.first({ age: 404 })], [undefined, undefined, undefined])
})

t.test('misses as the repository does, and checks as it does', async (t) => {
  await t.rejects(json.getOrThrow(404), { name: 'NotFoundError', context: { operation: 'getOrThrow', table: 'users' } })
  await t.rejects(json.getByOrThrow({ age: 404 }), { name: 'NotFoundError', context: { operation: 'getByOrThrow', table: 'users' } })
  await t.rejects(json.getBy({ name: 'n1' }), MultipleResultsError)
  await t.rejects(json.get('one' as never), ValidationError)
  await t.rejects(json.getAll({ limit: 1001 }), ValidationError)
  await t.rejects(json.getMany({} as never), ValidationError)
  await t.rejects(json.filter({ nick: 'a' } as never), ValidationError)
  await t.rejects(json.get(1, { order: 'asc' } as never), UsageError)
})

t.test('selects only the columns of the schema, and the key of a cursor', async (t) => {
  const from = runner.statements.length
  await json.get(1)
  await json.cursor({}, { orderBy: { email: 'asc' }, limit: 1 })
  t.strictSame(runner.statements.slice(from).map(({ text }) => text.slice(0, text.indexOf(' from'))), [
    'select "id", "name", "age", "born_at"', 'select "id", "name", "age", "born_at", "email"'
  ])
})

t.test('a cursor of a JSON page is one of the same list of rows', async (t) => {
  const { next } = JSON.parse((await json.cursor({}, { limit: 2 })).text)
  t.match(await repo.cursor({}, { limit: 2, after: next, columns: ['id'] }), { items: [{ id: 3 }, { id: 4 }] })
  await same(t, json.cursor({}, { limit: 2, before: next }), repo.cursor({}, { limit: 2, before: next, columns }))
  await t.rejects(json.cursor({ age: 1 }, { after: next }), ValidationError)
})

t.test('sees the same rows as the repository', async (t) => {
  const titles = async (of: Repository<typeof drafts>) => JSON.parse((await of.json({ properties: { title: { type: 'string' } } }).getAll()).text)
  const all = opened.repo(drafts)
  t.strictSame(await titles(all), [{ title: 'lives' }, { title: 'is gone' }])
  t.strictSame(await titles(all.onlyDeleted()), [{ title: 'is gone' }])
})

t.test('a schema within a handler is the same statement each time, another schema another', async (t) => {
  const from = runner.statements.length
  const read = async (schema: { properties: object }) => { await opened.repo(memberships).json(schema as never).getAll() }
  for (let request = 0; request < 3; request++) await read({ properties: { member: { type: 'integer' }, group: { type: 'string', title: `request ${request}` } } })
  await read({ properties: { group: { type: 'string' }, member: { type: 'integer' } } })
  const names = runner.statements.slice(from).map(({ name }) => name)
  t.equal(new Set(names.slice(0, 3)).size, 1)
  t.not(names[3], names[0])
})

t.test('a schema outside of the handlers is read once for each table', async (t) => {
  let times = 0
  const schema = { get properties () { times++; return { title: { type: 'string' } } } }
  for (let request = 0; request < 3; request++) opened.repo(drafts).json(schema)
  t.equal(times, 1)
})

t.test('the default limit cuts a list, as it cuts one of rows', async (t) => {
  await opened.runner.execute(sql`insert into memberships select 'many', n from generate_series(1, 101) n`)
  const rows = JSON.parse((await opened.repo(memberships).json().filter({ group: 'many' })).text)
  t.equal(rows.length, 100)
})

t.test('refuses "columns", which the schema names', async (t) => {
  await t.rejects(json.getAll({ columns: ['id'] } as never), { constructor: UsageError, message: '"columns" is not an option behind json(): its schema names the columns' })
})

t.test('a class works, but not a reading method of its own, whose work would be left out', async (t) => {
  class Adults extends Repository.of(users) {
    override filter (...[filter, page]: Parameters<Repository<typeof users>['filter']>): never {
      return super.filter({ and: [filter ?? {}, { age: { gte: 18 } }] }, page) as never
    }

    named (name: string) { return this.json(person).getAll({ limit: name.length }) }
  }
  const adults = opened.repo(Adults)
  t.match(JSON.parse((await adults.named('Ada')).text), [{ id: 1 }, { id: 2 }, { id: 3 }])
  await t.rejects(adults.json(person).filter({}), { constructor: UsageError, message: /has a method "filter" of its own, which json\(\) would pass by/ })
})

t.test('there is no JSON of related rows', async (t) => {
  t.throws(() => repo.with({} as never).json(), { constructor: UsageError, message: /^json\(\) has no related rows/ })
  t.throws(() => new JsonRepository({} as never, {} as never), { constructor: UsageError, message: /repo\.json\(schema\)/ })
})

t.test('the result is its text, and its value within other JSON', async (t) => {
  const one = await json.getOrThrow(1)
  t.equal(String(one), one.text)
  t.strictSame(JSON.parse(JSON.stringify({ one })), { one: JSON.parse(one.text) })
})
