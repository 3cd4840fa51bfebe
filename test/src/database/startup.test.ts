import { once } from 'node:events'
import t from 'tap'
import { Client } from 'pg'
import { ConnectionError, openDatabase } from '../../../src/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { open } from '../../helpers/database.js'
import { patient } from '../../helpers/info.js'
import { recordingLogger } from '../../helpers/logger.js'
import { startProxy } from '../../helpers/proxy.js'
import { until } from '../../helpers/until.js'
import { schema, tables, users } from '../../helpers/schema.js'
import type { DatabaseOptions } from '../../../src/index.js'

const small = { size: 1, maxOverflow: 0 }

t.test('waits for an unreachable database, and logs it', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  await proxy.refuse()
  const logger = recordingLogger()

  const opening = openDatabase({ connectionString: proxy.connectionString, waitForDatabaseSeconds: 60, pool: small, logger })
  await until(() => logger.lines.length >= 2)
  await proxy.resume()
  const database = await opening
  t.teardown(() => database.close())

  t.match(logger.lines[0], { level: 'warn', message: 'the database does not answer yet', context: { err: { code: 'DB_CONNECTION' } } })
  t.match(await database.checkHealth(patient), { healthy: true })
})

t.test('gives up when the time is over', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  await proxy.refuse()
  const logger = recordingLogger()

  await t.rejects(openDatabase({ connectionString: proxy.connectionString, waitForDatabaseSeconds: 0.15, logger }), { message: /\(ECONNREFUSED\)/ })

  t.ok(logger.lines.length <= 1, 'no attempt begins when the time is over')
})

t.test('a connection that is lost before it has answered counts as no answer', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  proxy.loseRequest('max_connections')

  await t.rejects(openDatabase({ connectionString: proxy.connectionString, pool: small }), ConnectionError)

  proxy.loseRequest('max_connections')
  const database = await openDatabase({ connectionString: proxy.connectionString, pool: small, waitForDatabaseSeconds: 30 })
  t.match(database.poolInfo, { total: 1, idle: 1 })
  await database.close()
})

t.test('warns if the pool may exceed the free connections of the server', async (t) => {
  const logger = recordingLogger()
  await open(t, { logger, pool: { size: 20, maxOverflow: 100_000 } })
  t.match(logger.lines, [{ level: 'warn', message: /^1 × 100020 connections .* lower DATABASE_POOL_SIZE/, context: { processes: 1, max: 100_020, left: Number } }])

  const named = recordingLogger()
  await open(t, { name: 'billing', logger: named, pool: { size: 20, maxOverflow: 100_000 } })
  t.match(named.lines, [{ message: /\(BILLING_DATABASE_PROCESSES × pool\).* lower BILLING_DATABASE_POOL_SIZE or BILLING_DATABASE_MAX_OVERFLOW, correct BILLING_/ }])

  const quiet = recordingLogger()
  await open(t, { logger: quiet, pool: small })
  t.same(quiet.lines, [])
})

t.test('a name that may have several addresses fails as one address does', async (t) => {
  const options: DatabaseOptions = { connectionString: 'postgresql://ada:s3cret@localhost:1/shop' }
  await t.rejects(openDatabase(options), { message: /ECONNREFUSED.*nothing is listening there/ })
})

t.test('a failure without a code points to the URL', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const url = new URL(connectionString)
  url.searchParams.set('sslmode', 'require')
  await t.rejects(openDatabase({ connectionString: url.href }), { message: /^The database could not be reached: check that DATABASE_URL .*sslmode/ })
})

const ada = { email: 'ada@example.com' }

t.test('is closed when its connections are', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const database = await openDatabase({ connectionString, schema })
  const clients = await Promise.all(Array.from({ length: 5 }, () => database.pool.connect()))
  for (const client of clients) client.release()
  const sockets = (database.pool as unknown as {
    _clients: Array<Client & { connection: { stream: { closed: boolean } } }>
  })._clients.map(({ connection }) => connection.stream)

  await database.close()

  t.equal(sockets.length, 5)
  t.ok(sockets.every(({ closed }) => closed))
  await t.rejects(database.repo(users).count(), { code: 'DB_CONNECTION', message: 'The database was closed' })
  await t.rejects(database.session((session) => session.repo(users).create(ada)), { code: 'DB_CONNECTION' })
})

t.test('closing twice, at once or later, is one closing', async (t) => {
  const database = await open(t)
  await database.repo(users).count()

  const closing = database.close()
  t.equal(database.close(), closing)
  await closing
  await database.close()
})

t.test('closes also if its pool has been ended before', async (t) => {
  const database = await open(t)
  await database.pool.end()
  await database.close()
  t.equal(database.pool.ended, true)
})

t.test('does not wait for ever for a client checked out through its pool', async (t) => {
  const database = await open(t, { drainTimeoutSeconds: 0.05 })
  const client = await database.pool.connect()
  const ended = once(client, 'end').catch(() => {})

  await database.close()

  await ended
  client.release()
})
