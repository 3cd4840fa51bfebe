import type { Server } from 'node:http'
import { sql } from 'drizzle-orm'
import type { FastifyHttpOptions, FastifyInstance } from 'fastify'
import t from 'tap'
import { SerializationFailureError } from '../../src/errors/errors.js'
import { backendOf } from '../helpers/backend.js'
import { connectionsOf } from '../helpers/connections.js'
import { deferred } from '../helpers/deferred.js'
import { holdCommits } from '../helpers/held-commit.js'
import { recordLog } from '../helpers/log-stream.js'
import { requestText, sendRaw } from '../helpers/raw-client.js'
import { users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'
import { until } from '../helpers/until.js'
import { backendsOf } from '../helpers/watch.js'

const ada = { email: 'ada@example.com' }

const reused = { acquired: 1, destroyed: 0 }
const none = { acquired: 0, destroyed: 0 }

/** Long enough for everything that must happen before a time limit, even on a busy machine. */
const limitMillis = 1000

const count = (server: FastifyInstance) => server.db.repo(users).count()

/** Whether a statement of the test is running. */
async function runs (server: FastifyInstance, text: string): Promise<boolean> {
  const { rows } =
    await server.db.execute(sql`select from pg_stat_activity where datname = current_database() and state = 'active' and pid <> pg_backend_pid() and query like ${`%${text}%`}`)
  return rows.length > 0
}

t.test('37: handlerTimeout during a query is 503, the query cancelled, and later writes refused', async (t) => {
  const server = await build(t, { server: { handlerTimeout: limitMillis } })
  const results: unknown[] = []
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    await request.db.execute(sql`select pg_sleep(60)`).catch((error) => results.push(error))
    await request.repo(users).create({ email: 'grace' }).catch((error) => results.push(error))
  })

  const connections = connectionsOf(server.db)

  const reply = await server.inject({ method: 'POST', url: '/' })

  t.match(reply.json(), { statusCode: 503, code: 'FST_ERR_HANDLER_TIMEOUT' })
  await until(() => results.length === 2)
  t.strictSame(connections(), reused)
  t.match(results, [{ name: 'StatementTimeoutError' }, { code: 'DB_TRANSACTION_CLOSED' }])
  t.notOk(await runs(server, 'pg_sleep(60)'))
  t.equal(await count(server), 0)
})

const dropped = 'a second reply was made and not sent: the first one decided'

t.test('23: handlerTimeout while COMMIT is under way changes nothing: the answer follows the outcome', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger, handlerTimeout: limitMillis } })
  const held = await holdCommits(t, server.db)
  server.post('/', async (request, reply) => {
    const user = await request.repo(users).create(ada)
    return reply.code(201).send(user)
  })
  const connections = connectionsOf(server.db)
  const answer = server.inject({ method: 'POST', url: '/' })
  await held.reached()
  await until(() => log.lines(50).length > 0)
  await held.release()

  t.match(await answer, { statusCode: 201, headers: { 'content-type': /^application\/json/ } })
  t.match((await answer).json(), ada)
  t.strictSame(connections(), reused)
  t.equal(log.lines(50).length, 1, 'told once')
  t.equal(await count(server), 1)
})

t.test('23: an error that is slower than the answer does not disturb it', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger, handlerTimeout: limitMillis } })
  const held = await holdCommits(t, server.db)
  const answered = deferred()
  server.addHook('onSend', async (_request, reply) => { if (reply.statusCode >= 500) await answered.promise })
  server.post('/', (request) => request.repo(users).create(ada))
  const client = await sendRaw(server, requestText('POST', '/').replace('Connection: close\r\n', ''))
  await held.reached()
  await until(() => log.lines(50).length > 0)
  await held.release()
  await until(() => client.text.includes('ada@example.com'))
  answered.resolve()

  await until(() => log.lines(40).some(({ msg }) => msg === dropped))
  t.match(client.text, /^HTTP\/1.1 200/)
  t.equal(log.lines(50).length, 1, 'the time limit is told of, and nothing else')
  client.socket.end()
})

t.test('23: the same on a route with retries, whose COMMIT comes before its reply is made', async (t) => {
  const log = recordLog()
  const server = await build(t, { transaction: { retries: 1 }, server: { logger: log.logger, handlerTimeout: limitMillis } })
  const held = await holdCommits(t, server.db)
  server.post('/', async (request, reply) => {
    reply.code(201).header('x-attempt', 'first')
    return await request.repo(users).create(ada)
  })
  const answer = server.inject({ method: 'POST', url: '/' })
  await held.reached()
  await until(() => log.lines(40).some(({ msg }) => msg === dropped))
  await held.release()

  t.match(await answer, { statusCode: 201, headers: { 'content-type': /^application\/json/, 'x-attempt': 'first' } })
  t.match((await answer).json(), ada)
  t.equal(await count(server), 1)
})

t.test('23: after the handlerTimeout a conflict is answered, not retried', async (t) => {
  const log = recordLog()
  const server = await build(t, { transaction: { retries: 1 }, server: { logger: log.logger, handlerTimeout: limitMillis } })
  let attempts = 0
  server.post('/', async (request, reply) => {
    attempts++
    await request.repo(users).create(ada)
    request.db.beforeCommit(async () => {
      await until(() => log.lines(40).some(({ msg }) => msg === dropped))
      throw new SerializationFailureError()
    })
    reply.code(201).header('location', '/ada')
    return 'saved'
  })

  const reply = await server.inject({ method: 'POST', url: '/' })

  t.match(reply, { statusCode: 409, headers: { 'retry-after': '1' } })
  t.match(reply.json(), { code: 'DB_CONFLICT' })
  t.equal(attempts, 1)
  t.equal(await count(server), 0)
})

t.test('23: a veto after the handlerTimeout is answered, as 500 if its error has no status', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger, handlerTimeout: limitMillis } })
  server.post('/', async (request, reply) => {
    await request.repo(users).create(ada)
    request.db.beforeCommit(async () => {
      await until(() => log.lines(40).some(({ msg }) => msg === dropped))
      throw new Error('no')
    })
    return reply.code(201).send('saved')
  })

  t.match(await server.inject({ method: 'POST', url: '/' }), { statusCode: 500 })
  t.equal(await count(server), 0)
})

t.test('23: nor does a second error, which Fastify would write past all hooks', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger, handlerTimeout: limitMillis } })
  const held = await holdCommits(t, server.db)
  const [timedOut, thrown] = [deferred(), deferred()]
  server.post('/', async (request, reply) => {
    const user = await request.repo(users).create(ada)
    reply.code(201).send(user)
    await timedOut.promise
    setImmediate(thrown.resolve)
    throw new Error('late')
  })
  const answer = server.inject({ method: 'POST', url: '/' })
  await held.reached()
  await until(() => log.lines(40).some(({ msg }) => msg === dropped))
  timedOut.resolve()
  await thrown.promise
  await held.release()

  t.match(await answer, { statusCode: 201 })
  t.match((await answer).json(), ada)
  t.equal(await count(server), 1)
})

t.test('38: a client that aborts its upload, or is too slow, takes no connection', async (t) => {
  const half = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"email"'
  const servers: Record<string, FastifyHttpOptions<Server>> = {
    ECONNRESET: {},
    requestTimeout: { requestTimeout: 100, http: { connectionsCheckingInterval: 50, headersTimeout: 100 } },
    connectionTimeout: { connectionTimeout: 100 }
  }
  for (const [name, options] of Object.entries(servers)) {
    const server = await build(t, { pool: { size: 1, maxOverflow: 0 }, server: { ...options, forceCloseConnections: true } })
    server.post('/', async (request) => request.repo(users).create(request.body as typeof ada))
    const holder = server.db.createSession()
    await holder.begin()
    const connections = connectionsOf(server.db)

    const client = await sendRaw(server, half)
    if (name === 'ECONNRESET') await client.leave()
    await client.ended

    if (name === 'requestTimeout') t.match(client.text, /^HTTP\/1.1 408/)
    t.strictSame(connections(), none, name)
    t.match(server.db.poolInfo, { inUse: 1, waiting: 0 })
    await holder.close()
    t.equal(await count(server), 0)
  }
})

t.test('38a: an upload that is slow after the first write ends at the idle limit with 503', async (t) => {
  const server = await build(t, { idleInTransactionTimeoutSeconds: 0.5 })
  const refused = deferred<unknown>()
  let pid = 0
  server.addContentTypeParser('text/csv', (_request, payload, done) => { done(null, payload) })
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    pid = await backendOf(request.db)
    for await (const chunk of request.body as AsyncIterable<Buffer>) {
      if (!String(chunk).includes('more')) continue
      try {
        await request.repo(users).create({ email: 'grace' })
      } catch (error) {
        refused.resolve(error)
        throw error
      }
    }
  })
  const isThere = async () => (await server.db.execute(sql`select from pg_stat_activity where pid = ${pid}`)).rows.length === 1
  const client = await sendRaw(server, 'POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/csv\r\nContent-Length: 10\r\n\r\nfirst,')
  await until(async () => pid !== 0 && !await isThere())
  client.socket.write('more')

  t.match(await refused.promise, { statusCode: 503, code: 'DB_TIMEOUT' })
  await client.ended
  t.match(client.text, /^HTTP\/1.1 503.*"code":"DB_TIMEOUT"/s)
  t.notOk(backendsOf(server.db.pool).includes(pid), 'the connection is destroyed')
  t.equal(await count(server), 0)
})
