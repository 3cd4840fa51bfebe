import t, { type Test } from 'tap'
import Fastify from 'fastify'
import { Client, Pool } from 'pg'
import dataAccess from '../../../plugins/index.js'
import { openDatabase, UsageError, type Database, type ListenOptions } from '../../../src/index.js'
import { Listener } from '../../../src/listen/listener.js'
import { Listening } from '../../../src/listen/listening.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { deferred } from '../../helpers/deferred.js'
import { recordingLogger } from '../../helpers/logger.js'
import { startProxy } from '../../helpers/proxy.js'
import { startTransactionPooler } from '../../helpers/transaction-pooler.js'
import { until } from '../../helpers/until.js'

async function build (t: Test) {
  const { connectionString } = await createTestDatabase(t)
  const logger = recordingLogger()
  const database = await openDatabase({ connectionString, logger })
  t.teardown(() => database.close())
  const client = new Client({ connectionString })
  await client.connect()
  t.teardown(() => client.end())
  const notify = (channel: string, payload = '') => client.query('select pg_notify($1, $2)', [channel, payload])
  const listening = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and (query ilike 'listen%' or query ilike 'unlisten%')"
  const kill = async () => (await client.query(`select pg_terminate_backend(pid, 5000) ${listening}`)).rowCount
  const listeners = async () => (await client.query(`select ${listening}`)).rowCount
  return { connectionString, database, logger, notify, kill, listeners }
}

/** A listener that writes down what it is told. */
async function record (database: Database, channel: string, options: ListenOptions = {}) {
  const heard: string[] = []
  const subscription = await database.listen(channel, ({ payload }) => { heard.push(payload) }, { onGap: () => { heard.push('gap') }, ...options })
  return { heard, subscription }
}

t.test('listeners get the notifications of their channel in order, over one connection, until they close', async (t) => {
  const { database, notify, listeners } = await build(t)
  const name = `Or"ders ${'é'.repeat(27)}`
  const one = await record(database, name)
  const two = await record(database, name)
  const other = await record(database, 'other')
  for (const payload of ['1', '2', '3']) await notify(name, payload)
  await until(() => two.heard.length === 3)
  t.strictSame([one.heard, two.heard, other.heard], [['1', '2', '3'], ['1', '2', '3'], []])
  t.equal(await listeners(), 1)

  await one.subscription.close()
  await one.subscription.close()
  await notify(name, '4')
  await notify('other')
  await until(() => two.heard.length === 4 && other.heard.length === 1)
  t.strictSame([one.heard.length, other.heard], [3, ['']])
  await two.subscription.close()
  await other.subscription.close()
  await until(async () => await listeners() === 0)
  t.strictSame((await record(database, name)).heard, [])
})

t.test('a listener whose backend is killed again and again is told each gap, and gets everything behind the last one', async (t) => {
  const { database, notify, kill } = await build(t)
  const one = await record(database, 'a')
  const two = await record(database, 'b')
  await record(database, 'c', { onGap: undefined })
  for (let gaps = 1; gaps <= 5; gaps++) {
    t.equal(await kill(), 1)
    await until(() => one.heard.filter((word) => word === 'gap').length === gaps && two.heard.filter((word) => word === 'gap').length === gaps)
    await notify('a', `behind ${gaps}`)
    await until(() => one.heard.includes(`behind ${gaps}`))
  }
  t.strictSame(one.heard, [1, 2, 3, 4, 5].flatMap((gaps) => ['gap', `behind ${gaps}`]))
})

t.test('handlers run one after the other, gaps among them, and their errors are logged', async (t) => {
  const { database, logger, notify, kill } = await build(t)
  const order: string[] = []
  const slow = (word: string) => async () => {
    order.push(`begin ${word}`)
    await notify('done')
    order.push(`end ${word}`)
    throw new Error(word)
  }
  const one = await database.listen('work', ({ payload }) => slow(payload)(), { onGap: slow('gap') })
  await notify('work', '1')
  await notify('work', '2')
  await until(() => order.length === 4)
  await kill()
  await until(() => order.length === 6)
  await until(() => logger.lines.filter(({ level }) => level === 'error').length === 3)
  t.strictSame(order, ['1', '2', 'gap'].flatMap((word) => [`begin ${word}`, `end ${word}`]))
  await one.close()
})

t.test('a connection that falls silent is given up, and opened again with growing pauses', async (t) => {
  const { connectionString, notify } = await build(t)
  const proxy = await startProxy(t, connectionString)
  const logger = recordingLogger()
  // The limits are short only while the network is silent: on a busy machine any answer may be slow.
  const config = { connectionString: proxy.connectionString, connectionTimeoutMillis: 10_000 }
  const times = { lifeSignMillis: 20, answerMillis: 10_000 }
  const limit = (millis: number): void => { times.answerMillis = config.connectionTimeoutMillis = millis }
  const listening = new Listening({ name: 'default', config, needsSession: true, logger }, times)
  t.teardown(() => listening.close())
  const heard: string[] = []
  const listener = () => new Listener({ handler: ({ payload }) => heard.push(payload), onGap: () => heard.push('gap'), logger, track: () => {} })
  await listening.add('a', listener())

  limit(100)
  proxy.blackHole()
  await until(() => logger.lines.filter(({ level }) => level === 'debug').length >= 2)
  await t.rejects(listening.add('b', listener()), { code: 'DB_CONNECTION' })
  limit(10_000)
  await proxy.resume()
  await until(() => heard.length === 1)
  await notify('a', 'behind')
  await until(() => heard.length === 2)
  t.strictSame(heard, ['gap', 'behind'])

  await proxy.refuse()
  const lost = logger.lines.length
  await until(() => logger.lines.length > lost)
})

t.test('what cannot be listened to is refused', async (t) => {
  const { database, connectionString } = await build(t)
  const proxy = await startProxy(t, connectionString)
  for (const channel of ['', 'a\0b', 'x'.repeat(64), 'é'.repeat(32), 7]) await t.rejects(database.listen(channel as string, () => {}), UsageError)
  await t.rejects(database.listen('a', undefined as never), UsageError)
  await t.rejects(database.listen('a', () => {}, { onGaps: () => {} } as never), UsageError)

  const other = await openDatabase({ connectionString: proxy.connectionString })
  const lost = proxy.loseRequest('listen "a"')
  await t.rejects(other.listen('a', () => {}), { code: 'DB_CONNECTION' })
  await lost
  await proxy.refuse()
  await t.rejects(other.listen('a', () => {}), { code: 'DB_CONNECTION' })
  await other.close()
  await t.rejects(other.listen('a', () => {}), { code: 'DB_CONNECTION', message: /closed/ })
})

t.test('behind a pooler it takes DATABASE_DIRECT_URL, and names it where it is missing; a pool of one\'s own is no pooler', async (t) => {
  const { connectionString: direct, notify } = await build(t)
  const { connectionString } = await startTransactionPooler(t, direct, { startupParameters: 'ignored' })
  const without = await openDatabase({ connectionString, preparedStatements: false })
  t.teardown(() => without.close())
  await t.rejects(without.listen('a', () => {}), { name: 'SettingsError', setting: 'DATABASE_DIRECT_URL', message: /but DATABASE_URL leads/ })
  const billing = await openDatabase({ name: 'billing', connectionString, preparedStatements: false })
  t.teardown(() => billing.close())
  await t.rejects(billing.listen('a', () => {}), { setting: 'BILLING_DATABASE_DIRECT_URL', message: /but BILLING_DATABASE_URL leads/ })

  const database = await openDatabase({ connectionString, preparedStatements: false, directConnectionString: direct })
  t.teardown(() => database.close())
  const { heard } = await record(database, 'a')
  const pool = new Pool({ connectionString: direct })
  t.teardown(() => pool.end())
  const own = await openDatabase({ pg: pool })
  t.teardown(() => own.close())
  const two = await record(own, 'a')
  await notify('a', '1')
  await until(() => heard.length === 1 && two.heard.length === 1)
})

t.test('closing waits for a handler that runs, begins no other, and ends the connection, with the server too', async (t) => {
  const { connectionString, notify, listeners } = await build(t)
  const server = Fastify()
  await server.register(dataAccess, { connectionString, health: false })
  const calls: string[] = []
  let finish = () => {}
  await server.db.listen('a', async ({ payload }) => {
    calls.push(payload)
    await new Promise<void>((resolve) => { finish = resolve })
    calls.push('finished')
  })
  await notify('a', '1')
  await notify('a', '2')
  await until(() => calls.length === 1)
  const closed = server.close()
  await until(async () => await listeners() === 0)
  finish()
  await closed
  t.strictSame(calls, ['1', 'finished'])
})

t.test('a listener that was closed is not called for the messages that wait', async (t) => {
  const calls: string[] = []
  const works: Array<Promise<void>> = []
  const first = deferred<void>()
  const handler = async ({ payload }: { readonly payload: string }): Promise<void> => {
    calls.push(payload)
    await first.promise
  }
  const listener = new Listener({ handler, onGap: undefined, logger: recordingLogger(), track: (work) => works.push(work) })
  for (const payload of ['one', 'two']) listener.deliver({ channel: 'a', payload, processId: 1 })
  await until(() => calls.length === 1)

  listener.close()
  first.resolve()
  await Promise.all(works)
  await new Promise(setImmediate)
  t.strictSame(calls, ['one'])
})
