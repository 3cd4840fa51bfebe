import t from 'tap'
import { sql } from 'drizzle-orm'
import { beside, backendOf, running } from '../../../helpers/backend.js'
import { open } from '../../../helpers/database.js'
import { openEchoing, words } from '../../../helpers/echo.js'
import { posts, users } from '../../../helpers/schema.js'
import { caller } from '../../../helpers/pool.js'
import { lookup } from '../../../helpers/sharing.js'
import { until } from '../../../helpers/until.js'
import { ValidationError } from '../../../../src/index.js'
import { ignore } from '../../../../src/runtime/promises.js'
import { ReadsBeforeBegin } from '../../../../src/session/transaction/reads-before-begin.js'
import type { Session, TransactionOptions } from '../../../../src/index.js'
import type { Task } from '../../../../src/connection/batch.js'
import type { AcquireRequest } from '../../../../src/pool/acquire-queue.js'
import type { LentConnection } from '../../../../src/pool/connection-source.js'

/** Cannot be written as text for PostgreSQL. */
const unwritable = { toPostgres () { throw new TypeError('no text') } }

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

t.test('reads inside the transaction if configured, or if an option concerns its snapshot', async (t) => {
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

t.test('a read with a connection of another level moves into the transaction, in order', async (t) => {
  const { database, sent } = await openEchoing(t, { pool: { size: 2, maxOverflow: 0 } })
  await beside(database, `alter database ${database.pool.options.database} set default_transaction_isolation = 'repeatable read'`)
  const holder = database.createSession()
  await holder.repo(users).create({ email: 'holder' }) // has the connection with READ COMMITTED
  sent()
  const session = database.createSession()
  // The level of the new connection is not known yet, so both statements request a connection from the pool.
  const [count, created] = await Promise.all([session.repo(users).count(), session.repo(users).create({ email: 'ada' })])
  await session.commit()
  t.equal(count, 0)
  t.equal(created.email, 'ada')
  t.same(words(sent()), ['begin; select', 'insert', 'commit'])

  // The pool now expects REPEATABLE READ, and has an old connection of the other level: the reverse case.
  await beside(database, `alter database ${database.pool.options.database} set default_transaction_isolation = 'read committed'`)
  await beside(database, 'select pg_terminate_backend($1)', [await backendOf(holder)])
  await holder.rollback()
  const old = await database.pool.connect()
  await database.repo(users).count() // opens another one, with READ COMMITTED
  const young = await database.pool.connect()
  for (const client of [old, young]) client.release() // the one that was released last is taken first
  await until(() => database.poolInfo.idle === 2)
  sent()
  const readers = [database.createSession(), database.createSession()]
  t.same(await Promise.all(readers.map((reader) => reader.repo(users).count())), [1, 1])
  await Promise.all(readers.map((reader) => reader.commit()))
  t.same(words(sent()).sort(), ['begin; select', 'commit', 'select'])
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

t.test('a read whose value cannot be sent does not prevent the commit', async (t) => {
  const database = await open(t)
  await database.session(async (session) => {
    await session.repo(users).create({ email: 'ada' })
    await t.rejects(session.repo(users).getBy(sql`email = ${unwritable}`), ValidationError)
  })
  t.equal(await database.repo(users).count(), 1)
})

t.test('close() during a read takes no connection for the write behind it', async (t) => {
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

t.test('a commit awaits earlier reads', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  const [count] = await Promise.all([session.repo(users).count(), session.commit()])
  t.equal(count, 0)
})

for (const place of ['a replica', 'the primary'] as const) {
  t.test(`a read of an ended session that its connection to ${place} does not suit is not repeated, and leaves it when no cancel request is on its way`, async (t) => {
    let cancelled = ignore
    const happened: string[] = []
    let tasks: readonly Task[] = []
    // Only PostgreSQL's default isolation level makes a connection unsuited, which no test can change between a cancel request and its arrival.
    const connection = {
      readCommitted: true,
      isIdle: false,
      leading: () => [],
      idle: async () => {},
      cancel: () => new Promise<void>((resolve) => { cancelled = resolve }),
      send: (sent: readonly Task[]) => { tasks = sent },
      release: () => { happened.push('released') }
    }
    const source = { acquire: (request: AcquireRequest<LentConnection>) => { request.lend(connection as unknown as LentConnection); return ignore } }
    const refused = { acquire: () => t.fail('it is not repeated') }
    const session = {
      caller,
      lead: undefined,
      answer: () => t.fail('there is no answer'),
      reject: (_: unknown, { message }: Error) => happened.push(`refused: ${message}`),
      unsuited: () => happened.push('unsuited'),
      readEnded: () => happened.push('ended')
    }
    const route = place === 'a replica' ? { replica: source, position: undefined, leave () {} } : undefined
    const reads = new ReadsBeforeBegin(session, { pool: route === undefined ? source : refused } as never, route as never)

    reads.start({ statement: lookup('select 1') }, false)
    reads.close(() => new Error('closed'))
    const abandoned = reads.abandon(60_000)
    tasks[0]?.unsuited?.()
    connection.isIdle = true
    const refusal = place === 'a replica' ? 'refused: closed' : 'unsuited'
    t.strictSame(happened, [refusal])
    cancelled()
    await abandoned
    t.strictSame(happened, [refusal, 'released', 'ended'])
  })
}
