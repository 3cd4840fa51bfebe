import { and, asc, desc, eq, gt, isNull, or, sql } from 'drizzle-orm'
import { index, pgTable, integer, text } from 'drizzle-orm/pg-core'
import { parse } from 'node:querystring'
import t from 'tap'
import { MultipleResultsError, NotFoundError, UsageError, ValidationError } from '../../../../src/errors/errors.js'
import { openRepositories } from '../../../helpers/runner.js'
import { memberships, membershipsSql, users, usersSql } from '../schema.js'

const seed = `
  insert into users (email, name, age, tags, settings, born_at) values
    ('ada@example.com', 'Ada', 36, '{math,"a,b"}', '{"theme":"dark"}', '1815-12-10T00:00:00Z'),
    ('bob@example.com', 'Bob', null, null, null, null),
    ('cy%@example.com', 'C_y', 20, '{}', null, '2000-01-01T00:00:00.123Z'),
    ('dan@example.com', 'Dan\\x', 20, null, null, null);
  insert into memberships values ('a', 1, 'owner'), ('a', 2, 'guest'), ('b', 1, 'guest');`

const opened = await openRepositories(t, usersSql + membershipsSql + seed)
const { runner } = opened
const repo = opened.repo(users)
const members = opened.repo(memberships)

async function names (rows: Promise<Array<{ name: string | null }>>): Promise<Array<string | null>> {
  return (await rows).map(({ name }) => name)
}

t.test('gets a row by its primary key, or undefined', async (t) => {
  t.same(await repo.get(1), {
    id: 1,
    email: 'ada@example.com',
    name: 'Ada',
    age: 36,
    active: true,
    balance: null,
    tags: ['math', 'a,b'],
    settings: { theme: 'dark' },
    bornAt: new Date('1815-12-10T00:00:00Z')
  })
  t.equal(await repo.get(99), undefined)
  t.equal((await repo.getOrThrow(2)).name, 'Bob')
})

t.test('names the operation and the table, and no value, when a row is missing', async (t) => {
  const error = await repo.getOrThrow(99).catch((error: unknown) => error)

  t.ok(error instanceof NotFoundError)
  t.match(error, { message: 'Not found', context: { operation: 'getOrThrow', table: 'users' } })
  await t.rejects(repo.getByOrThrow({ name: 'Zoe' }), NotFoundError)
})

t.test('takes an object for a composite key, and for a single one', async (t) => {
  t.equal((await members.getOrThrow({ group: 'a', member: 2 })).role, 'guest')
  t.equal((await members.getOrThrow({ member: 1, group: 'a' })).role, 'owner')
  t.equal((await repo.get({ id: 2 } as never))?.name, 'Bob')
})

t.test('refuses a key that is missing, null, incomplete, or of other columns', async (t) => {
  for (const id of [undefined, null, [1], {}, { id: 1, name: 'Ada' }, { id: undefined }, () => 1]) {
    await t.rejects(repo.get(id as never), ValidationError)
  }
  for (const id of [1, {}, { group: 'a' }, { group: 'a', member: null }, { group: 'a', member: 1, role: 'x' }]) {
    await t.rejects(members.get(id as never), { message: 'The primary key is an object of "group" and "member"', statusCode: 400 })
  }
})

t.test('selects the requested columns, listed in the order of the table', async (t) => {
  t.strictSame(await repo.get(1, { columns: ['name', 'id', 'name'] }), { id: 1, name: 'Ada' })
  t.strictSame(await repo.getBy({ id: 1 }, { columns: ['email'] }), { email: 'ada@example.com' })
  t.strictSame(await repo.getAll({ columns: ['name'], limit: 1 }), [{ name: 'Ada' }])
  t.match(runner.statements.at(-1)?.text, /^select "name" from "users" order by "users"."id" limit \$1 offset \$2$/)
  for (const { text } of runner.statements) t.notMatch(text, /\*/)
  for (const columns of [[], ['nope'], 'id', ['__proto__'], [Symbol('id')]]) {
    await t.rejects(repo.get(1, { columns: columns as never }), ValidationError)
  }
})

t.test('getBy throws when two rows match', async (t) => {
  t.equal((await repo.getBy({ email: 'bob@example.com' }))?.id, 2)
  t.equal(await repo.getBy({ email: 'x' }), undefined)
  const error = await repo.getBy({ age: 20 }).catch((error: unknown) => error)
  t.ok(error instanceof MultipleResultsError)
  t.match(error, { context: { operation: 'getBy', table: 'users' } })
})

t.test('gets many rows in the order of their keys, in one statement for every length', async (t) => {
  const before = runner.statements.length
  t.same(await names(repo.getMany([3, 99, 1, 3])), ['C_y', 'Ada', 'C_y'])
  t.same(await names(repo.getMany([2])), ['Bob'])
  t.same(await repo.getMany([]), [])
  const [first, second, ...rest] = runner.statements.slice(before)
  t.equal(first?.text, second?.text)
  t.same(rest, [])
  const rows = await members.getMany([{ group: 'b', member: 1 }, { group: 'a', member: 1 }])
  t.same(rows.map(({ group, role }) => [group, role]), [['b', 'guest'], ['a', 'owner']])
  await t.rejects(repo.getMany('1' as never), ValidationError)
  await t.rejects(repo.getMany([undefined as never]), ValidationError)
})

t.test('finds rows by every operator', async (t) => {
  const cases: Array<[Parameters<typeof repo.filter>[0], Array<string | null>]> = [
    [{ age: 20 }, ['C_y', 'Dan\\x']],
    [{ age: null }, ['Bob']],
    [{ age: { eq: 36 } }, ['Ada']],
    [{ age: { eq: null } }, ['Bob']],
    [{ age: { ne: 20 } }, ['Ada']],
    [{ age: { ne: null } }, ['Ada', 'C_y', 'Dan\\x']],
    [{ age: { gt: 20 } }, ['Ada']],
    [{ age: { gte: 20, lt: 36 } }, ['C_y', 'Dan\\x']],
    [{ age: { lte: 20 } }, ['C_y', 'Dan\\x']],
    [{ age: { in: [36, 1] } }, ['Ada']],
    [{ age: { in: [] } }, []],
    [{ age: { notIn: [36] } }, ['C_y', 'Dan\\x']],
    [{ age: { notIn: [] } }, ['Ada', 'Bob', 'C_y', 'Dan\\x']],
    [{ age: { between: [30, 40] } }, ['Ada']],
    [{ age: { isNull: true } }, ['Bob']],
    [{ age: { isNull: false } }, ['Ada', 'C_y', 'Dan\\x']],
    [{ name: { like: '%d%' } }, ['Ada']],
    [{ name: { ilike: '%D%' } }, ['Ada', 'Dan\\x']],
    [{ name: { like: '\\_' } }, []],
    [{ name: { contains: '_' } }, ['C_y']],
    [{ email: { contains: '%' } }, ['C_y']],
    [{ name: { contains: '\\' } }, ['Dan\\x']],
    [{ name: { startsWith: 'C_' } }, ['C_y']],
    [{ name: { startsWith: '_' } }, []],
    [{ name: { endsWith: '\\x' } }, ['Dan\\x']],
    [{ tags: ['math', 'a,b'] }, ['Ada']],
    [{ tags: { in: [['math', 'a,b'], []] } }, ['Ada', 'C_y']],
    [{ tags: { notIn: [['math', 'a,b']] } }, ['C_y']],
    [{ settings: { eq: { theme: 'dark' } } }, ['Ada']],
    [{ bornAt: { lt: new Date('1900-01-01') } }, ['Ada']],
    [{ active: true, age: 36 }, ['Ada']],
    [{}, ['Ada', 'Bob', 'C_y', 'Dan\\x']]
  ]
  for (const [filter, expected] of cases) t.same(await names(repo.filter(filter)), expected, JSON.stringify(filter))
})

t.test('joins conditions by and, or, not, and Drizzle conditions at any depth', async (t) => {
  const cases: Array<[Parameters<typeof repo.filter>[0], string[]]> = [
    [{ or: [{ name: 'Ada' }, { age: null }] }, ['Ada', 'Bob']],
    [{ or: [] }, []],
    [{ or: [{}] }, ['Ada', 'Bob', 'C_y', 'Dan\\x']],
    [{ or: [{ age: { in: [] } }, { id: 2 }] }, ['Bob']],
    [{ and: [] }, ['Ada', 'Bob', 'C_y', 'Dan\\x']],
    [{ and: [{ active: true }, { age: 36 }] }, ['Ada']],
    [{ and: [{ id: { in: [] } }], active: true }, []],
    [{ not: { name: 'Ada' } }, ['Bob', 'C_y', 'Dan\\x']],
    [{ not: {} }, []],
    [{ not: { or: [] } }, ['Ada', 'Bob', 'C_y', 'Dan\\x']],
    [{ not: { or: [{ id: 1 }, { id: 2 }] }, age: 20 }, ['C_y', 'Dan\\x']],
    [eq(users.name, 'Ada'), ['Ada']],
    [undefined, ['Ada', 'Bob', 'C_y', 'Dan\\x']],
    [and(gt(users.age, 10), or(eq(users.name, 'Ada'), isNull(users.name))), ['Ada']],
    [{ active: true, or: [sql`${users.age} = ${36}`, { id: 2 }] }, ['Ada', 'Bob']],
    [{ and: [sql`${users.id} = 1 or ${users.id} = 2`, { active: true }], id: { gt: 1 } }, ['Bob']],
    [{ not: sql`${users.id} > ${1} or false` }, ['Ada']]
  ]
  for (const [filter, expected] of cases) t.same(await names(repo.filter(filter)), expected)
})

t.test('refuses a filter with undefined in it, and names the way out', async (t) => {
  for (const filter of [{ name: undefined }, { age: { gt: undefined } }, { or: [undefined] }, { and: undefined }, { not: undefined }]) {
    await t.rejects(repo.filter(filter as never), { code: 'DB_VALIDATION', message: /undefined in a filter.*leave it out, or write null/ })
  }
})

t.test('refuses unknown columns and operators, whatever their names, and wrong operands', async (t) => {
  const filters: unknown[] = [
    { emial: 'x' }, { constructor: 1 }, { toString: 1 }, { enableRLS: 1 }, JSON.parse('{"__proto__":{"id":1}}'),
    null, 'id=1', 1, [], new Map(),
    { age: {} }, { age: { equals: 1 } }, { age: { constructor: 1 } }, JSON.parse('{"age":{"__proto__":1}}'),
    { id: [] }, { id: [1] }, { email: 1 }, { email: ['a'] }, { email: new Date() }, { email: { eq: {} } }, { id: Symbol('x') }, { id: () => 1 },
    { age: { gt: null } }, { age: { in: 1 } }, { age: { in: [null] } }, { age: { in: [undefined] } }, { age: { between: [1] } },
    { age: { between: 1 } }, { age: { between: [1, null] } }, { age: { isNull: 'yes' } }, { age: { like: 'x' } }, { name: { like: 1 } },
    { name: { like: 'x\\' } }, { name: { contains: '\u0000' } }, { name: { contains: '\ud800' } },
    { or: { id: 1 } }, { and: 'x' }, { not: null }, { bornAt: '2020-01-01' }, { bornAt: new Date(NaN) },
    { tags: 'math' }, { tags: [{}] }, { settings: { eq: () => 1 } }
  ]
  const before = runner.statements.length
  for (const filter of filters) await t.rejects(repo.filter(filter as never), { code: 'DB_VALIDATION', statusCode: 400 })
  for (const filter of [{ age: sql`1` }, { age: { in: [sql`1`] } }]) await t.rejects(repo.filter(filter as never), { code: 'DB_USAGE', statusCode: 500 })
  t.equal(runner.statements.length, before, 'and sends nothing')
  t.match(await repo.getBy({ emial: 'x' } as never).catch((error: unknown) => error), { message: 'Unknown column "emial"' })
})

t.test('a parsed query string without a prototype is a valid filter and page', async (t) => {
  t.same(await names(repo.filter(parse('name=Ada') as { name: string })), ['Ada'])
  t.same(await names(repo.getAll(Object.assign(parse(''), { limit: 1 }))), ['Ada'])
  await t.rejects(repo.filter(Object.assign(Object.create(Object.create({})), { name: 'Ada' })), ValidationError, 'an instance of a class is not a filter')
  t.same(await names(repo.filter(Object.assign(Object.create(null), { name: 'Ada' }))), ['Ada'])
  await t.rejects(repo.filter({ email: Object.assign(Object.create(null), { nope: 1 }) } as never), ValidationError)
})

t.test('a list has a total order: the primary key is always its last key', async (t) => {
  t.same(await names(repo.getAll({ orderBy: { age: 'asc' } })), ['C_y', 'Dan\\x', 'Ada', 'Bob'])
  t.same(await names(repo.getAll({ orderBy: { age: 'desc', id: 'desc' } })), ['Bob', 'Ada', 'Dan\\x', 'C_y'])
  t.same(await names(repo.getAll({ orderBy: { age: { direction: 'desc', nulls: 'last' } } })), ['Ada', 'Dan\\x', 'C_y', 'Bob'])
  t.same(await names(repo.getAll({ orderBy: { age: { direction: 'asc', nulls: 'first' }, name: { direction: 'desc' } } })), ['Bob', 'Dan\\x', 'C_y', 'Ada'])
  t.same(await names(repo.getAll({ orderBy: users.age })), ['C_y', 'Dan\\x', 'Ada', 'Bob'])
  t.same(await names(repo.getAll({ orderBy: [sql`${users.age} = ${20} desc nulls last`, desc(users.name)] })), ['Dan\\x', 'C_y', 'Ada', 'Bob'])
  t.same(await names(repo.filter({ age: { gt: 1 } }, { orderBy: asc(sql`-${users.age} * ${1}::int`), limit: 2, skip: 1 })), ['C_y', 'Dan\\x'])
  const pages = runner.statements.filter(({ text }) => text.includes('limit $'))
  t.ok(pages.length > 10)
  t.match((await members.getAll({ orderBy: { role: 'asc' } }))[0], { group: 'a', member: 2 })
  t.match(runner.statements.at(-1)?.text, /order by "memberships"."role", "memberships"."group", "memberships"."member" limit/)
})

t.test('refuses an order by anything but declared columns and two directions', async (t) => {
  const orders: unknown[] = [
    { nope: 'asc' }, { constructor: 'asc' }, { id: 'asc; drop table users' }, { id: undefined }, { id: 1 }, { id: { direction: 'up' } },
    { id: { direction: 'asc', nulls: 'middle' } }, 'id', 'id;select pg_sleep(9)', [1], ['id'], null
  ]
  for (const orderBy of orders) await t.rejects(repo.getAll({ orderBy: orderBy as never }), ValidationError)
})

t.test('reads pages by skip and limit, 100 rows by default', async (t) => {
  t.same(await names(repo.getAll({ skip: 1, limit: 2 })), ['Bob', 'C_y'])
  t.same(await repo.getAll({ limit: 0 }), [])
  t.same(await names(repo.filter({ active: true }, { skip: 3, limit: 1000 })), ['Dan\\x'])
  await repo.getAll()
  t.same(runner.statements.at(-1)?.values, [101, 0], 'one more row is read, to notice a cut list')
  t.same(await repo.getAll({ skip: Number.MAX_SAFE_INTEGER }), [])
})

t.test('refuses absurd pages and unknown options', async (t) => {
  const pages: unknown[] = [
    { limit: -1 }, { limit: NaN }, { limit: 1e12 }, { limit: '10' }, { limit: '1;drop' }, { limit: 1001 }, { limit: 1.5 }, { limit: null }, { limit: Infinity },
    { skip: -1 }, { skip: NaN }, { skip: '10' }, { skip: 2 ** 53 }, { skip: 0.5 }, { skip: null }
  ]
  for (const page of pages) await t.rejects(repo.getAll(page as never), ValidationError)
  for (const page of [{ offset: 10 }, { constructor: 1 }, null, 10, []]) await t.rejects(repo.getAll(page as never), UsageError)
  await t.rejects(repo.get(1, { limit: 1 } as never), { message: '"limit" of a read is not an option: use columns, lock' })
  await t.rejects(repo.first({}, { limit: 1 } as never), UsageError)
})

t.test('reads the first row of an order', async (t) => {
  t.equal((await repo.first())?.name, 'Ada')
  t.equal((await repo.first({ age: 20 }, { orderBy: { id: 'desc' } }))?.name, 'Dan\\x')
  t.strictSame(await repo.first(undefined, { columns: ['id'] }), { id: 1 })
  t.equal(await repo.first({ id: 99 }), undefined)
})

t.test('counts rows, and checks if there are any', async (t) => {
  t.equal(await repo.count(), 4)
  t.equal(await repo.count({ age: 20 }), 2)
  t.equal(await repo.exists(), true)
  t.equal(await repo.exists({ email: 'ada@example.com' }), true)
  t.equal(await repo.exists({ id: 99 }), false)
})

t.test('locks rows in a statement that must run in the transaction', async (t) => {
  await repo.get(1)
  t.match(runner.statements.at(-1), { kind: 'read', nowait: false, context: { operation: 'get', table: 'users' } })
  const cases = [
    ['update', 'for update'], ['noKeyUpdate', 'for no key update'], ['share', 'for share'], ['keyShare', 'for key share'],
    [{ strength: 'update', nowait: true }, 'for update nowait'], [{ strength: 'share', skipLocked: true }, 'for share skip locked'],
    [{ strength: 'share', nowait: false }, 'for share']
  ] as const
  for (const [lock, clause] of cases) {
    t.equal((await repo.get(1, { lock }))?.id, 1)
    const statement = runner.statements.at(-1)
    t.ok(statement?.text.endsWith(clause), clause)
    t.match(statement, { kind: 'write', nowait: clause.endsWith('nowait') })
  }
  t.equal((await repo.getAll({ lock: 'update', limit: 2 })).length, 2)
  t.equal((await repo.getBy({ id: 1 }, { lock: 'update' }))?.id, 1)
  for (const lock of ['updat', null, {}, { strength: 'update; drop' }, { strength: 'update', nowait: true, skipLocked: true }, 'constructor']) {
    await t.rejects(repo.get(1, { lock: lock as never }), UsageError)
  }
})

t.test("the user's own statements reach the session unchanged", async (t) => {
  const { rows } = await repo.execute<{ n: number }>(sql`select ${1}::int as n`)
  t.same(rows, [{ n: 1 }])
})

t.test('keys without a meaning in SQL are ordinary columns', async (t) => {
  const odd = pgTable('odd', { id: integer('select').primaryKey(), 'a"b': text('we"ird') }, (table) => [index().on(table.id)])
  const { repo, runner } = await openRepositories(t, 'create table odd ("select" int primary key, "we""ird" text)')
  t.same(await repo(odd).create({ id: 1, 'a"b': "x'; drop table odd" }), { id: 1, 'a"b': "x'; drop table odd" })
  t.equal(await repo(odd).count({ 'a"b': { contains: "'; drop" } }), 1)
  t.notMatch(runner.statements.map(({ text }) => text).join(), /drop/)
})

t.test('searches in arrays and in jsonb, and refuses other types', async (t) => {
  t.same(await names(repo.filter({ tags: { arrayContains: ['math'] } })), ['Ada'])
  t.same(await names(repo.filter({ tags: { arrayContained: ['math', 'a,b', 'x'] } })), ['Ada', 'C_y'])
  t.same(await names(repo.filter({ tags: { arrayOverlaps: ['x', 'a,b'] } })), ['Ada'])
  t.same(await names(repo.filter({ settings: { jsonContains: { theme: 'dark' } } })), ['Ada'])
  t.same(await names(repo.filter({ settings: { jsonContained: { theme: 'dark', more: 1 } as never } })), ['Ada'])
  t.same(await names(repo.filter({ settings: { jsonContains: null as never } })), [])
  t.match(runner.statements.at(-1)?.text, / where "users"."settings" @> \$1 /)
  for (const operator of ['arrayContains', 'arrayContained', 'arrayOverlaps']) {
    for (const operand of [null, 'math', [1], {}]) await t.rejects(repo.filter({ tags: { [operator]: operand } } as never), ValidationError)
    await t.rejects(repo.filter({ name: { [operator]: ['a'] } } as never), /an array is compared with an array/)
  }
  await t.rejects(repo.filter({ tags: { jsonContains: ['a'] } } as never), /holds no jsonb/)
})
