import { sql } from 'drizzle-orm'
import t from 'tap'
import { conflicts } from '../../helpers/conflicts.js'
import { deferred } from '../../helpers/deferred.js'
import { recordLog } from '../../helpers/log-stream.js'
import { requestText, sendRaw } from '../../helpers/raw-client.js'
import { posts, users } from '../../helpers/schema.js'
import { build } from '../../helpers/server.js'
import { until } from '../../helpers/until.js'
import { AsyncContext } from '../../../src/runtime/async-context.js'
import type { FastifyRequest } from 'fastify'
import type { Test } from 'tap'
import type { BuildOptions } from '../../helpers/server.js'

const ada = { email: 'ada@example.com' }
const config = { transaction: { retries: 2 } }

/** Counts the users of an async context, from now on. */
function countUsers (t: Test) {
  const { enter } = AsyncContext.prototype
  let users = 0
  AsyncContext.prototype.enter = function () {
    const leave = enter.call(this)
    users++
    return () => { users--; leave() }
  }
  t.teardown(() => { AsyncContext.prototype.enter = enter })
  return () => users
}

/** A server with a log, and a database whose inserts into `users` conflict on demand. */
async function buildColliding (t: Test, moment: 'statement' | 'commit' = 'statement', options: BuildOptions = {}) {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger }, ...options })
  const { collide } = await conflicts(server.db, moment)
  return { server, collide, log }
}

t.test('7: a handler whose transaction conflicts runs again with a fresh reply, and commits once', async (t) => {
  const { server, collide, log } = await buildColliding(t)
  const happened: string[] = []
  let attempts = 0
  server.addHook('preHandler', async (_request, reply) => { reply.header('x-before', 'kept') })
  server.post('/', { config }, async (request, reply) => {
    const attempt = ++attempts
    t.equal(reply.statusCode, 200)
    t.equal(reply.getHeader('x-attempt'), undefined)
    reply.code(201).header('x-attempt', attempt)
    request.db.afterCommit(() => happened.push(`committed ${attempt}`))
    request.db.afterRollback(() => happened.push(`rolled back ${attempt}`))
    return await request.repo(users).create(ada)
  })
  await collide(2)

  const reply = await server.inject({ method: 'POST', url: '/' })

  t.match(reply, { statusCode: 201, headers: { 'x-attempt': '3', 'x-before': 'kept' } })
  t.match(reply.json(), ada)
  t.same(happened, ['rolled back 1', 'rolled back 2', 'committed 3'])
  t.equal(await server.db.repo(users).count(), 1)
  t.match(log.lines(40), [{ attempt: 1, reqId: 'req-1', err: { code: 'DB_CONFLICT' } }, { attempt: 2 }])
})

t.test('7: a conflict at COMMIT is retried as well, before the payload is serialized', async (t) => {
  const { server, collide } = await buildColliding(t, 'commit')
  const outcomes: string[] = []
  server.addHook('preSerialization', async (request, _reply, payload) => { outcomes.push(request.db.outcome); return payload })
  server.post('/', { config }, (request) => request.repo(users).create(ada))
  await collide(1)

  t.match(await server.inject({ method: 'POST', url: '/' }), { statusCode: 200 })
  t.same(outcomes, ['committed'])
})

t.test('7: a conflict in the last attempt, or without retries, is 409 with Retry-After', async (t) => {
  const { server, collide } = await buildColliding(t)
  let attempts = 0
  const handler = (request: { repo: typeof server.db.repo }) => { attempts++; return request.repo(users).create(ada) }
  server.get('/repeated', { config }, handler)
  server.get('/plain', handler)
  await collide(100)

  for (const [url, expected] of [['/repeated', 3], ['/plain', 1]] as const) {
    attempts = 0
    const reply = await server.inject(url)
    t.match(reply, { statusCode: 409, headers: { 'retry-after': '1' } })
    t.match(reply.json(), { code: 'DB_CONFLICT' })
    t.equal(attempts, expected, url)
  }
  attempts = 0
  await server.inject({ method: 'HEAD', url: '/repeated' })
  t.equal(attempts, 3, 'a HEAD route repeats as often as its GET route')
  t.equal(await server.db.repo(users).count(), 0)
})

t.test('only conflicts of the request\'s own transaction are retried, before any reply began', async (t) => {
  const { server, collide } = await buildColliding(t, 'commit')
  let attempts = 0
  server.post('/sent', { config }, async (request, reply) => { attempts++; await request.repo(users).create(ada); return reply.send('sent') })
  server.post('/sent-then-thrown', { config }, async (request, reply) => {
    attempts++
    await request.repo(posts).count()
    reply.send('sent')
    await server.db.transaction((session) => session.repo(users).create(ada))
  })
  server.post('/slip', { config }, async (request) => { attempts++; await request.repo(users).create(ada); throw new Error('a slip') })
  server.post('/other', { config }, () => { attempts++; return server.db.transaction((session) => session.repo(users).create(ada)) })
  await collide(100)

  for (const [url, statusCode] of [['/sent', 409], ['/sent-then-thrown', 200], ['/slip', 500], ['/other', 409]] as const) {
    attempts = 0
    t.equal((await server.inject({ method: 'POST', url })).statusCode, statusCode, url)
    t.equal(attempts, 1, url)
  }
  t.equal(await server.db.repo(users).count(), 0)
})

t.test('commitOn also decides the early commit; a commit after the response stays after it', async (t) => {
  const { server } = await buildColliding(t)
  server.post('/refused', { config }, async (request, reply) => { await request.repo(users).create(ada); reply.code(422); return { message: 'no' } })
  server.post('/dry', { config }, async (request) => { await request.repo(users).create(ada); await request.db.rollback(); return 'dry' })
  server.post('/empty', { config }, async (request, reply) => { await request.repo(users).create({ email: 'empty' }); reply.code(204).send() })
  server.post('/late', { config: { transaction: { retries: 1, commit: 'onResponse' } } }, async (request) => {
    await request.repo(users).create({ email: 'late' })
    return request.db.outcome
  })

  t.equal((await server.inject({ method: 'POST', url: '/refused' })).statusCode, 422)
  t.equal((await server.inject({ method: 'POST', url: '/dry' })).body, 'dry')
  t.equal(await server.db.repo(users).count(), 0)
  t.equal((await server.inject({ method: 'POST', url: '/empty' })).statusCode, 204)
  t.equal((await server.inject({ method: 'POST', url: '/late' })).body, 'open')
  t.equal(await server.db.repo(users).count(), 2)
})

t.test('no attempt follows after the client has left', async (t) => {
  const { server, collide } = await buildColliding(t)
  const [began, left] = [deferred(), deferred()]
  const done = deferred()
  let attempts = 0
  server.addHook('onError', async () => done.resolve())
  server.post('/', { config }, async (request) => {
    attempts++
    began.resolve()
    await left.promise
    return await request.repo(users).create(ada)
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
  await collide(1)

  const client = await sendRaw(server, requestText('POST', '/'))
  await began.promise
  await client.leave()
  left.resolve()
  await done.promise

  t.equal(attempts, 1)
  t.equal(await server.db.repo(users).count(), 0)
})

t.test('nor is the handler run again for a client that left during the pause', async (t) => {
  const contexts = countUsers(t)
  const { server, collide } = await buildColliding(t)
  const done = deferred()
  let attempts = 0
  server.addHook('onError', async () => done.resolve())
  server.post('/', { config }, async (request, reply) => {
    attempts++
    request.log.warn = () => { reply.raw.destroy() }
    return await request.repo(users).create(ada)
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
  await collide(1)

  await sendRaw(server, requestText('POST', '/'))
  await done.promise

  t.equal(attempts, 1)
  await until(() => contexts() === 0)
  t.equal(await server.db.repo(users).count(), 0)
})

t.test('7: leftovers of a failed attempt use its ended transaction, never that of the next attempt', async (t) => {
  const { server, collide } = await buildColliding(t)
  const [second, refused] = [deferred(), deferred<unknown[]>()]
  const late = async (request: FastifyRequest) => {
    await second.promise
    refused.resolve(await Promise.all([
      request.repo(users).create({ email: 'late' }).catch((error: unknown) => error),
      request.db.execute(sql`insert into users (email) values ('later')`).catch((error: unknown) => error),
      request.transaction((scope) => scope.repo(users).create({ email: 'latest' })).catch((error: unknown) => error)
    ]))
  }
  let attempts = 0
  server.get('/inner', { config }, async (request) => `${await request.repo(users).count()}`)
  server.post('/', { config }, async (request) => {
    const attempt = ++attempts
    if (attempt === 1) late(request)
    const user = await request.repo(users).create(ada)
    if (attempt === 1) return user
    second.resolve()
    await refused.promise
    t.equal((await server.inject('/inner')).body, '0', 'another route in the same context has a session of its own')
    return { user, outcome: request.db.outcome }
  })
  await collide(1)

  const reply = await server.inject({ method: 'POST', url: '/' })

  t.match(reply.json(), { user: ada, outcome: 'open' })
  for (const error of await refused.promise) t.match(error, { code: 'DB_TRANSACTION_CLOSED' })
  t.match(await server.db.repo(users).getAll(), [ada])
  t.equal(await server.db.repo(users).count(), 1)
})

t.test('7: a failed attempt that calls another route still uses its own transaction', async (t) => {
  const { server, collide } = await buildColliding(t)
  const [second, refused] = [deferred(), deferred<unknown>()]
  let attempts = 0
  let outer: FastifyRequest | undefined
  server.get('/inner', { config }, async () => {
    await second.promise
    await outer?.repo(users).create({ email: 'late' }).catch(refused.resolve)
  })
  server.post('/', { config }, async (request) => {
    outer = request
    if (++attempts === 1) server.inject('/inner').then(() => {})
    else {
      second.resolve()
      await refused.promise
    }
    return await request.repo(users).create(ada)
  })
  await collide(1)

  t.equal((await server.inject({ method: 'POST', url: '/' })).statusCode, 200)
  t.match(await refused.promise, { code: 'DB_TRANSACTION_CLOSED' })
  t.equal(await server.db.repo(users).count(), 1)
})

t.test('7: hooks mean the transaction of the attempt that was answered', async (t) => {
  const { server, collide } = await buildColliding(t)
  server.addHook('preSerialization', async (request, _reply, payload) => ({ ...Object(payload), outcome: request.db.outcome }))
  server.post('/', { config }, async (request, reply) => reply.send(await request.repo(users).create(ada)))
  await collide(1)

  t.match((await server.inject({ method: 'POST', url: '/' })).json(), { ...ada, outcome: 'open' })
})

t.test('7: attempts are kept apart until the reply is gone, and no longer', async (t) => {
  const contexts = countUsers(t)
  const { server } = await buildColliding(t)
  const [came, left, done] = [deferred(), deferred(), deferred<unknown>()]
  server.get('/plain', () => `${contexts()}`)
  server.addHook('preHandler', async (request) => {
    if (request.url !== '/left') return
    came.resolve()
    await left.promise
  })
  server.get('/', { config }, () => `${contexts()}`)
  server.get('/left', { config }, () => { done.resolve(contexts()); return '' })
  server.get('/late', { config: { transaction: { retries: 1, commit: 'onResponse' } } }, (request) => request.repo(users).create(ada))
  await server.listen({ host: '127.0.0.1', port: 0 })

  t.equal((await server.inject('/plain')).body, '0')
  t.equal((await server.inject('/')).body, '1')
  t.equal((await server.inject('/late')).statusCode, 200)
  await until(() => contexts() === 0)
  const client = await sendRaw(server, requestText('GET', '/left'))
  await came.promise
  await client.leave()
  left.resolve()
  t.equal(await done.promise, 1)
  await until(() => contexts() === 0)
  t.equal(await server.db.repo(users).count(), 1)
})

t.test('7: leftovers of a failed attempt are refused also while a commit is prepared', async (t) => {
  const { server, collide } = await buildColliding(t)
  const [prepared, told] = [deferred(), deferred<unknown>()]
  let attempts = 0
  server.post('/', { config: { transaction: { retries: 1, commit: 'onResponse' } } }, async (request) => {
    if (++attempts === 1) prepared.promise.then(() => request.repo(users).create({ email: 'late' })).catch((error: unknown) => error).then(told.resolve)
    else request.db.beforeCommit(() => { prepared.resolve(); return told.promise })
    return await request.repo(users).create(ada)
  })
  await collide(1)

  t.equal((await server.inject({ method: 'POST', url: '/' })).statusCode, 200)

  t.match(await told.promise, { code: 'DB_TRANSACTION_CLOSED' })
  await until(async () => await server.db.repo(users).count() === 1)
})
