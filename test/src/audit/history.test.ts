import { eq, sql } from 'drizzle-orm'
import { bigint, char, customType, integer, pgSchema, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'
import pg from 'pg'
import t from 'tap'
import { audit, openDatabase, UsageError, ValidationError } from '../../../src/index.js'
import { snakeCase, snakeCaseSchema, snakeCaseTable } from '../../helpers/drizzle.js'
import { unhurried } from '../../helpers/database.js'
import { recordingLogger } from '../../helpers/logger.js'
import { notes } from '../../helpers/notes.js'
import { matrix, typesSql } from '../../values/types.js'
import { shown } from '../../values/round-trip.js'
import { openAudited, run } from './audited.js'
import type { PgColumnBuilderBase } from 'drizzle-orm/pg-core'

const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' })

const people = snakeCaseTable('people', { id: integer().primaryKey(), fullName: text(), born: timestamp({ withTimezone: true }), token: text() })
const peopleHistory = audit(people, { mask: ['token'], settings: { actor: 'hr.user' } })
const moments = snakeCaseTable('moments', {
  at: timestamp({ withTimezone: true, mode: 'string' }).notNull(), code: char({ length: 4 }).notNull(), place: bytes().notNull(), big: bigint({ mode: 'bigint' }).notNull()
}, (self) => [primaryKey({ columns: [self.code, self.at, self.place, self.big] })])
const momentsHistory = audit(moments)
const prints = snakeCaseTable('prints', { hash: customType<{ data: Uint8Array }>({ dataType: () => 'bytea' })().primaryKey() })
const printsHistory = audit(prints)
// drizzle-kit does not write names with double quotes.
const odd = pgSchema("Odd's %s")
const oddTable = snakeCaseSchema("Odd's %s").table("it's a Table %s", { 'the key': integer('The key $audit$').primaryKey(), "it's": text("it's %s") })
const oddHistory = audit(oddTable, { name: "the past's %s" })

/** A column of each type, with odd values. */
const all = snakeCaseTable('all_types', Object.fromEntries<PgColumnBuilderBase>([
  ['id', integer().primaryKey()], ...matrix.map(({ column }, place) => [`c${place}`, column()] as const)
]))
const allHistory = audit(all)

const { database, connectionString } = await openAudited(t, {
  people, peopleHistory, moments, momentsHistory, prints, printsHistory, odd, oddTable, oddHistory, allHistory
}, `${typesSql}; create table all_types (id integer primary key, ${matrix.map(({ sql: type }, place) => `c${place} ${type}`).join(', ')})`)
const repo = database.repo(people)

t.test('a history has who made each change and why, the newest entry last, also when the row is deleted', async (t) => {
  await database.session(async (session) => {
    await session.execute(sql`select set_config('hr.user', 'ada', true), set_config('app.request_id', 'r-1', true), set_config('app.reason', 'hired', true)`)
    await session.repo(people).create({ id: 1, fullName: 'Bob', born: new Date('2000-01-01T00:00:00.123Z'), token: 'hunter2' })
    await session.commit()
  })
  await repo.update(1, { fullName: 'Robert', token: 'hunter3' })
  await repo.delete(1)
  const entries = await repo.history(1)
  const [{ transactionId, databaseUser }] = (await database.execute<{ transactionId: string, databaseUser: string }>(sql`
    select transaction_id as "transactionId", current_user as "databaseUser" from people_history order by id`)).rows as [{ transactionId: string, databaseUser: string }]
  t.match(entries.map(({ transactionId }) => transactionId), [transactionId, /^\d+$/, /^\d+$/])
  t.ok(entries.every(({ at }) => Math.abs(at.getTime() - Date.now()) < 3_600_000))
  t.strictSame(entries.map(({ at, transactionId, ...entry }) => entry), [
    {
      id: 1,
      operation: 'insert',
      actor: 'ada',
      requestId: 'r-1',
      reason: 'hired',
      databaseUser,
      changed: [],
      before: null,
      after: { id: 1, fullName: 'Bob', born: new Date('2000-01-01T00:00:00.123Z') }
    },
    {
      id: 2,
      operation: 'update',
      actor: null,
      requestId: null,
      reason: null,
      databaseUser,
      changed: ['fullName', 'token'],
      before: { fullName: 'Bob' },
      after: { fullName: 'Robert' }
    },
    {
      id: 3,
      operation: 'delete',
      actor: null,
      requestId: null,
      reason: null,
      databaseUser,
      changed: [],
      before: { id: 1, fullName: 'Robert', born: new Date('2000-01-01T00:00:00.123Z') },
      after: null
    }
  ])
})

t.test('a history is read in parts, from either end', async (t) => {
  await repo.create({ id: 2, fullName: 'n0' })
  for (let change = 1; change <= 4; change++) await repo.update(2, { fullName: `n${change}` })
  const names = async (options?: Parameters<typeof repo.history>[1]) => (await repo.history(2, options)).map(({ after }) => after?.fullName)
  t.strictSame(await names(), ['n0', 'n1', 'n2', 'n3', 'n4'])
  t.strictSame(await names({ limit: 2 }), ['n0', 'n1'])
  t.strictSame(await names({ limit: 2, skip: 3 }), ['n3', 'n4'])
  t.strictSame(await names({ limit: 2, direction: 'desc' }), ['n4', 'n3'])
  t.strictSame(await names({ limit: 0 }), [])
  t.strictSame(await repo.history(404), [])
  t.strictSame(await database.drizzle.select({ reason: peopleHistory.reason }).from(peopleHistory).where(eq(peopleHistory.operation, 'delete')), [{ reason: null }])
})

t.test('a list that the default limit cuts is logged', async (t) => {
  const logger = recordingLogger()
  const small = await openDatabase({ connectionString, ...snakeCase, ...unhurried, repository: { defaultLimit: 3 }, logger })
  t.equal((await small.repo(people).history(2)).length, 3)
  await small.close()
  t.match(logger.lines.filter(({ level }) => level === 'warn'), [{ context: { table: 'people', operation: 'history', limit: 3 } }])
})

t.test('what is not a key, an option or an audited table is refused', async (t) => {
  await t.rejects(repo.history({ id: 1, fullName: 'x' } as never), ValidationError)
  await t.rejects(repo.history('x' as never), ValidationError)
  await t.rejects(repo.history(1, { limit: -1 }), ValidationError)
  await t.rejects(repo.history(1, { skip: 0.5 }), ValidationError)
  await t.rejects(repo.history(1, { before: 3 } as never), UsageError)
  await t.rejects(repo.history(1, { direction: 'up' as never }), new UsageError('"direction" of history() must be \'asc\' or \'desc\''))
  await t.rejects(database.repo(notes).history(1), {
    message: 'Table "notes" has no history: call audit() for it, export what it returns from your schema, and write a migration'
  })
})

t.test('a composite key of any types finds its row, whatever the settings of the session', async (t) => {
  const key = { code: 'ab', at: '2026-07-01 12:00:00.123456+00', place: Buffer.from([0, 255]), big: 9007199254740993n }
  await database.repo(moments).create(key)
  await database.session(async (session) => {
    await session.execute(sql`select set_config('timezone', 'Asia/Tokyo', true)`)
    const [entry, ...others] = await session.repo(moments).history({ ...key, at: '2026-07-01T14:00:00.123456+02:00' })
    t.strictSame(others, [])
    t.strictSame(entry?.after, { ...key, code: 'ab  ' })
  })
  t.strictSame(await database.repo(moments).history({ ...key, big: 9007199254740992n }), [])
  const hash = new Uint8Array([9, 0, 255, 9]).subarray(1, 3)
  await database.repo(prints).create({ hash })
  t.match(await database.repo(prints).history(hash), [{ after: { hash: Buffer.from([0, 255]) } }])
})

t.test('names with quotes, schemas, renamed columns and signs of the functions themselves are names', async (t) => {
  const own = database.repo(oddTable)
  await own.create({ 'the key': 1, "it's": '$audit$' })
  await own.update(1, { "it's": "%s '" })
  t.strictSame((await own.history(1)).map(({ before, after }) => [before, after]), [
    [null, { 'the key': 1, "it's": '$audit$' }], [{ "it's": '$audit$' }, { "it's": "%s '" }]
  ])
})

t.test('every value of every type comes back as the repository reads it, whatever the settings of the writer', async (t) => {
  const client = new pg.Client({ connectionString })
  await client.connect()
  t.teardown(() => client.end())
  await client.query('set datestyle = \'SQL, DMY\'; set intervalstyle = \'sql_standard\'; set extra_float_digits = -3; set bytea_output = \'escape\'; set timezone = \'Europe/Amsterdam\'')
  const most = Math.max(...matrix.map(({ values }) => values.length))
  for (let place = 0; place < most; place++) {
    await client.query(`insert into all_types values (${[place, ...matrix.map(({ values, sql: type }) => `(${values[place % values.length]?.[1]})::${type}`)].join(', ')})`)
  }
  await database.session(async (session) => {
    await session.execute(sql`select set_config('timezone', 'UTC', true)`)
    const own = session.repo(all)
    for (let place = 0; place < most; place++) {
      const [row, [entry]] = [await own.getOrThrow(place as never), await own.history(place as never)]
      for (const [key, value] of Object.entries(row)) t.equal(shown(entry?.after?.[key]), shown(value), matrix[Number(key.slice(1))]?.name ?? key)
    }
  })
})

t.test('columns that are added later are recorded, and those with another type or none are read as far as they can be', async (t) => {
  const document = customType<{ data: object }>({ dataType: () => 'jsonb', fromDriver: (value) => JSON.parse(String(value)) as object })
  const later = snakeCaseTable('people', { id: integer().primaryKey(), fullName: document(), nickname: text() })
  Object.defineProperty(later, Symbol.for('fastify-data-access:audit'), { value: Reflect.get(people, Symbol.for('fastify-data-access:audit')) })
  await run(database, `
    alter table people add nickname text, drop born, alter full_name type jsonb using jsonb_build_object('name', full_name);
    update people set nickname = 'Bobby' where id = 2`)
  const newer = await openDatabase({ connectionString, ...snakeCase, ...unhurried })
  t.teardown(() => newer.close())
  const entries = await newer.repo(later).history(2, { skip: 4 })
  t.strictSame(entries.map(({ before, after }) => [before, after]), [
    [{ fullName: 'n3' }, { fullName: 'n4' }],
    [{ nickname: null }, { nickname: 'Bobby' }]
  ], 'a change by ALTER TABLE is none of a row')
})
