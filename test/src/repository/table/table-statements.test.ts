import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import t from 'tap'
import { Shape } from '../../../../src/repository/table/statement-shape.js'
import { GenerationCache } from '../../../../src/runtime/generation-cache.js'
import { SqlBuilder, TableStatements } from '../../../../src/repository/table/table-statements.js'
import { parseFilter } from '../../../../src/repository/filter/parse-filter.js'
import { boundsOf } from '../../../../src/repository/read/parse-options.js'
import { select } from '../../../../src/repository/read/select.js'
import { collect, toSql } from '../../../../src/repository/filter/condition.js'
import { openRepositories } from '../../../helpers/runner.js'
import { users, usersSql } from '../schema.js'

const limits = { defaultLimit: 100, maxLimit: 1000 }

t.test('one shape is one statement, whatever the values and the length of a list', (t) => {
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

t.test("statements with the user's own SQL are built each time and not remembered", (t) => {
  const statements = new TableStatements(users, new SqlBuilder(limits))
  const ask = (options: unknown, filter?: unknown) =>
    select(statements, { operation: 'filter', where: parseFilter(filter, statements.columns), options, kind: 'page', bounds: boundsOf(options, limits) })
  t.not(ask({}, sql`${users.age} = ${1}`).context, ask({}, sql`${users.age} = ${1}`).context)
  t.not(ask({ orderBy: sql`${users.age}` }).context, ask({ orderBy: sql`${users.age}` }).context)
  t.equal(ask({ orderBy: { age: 'asc' } }).context, ask({ orderBy: { age: 'asc' } }).context)
  t.end()
})

t.test('remembers a bounded number of shapes: those used last', (t) => {
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

t.test('kinds, contexts and values: what a session sees of a call', async (t) => {
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

t.test('the values of a shape stand in the order of its parameters, for every filter', (t) => {
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
