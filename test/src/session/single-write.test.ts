import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { ForeignKeyViolationError, Repository, TransactionAbortedError, UniqueViolationError, UsageError } from '../../../src/index.js'
import { captureStatements, sandbox } from '../../../src/testing/index.js'
import { beside } from '../../helpers/backend.js'
import { open } from '../../helpers/database.js'
import { users } from '../../helpers/schema.js'
import { watchSent } from '../../helpers/sent.js'
import { single, watchSingle } from '../../helpers/single-write.js'
import { until } from '../../helpers/until.js'
import type { Session, StatementMessage } from '../../../src/index.js'
import type { Test } from '../../helpers/test.js'

const ada = { email: 'ada@example.com' }
const grace = { email: 'grace@example.com' }
const refused = { code: 'DB_USAGE', message: /needs a transaction, and this session has none: with transaction\.single/ }

/** What reaches the server, by the first word of each statement. */
async function sentIn (t: Test, fn: (session: Session) => Promise<unknown>): Promise<string[]> {
  const database = await open(t, { pool: { size: 1, maxOverflow: 0 } })
  const messages: string[] = []
  const client = await database.pool.connect()
  client.release()
  watchSent(client, (text) => { messages.push(String(text.split(' ')[0])) })
  await database.session(fn, single)
  return messages
}

t.test('a write is one message without BEGIN and COMMIT; reads before and behind it are messages of their own', async (t) => {
  t.strictSame(await sentIn(t, (session) => session.repo(users).create(ada)), ['insert'])
  t.strictSame(await sentIn(t, async (session) => {
    t.equal(await session.repo(users).count(), 0)
    const { id } = await session.repo(users).create(ada)
    t.match(await session.repo(users).getOrThrow(id), ada)
  }), ['select', 'insert', 'select'])
})

t.test('statements that are asked together keep their order', async (t) => {
  const database = await open(t)
  const repo = (session: Session) => session.repo(users)
  const counts = await database.session(async (session) =>
    await Promise.all([repo(session).count(), repo(session).create(ada).then(({ email }) => email), repo(session).count(), repo(session).count()]), single)
  t.strictSame(counts, [0, ada.email, 1, 1])
})

t.test('the session is committed with its write, and callbacks run at its end, however it ends', async (t) => {
  const database = await open(t)
  for (const [email, end] of [['a', 'commit'], ['b', 'rollback'], ['c', 'close']] as const) {
    const { session, called } = watchSingle(database)
    t.equal(session.outcome, 'none')
    await session.repo(users).create({ email })
    t.equal(session.outcome, 'committed')
    t.equal(await database.repo(users).count({ email }), 1, 'others see it')
    t.strictSame(called, [])
    await session[end]()
    t.strictSame([session.outcome, called], ['committed', ['afterCommit']], end)
    await t.rejects(session.repo(users).get(1), { code: 'DB_TRANSACTION_CLOSED' })
  }
})

t.test('a session without a write ends like every other', async (t) => {
  const database = await open(t)
  const [kept, undone] = [watchSingle(database), watchSingle(database)]
  t.equal(await kept.session.repo(users).count(), 0)
  t.equal(kept.session.isUsed, false)
  await kept.session.commit()
  await undone.session.rollback()
  t.strictSame([kept.session.outcome, kept.called, undone.session.outcome, undone.called], ['none', ['afterCommit'], 'none', ['afterRollback']])
})

t.test('a commit waits for the write that was not awaited', async (t) => {
  const database = await open(t)
  const { session, called } = watchSingle(database)
  const writing = session.repo(users).create(ada)
  await session.commit()
  t.strictSame([session.outcome, called, await database.repo(users).count()], ['committed', ['afterCommit'], 1])
  t.match(await writing, ada)
})

t.test('a function that fails behind the write undoes nothing', async (t) => {
  const database = await open(t)
  await t.rejects(database.session(async (session) => {
    await session.repo(users).create(ada)
    throw new Error('too late')
  }, single), /too late/)
  t.equal(await database.repo(users).count(), 1)
})

class Hooked extends Repository.of(users) {
  protected override beforeCreate (): void {}
}

/** Calls that need a transaction. */
const calls: Record<string, (session: Session) => unknown> = {
  'createMany of several rows': (session) => session.repo(users).createMany([ada, grace]),
  'a class with hooks': (session) => session.repo(Hooked).create(ada),
  'a nested transaction': (session) => session.transaction(async (scope) => await scope.repo(users).create(ada)),
  "Drizzle's transaction": (session) => session.drizzle.transaction(async (tx) => await tx.insert(users).values(ada)),
  upsert: (session) => session.repo(users).upsert(ada, { target: 'email' }),
  getOrCreate: (session) => session.repo(users).getOrCreate(ada),
  'begin()': (session) => session.begin(),
  'a row lock': (session) => session.repo(users).get(1, { lock: 'update' }),
  'a setting': (session) => session.execute(sql`select set_config('app.k', 'v', true)`),
  'beforeCommit()': async (session) => session.beforeCommit(() => {}),
  'rollbackOnly()': async (session) => session.rollbackOnly()
}

t.test('whatever needs a transaction is refused, and nothing of it is sent; the session cannot end as a success', async (t) => {
  const database = await open(t)
  for (const [name, call] of Object.entries(calls)) {
    const session = database.createSession(single)
    await t.rejects(Promise.resolve(call(session)), refused, name)
    await t.rejects(session.commit(), { code: 'DB_TRANSACTION_ABORTED', cause: refused }, name)
    t.equal(session.outcome, 'none', name)
  }
  t.equal(await database.repo(users).count(), 0)
})

t.test('a second write is refused, the first stays, and the session reports the refusal', async (t) => {
  const database = await open(t)
  const { session, called } = watchSingle(database)
  await session.repo(users).create(ada)
  await t.rejects(session.repo(users).create(grace), { ...refused, message: /^A second write needs/ })
  await t.rejects(session.execute(sql`select 1`), UsageError, 'raw SQL may write')
  await t.rejects(session.commit(), UsageError)
  t.strictSame([session.outcome, called], ['committed', ['afterCommit']])
  t.strictSame((await database.repo(users).getAll()).map(({ email }) => email), [ada.email])
})

t.test('a write that failed has saved nothing, and the session cannot end as a success', async (t) => {
  const database = await open(t)
  await database.repo(users).create(ada)
  const { session, called } = watchSingle(database)
  await t.rejects(session.repo(users).create(ada), UniqueViolationError)
  t.equal(session.outcome, 'none')
  t.equal(await session.repo(users).count(), 1, 'reads go on')
  await t.rejects(session.repo(users).create(grace), refused)
  await t.rejects(session.commit(), { code: 'DB_TRANSACTION_ABORTED', cause: { code: 'DB_UNIQUE_VIOLATION' } })
  t.strictSame(called, ['afterRollback'])
})

t.test('deferred constraints are checked with the write', async (t) => {
  const database = await open(t)
  await database.execute(sql.raw('create table late (id integer primary key, "userId" integer references users deferrable initially deferred)'))
  const late = pgTable('late', { id: integer().primaryKey(), userId: integer() })
  const { session, called } = watchSingle(database)
  await t.rejects(session.repo(late).create({ id: 1, userId: 404 }), ForeignKeyViolationError)
  await t.rejects(session.commit(), TransactionAbortedError)
  t.strictSame([session.outcome, called, await database.repo(late).count()], ['none', ['afterRollback'], 0])
})

t.test('a raw statement may be the write, also of several statements; one that leaves a transaction open is undone', async (t) => {
  const database = await open(t)
  await database.session((session) => session.execute(sql.raw('insert into users (email) values (\'a\'); insert into users (email) values (\'b\')')), single)
  const failing = sql.raw('insert into users (email) values (\'c\'); select 1 / 0')
  await t.rejects(database.session((session) => session.execute(failing), single), { name: /Error/, context: { sqlState: '22012' } })
  await database.session((session) => session.drizzle.insert(users).values({ email: 'd' }), single)
  const session = database.createSession(single)
  const opening = sql.raw('begin; insert into users (email) values (\'e\')')
  await t.rejects(session.execute(opening), { code: 'DB_TRANSACTION_BROKEN', message: /leave out transaction\.single/ })
  await t.rejects(session.commit(), TransactionAbortedError)
  t.strictSame((await database.repo(users).getAll()).map(({ email }) => email), ['a', 'b', 'd'])
})

t.test('a row that cannot be read is an error, and the write stays', async (t) => {
  const database = await open(t)
  await database.execute(sql.raw('create table odd (id integer primary key, at text)'))
  const odd = pgTable('odd', { id: integer().primaryKey(), at: text().$type<never>() })
  const { session, called } = watchSingle(database)
  await t.rejects(session.run({
    kind: 'write',
    text: 'insert into odd (id) values (1) returning id',
    values: [],
    reader: () => () => { throw new Error('unreadable') },
    context: { operation: 'create' }
  }))
  t.equal(session.outcome, 'committed')
  await t.rejects(session.commit(), /cannot be read|unreadable/)
  t.strictSame([called, await database.repo(odd).count()], [['afterCommit'], 1])
})

t.test('the default level of the server does not matter: each statement is a transaction by itself', async (t) => {
  const database = await open(t)
  await beside(database, `alter database ${database.pool.options.database} set default_transaction_isolation = 'serializable'`)
  await beside(database, 'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()')
  await until(() => database.pool.totalCount === 0)
  t.strictSame(await database.session(async (session) => {
    const before = await session.repo(users).count()
    await session.repo(users).create(ada)
    return [before, await session.repo(users).count(), (await session.repo(users).first())?.email]
  }, single), [0, 1, ada.email])
})

t.test('in a test sandbox it is undone with everything else', async (t) => {
  const database = await open(t)
  {
    await using box = await sandbox(database)
    await database.session((session) => session.repo(users).create(ada), single)
    t.equal(await database.repo(users).count(), 1)
    t.ok(box)
  }
  t.equal(await database.repo(users).count(), 0)
})

t.test('those who watch statements see them, outside a transaction', async (t) => {
  const database = await open(t)
  const { result, statements } = await captureStatements(database, () => database.session((session) => session.repo(users).create(ada), single))
  t.match([result, statements], [ada, [{ text: /^insert/ }]])
  const seen: Array<Pick<StatementMessage, 'operation' | 'transaction'>> = []
  const listener = (message: unknown): void => { seen.push(message as StatementMessage) }
  subscribe('tracing:data-access:statement:start', listener)
  await database.session((session) => session.repo(users).create(grace), single)
  unsubscribe('tracing:data-access:statement:start', listener)
  t.match(seen, [{ operation: 'create', transaction: undefined }])
})

t.test('a context travels with the write, and a text of several statements is refused in one', async (t) => {
  const database = await open(t)
  await database.execute(sql.raw('alter table users alter email set default current_setting(\'app.email\', true)'))
  const context = { settings: { 'app.email': 'of the context' } }
  await database.session((session) => session.execute(sql`insert into users (balance) values (7)`), { ...single, context })
  t.match(await database.repo(users).first(), { email: 'of the context', balance: 7 })
  const session = database.createSession({ ...single, context })
  await t.rejects(session.execute(sql.raw('select 1; select 2')), { ...refused, message: /^A text of several statements in a context/ })
  await session.close()
  await t.rejects(database.session((without) => without.repo(users).create(ada), { ...single, contextRequired: true }), { code: 'DB_CONTEXT_MISSING' })
  t.equal(await database.repo(users).count(), 1)
})

t.test('a write that gives no position gives a token that leads to the primary', async (t) => {
  const database = await open(t)
  const session = database.createSession({ ...single, token: true })
  session.readAfter('no token')
  t.equal(session.token, undefined)
  await session.repo(users).create(ada)
  t.type(session.token, 'string')
  await session.commit()
})

t.test('options that are about transactions are refused beside it', async (t) => {
  const database = await open(t)
  const others = {
    begin: 'firstQuery', isolationLevel: 'serializable', accessMode: 'read only', deferrable: false, retries: 1, timeoutMillis: 5, resolveCommits: true
  } as const
  for (const [name, value] of Object.entries(others)) {
    const options = { ...single, [name]: value }
    t.throws(() => database.createSession(options), { code: 'DB_USAGE', message: new RegExp(`^transaction.single cannot be combined with ${name}:`) })
  }
  t.ok(database.createSession({ ...single, begin: 'firstWrite', retries: 0, resolveCommits: false }))
  await t.rejects(database.transaction(() => 1, single), { code: 'DB_USAGE', message: /combined with begin/ })
  await t.rejects(open(t, { transaction: single }), { code: 'DB_USAGE', message: /no default of a database/ })
})
