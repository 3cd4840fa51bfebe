import { and, eq, sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { EmptyFilterError, NotFoundError, UniqueViolationError, ValidationError } from '../../../../src/errors/errors.js'
import { openRepositories } from '../../../helpers/runner.js'
import { memberships, membershipsSql, users, usersSql } from '../schema.js'

let made = 0

const tickets = pgTable('tickets', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  code: text().notNull().$defaultFn(() => `T-${++made}`),
  stamp: text().$default(() => sql`upper(${'made'}::text)`),
  touched: text().$onUpdate(() => `touch-${++made}`),
  changed: text().default('new').$onUpdate(() => sql`lower(${'CHANGED'}::text)`),
  cleared: text().$onUpdate(() => undefined as never),
  blank: text().$defaultFn(() => undefined as never),
  shout: text().generatedAlwaysAs(sql`upper(code)`)
})

const ticketsSql = `create table tickets (
  id integer primary key generated always as identity, code text not null, stamp text, touched text, changed text default 'new', cleared text, blank text,
  shout text generated always as (upper(code)) stored
);`

const { repo: open, runner } = await openRepositories(t, usersSql + membershipsSql + ticketsSql)
const repo = open(users)
const members = open(memberships)
const desk = open(tickets)

t.beforeEach(() => runner.client.query('truncate users, memberships, tickets restart identity'))

t.test('creates a row and returns it as stored', async (t) => {
  const user = await repo.create({ email: 'ada@example.com', balance: '7', tags: ['a', null as never], settings: { theme: 'dark' }, age: undefined })

  t.strictSame({ ...user }, {
    id: 1, email: 'ada@example.com', name: null, age: null, active: true, balance: '7.00', tags: ['a', null], settings: { theme: 'dark' }, bornAt: null
  })
  t.same(await repo.get(1), user)
  t.match(runner.statements.at(-2), { kind: 'write', context: { operation: 'create', table: 'users' } })
})

t.test('calls the default and update functions of columns as Drizzle does', async (t) => {
  made = 0
  const row = await desk.create({})
  t.same(row, { id: 1, code: 'T-1', stamp: 'MADE', touched: 'touch-2', changed: 'new', cleared: null, blank: null, shout: 'T-1' })
  t.same(await desk.create({ code: 'x', stamp: null, touched: 't' }), {
    id: 2, code: 'x', stamp: null, touched: 't', changed: 'new', cleared: null, blank: null, shout: 'X'
  })
  made = 10
  t.match(await desk.update(1, { code: 'y' }), { code: 'y', stamp: 'MADE', touched: 'touch-11', changed: 'changed', shout: 'Y' })
  t.match(await desk.update(1, { touched: 'own' }), { touched: 'own' })
})

t.test('takes SQL in place of a value', async (t) => {
  const { id } = await repo.create({ email: sql`lower(${'ADA@EXAMPLE.COM'})`, age: 1 })
  t.match(await repo.update(id, { age: sql`${users.age} + ${41}`, name: 'Ada' }), { email: 'ada@example.com', age: 42, name: 'Ada' })
  t.equal(await repo.updateMany({ age: 42 }, { age: sql`${users.age} * 2` }), 1)
  t.equal((await repo.getOrThrow(id)).age, 84)
})

t.test('reports that a unique value is taken', async (t) => {
  await repo.create({ email: 'a' })
  await t.rejects(repo.create({ email: 'a' }), UniqueViolationError)
})

t.test('updates a row and returns it as stored, or undefined', async (t) => {
  const { id } = await repo.create({ email: 'a', age: 1 })
  t.match(await repo.update(id, { age: 2, name: undefined }), { id, email: 'a', age: 2 })
  t.match(await repo.update(id, { age: null }), { age: null })
  t.equal(await repo.update(99, { age: 3 }), undefined)
  t.match(await repo.updateOrThrow(id, { name: 'A' }), { name: 'A' })
  await t.rejects(repo.updateOrThrow(99, { name: 'A' }), NotFoundError)
  await members.create({ group: 'g', member: 1 })
  t.match(await members.update({ group: 'g', member: 1 }, { member: 2 }), { group: 'g', member: 2, role: 'guest' })
})

t.test('an empty update returns the row and writes nothing', async (t) => {
  const { id } = await desk.create({})
  const before = await runner.client.query('select xmin from tickets')
  const count = runner.statements.length

  t.match(await desk.update(id, {}), { id, changed: 'new' })
  t.match(await desk.updateOrThrow(id, { code: undefined }), { id })
  t.equal(await desk.update(99, {}), undefined)
  t.equal(await desk.updateMany({ id }, {}), 1)

  t.same((await runner.client.query('select xmin from tickets')).rows, before.rows)
  for (const { kind } of runner.statements.slice(count)) t.equal(kind, 'read')
})

t.test('updates and deletes matching rows, and returns their number', async (t) => {
  await repo.createMany([{ email: 'a', age: 1 }, { email: 'b', age: 1 }, { email: 'c', age: 2 }])
  t.equal(await repo.updateMany({ age: 1 }, { name: 'one' }), 2)
  t.equal(await repo.updateMany(eq(users.age, 9), { name: 'nine' }), 0)
  await repo.createMany(Array.from({ length: 95 }, (_, place) => ({ email: `of-many-${place}`, age: 77 })))
  t.equal(await repo.updateMany({ age: 77 }, { name: 'many' }), 95)
  t.equal(await repo.deleteMany({ age: 77 }), 95)
  t.equal(await repo.deleteMany({ name: 'one', email: { startsWith: 'a' } }), 1)
  t.equal(await repo.deleteMany({ id: { in: [] } }), 0)
  t.equal(await repo.count(), 2)
  for (const options of [0, '', true, [], () => true, Symbol('all'), { every: true }, { all: 1 }, { all: true, force: true }, Promise.resolve()]) {
    await t.rejects(repo.updateMany({}, { age: 6 }, options as never), {
      name: 'UsageError', message: /of updateMany\(\) (must be an object of all|must be true or false|is not an option: use all)$/
    })
    await t.rejects(repo.deleteMany({ name: 'x' }, options as never), {
      name: 'UsageError', message: /of deleteMany\(\) (must be an object of all|must be true or false|is not an option: use all)$/
    })
  }
  t.equal(await repo.updateMany({}, { age: 5 }, { all: true }), 2)
  t.equal(await repo.deleteMany({}, { all: true }), 2)
})

t.test('69: refuses to update or delete many without a condition, in any disguise', async (t) => {
  await repo.create({ email: 'a' })
  const empty = [{}, undefined, { and: [] }, { and: [{}] }, { or: [{}] }, { not: { or: [] } }, { id: { notIn: [] } }, { not: { id: { in: [] } } }, and()]
  for (const filter of empty) {
    await t.rejects(repo.deleteMany(filter), EmptyFilterError)
    await t.rejects(repo.updateMany(filter, { age: 1 }), EmptyFilterError)
    await t.rejects(repo.deleteMany(filter, { all: false }), EmptyFilterError)
    await t.rejects(repo.deleteMany(filter, null as never), EmptyFilterError)
  }
  t.match(await repo.deleteMany({}).catch((error: unknown) => error), { context: { operation: 'deleteMany', table: 'users' }, statusCode: 400 })
  t.equal(await repo.count({ age: null }), 1)
})

t.test('deletes a row for good', async (t) => {
  const { id } = await repo.create({ email: 'a' })
  t.equal(await repo.delete(id), true)
  t.equal(await repo.delete(id), false)
  await members.create({ group: 'g', member: 1 })
  t.same(await members.deleteOrThrow({ group: 'g', member: 1 }), { group: 'g', member: 1, role: 'guest' })
  await t.rejects(members.deleteOrThrow({ group: 'g', member: 1 }), { name: 'NotFoundError', context: { operation: 'deleteOrThrow' } })
})

t.test('writes declared columns only, and own properties only', async (t) => {
  const { id } = await repo.create({ email: 'a' })
  const strangers: unknown[] = [
    { email: 'b', isAdmin: true }, { constructor: 'x' }, JSON.parse('{"email":"b","__proto__":{"active":false}}'), { toString: 'x' },
    null, undefined, 'email=b', [], [['email', 'b']], 1, sql`1`
  ]
  for (const values of strangers) {
    await t.rejects(repo.create(values as never), ValidationError)
    await t.rejects(repo.update(id, values as never), ValidationError)
    await t.rejects(repo.updateMany({ id }, values as never), ValidationError)
    await t.rejects(repo.createMany([{ email: 'fine' }, values as never]), ValidationError)
  }
  await t.rejects(repo.create({ email: 'b', isAdmin: true } as never), { message: 'Unknown column "isAdmin"', context: { columns: ['isAdmin'] } })
  const inherited = Object.create({ age: 99 }, { email: { value: 'own', enumerable: true } })
  t.match(await repo.create(inherited), { email: 'own', age: null })
  t.equal(await repo.count(), 2)
  t.equal(Reflect.get({}, 'active'), undefined)
})

t.test('refuses columns that PostgreSQL generates', async (t) => {
  for (const values of [{ id: 5 }, { shout: 'X' }, { id: null }]) {
    await t.rejects(desk.create(values as never), { code: 'DB_VALIDATION', message: /is generated by PostgreSQL/ })
    await t.rejects(desk.update(1, values as never), ValidationError)
  }
  t.match(await desk.create({ id: undefined } as never), { id: 1 })
})

t.test('71: refuses values that their column cannot hold, and saves nothing', async (t) => {
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  const bad: Array<Record<string, unknown>> = [
    { age: 2 ** 31 }, { age: NaN }, { age: Infinity }, { age: 1.5 }, { age: 'old' }, { age: {} }, { age: 2n ** 64n }, { age: true }, { age: [] },
    { age: Symbol('x') },
    { email: '\u0000' }, { email: '\ud800' }, { email: 'x\udc00y' }, { email: 42 }, {
      email: {
        toString: () =>
          'x'
      }
    }, { email: 'a', name: 1 }, { name: 'x'.repeat(21) },
    { bornAt: new Date(NaN) }, { bornAt: '2020-01-01' }, { bornAt: 0 }, { bornAt: new Date(-8.64e15) }, { active: 'perhaps' }, { active: {} },
    { balance: 'x' }, { balance: 1 },
    { balance: '12345678901234' }, { tags: 'x' }, { tags: [1] }, { tags: ['\u0000'] }, { tags: { 0: 'x' } },
    { settings: '\u0000' }, { settings: { a: 'x\u0000' } }, { settings: { 'a\ud800': 1 } }, { settings: { n: 1n } }, { settings: circular },
    { settings: () => 1 },
    { id: 0x80000000 }
  ]
  for (const values of bad) {
    await t.rejects(repo.create({ email: 'a', ...values } as never), { code: 'DB_VALIDATION', statusCode: 400 }, Object.keys(values).join())
  }
  const tooLong = bad.filter(({ name, balance }) => typeof name === 'string' || balance === '12345678901234')
  for (const values of tooLong) t.equal(await repo.getBy(values as never), undefined, 'a value too long for its column equals no value')
  for (const values of bad.filter((values) => !tooLong.includes(values))) {
    await t.rejects(
      repo.getBy(values as never),
      { code: 'DB_VALIDATION', statusCode: 400 },
      Object.keys(values).join()
    )
  }
  t.equal(await repo.count(), 0)
  await t.rejects(repo.get(2 ** 31), ValidationError)
  t.match(
    await repo.create({ email: 'no code point: \\u0000', settings: { theme: '\\u0000 \\ud800' }, name: '😀' }),
    { name: '😀', settings: { theme: '\\u0000 \\ud800' } }
  )
})

t.test('an error names the column and shows no value', async (t) => {
  const error = await repo.create({ email: 'secret-value\u0000' }).catch((error: unknown) => error)
  t.match(error, { message: /^Column "email"/, context: { table: 'users', columns: ['email'] } })
  t.notMatch(JSON.stringify(error), /secret-value/)
})

t.test('a failed call that no caller awaits does not end the process', async () => {
  repo.create({ email: 1 } as never)
  repo.get(undefined as never)
  repo.getOrThrow(99)
  repo.count({ nope: 1 } as never)
  await repo.count()
})
