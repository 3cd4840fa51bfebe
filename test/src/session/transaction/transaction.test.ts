import t from 'tap'
import { sql } from 'drizzle-orm'
import { open } from '../../../helpers/database.js'
import { openEchoing, words } from '../../../helpers/echo.js'
import { users } from '../../../helpers/schema.js'
import {
  ConnectionError, PoolTimeoutError, TransactionAbortedError, TransactionClosedError, UniqueViolationError, ValidationError
} from '../../../../src/index.js'

const one = { pool: { size: 1, maxOverflow: 0 } }

/** Cannot be written as text for PostgreSQL. */
const unwritable = { toPostgres () { throw new TypeError('no text') } }

t.test('takes no connection before the first statement, and none for a session that never has one', async (t) => {
  const database = await open(t, one)
  const session = database.createSession()
  session.repo(users)
  session.drizzle.select().from(users)
  await session.transaction(() => {})
  t.equal(database.poolInfo.inUse, 0)
  await session.commit()
  t.equal(session.outcome, 'none')
})

t.test('PostgreSQL reads the text of BEGIN, COMMIT and ROLLBACK once for each connection', async (t) => {
  const database = await open(t, one)
  for (const outcome of ['commit', 'rollback'] as const) {
    const session = database.createSession()
    await session.repo(users).create({ email: outcome })
    await session[outcome]()
  }
  const { rows } =
    await database.execute<{ statement: string }>(sql`select statement from pg_prepared_statements where statement in ('begin', 'commit', 'rollback')`)
  t.strictSame(rows.map(({ statement }) => statement).sort(), ['begin', 'commit', 'rollback'])
})

t.test('a refused commit names the statement that failed, not one whose answer was unreadable', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await session.repo(users).create({ email: 'ada' })
  const unreadable = { kind: 'write', text: 'select 1', values: [], context: { operation: 'test' }, reader: () => () => { throw new Error('no') } } as const
  await t.rejects(session.run(unreadable), { message: /cannot be read/ })
  await t.rejects(session.repo(users).create({ email: 'ada' }), UniqueViolationError)

  await t.rejects(session.commit(), { name: 'TransactionAbortedError', cause: UniqueViolationError })
})

t.test('a refused commit names the first write that could not be sent', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  const named = (email: unknown) => session.run({
    kind: 'write', text: 'insert into users (email) values ($1)', values: [email], context: { operation: String(Object(email).name) }
  })
  for (const name of ['first', 'second']) await t.rejects(named({ ...unwritable, name }), ValidationError)

  await t.rejects(session.commit(), { name: 'TransactionAbortedError', cause: { context: { operation: 'first' } } })
})

t.test('an unsent write survives the end of a scope inside its own', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await t.rejects(session.transaction(async (outer) => {
    await outer.run({ kind: 'write', text: 'insert into users (email) values ($1)', values: [unwritable], context: { operation: 'test' } }).catch(() => {})
    await outer.transaction(async (inner) => {
      await inner.repo(users).create({ email: 'ada' })
      throw new Error('undone')
    }).catch(() => {})
  }), { name: 'TransactionAbortedError', cause: ValidationError })
  await session.rollback()
})

t.test('a settled transaction leaves no timer behind', async (t) => {
  const database = await open(t, one)
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const settle = async (way: 'commit' | 'rollback') => {
    const session = database.createSession({ timeoutMillis: 60_000 })
    await session.repo(users).create({ email: way })
    await session.repo(users).create({ email: `${way} again` })
    await session[way]()
    return timers()
  }
  const before = await settle('commit')
  t.same([await settle('rollback'), await settle('rollback')], [before, before])
  t.equal(await database.session(async (session) => { await session.repo(users).create({ email: 'ada' }) }).then(timers), before)
})

t.test('statements started together keep their call order', async (t) => {
  const { database } = await openEchoing(t)
  await database.session(async (session) => {
    const repo = session.repo(users)
    const results = await Promise.all([
      repo.count(),
      repo.create({ email: 'ada' }),
      repo.count(),
      session.execute<{ n: number }>(sql`select count(*)::int as n from users`).then(({ rows }) => rows[0]?.n),
      repo.create({ email: 'bob' }),
      repo.count()
    ])
    t.match(results, [0, { email: 'ada' }, 1, 1, { email: 'bob' }, 2])
  })
})

t.test('an unsendable value never lets the next statement run outside the transaction', async (t) => {
  const { database, sent } = await openEchoing(t)
  const session = database.createSession()
  const bad = session.execute(sql`insert into users (email) values (${unwritable})`)
  const good = session.repo(users).create({ email: 'ada' })
  await t.rejects(bad, ValidationError)
  t.match(await good, { email: 'ada' })
  t.same(words(sent()), ['begin; insert'])
  t.equal(await database.repo(users).count(), 0, 'nobody else sees it')
  await t.rejects(session.commit(), { code: 'DB_TRANSACTION_ABORTED', cause: { code: 'DB_VALIDATION' } }, 'a write that was not even sent is no success')
  t.equal(await database.repo(users).count(), 0)
})

t.test('an unsendable value never lets the next statement run outside its scope', async (t) => {
  const { database, sent } = await openEchoing(t)
  await database.session(async (session) => {
    await session.repo(users).create({ email: 'kept' })
    await t.rejects(session.transaction(async (scope) => {
      scope.execute(sql`insert into users (email) values (${unwritable})`).catch(() => {})
      await scope.repo(users).create({ email: 'ada' })
    }), { code: 'DB_TRANSACTION_ABORTED', cause: { code: 'DB_VALIDATION' } })
  })
  t.same((await database.repo(users).getAll()).map(({ email }) => email), ['kept'])
  t.match(sent()[1], /^savepoint s1; insert/)
})

t.test('a write that got no connection is remembered; the commit refuses', async (t) => {
  const database = await open(t, { pool: { size: 1, maxOverflow: 0, timeoutSeconds: 1 } })
  const holder = database.createSession()
  await holder.repo(users).create({ email: 'holder' })
  const session = database.createSession()
  const lost = session.repo(users).create({ email: 'lost' })
  const read = session.repo(users).count()
  await t.rejects(read, PoolTimeoutError)
  await holder.rollback()
  t.match(await session.repo(users).create({ email: 'second' }), { email: 'second' })
  await t.rejects(session.commit(), { code: 'DB_TRANSACTION_ABORTED', cause: { code: 'DB_POOL_TIMEOUT' } })
  await t.rejects(lost, PoolTimeoutError)
  t.equal(await database.repo(users).count(), 0)
})

t.test('an unsent write of an undone scope is dropped, and reads can always be retried', async (t) => {
  const database = await open(t, { pool: { size: 1, maxOverflow: 0, timeoutSeconds: 1 } })
  const holder = database.createSession()
  await holder.repo(users).create({ email: 'holder' })
  const session = database.createSession()
  await t.rejects(session.transaction((scope) => scope.repo(users).create({ email: 'lost' })), PoolTimeoutError)
  await t.rejects(session.repo(users).count(), PoolTimeoutError)
  await holder.rollback()
  t.equal(await session.repo(users).count(), 0)
  await session.repo(users).create({ email: 'ada' })
  await session.commit()
  t.equal(await database.repo(users).count(), 1)
})

t.test('a session of a closed database is refused, and settles', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await database.close()
  await t.rejects(session.repo(users).count(), ConnectionError)
  await t.rejects(session.repo(users).create({ email: 'ada' }), ConnectionError)
  await t.rejects(session.commit(), TransactionAbortedError)
  await session.rollback()
})

t.test('close() leaves the pool\'s queue, refuses statements at once, and frees the slot', async (t) => {
  const database = await open(t, one)
  const holder = database.createSession()
  await holder.repo(users).create({ email: 'holder' })
  const reader = database.createSession()
  const writer = database.createSession()
  const waiting: Array<Promise<unknown>> = [reader.repo(users).count(), writer.repo(users).create({ email: 'x' }), writer.repo(users).count()]
  t.equal(database.poolInfo.waiting, 2)
  await Promise.all([reader.close(), writer.close()])
  t.equal(database.poolInfo.waiting, 0)
  for (const statement of waiting) await t.rejects(statement, TransactionClosedError)
  t.same([reader.outcome, writer.outcome], ['none', 'none'])
  await holder.rollback()
  t.equal(await database.repo(users).count(), 0)
})

t.test('sends the limits after each BEGIN if a pooler refuses startup parameters', async (t) => {
  const { database, sent } = await openEchoing(t, { pooler: 'transaction', statementTimeoutSeconds: 7, lockTimeoutSeconds: 0 })
  await database.session(async (session) => {
    await session.repo(users).create({ email: 'ada' })
    const { rows } = await session.execute<{ limit: string }>(sql`select current_setting('statement_timeout') as limit`)
    t.same(rows, [{ limit: '7s' }])
    await session.transaction((scope) => scope.repo(users).create({ email: 'bob' }))
  })
  t.same(words(sent()), ['begin; select; insert', 'select', 'savepoint; insert', 'commit'])
  t.equal(await database.repo(users).count(), 2)
})

t.test('begin() takes a connection and sends BEGIN at once', async (t) => {
  const { database, sent } = await openEchoing(t)
  const session = database.createSession()
  await session.begin()
  t.equal(session.outcome, 'open')
  await session.repo(users).count()
  await session.rollback()
  t.same(words(sent()), ['begin; ', 'select', 'rollback'])
})
