import t from 'tap'
import { sql } from 'drizzle-orm'
import { beside, backendOf, running } from '../../helpers/backend.js'
import { open } from '../../helpers/database.js'
import { openEchoing, words } from '../../helpers/echo.js'
import { posts, users } from '../../helpers/schema.js'
import { until } from '../../helpers/until.js'
import {
  ConnectionError, PoolTimeoutError, TransactionAbortedError, TransactionClosedError, UniqueViolationError, ValidationError
} from '../../../src/index.js'
import type { Session, TransactionOptions } from '../../../src/index.js'

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

t.test('a commit that is refused names the statement that failed, not one whose answer could not be read', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await session.repo(users).create({ email: 'ada' })
  const unreadable = { kind: 'write', text: 'select 1', values: [], context: { operation: 'test' }, reader: () => () => { throw new Error('no') } } as const
  await t.rejects(session.run(unreadable), { message: /cannot be read/ })
  await t.rejects(session.repo(users).create({ email: 'ada' }), UniqueViolationError)

  await t.rejects(session.commit(), { name: 'TransactionAbortedError', cause: UniqueViolationError })
})

t.test('a commit that is refused names the first write that could not be sent', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  const named = (email: unknown) => session.run({
    kind: 'write', text: 'insert into users (email) values ($1)', values: [email], context: { operation: String(Object(email).name) }
  })
  for (const name of ['first', 'second']) await t.rejects(named({ ...unwritable, name }), ValidationError)

  await t.rejects(session.commit(), { name: 'TransactionAbortedError', cause: { context: { operation: 'first' } } })
})

t.test('a write that could not be sent is not forgotten with a scope inside its own', async (t) => {
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

t.test('what is settled leaves no timer behind', async (t) => {
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

t.test('sends BEGIN together with the first write, and plain reads before it alone', async (t) => {
  const { database, sent } = await openEchoing(t)
  await database.session(async (session) => {
    await session.repo(users).get(1)
    await session.repo(users).count()
    t.equal(session.outcome, 'none')
    t.equal(database.poolInfo.inUse, 0, 'a read holds a connection for its round trip only')
    await session.repo(users).create({ email: 'ada' })
    t.equal(session.outcome, 'open')
    await session.repo(users).get(1)
  })
  t.same(words(sent()), ['select', 'select', 'begin; insert', 'select', 'commit'])
})

t.test('a session of plain reads opens no transaction', async (t) => {
  const { database, sent } = await openEchoing(t)
  const session = database.createSession()
  await Promise.all([session.repo(users).getAll(), session.repo(users).exists(), session.repo(users).first()])
  await session.commit()
  t.equal(session.outcome, 'none')
  t.same(words(sent()), ['select', 'select', 'select'])
})

t.test('begins with the first statement that is no plain read', async (t) => {
  const { database, sent } = await openEchoing(t)
  const firsts: Record<string, (session: Session) => Promise<unknown>> = {
    'a row lock': (session) => session.repo(users).getBy({ email: 'ada' }, { lock: 'update' }),
    'a raw statement with values': (session) => session.execute(sql`select ${1}`),
    drizzle: (session) => session.drizzle.select().from(users).where(sql`id = ${1}`)
  }
  for (const [name, first] of Object.entries(firsts)) {
    await database.session(first)
    t.same(words(sent()), ['begin; select', 'commit'], name)
  }
  await database.session((session) => session.execute(sql`select 1`))
  t.same(words(sent()), ['begin; ', 'select', 'commit'], 'a raw statement without values may be anything, and travels alone')
})

t.test('reads inside the transaction where asked to, or where an option concerns its snapshot', async (t) => {
  const { database, sent } = await openEchoing(t)
  const options: Record<string, TransactionOptions> = {
    begin: { begin: 'firstQuery' },
    'begin isolation level repeatable read': { isolationLevel: 'repeatable read' },
    'begin read only': { accessMode: 'read only' },
    'begin read write': { accessMode: 'read write' },
    'begin deferrable': { deferrable: true },
    'begin isolation level serializable, read only, not deferrable': { isolationLevel: 'serializable', accessMode: 'read only', deferrable: false }
  }
  for (const [begin, option] of Object.entries(options)) {
    await database.session((session) => session.repo(users).get(1), option)
    const [first = '', ...rest] = sent()
    t.match(first, `${begin}; select`)
    t.same(rest, ['commit'])
  }
  await database.transaction((session) => session.repo(users).get(1))
  t.same(words(sent()), ['begin; select', 'commit'], 'database.transaction()')
})

for (const level of ['repeatable read', 'serializable', 'read uncommitted']) {
  for (const owner of ['database', 'role']) {
    const inside = level !== 'read uncommitted'
    t.test(`reads ${inside ? 'inside' : 'outside'} where the default of the ${owner} is ${level}`, async (t) => {
      const { database, sent } = await openEchoing(t)
      const [names] = await beside<{ database: string, role: string }>(database, 'select current_database() as database, current_user as role')
      const scope = owner === 'database' ? `database ${names?.database}` : `role "${names?.role}" in database ${names?.database}`
      await beside(database, `alter ${scope} set default_transaction_isolation = '${level}'`)
      await beside(database, 'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()')
      await until(() => database.pool.totalCount === 0)
      await database.repo(users).count()
      sent()
      await database.session((session) => session.repo(users).get(1))
      t.same(words(sent()), inside ? ['begin; select', 'commit'] : ['select'])
    })
  }
}

t.test('a read that got a connection with another level moves into the transaction, before what was asked for later', async (t) => {
  const { database, sent } = await openEchoing(t, { pool: { size: 2, maxOverflow: 0 } })
  await beside(database, `alter database ${database.pool.options.database} set default_transaction_isolation = 'repeatable read'`)
  const holder = database.createSession()
  await holder.repo(users).create({ email: 'holder' }) // has the connection that knows READ COMMITTED
  sent()
  const session = database.createSession()
  // Nobody knows yet what the new connection will say, so that both set out on the pool.
  const [count, created] = await Promise.all([session.repo(users).count(), session.repo(users).create({ email: 'ada' })])
  await session.commit()
  t.equal(count, 0)
  t.equal(created.email, 'ada')
  t.same(words(sent()), ['begin; select', 'insert', 'commit'])

  // The pool now says REPEATABLE READ, and has an old connection of the other kind: the other way round.
  await beside(database, `alter database ${database.pool.options.database} set default_transaction_isolation = 'read committed'`)
  await beside(database, 'select pg_terminate_backend($1)', [await backendOf(holder)])
  await holder.rollback()
  await Promise.all([database.repo(users).count(), database.repo(users).count()]) // opens another one, which says READ COMMITTED
  await until(() => database.poolInfo.idle === 2)
  sent()
  const readers = [database.createSession(), database.createSession()]
  t.same(await Promise.all(readers.map((reader) => reader.repo(users).count())), [1, 1])
  await Promise.all(readers.map((reader) => reader.commit()))
  t.same(words(sent()).sort(), ['begin; select', 'commit', 'select'])
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

t.test('awaits the reads under way before it takes the transaction\'s connection', async (t) => {
  const database = await open(t, { pool: { size: 3, maxOverflow: 0 } })
  const lock = database.createSession()
  await lock.execute(sql`lock table users in access exclusive mode`)
  const session = database.createSession()
  const read = session.repo(users).count()
  await running(database, 'count')
  const write = session.repo(posts).create({ userId: 1, title: 'x' })
  t.equal(session.outcome, 'none')
  t.equal(database.poolInfo.inUse, 2, 'the locker and the reader')
  await lock.rollback()
  t.equal(await read, 0)
  await t.rejects(write, { code: 'DB_FOREIGN_KEY_VIOLATION' })
  await session.rollback()
})

t.test('sessions that read and write at once end with a pool of one connection', async (t) => {
  const database = await open(t, { pool: { size: 1, maxOverflow: 0, maxWaiting: 100 } })
  const work = async (n: number): Promise<void> => {
    await database.session(async (session) => {
      const repo = session.repo(users)
      await Promise.all([
        repo.count(), repo.create({ email: `${n}a` }), repo.count(), repo.getAll(), repo.create({ email: `${n}b` }),
        session.transaction((scope) => scope.repo(users).create({ email: `${n}c` })), repo.count()
      ])
    })
  }
  await Promise.all(Array.from({ length: 20 }, (_, n) => work(n)))
  t.equal(await database.repo(users).count(), 60)
})

t.test('a value that cannot be sent never lets the statement behind it run outside the transaction', async (t) => {
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

t.test('a value that cannot be sent never lets the statement behind it run outside its scope', async (t) => {
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

t.test('a read whose value cannot be sent does not prevent the commit', async (t) => {
  const database = await open(t)
  await database.session(async (session) => {
    await session.repo(users).create({ email: 'ada' })
    await t.rejects(session.repo(users).getBy(sql`email = ${unwritable}`), ValidationError)
  })
  t.equal(await database.repo(users).count(), 1)
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

t.test('a write without a connection inside a scope that was undone is forgotten, and reads may always be tried again', async (t) => {
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

t.test('close() in the pool\'s queue leaves it: reads and writes are refused at once, the place goes to the next', async (t) => {
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

t.test('close() behind a read under way takes no connection for the write that waits for it', async (t) => {
  const database = await open(t, { pool: { size: 3, maxOverflow: 0 } })
  const lock = database.createSession()
  await lock.execute(sql`lock table users in access exclusive mode`)
  const session = database.createSession()
  const statements: Array<Promise<unknown>> = [session.repo(users).count(), session.repo(posts).create({ userId: 1, title: 'x' })]
  await running(database, 'count')
  await session.close()
  for (const statement of statements) await t.rejects(statement)
  t.equal(session.outcome, 'none')
  t.equal(database.poolInfo.inUse, 1, 'the read was cancelled, and its connection is back')
  await lock.rollback()
})

t.test('a commit awaits the reads that were asked for before it', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  const [count] = await Promise.all([session.repo(users).count(), session.commit()])
  t.equal(count, 0)
})

t.test('sends the limits behind each BEGIN where a pooler refuses startup parameters', async (t) => {
  const { database, sent } = await openEchoing(t, { preparedStatements: false, statementTimeoutSeconds: 7, lockTimeoutSeconds: 0 })
  await database.session(async (session) => {
    await session.repo(users).create({ email: 'ada' })
    const { rows } = await session.execute<{ limit: string }>(sql`select current_setting('statement_timeout') as limit`)
    t.same(rows, [{ limit: '7s' }])
    await session.transaction((scope) => scope.repo(users).create({ email: 'bob' }))
  })
  t.same(words(sent()), ['begin; select; insert', 'select', 'savepoint; insert', 'release', 'commit'])
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
