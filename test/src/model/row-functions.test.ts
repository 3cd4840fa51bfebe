import { bigint, customType, integer, jsonb, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import t from 'tap'
import { softDelete } from '../../../src/model/columns.js'
import { inspectRow, isDeleted, toDict } from '../../../src/model/row-functions.js'

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })

interface More { at?: Date | undefined, tags: Array<{ size: bigint }>, nothing: null, bytes: Uint8Array }

const users = pgTable('users', {
  id: integer().primaryKey(),
  name: text().notNull(),
  passwordHash: text().notNull(),
  big: bigint({ mode: 'bigint' }),
  picture: bytea(),
  born: timestamp(),
  more: jsonb().$type<More>(),
  any: jsonb(),
  ...softDelete()
})

const born = new Date('2026-01-02T03:04:05.678Z')
const user = {
  id: 1,
  name: 'John',
  passwordHash: 'secret',
  big: 2n ** 63n - 1n,
  picture: Buffer.from('hi'),
  born,
  more: { at: undefined, tags: [{ size: 7n }], nothing: null, bytes: new Uint8Array([1, 2, 3]).subarray(1) },
  any: [{ at: born }],
  deletedAt: null
}

/** Compiles only for equal types. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : never

t.test('toDict returns only values that JSON can carry, at any depth', async (t) => {
  const dict = toDict(users, user)
  t.strictSame(dict, {
    id: 1,
    name: 'John',
    passwordHash: 'secret',
    big: '9223372036854775807',
    picture: 'aGk=',
    born: '2026-01-02T03:04:05.678Z',
    more: { tags: [{ size: '7' }], nothing: null, bytes: 'AgM=' },
    any: [{ at: '2026-01-02T03:04:05.678Z' }],
    deletedAt: null
  })
  t.strictSame(JSON.parse(JSON.stringify(dict)), dict, 'and survives JSON.stringify and JSON.parse')
})

t.test('the type of toDict follows from the row', async (t) => {
  const row: typeof users.$inferSelect = { ...user }
  const dict = toDict(users, row, { omit: ['passwordHash', 'more', 'any'] })
  const typed: Same<typeof dict, { id: number, name: string, big: string | null, picture: string | null, born: string | null, deletedAt: string | null }> = true
  t.ok(typed)
  t.notOk('passwordHash' in dict)
  const untyped = toDict(users, row).any
  const unknown: Same<typeof untyped, unknown> = true
  t.ok(unknown)
  t.ok(untyped)

  // @ts-expect-error the column does not exist
  t.throws(() => toDict(users, row, { omit: ['pasword'] }), {
    name: 'UsageError', message: 'Table "users" has no column "pasword" to omit'
  }, 'an unknown column is also refused at run time, because a misspelt name would publish the column')
  // @ts-expect-error the row has no such property
  t.strictSame(Object.keys(toDict(users, { id: 1 }, { include: ['posts'] })), ['id'])
  // @ts-expect-error the row belongs to another table
  toDict(users, { id: 'one' })
})

t.test('toDict leaves out omitted columns, and keys that are not columns unless they are included', async (t) => {
  const row = { id: 1, name: 'John', passwordHash: 'secret', posts: [{ at: born }], token: 'secret' }
  t.strictSame(toDict(users, row, { omit: ['passwordHash'] }), { id: 1, name: 'John' })
  t.strictSame(toDict(users, row, { omit: ['passwordHash'], include: ['posts'] }), {
    id: 1, name: 'John', posts: [{ at: '2026-01-02T03:04:05.678Z' }]
  })
})

t.test("toDict keeps the order of the table, even for columns named like Object.prototype's keys", async (t) => {
  t.strictSame(Object.keys(toDict(users, { name: 'John', id: 1 })), ['id', 'name'])
  const dict = toDict(users, { id: 1, any: JSON.parse('{"__proto__":{"admin":true}}') })
  t.equal(JSON.stringify(dict), '{"id":1,"any":{"__proto__":{"admin":true}}}')
  t.notOk('admin' in Object(dict.any))
})

t.test('toDict returns null for a time that JavaScript cannot hold', async (t) => {
  t.strictSame(toDict(users, { id: 1, born: new Date('infinity') }), { id: 1, born: null })
})

t.test('toDict and inspectRow serve tables without a primary key', async (t) => {
  const events = pgTable('events', { at: timestamp().notNull(), what: text() })
  t.strictSame(toDict(events, { at: born, what: 'start' }), { at: '2026-01-02T03:04:05.678Z', what: 'start' })
  t.equal(inspectRow(events, { what: 'start' }), "events(what='start')")
})

t.test('inspectRow writes a row in one line, columns only', async (t) => {
  t.equal(inspectRow(users, { id: 1, name: 'John' }), "users(id=1, name='John')")
  t.equal(inspectRow(users, user),
    "users(id=1, name='John', passwordHash='secret', big=9223372036854775807n, picture=<Buffer 68 69>, born=2026-01-02T03:04:05.678Z, " +
    'more={ at: undefined, tags: [ { size: 7n } ], nothing: null, bytes: Uint8Array(2) [ 2, 3 ] }, any=[ { at: 2026-01-02T03:04:05.678Z } ], deletedAt=null)')
  t.equal(inspectRow(users, { id: 1, ...{ token: 'secret' } }), 'users(id=1)')
})

t.test('isDeleted reads deletedAt', async (t) => {
  t.equal(isDeleted(user), false)
  t.equal(isDeleted({ deletedAt: born }), true)
  t.equal(isDeleted({ deletedAt: '2026-01-02' }), true)
  // @ts-expect-error a row without the column
  t.throws(() => isDeleted({ id: 1 }), { name: 'UsageError', message: 'The row has no deletedAt: read it with that column' })
  // @ts-expect-error a number is not a time
  t.throws(() => isDeleted({ deletedAt: 5 }), { name: 'UsageError', message: /^The deletedAt of a row is a date, a text or null/ })
})
