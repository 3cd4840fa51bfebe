/** A client whose insides are not known is asked by its own `query()`, a round trip for each statement. */
import { sql } from 'drizzle-orm'
import { Client, Pool } from 'pg'
import t from 'tap'
import { extendConnection, parseConnectionString } from '../../../src/settings/url/connection-string.js'
import { DatabaseError, TransactionAbortedError, TransactionBrokenError, UniqueViolationError, ValidationError, openDatabase } from '../../../src/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { posts, schema, tables, users } from '../../helpers/schema.js'
import { watchPool } from '../../helpers/watch.js'
import type { Database, OpenOptions } from '../../../src/index.js'
import type { Test } from '../../helpers/test.js'
import type { QueryConfig } from 'pg'

const sent: string[] = []

/** What somebody has changed is not known any more. */
class Changed extends Client {
  override query (...given: [never]): never {
    const [config] = given as [QueryConfig | string]
    // A text alone is what the pool asks of each new connection.
    if (typeof config !== 'string') sent.push(config.text)
    return super.query(...given)
  }
}

type Answered = (error: Error | null, results: unknown) => void

/** Tells of everything, errors as well, when PostgreSQL is ready again and not before. */
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

t.test('BEGIN, statements and COMMIT go one after the other, and what they answer is the same', async (t) => {
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

t.test('with resolveCommits the id is asked for, too', async (t) => {
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

t.test('scopes keep and undo, and values that cannot be sent or read are told', async (t) => {
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
