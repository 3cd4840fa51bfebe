import { AsyncLocalStorage } from 'node:async_hooks'
import { sql } from 'drizzle-orm'
import { integer, pgTable } from 'drizzle-orm/pg-core'
import t from 'tap'
import { statementChannel } from '../../../src/channels/channels.js'
import { messageCaller } from '../../../src/channels/messages.js'
import { UniqueViolationError } from '../../../src/index.js'
import { channelLog } from '../../helpers/channel-log.js'
import { open } from '../../helpers/database.js'
import { users } from '../../helpers/schema.js'
import type { StatementMessage } from '../../../src/channels/messages.js'

const nothing = { end () {}, asyncStart () {}, asyncEnd () {}, error () {} }

const secret = 'canary-4711@example.com'

t.test('each statement has one message, from its start to its response', async (t) => {
  const database = await open(t)
  const { log, ended, started, clear } = channelLog(t, ['statement'])

  const user = await database.repo(users).create({ email: secret })
  t.same(log.map(({ event }) => event), ['start', 'end', 'asyncStart', 'asyncEnd'])
  const [atStart] = started()
  t.match(atStart, {
    database: 'default', namespace: database.pool.options.database, route: 'database', operation: 'create', table: 'users', kind: 'write', text: /insert into "users"/
  })
  t.equal(atStart?.['durationMillis'], undefined)
  t.match(ended()[0], { rows: 1, returnedRows: 1, durationMillis: Number, processId: Number, serverAddress: String, serverPort: Number })
  t.ok(String(atStart?.['name']).length > 0)

  clear()
  await database.session(async (session) => {
    await session.repo(users).get(user.id)
    await session.repo(users).update(user.id, { balance: 5 })
    await session.transaction((scope) => scope.repo(users).count())
  })
  t.same(ended().map(({ operation, kind, rows }) => [operation, kind, rows]), [['get', 'read', 1], ['update', 'write', 1], ['count', 'read', 1]])

  clear()
  await database.query('select 1; select 2')
  t.match(ended(), [{ kind: 'raw', operation: 'execute', text: 'select 1; select 2', batchSize: 2 }])
  clear()
  await database.query('create table more ()')
  t.match(ended(), [{ rows: 0, returnedRows: 0, batchSize: undefined }])
  clear()
  await database.execute(sql`update users set balance = 1 where email = ${secret}`)
  t.match(ended(), [{ rows: 1, returnedRows: 0, text: 'update users set balance = 1 where email = $1' }])
})

t.test('a statement that fails tells its typed error and SQLSTATE; one that is never sent has no duration', async (t) => {
  const database = await open(t)
  await database.repo(users).create({ email: secret })
  const { log, ended, failed, clear } = channelLog(t, ['statement'])

  await t.rejects(database.repo(users).create({ email: secret }), UniqueViolationError)
  t.same(log.map(({ event }) => event), ['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
  t.match(failed(), [{ sqlState: '23505', error: UniqueViolationError, durationMillis: Number, rows: undefined }])

  clear()
  const holders = Array.from({ length: database.poolInfo.max }, () => database.createSession())
  await Promise.all(holders.map((holder) => holder.begin()))
  const abandoned = database.createSession()
  const waiting = t.rejects(abandoned.repo(users).create({ email: secret }), { code: 'DB_TRANSACTION_CLOSED' })
  await abandoned.close()
  await waiting
  t.match(ended(), [{ error: { code: 'DB_TRANSACTION_CLOSED' }, sqlState: undefined, durationMillis: undefined, processId: undefined }])
  await Promise.all(holders.map((holder) => holder.close()))
})

t.test('no message holds a value, and JSON leaves out the caller', async (t) => {
  const database = await open(t)
  const { log } = channelLog(t, ['statement', 'transaction', 'acquire', 'release'])
  await database.session(async (session) => {
    await session.repo(users).create({ email: secret })
    await session.repo(users).filter({ email: secret })
    await session.execute(sql`select ${secret}::text`)
    for await (const user of session.repo(users).stream({ email: secret })) t.ok(user)
    await t.rejects(session.transaction((scope) => scope.repo(users).create({ email: secret })))
  })
  t.ok(log.length > 20)
  t.notMatch(JSON.stringify(log), /canary/)
  t.ok(log.every(({ message }) => Reflect.has(message, messageCaller)))
})

t.test('a stream is one message, whose rows and time are those of all batches', async (t) => {
  const database = await open(t)
  await database.execute(sql`insert into users (email) select i::text from generate_series(1, 25) as i`)
  const { log, ended, clear } = channelLog(t, ['statement', 'transaction'])
  let count = 0
  for await (const user of database.repo(users).stream({}, { batchSize: 10 })) if (user.id > 0) count++
  t.equal(count, 25)
  t.same(log.map(({ channel, event }) => `${channel} ${event}`), ['statement start', 'statement end', 'statement asyncStart', 'statement asyncEnd'])
  t.match(ended(), [{ operation: 'stream', rows: 25, returnedRows: 25, durationMillis: Number, processId: Number, text: /^select/ }])

  clear()
  for await (const user of database.repo(users).stream({}, { batchSize: 10 })) if (user.id > 0) break
  t.match(ended(), [{ rows: 10, error: undefined }])

  clear()
  await t.rejects(async () => { for await (const row of database.repo(pgTable('missing', { id: integer().primaryKey() })).stream()) t.fail(String(row)) }, { code: 'DB_ERROR' })
  t.match(ended(), [{ error: Error, rows: undefined }])
  t.equal(ended().length, 1)
})

t.test('the start runs in the async context of the caller, and its stores reach what the statement does', async (t) => {
  const database = await open(t)
  const caller = new AsyncLocalStorage<string>()
  const seen: Array<string | undefined> = []
  const subscribers = { start: () => { seen.push(caller.getStore()) }, ...nothing }
  statementChannel.subscribe(subscribers)
  t.teardown(() => { statementChannel.unsubscribe(subscribers) })
  await database.session(async (session) => {
    await caller.run('insert', () => session.repo(users).create({ email: 'a' }))
    await Promise.all([
      caller.run('scope', () => session.transaction((scope) => scope.repo(users).create({ email: 'b' }))),
      caller.run('behind', () => session.repo(users).create({ email: 'c' }))
    ])
  })
  await caller.run('alone', () => database.repo(users).count())
  t.same(seen, ['insert', 'scope', 'behind', 'alone'])
})

t.test('statements know the transaction that they are part of', async (t) => {
  const database = await open(t)
  const seen: unknown[] = []
  const subscribers = {
    start: ({ operation, transaction }: StatementMessage) => { seen.push([operation, transaction?.statements]) },
    ...nothing
  }
  statementChannel.subscribe(subscribers)
  t.teardown(() => { statementChannel.unsubscribe(subscribers) })
  await database.session((session) => session.repo(users).create({ email: 'a' }))
  t.same(seen.splice(0), [['create', undefined]], 'nobody subscribes to transactions')

  channelLog(t, ['transaction'])
  await database.session(async (session) => {
    await session.repo(users).count()
    await session.repo(users).create({ email: 'b' })
    await session.repo(users).count()
  })
  t.same(seen, [['count', undefined], ['create', 1], ['count', 2]], 'the first read runs outside')
})
