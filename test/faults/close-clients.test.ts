import { once } from 'node:events'
import { sql } from 'drizzle-orm'
import { Pool } from 'pg'
import t from 'tap'
import { openDatabase } from '../../src/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { beside, running } from '../helpers/backend.js'
import { open } from '../helpers/database.js'
import { deferred } from '../helpers/deferred.js'
import { recordLog } from '../helpers/log-stream.js'
import { recordingLogger } from '../helpers/logger.js'
import { requestText, sendRaw } from '../helpers/raw-client.js'
import { schema, tables, users } from '../helpers/schema.js'
import { build, buildByProxy } from '../helpers/server.js'
import { until } from '../helpers/until.js'

const ada = { email: 'ada@example.com' }

const never = 'closing took too long: a client that was taken with pool.connect() and never released was ended, and what it had not committed is rolled back'

t.test('80: close() ends a client that was taken with pool.connect() and never released, and says so', async (t) => {
  const logger = recordingLogger()
  const database = await open(t, { drainTimeoutSeconds: 0.05, logger })
  const client = await database.pool.connect()
  await client.query('begin')
  await client.query("insert into users (email) values ('ada@example.com')")
  const running = client.query('select pg_sleep(60)')
  const refused = t.rejects(running)

  await database.close()

  await refused
  t.match(logger.lines, [{ level: 'error', message: never, context: { holder: 'pool.connect()', heldSeconds: Number, state: 'in a transaction' } }])
  t.equal(logger.lines.length, 1)
  t.match(database.poolInfo, { total: 0 })
  t.match(await beside(database, 'select count(*)::int as total from users'), [{ total: 0 }])
  client.release()
  t.match(database.poolInfo, { total: 0 }, 'released late, it does no harm')
})

t.test('80: so does the close of a server, whose pool is @fastify/postgres\'s', async (t) => {
  const log = recordLog()
  const server = await build(t, { drainTimeoutSeconds: 0.05, server: { logger: log.logger } })
  const client = await server.pg.connect()
  await client.query('begin')
  const [goOn, began] = [deferred(), deferred()]
  const transaction = server.pg.transact(async (client) => {
    await client.query("insert into users (email) values ('ada@example.com')")
    began.resolve()
    await goOn.promise
  })
  const lost = t.rejects(transaction)
  await began.promise

  await server.close()

  t.match(log.lines(50), [{ msg: never, holder: 'pool.connect()' }, { msg: never, holder: 'pool.connect()' }])
  t.equal(Object(server.pg.pool).ended, true, 'by who made it')
  t.match(await beside(server.db, 'select count(*)::int as total from users'), [{ total: 0 }])
  goOn.resolve()
  await lost
  client.release()
})

t.test('80: a request that hangs in the database is 503 after drainTimeoutSeconds, also over HTTP', async (t) => {
  const log = recordLog()
  const server = await build(t, { drainTimeoutSeconds: 0.05, statementTimeoutSeconds: 0, server: { logger: log.logger } })
  server.post('/hangs/:id', async (request) => {
    await request.repo(users).create(ada)
    await request.db.execute(sql`select pg_sleep(3600)`)
  })
  const client = await sendRaw(server, requestText('POST', '/hangs/7'))
  await running(server.db, 'pg_sleep')

  await server.close()

  await client.ended
  t.match(client.text, /^HTTP\/1\.1 503 .*"code":"DB_CONNECTION"/s)
  t.match(log.lines(50).filter(({ holder }) => holder !== undefined), [
    { msg: /^closing took too long: a connection still in use was ended/, holder: 'POST /hangs/:id' }
  ])
  t.match(await beside(server.db, 'select count(*)::int as total from users'), [{ total: 0 }])
})

t.test('80: nor does a handler that waits for such a client', async (t) => {
  const server = await build(t, { drainTimeoutSeconds: 0.05, pool: { size: 1, maxOverflow: 0 } })
  server.get('/', () => server.pg.connect())
  const leaked = await server.pg.connect()
  const client = await sendRaw(server, requestText('GET', '/'))
  await until(() => server.pg.pool.waitingCount === 1)

  await server.close()

  await client.ended
  t.match(client.text, /^HTTP\/1\.1 503 .*"code":"DB_CONNECTION"/s)
  leaked.release()
})

t.test('79: close() lets a client that was taken with pool.connect() finish', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  const client = await server.pg.connect()
  await client.query('begin')
  const closing = server.close()
  await server.db.session(async (session) => {
    await client.query("insert into users (email) values ('ada@example.com')")
    await client.query('commit')
    client.release()
    await session.repo(users).create({ email: 'bob@example.com' })
  })

  await closing

  t.strictSame(log.lines(40), [])
  t.match(await beside(server.db, 'select count(*)::int as total from users'), [{ total: 2 }])
})

t.test('80: a client still being opened over a silent network does not delay close()', async (t) => {
  const { server, proxy } = await buildByProxy(t, { drainTimeoutSeconds: 0.05, pool: { size: 2, maxOverflow: 0 } })
  const first = await server.pg.connect()
  proxy.blackHole()
  const accepted = proxy.accepted
  const onItsWay = t.rejects(server.pg.connect())
  await until(() => proxy.accepted > accepted)

  await server.close()

  await onItsWay
  first.release()
  t.equal(Object(server.pg.pool).ended, true)
})

t.test('80: clients of a pool of one\'s own are neither waited for nor ended', async (t) => {
  const logger = recordingLogger()
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const pg = new Pool({ connectionString, max: 2 })
  t.teardown(() => pg.end())
  const client = await pg.connect()
  const database = await openDatabase({ pg, schema, logger, drainTimeoutSeconds: 3600 })
  const later = await pg.connect()

  await database.close()

  t.strictSame(logger.lines, [])
  for (const taken of [client, later]) {
    t.match((await taken.query('select 1 as one')).rows, [{ one: 1 }])
    taken.release()
  }
  t.equal(pg.ending, false)
})

t.test('79: close() does not wait for a client kept for LISTEN, ends it last, and reports no loss', async (t) => {
  const logger = recordingLogger()
  const database = await open(t, { drainTimeoutSeconds: 3600, logger })
  const listener = await database.pool.connect()
  const heard = once(listener, 'notification')
  const ended = once(listener, 'end')
  await listener.query('listen closing')
  const session = database.createSession()
  await session.repo(users).create({ email: 'ada@example.com' })
  session.afterCommit(() => session.repo(users))
  const closing = database.close()
  await session.execute(sql`notify closing`)
  await session.commit()

  t.equal(await closing, true)
  t.match(await heard, [{ channel: 'closing' }], 'it was there to the end')
  await ended
  t.same(logger.lines, [])
  listener.release()
})

t.test('79: close() waits until a client taken by hand is idle, even if it is never released', async (t) => {
  const database = await open(t, { drainTimeoutSeconds: 3600 })
  const [kept, returned, idle] = await Promise.all([1, 2, 3].map(() => database.pool.connect()))
  await kept?.query('begin')
  await kept?.query("insert into users (email) values ('ada@example.com')")
  const sleeping = returned?.query('select pg_sleep(0.1)')
  const closing = database.close()
  await sleeping
  returned?.release()
  await kept?.query("insert into users (email) values ('bob@example.com')")
  await kept?.query('commit')

  t.equal(await closing, true)

  t.match(await beside(database, 'select count(*)::int as total from users'), [{ total: 2 }])
  kept?.release()
  idle?.release()
})
