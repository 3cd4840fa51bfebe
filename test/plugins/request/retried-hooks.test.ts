import { sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { conflicts } from '../../helpers/conflicts.js'
import { recordLog } from '../../helpers/log-stream.js'
import { users } from '../../helpers/schema.js'
import { build } from '../../helpers/server.js'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Test } from 'tap'
import type { BuildOptions } from '../../helpers/server.js'

const audit = pgTable('audit', { id: integer().primaryKey().generatedAlwaysAsIdentity(), what: text().notNull() })
const counters = pgTable('counters', { id: integer().primaryKey(), n: integer().notNull() })

const config = { transaction: { retries: 2 } }
const kinds = ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const
const levels = ['root', 'child', 'route'] as const

/** A server whose inserts into `users` conflict on demand, with a table for hooks and a table for counting by handlers. */
async function buildAudited (t: Test, options: BuildOptions = {}) {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger }, ...options })
  await server.db.execute(sql`create table audit (id int primary key generated always as identity, what text not null)`)
  await server.db.execute(sql`create table counters (id int primary key, n int not null)`)
  await server.db.execute(sql`insert into counters values (1, 0), (2, 0)`)
  const { collide } = await conflicts(server.db)
  return { server, collide, log }
}

const join = (request: FastifyRequest) => request.repo(users).create({ email: 'ada@example.com' })
const counts = async ({ db }: FastifyInstance) => ({ audit: await db.repo(audit).count(), users: await db.repo(users).count() })

t.test('101: a route is not retried if any hook wrote in its transaction, wherever it was added', async (t) => {
  const { server, collide, log } = await buildAudited(t)
  const write = (name: string) => async (request: FastifyRequest) => {
    if (request.headers['x-hook'] === name) await request.repo(audit).create({ what: name })
  }
  const hooks = (level: string) => Object.fromEntries(kinds.map((kind) => [kind, write(`${level} ${kind}`)]))
  for (const kind of kinds) server.addHook(kind as 'preHandler', write(`root ${kind}`))
  server.register(async (child) => {
    for (const kind of kinds) child.addHook(kind as 'preHandler', write(`child ${kind}`))
    child.post('/', { config, ...hooks('route') }, join)
  })
  await server.ready()

  for (const level of levels) {
    for (const kind of kinds) {
      const name = `${level} ${kind}`
      const post = () => server.inject({ method: 'POST', url: '/', headers: { 'x-hook': name } })
      await collide(1)
      const refused = await post()
      t.match(refused, { statusCode: 409, headers: { 'retry-after': '1' } }, name)
      t.match(refused.json(), { code: 'DB_CONFLICT' }, name)
      t.same(await counts(server), { audit: 0, users: 0 }, name)
      t.equal((await post()).statusCode, 200, name)
      t.same(await counts(server), { audit: 1, users: 1 }, name)
      await server.db.execute(sql`truncate audit, users cascade`)
    }
  }
  t.match(log.lines(40)[0], { attempt: 1, msg: /is not repeated, because a hook had used it.*beforeCommit/ })
})

t.test('101: whatever else a hook did in the transaction, the route is not repeated without it', async (t) => {
  const { server, collide } = await buildAudited(t)
  const deeds: Record<string, (request: FastifyRequest) => unknown> = {
    'a setting by set_config': (request) => request.db.execute(sql`select set_config('app.tenant', '42', true)`),
    'SET LOCAL': (request) => request.db.execute(sql`set local statement_timeout = '9s'`),
    'a role': (request) => request.db.execute(sql`set local role none`),
    'a lock of a row': (request) => request.repo(counters).get(1, { lock: 'update' }),
    'an advisory lock': (request) => request.db.execute(sql`select pg_advisory_xact_lock(1)`),
    'a query of Drizzle\'s': (request) => request.db.drizzle.select().from(counters),
    'a nested scope': (request) => request.transaction((scope) => scope.repo(audit).create({ what: 'nested' })),
    'a write that nobody awaited': (request) => { request.repo(audit).create({ what: 'floating' }) },
    'a scope that nobody awaited': (request) => { request.transaction((scope) => scope.repo(audit).create({ what: 'floating' })) }
  }
  let attempts = 0
  server.addHook('preHandler', async (request) => { await deeds[String(request.headers['x-deed'])]?.(request) })
  server.post('/', { config }, (request) => { attempts++; return join(request) })

  for (const deed of Object.keys(deeds)) {
    attempts = 0
    await collide(1)
    const { statusCode } = await server.inject({ method: 'POST', url: '/', headers: { 'x-deed': deed } })
    t.ok([409, 500].includes(statusCode), `${deed}: ${statusCode}`)
    t.equal(attempts, 1, deed)
    t.same(await counts(server), { audit: 0, users: 0 }, deed)
  }
})

t.test('101: a row that a hook read in the order of all transactions is not served to another one', async (t) => {
  const { server, collide } = await buildAudited(t)
  let attempts = 0
  server.addHook('preHandler', async (request) => { await request.repo(counters).getOrThrow(1) })
  const route = (url: string, transaction: object) => server.post(
    url,
    { config: { transaction: { retries: 1, ...transaction } } },
    (request) => { attempts++; return join(request) }
  )
  route('/serializable', { isolationLevel: 'serializable' })
  route('/repeatable', { isolationLevel: 'repeatable read', begin: 'onRequest' })
  route('/committed', { isolationLevel: 'read committed' })
  route('/firstQuery', { begin: 'firstQuery' })
  route('/onRequest', { begin: 'onRequest' })
  route('/firstWrite', {})

  for (const [url, statusCode] of [
    ['/serializable', 409], ['/repeatable', 409], ['/committed', 200], ['/firstQuery', 200], ['/onRequest', 200], ['/firstWrite', 200]
  ] as const) {
    attempts = 0
    await collide(1)
    t.equal((await server.inject({ method: 'POST', url })).statusCode, statusCode, url)
    t.equal(attempts, statusCode === 200 ? 2 : 1, url)
    await server.db.execute(sql`truncate users cascade`)
  }
})

t.test('101: nor where the server, or one role of it, has another level by default', async (t) => {
  const { server, collide } = await buildAudited(t, { pool: { size: 1, maxOverflow: 0 } })
  let attempts = 0
  server.addHook('preHandler', async (request) => { await request.repo(counters).getOrThrow(1) })
  server.post('/', { config: { transaction: { retries: 1 } } }, (request) => { attempts++; return join(request) })
  server.post('/first', { config: { transaction: { retries: 1, begin: 'firstQuery' } } }, (request) => { attempts++; return join(request) })
  await collide(100)
  for (const url of ['/', '/first']) {
    await server.db.execute(sql.raw('do $$ begin execute format(\'alter database %I set default_transaction_isolation = \'\'serializable\'\'\', current_database()); end $$'))
    // The next connection has this level; the pool has it by then only if it has checked the connection.
    await server.db.execute(sql`select pg_terminate_backend(pg_backend_pid())`).catch(() => {})
    attempts = 0
    t.equal((await server.inject({ method: 'POST', url })).statusCode, 409, url)
    t.equal(attempts, 1, url)
  }
})

t.test('101: callbacks that hooks registered belong to each attempt, and run once', async (t) => {
  const { server, collide, log } = await buildAudited(t)
  const happened: string[] = []
  server.addHook('onRequest', async (request) => {
    request.db.beforeCommit(() => request.repo(audit).create({ what: 'before the commit' }))
    request.db.afterCommit(() => happened.push('hook committed'))
    request.db.afterRollback(() => happened.push('hook rolled back'))
  })
  let attempts = 0
  server.post('/', { config }, (request) => {
    const attempt = ++attempts
    request.db.afterCommit(() => happened.push(`committed ${attempt}`))
    request.db.afterRollback(() => happened.push(`rolled back ${attempt}`))
    return join(request)
  })

  await collide(2)
  t.equal((await server.inject({ method: 'POST', url: '/' })).statusCode, 200)
  t.same(happened, ['rolled back 1', 'rolled back 2', 'hook committed', 'committed 3'])
  t.same(await counts(server), { audit: 1, users: 1 })
  t.match(log.lines(40), [{ attempt: 1, msg: /is repeated/ }, { attempt: 2 }])

  happened.length = attempts = 0
  await server.db.execute(sql`truncate audit, users cascade`)
  await collide(100)
  t.equal((await server.inject({ method: 'POST', url: '/' })).statusCode, 409)
  t.same(happened, ['rolled back 1', 'rolled back 2', 'hook rolled back', 'rolled back 3'])
  t.same(await counts(server), { audit: 0, users: 0 })
})

t.test('101: a dry run set by a hook stays one', async (t) => {
  const { server, collide } = await buildAudited(t)
  server.addHook('preHandler', async (request) => request.db.rollbackOnly('a dry run'))
  server.post('/', { config }, join)
  await collide(1)

  t.equal((await server.inject({ method: 'POST', url: '/' })).statusCode, 200)
  t.same(await counts(server), { audit: 0, users: 0 })
})

t.test('101: a repository made by a hook ends with the first attempt, and the reply is 409', async (t) => {
  const { server, collide } = await buildAudited(t)
  server.decorateRequest('audits')
  server.addHook('preHandler', async (request) => {
    const repo = request.repo(audit)
    request.setDecorator('audits', repo)
    if (request.url === '/callback') request.db.beforeCommit(() => repo.create({ what: 'callback' }))
  })
  server.post('/', { config }, async (request) => {
    const user = await join(request)
    await request.getDecorator<ReturnType<typeof server.db.repo<typeof audit>>>('audits').create({ what: 'handler' })
    return user
  })
  server.post('/callback', { config }, join)
  server.post('/late', { config }, async (request) => {
    await join(request)
    await request.db.commit()
    return await request.repo(audit).create({ what: 'late' })
  })

  for (const url of ['/', '/callback']) {
    await collide(1)
    const reply = await server.inject({ method: 'POST', url })
    t.match(reply.json(), { statusCode: 409, code: 'DB_CONFLICT' }, url)
    t.same(await counts(server), { audit: 0, users: 0 }, url)
  }
  await collide(1)
  t.match(
    (await server.inject({ method: 'POST', url: '/late' })).json(),
    { statusCode: 500, code: 'DB_TRANSACTION_CLOSED' },
    'what the handler itself does too late stays its fault'
  )
})
