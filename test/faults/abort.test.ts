import type { Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { sql } from 'drizzle-orm'
import type { FastifyHttpOptions, FastifyInstance, FastifyServerOptions } from 'fastify'
import t from 'tap'
import { SerializationFailureError } from '../../src/errors/errors.js'
import { backendOf } from '../helpers/backend.js'
import { connectionsOf } from '../helpers/connections.js'
import { deferred } from '../helpers/deferred.js'
import { holdCommits } from '../helpers/held-commit.js'
import { recordLog } from '../helpers/log-stream.js'
import { requestText, sendRaw } from '../helpers/raw-client.js'
import { users } from '../helpers/schema.js'
import { build, buildByProxy } from '../helpers/server.js'
import { secret } from '../helpers/tls-proxy.js'
import { until } from '../helpers/until.js'
import { backendsOf } from '../helpers/watch.js'

const ada = { email: 'ada@example.com' }

const reused = { acquired: 1, destroyed: 0 }
const destroyed = { acquired: 1, destroyed: 1 }
const none = { acquired: 0, destroyed: 0 }

/** Long enough for whatever has to happen before a time limit, on a busy machine, too. */
const limitMillis = 1000

const count = (server: FastifyInstance) => server.db.repo(users).count()
const idle = (server: FastifyInstance) => until(() => server.db.poolInfo.inUse === 0 && server.db.poolInfo.waiting === 0)

/** Whether a statement of the test is running. */
async function runs (server: FastifyInstance, text: string): Promise<boolean> {
  const { rows } =
    await server.db.execute(sql`select from pg_stat_activity where datname = current_database() and state = 'active' and pid <> pg_backend_pid() and query like ${`%${text}%`}`)
  return rows.length > 0
}

t.test('32: a client that leaves while its handler waits for something else leaves nothing, however the handler ends', async (t) => {
  const ways: Record<string, () => unknown> = {
    value: () => 'done',
    nothing: () => undefined,
    error: () => { throw new Error('a slip') }
  }
  for (const [name, end] of Object.entries(ways)) {
    const server = await build(t)
    const [wrote, left, ended] = [deferred(), deferred(), deferred()]
    server.post('/', async (request) => {
      await request.repo(users).create(ada)
      wrote.resolve()
      await left.promise
      try {
        return end()
      } finally {
        ended.resolve()
      }
    })
    const connections = connectionsOf(server.db)
    const client = await sendRaw(server, requestText('POST', '/'))
    await wrote.promise
    await client.leave()
    await idle(server)
    t.strictSame(connections(), reused, name)
    left.resolve()
    await ended.promise
    await turn()
    t.equal(client.text, '', name)
    t.equal(await count(server), 0, name)
  }
})

t.test('32: the same over TLS, whether the client says goodbye or not', async (t) => {
  const server = await build(t, { server: { https: secret.server } as FastifyServerOptions })
  const [wrote, left, ended] = [new Map<string, () => void>(), new Map<string, Promise<void>>(), new Map<string, () => void>()]
  server.post<{ Params: { how: string } }>('/:how', async (request) => {
    const { how } = request.params
    await request.repo(users).create({ email: how })
    wrote.get(how)?.()
    await left.get(how)
    setImmediate(() => ended.get(how)?.())
    return 'done'
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
  const connections = connectionsOf(server.db)
  for (const how of ['goodbye', 'reset']) {
    const [hasWritten, hasLeft, hasEnded] = [deferred(), deferred(), deferred()]
    wrote.set(how, hasWritten.resolve)
    left.set(how, hasLeft.promise)
    ended.set(how, hasEnded.resolve)
    const raw = connect((server.server.address() as AddressInfo).port, '127.0.0.1')
    const client = connectTls({ socket: raw, ...secret.client })
    client.on('error', () => {}).write(requestText('POST', `/${how}`))
    await hasWritten.promise
    if (how === 'reset') raw.resetAndDestroy()
    else client.destroy()
    await idle(server)
    t.strictSame(connections(), reused, how)
    hasLeft.resolve()
    await hasEnded.promise
    t.equal(await count(server), 0, how)
    connections()
  }
})

t.test('32: what a handler does after its client left is refused', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  const [wrote, left, refused] = [deferred(), deferred(), deferred<unknown>()]
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    wrote.resolve()
    await left.promise
    await request.repo(users).create({ email: 'grace' }).catch(refused.resolve)
  })
  const client = await sendRaw(server, requestText('POST', '/'))
  await wrote.promise
  await client.leave()
  await idle(server)
  left.resolve()

  t.match(await refused.promise, { code: 'DB_TRANSACTION_CLOSED', message: /client has left/ })
  t.equal(await count(server), 0)
  t.match(log.lines(20).filter(({ msg }) => msg === 'the client left, rolled back'), [{ level: 20, reqId: 'req-1' }])
})

t.test('32: a session that is asked for after the client left is refused, and takes no connection', async (t) => {
  const server = await build(t)
  const [came, left, refused] = [deferred(), deferred(), deferred<unknown>()]
  server.post('/', async (request) => {
    came.resolve()
    await left.promise
    await request.repo(users).create(ada).catch(refused.resolve)
  })
  const connections = connectionsOf(server.db)
  const client = await sendRaw(server, requestText('POST', '/'))
  await came.promise
  await client.leave()
  left.resolve()

  t.match(await refused.promise, { code: 'DB_TRANSACTION_CLOSED' })
  t.strictSame(connections(), none)
  t.equal(await count(server), 0)
})

t.test('33: a client that leaves during a long query has it cancelled, in its transaction and outside', async (t) => {
  const log = recordLog()
  const server = await build(t, { echo: true, server: { logger: log.logger } })
  server.post('/inside', async (request) => {
    await request.repo(users).create(ada)
    await request.db.execute(sql`select pg_sleep(60)`)
  })
  server.get('/outside', (request) => request.repo(users).getAll())
  // Those through which the test looks are in the pool before.
  const sessions = [1, 2, 3].map(() => server.db.createSession())
  await Promise.all(sessions.map((session) => session.begin()))
  await Promise.all(sessions.map((session) => session.close()))
  const backends = new Set(backendsOf(server.db.pool))

  const writer = await sendRaw(server, requestText('POST', '/inside'))
  await until(() => runs(server, 'pg_sleep(60)'))
  await writer.leave()
  await until(async () => !await runs(server, 'pg_sleep(60)'))
  await idle(server)
  const sent = log.lines(30).filter(({ msg, reqId }) => msg.endsWith('statement') && reqId === 'req-1').map(({ statement }) => String(statement).split(' ')[0])
  t.strictSame(sent, ['begin;', 'select', 'rollback'])

  await server.db.session(async (holder) => {
    await holder.execute(sql`lock table users`)
    const reader = await sendRaw(server, requestText('GET', '/outside'))
    await until(() => runs(server, 'from "users"'))
    await reader.leave()
    await until(async () => !await runs(server, 'from "users"'))
  })
  await idle(server)
  t.strictSame(new Set(backendsOf(server.db.pool)), backends, 'every connection is used again')
  t.equal(await count(server), 0)
})

t.test('33: where the query cannot be cancelled, because the network is silent, its connection is destroyed', async (t) => {
  const { server, proxy } = await buildByProxy(t, { transaction: { settleTimeoutMillis: 100 } })
  const [began, rejected] = [deferred(), deferred<unknown>()]
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    proxy.blackHole()
    began.resolve()
    await request.db.execute(sql`select pg_sleep(60)`).catch(rejected.resolve)
  })
  const connections = connectionsOf(server.db)
  const client = await sendRaw(server, requestText('POST', '/'))
  await began.promise

  await client.leave()

  t.match(await rejected.promise, { code: /^DB_(CONNECTION|TRANSACTION_CLOSED)$/ })
  await idle(server)
  t.strictSame(connections(), destroyed)
  proxy.cut()
  await proxy.resume()
  t.equal(await count(server), 0)
})

t.test('34: a client that leaves while it waits for a connection leaves the line', async (t) => {
  const server = await build(t, { pool: { size: 1, maxOverflow: 0 } })
  const refused = deferred<unknown>()
  server.post('/', async (request) => { await request.repo(users).create(ada).catch(refused.resolve) })
  const holder = server.db.createSession()
  await holder.begin()
  const connections = connectionsOf(server.db)
  const client = await sendRaw(server, requestText('POST', '/'))
  await until(() => server.db.poolInfo.waiting === 1)

  await client.leave()

  t.match(await refused.promise, { code: 'DB_TRANSACTION_CLOSED' })
  t.match(server.db.poolInfo, { waiting: 0, inUse: 1 })
  await holder.close()
  await idle(server)
  t.strictSame(connections(), none, 'none was lent to nobody')
  t.equal(await count(server), 0)
})

t.test('34: a connection that is only opened for a client that has left goes to the pool when it is there', async (t) => {
  const { server, proxy } = await buildByProxy(t, { pool: { size: 2, maxOverflow: 0 } })
  const refused = deferred<unknown>()
  server.post('/', async (request) => { await request.repo(users).create(ada).catch(refused.resolve) })
  const holder = server.db.createSession()
  await holder.begin()
  const connections = connectionsOf(server.db)
  proxy.blackHole()
  const { accepted } = proxy
  const client = await sendRaw(server, requestText('POST', '/'))
  await until(() => proxy.accepted > accepted)

  await client.leave()

  t.match(await refused.promise, { code: 'DB_TRANSACTION_CLOSED' })
  await proxy.resume()
  await until(() => server.db.poolInfo.idle === 1)
  t.match(server.db.poolInfo, { total: 2, idle: 1, inUse: 1, waiting: 0 })
  t.strictSame(connections(), reused, 'released on arrival')
  await holder.close()
  t.equal(await count(server), 0)
})

t.test('34: also with begin: \'onRequest\', where the handler is never reached', async (t) => {
  const server = await build(t, { pool: { size: 1, maxOverflow: 0 }, transaction: { begin: 'onRequest' } })
  server.post('/', async () => { t.fail('the handler must not run') })
  const holder = server.db.createSession()
  await holder.begin()
  const client = await sendRaw(server, requestText('POST', '/'))
  await until(() => server.db.poolInfo.waiting === 1)

  await client.leave()

  await until(() => server.db.poolInfo.waiting === 0)
  await holder.close()
  t.match(server.db.poolInfo, { waiting: 0, inUse: 0 })
})

t.test('35: once COMMIT has been sent the outcome stands, and the log says that the client did not hear of it', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  const held = await holdCommits(t, server.db)
  server.post('/', (request) => request.repo(users).create(ada))
  const connections = connectionsOf(server.db)
  const client = await sendRaw(server, requestText('POST', '/'))
  await held.reached()

  await client.leave()
  await held.release()

  await until(() => log.lines(40).length > 0)
  t.strictSame(connections(), reused)
  t.match(log.lines(40), [{ level: 40, reqId: 'req-1', msg: 'committed, but the client did not get the answer' }])
  t.equal(log.lines(40).length, 1)
  t.equal(await count(server), 1)
})

t.test('35: until COMMIT has been sent, a client that leaves still prevents it', async (t) => {
  const server = await build(t)
  const connections = connectionsOf(server.db)
  const [reached, left] = [deferred(), deferred()]
  server.post('/', async (request) => {
    request.db.beforeCommit(async () => {
      reached.resolve()
      await left.promise
    })
    return request.repo(users).create(ada)
  })
  const client = await sendRaw(server, requestText('POST', '/'))
  await reached.promise
  await client.leave()
  left.resolve()

  await idle(server)
  t.strictSame(connections(), reused)
  t.equal(await count(server), 0)
})

t.test('35: a client that leaves in the middle of a streamed answer changes nothing of what was committed', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.post('/', async (request, reply) => {
    await request.repo(users).create(ada)
    return reply.send(Readable.from((async function * () {
      yield 'half'
      await new Promise(() => {})
    })()))
  })
  const client = await sendRaw(server, requestText('POST', '/'))
  await until(() => client.text.includes('half'))

  await client.leave()

  await until(() => log.lines(40).some(({ msg }) => msg === 'committed, but the client did not get the answer'))
  t.equal(await count(server), 1)
})

t.test('36: a handler that never answers leaves nothing when its client leaves', async (t) => {
  const server = await build(t)
  const wrote = deferred()
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    wrote.resolve()
    await new Promise(() => {})
  })
  const connections = connectionsOf(server.db)
  const client = await sendRaw(server, requestText('POST', '/'))
  await wrote.promise

  await client.leave()

  await idle(server)
  t.strictSame(connections(), reused)
  t.equal(await count(server), 0)
})

t.test('37: handlerTimeout during a query is answered 503, the query is cancelled, and the handler can write no more', async (t) => {
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

t.test('23: on such a route a conflict that shows when the time is over is not repeated: it is the answer', async (t) => {
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

t.test('23: a veto that comes when the time is over is the answer, with the status of an error that has none', async (t) => {
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

t.test('38: a client that breaks off its upload, and one that is too slow with it, take no connection', async (t) => {
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

t.test('38a: an upload that is slow after the first write is ended by the idle limit of its transaction, 503', async (t) => {
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

t.test('with commit: \'onResponse\' a client that leaves after the reply was made does not undo it', async (t) => {
  const server = await build(t, { transaction: { commit: 'onResponse' } })
  server.post('/', async (request, reply) => {
    await request.repo(users).create(ada)
    reply.raw.once('close', () => closed.resolve())
    return Readable.from((async function * () {
      yield 'half'
      await new Promise(() => {})
    })())
  })
  const closed = deferred()
  const client = await sendRaw(server, requestText('POST', '/'))
  await until(() => client.text.includes('half'))
  t.equal(await count(server), 0, 'settled after the reply, not before')
  await client.leave()
  await closed.promise
  await idle(server)
  t.equal(await count(server), 1)
})
