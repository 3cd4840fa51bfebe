import { sql } from 'drizzle-orm'
import { Client, Pool } from 'pg'
import t from 'tap'
import { extendConnection, parseConnectionString } from '../../../../src/settings/url/connection-string.js'
import {
  DatabaseError, TransactionAbortedError, TransactionBrokenError, UniqueViolationError, ValidationError, openDatabase
} from '../../../../src/index.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { posts, schema, tables, users } from '../../../helpers/schema.js'
import { watchPool } from '../../../helpers/watch.js'
import { LockTimeoutError } from '../../../../src/errors/errors.js'
import { open } from '../../../helpers/database.js'
import type { Database, OpenOptions, Lock } from '../../../../src/index.js'
import type { Test } from '../../../helpers/test.js'
import type { QueryConfig } from 'pg'

const sent: string[] = []

/** A changed `Client`, about whose behaviour the package can assume nothing. */
class Changed extends Client {
  override query (...given: [never]): never {
    const [config] = given as [QueryConfig | string]
    // A plain text is the pool's own query to each new connection.
    if (typeof config !== 'string') sent.push(config.text)
    return super.query(...given)
  }
}

type Answered = (error: Error | null, results: unknown) => void

/** Reports every result and every error only when PostgreSQL is ready again. */
class Late extends Changed {
  override query (...given: [never]): never {
    const [config, answered] = given as unknown as [QueryConfig, Answered?]
    if (answered === undefined || typeof config === 'string') return super.query(...given)
    const late: Answered = (...answer) => super.query(...['', () => answered(...answer)] as unknown as [never])
    return super.query(...[config, late] as unknown as [never])
  }
}

async function openPlain (t: Test, { Class = Changed, ...options }: OpenOptions & { Class?: typeof Client } = {}): Promise<Database> {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const pg = new Pool(extendConnection(parseConnectionString(connectionString), { Client: Class as never, max: 4 }))
  t.teardown(() => pg.end())
  const database = await openDatabase({ pg, schema, ...options })
  t.teardown(() => database.close())
  watchPool(t, pg, { url: connectionString })
  sent.length = 0
  return database
}

t.test('BEGIN, statements and COMMIT go one by one, with the same results', async (t) => {
  const database = await openPlain(t)
  const user = await database.session(async (session) => {
    const created = await session.repo(users).create({ email: 'ada@example.com' })
    await Promise.all([session.repo(users).update(created.id, { balance: 5 }), session.repo(posts).create({ userId: created.id, title: 'Hello' })])
    return await session.repo(users).getOrThrow(created.id)
  })
  t.strictSame(sent.map((text) => /^\w+/.exec(text)?.[0]), ['begin', 'insert', 'update', 'insert', 'select', 'commit'])
  t.match(user, { email: 'ada@example.com', balance: 5 })
  t.strictSame(await database.repo(users).getAll(), [user])
  t.match(await database.execute(sql`select ${1}::int as one`), { rows: [{ one: 1 }], rowCount: 1, command: 'SELECT' })
  t.match(await database.execute(sql.raw('select 1 as one; select 2 as two')), { rows: [{ two: 2 }] })
  t.match(await database.execute(sql.raw('')), { rows: [], rowCount: null })
})

t.test('resolveCommits reads the id as well', async (t) => {
  const database = await openPlain(t)
  await database.session((session) => session.repo(users).create({ email: 'ada@example.com' }), { resolveCommits: true })
  t.match(sent, ['begin', /pg_current_xact_id/, /^insert/, 'commit'])
})

for (const Class of [Changed, Late]) {
  t.test(`behind a BEGIN that failed nothing is sent, and behind a failure nothing is kept, with errors that come ${Class === Late
    ? 'behind'
    : 'before'} PostgreSQL's word on the transaction`, async (t) => {
    const database = await openPlain(t, { Class })
    await database.repo(users).create({ email: 'taken' })
    await t.rejects(database.session(async (session) => {
      await Promise.allSettled([session.repo(users).create({ email: 'taken' }), session.repo(users).create({ email: 'new' })])
    }), TransactionAbortedError)
    await t.rejects(database.repo(users).create({ email: 'taken' }), UniqueViolationError)
    await t.rejects(database.session((session) => session.execute(sql`rollback`)), TransactionBrokenError)
    t.equal(await database.repo(users).count(), 1)

    const session = database.createSession()
    const mine = session.repo(users)
    const answers = await Promise.allSettled([mine.create({ email: 'second' }), mine.create({ email: 'taken' }), mine.create({ email: 'third' })])
    t.match(answers, [{ status: 'fulfilled', value: { email: 'second' } }, { reason: UniqueViolationError }, { reason: TransactionAbortedError }])
    t.equal(session.outcome, 'open')
    await t.rejects(session.commit(), TransactionAbortedError)
    t.equal(await database.repo(users).count(), 1)
  })
}

t.test('scopes commit and roll back; unsendable and unreadable values are errors', async (t) => {
  const database = await openPlain(t)
  await database.session(async (session) => {
    await session.transaction((scope) => scope.repo(users).create({ email: 'kept' }))
    await session.transaction(async (scope) => {
      await scope.repo(users).create({ email: 'undone' })
      throw new Error('a slip')
    }).catch(() => {})
  })
  t.match(await database.repo(users).getAll(), [{ email: 'kept' }])
  const context = { operation: 'test' }
  const unwritable = { toPostgres () { throw new TypeError('no text') } }
  await t.rejects(database.run({ kind: 'write', text: 'select $1', values: [unwritable], context }), ValidationError)
  const unreadable = { getTypeParser: () => () => { throw new Error('no value') } }
  await t.rejects(database.run({ kind: 'read', text: 'select 1', values: [], types: unreadable as never, context }), DatabaseError)
})

t.test('a row lock lasts to the transaction\'s end: nowait is 409, skipLocked leaves the row out', async (t) => {
  const database = await open(t)
  await database.execute(sql`insert into users (email) select 'u' || n from generate_series(1, 3) n`)
  const holder = database.createSession()
  await holder.repo(users).get(2, { lock: 'update' })
  await database.session(async (session) => {
    const rows = await session.repo(users).getAll({ lock: { strength: 'update', skipLocked: true }, columns: ['id'] })
    t.same(rows.map(({ id }) => id), [1, 3])
    t.equal((await session.repo(users).get(2))?.email, 'u2', 'a plain read waits for nobody')
    const error = await session.transaction((scope) => scope.repo(users).first({ id: 2 }, {
      lock: { strength: 'share', nowait: true }
    })).catch((error: unknown) => error)
    t.ok(error instanceof LockTimeoutError)
    t.match(error, { statusCode: 409 })
  })
  await t.rejects(
    database.repo(users).first({ id: 2 }, { lock: { strength: 'share', nowait: true } }),
    { code: 'DB_LOCK_TIMEOUT', statusCode: 409 },
    'also without a session'
  )
  await holder.rollback()
  await database.session(async (session) => {
    t.equal((await session.repo(users).getBy({ id: 2 }, { lock: { strength: 'update', nowait: true } }))?.id, 2)
  })
})

t.test('each strength shuts out those that PostgreSQL says, and no others', async (t) => {
  const database = await open(t)
  await database.execute(sql`insert into users (email) values ('u1')`)
  const strengths = ['update', 'noKeyUpdate', 'share', 'keyShare'] as const
  // https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-ROWS
  const pass = new Set(['noKeyUpdate keyShare', 'keyShare noKeyUpdate', 'share share', 'share keyShare', 'keyShare share', 'keyShare keyShare'])
  const isFree = (lock: Lock): Promise<boolean> => database.session(async (session) => (await session.repo(users).getAll({ lock })).length === 1)
  for (const held of strengths) {
    const holder = database.createSession()
    await holder.repo(users).get(1, { lock: held })
    for (const wanted of strengths) t.equal(await isFree({ strength: wanted, skipLocked: true }), pass.has(`${held} ${wanted}`), `${wanted} beside ${held}`)
    await holder.rollback()
  }
})
