import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import t from 'tap'
import { integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import { Shape } from '../../../../src/repository/table/statement-shape.js'
import { GenerationCache } from '../../../../src/runtime/generation-cache.js'
import { SqlBuilder, TableStatements } from '../../../../src/repository/table/table-statements.js'
import { parseFilter } from '../../../../src/repository/filter/parse-filter.js'
import { boundsOf } from '../../../../src/repository/read/parse-options.js'
import { select } from '../../../../src/repository/read/select.js'
import { collect, toSql } from '../../../../src/repository/filter/condition.js'
import { openRepositories } from '../../../helpers/runner.js'
import { users, usersSql } from '../schema.js'
import { ValidationError } from '../../../../src/errors/errors.js'
import { listQuery } from '../../../../src/repository/list-query/list-query.js'

const limits = { defaultLimit: 100, maxLimit: 1000 }

t.test('one shape is one statement, for any values and any length of a list', (t) => {
  const statements = new TableStatements(users, new SqlBuilder(limits))
  const text = (filter: unknown, options?: unknown) =>
    select(statements, { operation: 'filter', where: parseFilter(filter, statements.columns), options, kind: 'page', bounds: boundsOf(options, limits) })

  const one = text({ age: { in: [1] }, name: 'a' }, { limit: 1 })
  const many = text({ age: { in: [1, 2, 3] }, name: 'b' }, { limit: 2, skip: 5 })
  t.equal(one.text, many.text)
  t.equal(one.context, many.context, 'which was built once')
  t.same(many.values, [[1, 2, 3], 'b', 2, 5])
  t.not(text({ name: 'b', age: { in: [1] } }).text, one.text)
  t.end()
})

t.test("statements with the user's own SQL are built each time and not stored", (t) => {
  const statements = new TableStatements(users, new SqlBuilder(limits))
  const ask = (options: unknown, filter?: unknown) =>
    select(statements, { operation: 'filter', where: parseFilter(filter, statements.columns), options, kind: 'page', bounds: boundsOf(options, limits) })
  t.not(ask({}, sql`${users.age} = ${1}`).context, ask({}, sql`${users.age} = ${1}`).context)
  t.not(ask({ orderBy: sql`${users.age}` }).context, ask({ orderBy: sql`${users.age}` }).context)
  t.equal(ask({ orderBy: { age: 'asc' } }).context, ask({ orderBy: { age: 'asc' } }).context)
  t.end()
})

t.test('stores a bounded number of shapes: those used last', (t) => {
  const cache = new GenerationCache<number>(3)
  for (let n = 0; n < 100; n++) {
    cache.set(`key ${n}`, n)
    cache.get('key 0')
  }
  t.equal(cache.get('key 0'), 0)
  t.equal(cache.get('key 99'), 99)
  t.equal(cache.get('key 98'), 98)
  const kept = Array.from({ length: 100 }, (_, n) => cache.get(`key ${n}`)).filter((value) => value !== undefined)
  t.ok(kept.length <= 6)
  t.end()
})

t.test('a call reaches the session with its kind, context and values', async (t) => {
  const { repo: open, runner } = await openRepositories(t, usersSql)
  const repo = open(users)
  await repo.create({ email: 'a' })
  await repo.getAll({ columns: ['id'] })
  await repo.count()
  await repo.exists({ age: 1 })
  await repo.getMany([1])
  await repo.first({}, { lock: 'share' })
  await repo.updateMany({ id: 1 }, { age: 2 })
  await repo.delete(1)
  t.same(runner.statements.map(({ kind, context }) => [kind, context.operation, context.table]), [
    ['write', 'create', 'users'], ['read', 'getAll', 'users'], ['read', 'count', 'users'], ['read', 'exists', 'users'],
    ['read', 'getMany', 'users'], ['write', 'first', 'users'], ['write', 'updateMany', 'users'], ['write', 'delete', 'users']
  ])
  for (const { rowMode, text } of runner.statements) {
    t.equal(rowMode, 'array')
    t.notMatch(text, /select \*|returning \*/)
  }
})

t.test('the values of a shape have the order of its parameters, for every filter', (t) => {
  const builder = new SqlBuilder(limits)
  const { columns } = new TableStatements(users, builder)
  const test = fc.oneof(
    fc.record({ age: fc.integer() }),
    fc.record({ name: fc.record({ contains: fc.string({ unit: 'grapheme-ascii' }) }) }),
    fc.record({ age: fc.record({ in: fc.array(fc.integer(), { minLength: 1 }), gt: fc.integer() }) }),
    fc.record({ tags: fc.record({ in: fc.array(fc.constant(['a']), { minLength: 1, maxLength: 3 }) }) }),
    fc.record({ id: fc.record({ between: fc.tuple(fc.integer(), fc.integer()) }), email: fc.constant(null) }),
    fc.integer().map((n) => sql`${users.id} % ${n} = ${n}`)
  )
  const { filter } = fc.letrec((tie) => ({
    filter: fc.oneof({ maxDepth: 4 }, test, fc.record({ and: fc.array(tie('filter'), { maxLength: 3 }) }),
      fc.record({ or: fc.array(tie('filter'), { maxLength: 3 }) }), fc.record({ not: tie('filter') }))
  }))
  fc.assert(fc.property(filter, (filter) => {
    const condition = parseFilter(filter, columns)
    const shape = new Shape('test', builder.dialect)
    collect(condition, shape)
    const built = toSql(condition)
    t.same(built === undefined ? [] : builder.dialect.sqlToQuery(built).params, shape.values)
  }), { numRuns: 300 })
  t.end()
})

const words = pgTable('words', { id: integer().primaryKey(), and: text(), or: integer(), not: text(), eq: text() })
const others = pgTable('others', { id: integer().primaryKey(), and: text().array(), or: jsonb().$type<string[]>(), not: text().array().unique() })
const single = pgTable('single', { not: text().primaryKey(), and: text() })

const { repo } = await openRepositories(t, `
  create table words (id integer primary key, "and" text, "or" integer, "not" text, eq text);
  insert into words values (1, 'a', 10, 'x', 'p'), (2, 'b', 20, 'y', 'q'), (3, null, null, null, null);
  create table others (id integer primary key, "and" text[], "or" jsonb, "not" text[] unique);
  insert into others values (1, '{a}', '["a"]', '{x}'), (2, '{b}', '["b"]', '{y}');
  create table single ("not" text primary key, "and" text);`)

async function ids (filter: object): Promise<number[]> {
  return (await repo(words).filter(filter as never)).map(({ id }) => id)
}

t.test('columns called and, or, not are filtered like every other', async (t) => {
  t.strictSame(await ids({ and: 'a' }), [1])
  t.strictSame(await ids({ and: null, or: null, not: null }), [3])
  t.strictSame(await ids({ or: 20 }), [2])
  t.strictSame(await ids({ or: { gte: 10, lt: 20 }, and: { in: ['a', 'b'] } }), [1])
  t.strictSame(await ids({ not: 'x' }), [1])
  t.strictSame(await ids({ not: { contains: 'y' } }), [2])
  t.strictSame(await ids({ not: { isNull: true } }), [3])
  t.strictSame(await ids({ and: { ne: null } }), [1, 2])
})

t.test('filters on such a table are joined and negated as on any other', async (t) => {
  t.strictSame(await ids({ and: [{ and: 'a' }, { or: 10 }] }), [1])
  t.strictSame(await ids({ or: [{ or: 20 }, { and: null }, sql`false`] }), [2, 3])
  t.strictSame(await ids({ or: [] }), [])
  t.strictSame(await ids({ and: [] }), [1, 2, 3])
  t.strictSame(await ids({ not: { id: 1 } }), [2, 3])
  t.strictSame(await ids({ not: { not: 'x' } }), [2])
  t.strictSame(await ids({ not: { and: 'a', or: 10 } }), [2])
  t.strictSame(await ids({ not: sql`id = 1` }), [2, 3])
  t.strictSame(await ids({ not: {} }), [])
})

t.test('an object of operators filters the column, and a list behind not is negated', async (t) => {
  t.strictSame(await ids({ not: { eq: 'x' } }), [1], 'the column "not", not the negation of the column "eq"')
  t.strictSame(await ids({ not: [{ eq: 'p' }] }), [2])
  t.strictSame(await ids({ not: [{ eq: 'p' }, { and: 'a' }] }), [2], 'the whole list is negated')
  t.strictSame(await ids({ not: [] }), [])
  t.strictSame((await repo(others).filter({ and: { eq: ['a'] }, or: { jsonContains: ['a'] }, not: { arrayContains: ['x'] } })).map(({ id }) => id), [1])
  await t.rejects(repo(others).filter({ and: ['a'] } as never), ValidationError)
  await t.rejects(repo(others).filter({ not: ['x'] } as never), ValidationError)
  await t.rejects(ids({ and: {} }), /names no operator/)
  await t.rejects(ids({ and: { nope: 1 } }), /unknown operator "nope"/)
  await t.rejects(ids({ not: { eq: 'x', nope: 1 } }), /Unknown column "nope"/)
  await t.rejects(ids({ not: undefined }), ValidationError)
  await t.rejects(ids({ or: [undefined] }), ValidationError)
  await t.rejects(repo(others).filter({ not: { eq: undefined } } as never), ValidationError)
})

t.test('list endpoints, getOrCreate() and conditions of writes accept such columns, too', async (t) => {
  const list = listQuery(words, { filterable: ['and', 'or', 'not', 'eq'], sortable: ['not'], searchable: ['and', 'not'] })
  t.match(await repo(words).filter(...list.filter({ and: 'a', 'or[gte]': '10', 'not[in]': 'x,y', eq: 'p' })), [{ id: 1 }])
  t.match(await repo(words).cursor(...list.cursor({ search: 'Y', sort: '-not' })), { items: [{ id: 2 }] })
  t.match(await repo(single).getOrCreate({ not: 'n', and: 'm' }), { row: { not: 'n', and: 'm' }, created: true })
  t.match(await repo(single).getOrCreate({ not: { eq: 'n' } }, { and: 'other' }), { row: { and: 'm' }, created: false })
  await t.rejects(repo(single).getOrCreate({ not: [{ not: 'n' }] } as never, { not: 'z' } as never), ValidationError)
  t.match(await repo(single).upsert({ not: 'n', and: 'k' }, { where: { and: 'm', not: { ne: 'z' } } }), { row: { and: 'k' }, created: false })
  t.equal(await repo(single).updateMany({ not: 'n' }, { and: 'l' }), 1)
  t.equal(await repo(single).deleteMany({ and: { startsWith: 'l' } }), 1)
})
