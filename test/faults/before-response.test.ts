import { sql } from 'drizzle-orm'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import type { Session } from '../../plugins/index.js'
import { connectionsOf } from '../helpers/connections.js'
import { recordLog } from '../helpers/log-stream.js'
import { requestText, sendRaw } from '../helpers/raw-client.js'
import { users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'

const ada = { email: 'ada@example.com' }
const grace = { email: 'grace@example.com' }
const impossible = sql`select 1 / 0`

/** One connection was used, and went back to the pool. */
const reused = { acquired: 1, destroyed: 0 }
const destroyed = { acquired: 1, destroyed: 1 }

const post = (server: FastifyInstance, url = '/') => server.inject({ method: 'POST', url })
const emails = async (server: FastifyInstance) => (await server.db.repo(users).getAll()).map(({ email }) => email)

t.test('1: a handler that throws after writes is answered 500, and nothing stays', async (t) => {
  for (const format of ['fastify', 'envelope', 'problem'] as const) {
    const log = recordLog()
    const server = await build(t, { server: { logger: log.logger }, errors: { format } })
    server.post('/other', async (request) => {
      await request.repo(users).create(ada)
      throw new Error('the key to the cellar')
    })
    server.post('/database', async (request) => {
      await request.repo(users).create(ada)
      await request.db.execute(sql`select * from nowhere`)
    })
    const connections = connectionsOf(server.db)

    for (const url of ['/other', '/database']) {
      const reply = await post(server, url)
      t.equal(reply.statusCode, 500)
      t.strictSame(connections(), reused)
      t.strictSame(await emails(server), [])
      connections()
      // Fastify's own format shows the message of any error; the messages of our errors, and of the other formats, are general.
      if (format !== 'fastify' || url === '/database') t.notMatch(reply.body, /cellar|nowhere|select/, `${format} ${url}`)
    }

    t.match(log.lines(40), [
      { level: 50, reqId: 'req-1', err: { message: 'the key to the cellar' } },
      { level: 50, reqId: 'req-2', err: { code: 'DB_ERROR', context: { sqlState: '42P01' } } }
    ], format)
    t.equal(log.lines(40).length, 2)
  }
})

t.test('1: every error after writes, wherever it comes from, is a 500, and no row stays', async (t) => {
  const write = async (request: FastifyRequest) => { await request.repo(users).create({ email: request.url }) }
  const slip = async () => { throw new Error('a slip') }
  const thrown: Record<string, unknown> = { error: new Error('a slip'), text: 'a slip', object: { a: 'slip' }, number: 7 }
  const server = await build(t, {
    before: (server) => {
      server.post('/before', async (request) => { await write(request); await slip() })
      server.setNotFoundHandler(async (request) => { await write(request); await slip() })
    }
  })
  for (const [name, value] of Object.entries(thrown)) server.post(`/thrown/${name}`, async (request) => { await write(request); throw value })
  server.post('/callback', (request, reply) => { write(request).then(() => reply.send(new Error('a slip'))) })
  server.post('/preHandler', { preHandler: [write, slip] }, async () => { t.fail('the handler must not run') })
  server.post('/preSerialization', { preSerialization: slip }, async (request) => { await write(request); return { fine: true } })
  server.post(
    '/onSend',
    { onSend: async (_request, reply) => { if (reply.statusCode < 400) await slip() } },
    async (request) => { await write(request); return 'fine' }
  )
  server.get('/get', async (request) => { await write(request); await slip() })
  const connections = connectionsOf(server.db)

  const urls = [...Object.keys(thrown).map((name) => `/thrown/${name}`), '/callback', '/preHandler', '/preSerialization', '/onSend', '/before', '/nowhere']
  for (const [method, url] of [...urls.map((url) => ['POST', url] as const), ['GET', '/get'], ['HEAD', '/get']] as const) {
    const client = await sendRaw(server, requestText(method, url))
    await client.ended
    t.match(client.text, /^HTTP\/1\.1 500 /, `${method} ${url}`)
    t.strictSame(connections(), reused, `${method} ${url}`)
    t.strictSame(await emails(server), [], `${method} ${url}`)
    connections()
  }
})

t.test('2: a status below 400 commits, and one from 400 on rolls back', async (t) => {
  const server = await build(t)
  server.post<{ Params: { status: number } }>('/:status', async (request, reply) => {
    await request.repo(users).create({ email: String(request.params.status) })
    return reply.code(Number(request.params.status)).send()
  })

  for (const status of [200, 201, 204, 302, 399, 400, 401, 404, 499, 500, 503]) t.equal((await post(server, `/${status}`)).statusCode, status)

  t.strictSame(await emails(server), ['200', '201', '204', '302', '399'])
})

t.test('2: an explicit 409 or 422 after writes is sent and rolled back, unless the route commits it', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  const answer = (
    status: number,
    session: Session,
    reply: FastifyReply
  ) => session.repo(users).create({ email: String(status) }).then(() => reply.code(status).send({ why: 'I said so' }))
  server.post('/409', (request, reply) => answer(409, request.db, reply))
  server.post('/422', (request, reply) => answer(422, request.db, reply))
  server.post('/kept', { config: { transaction: { commitOn: (reply) => reply.statusCode === 423 } } }, (request, reply) => answer(423, request.db, reply))
  const connections = connectionsOf(server.db)

  for (const [url, statusCode] of [['/409', 409], ['/422', 422], ['/kept', 423]] as const) {
    t.match(await post(server, url), { statusCode, body: '{"why":"I said so"}' })
    t.strictSame(connections(), reused)
  }

  t.strictSame(await emails(server), ['423'])
  t.match(log.lines(20).filter(({ msg }) => msg === 'rolled back'), [
    { level: 20, reqId: 'req-1', statusCode: 409 },
    { level: 20, reqId: 'req-2', statusCode: 422 }
  ])
  t.equal(log.lines(40).length, 0)
})

t.test('3: answers 500, not 200, when a swallowed error spoiled the transaction', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    await request.db.execute(impossible).catch(() => {})
    await request.repo(users).count().catch(() => {})
    return 'fine'
  })
  const connections = connectionsOf(server.db)

  t.match((await post(server)).json(), { statusCode: 500, code: 'DB_TRANSACTION_ABORTED' })

  t.strictSame(connections(), reused)
  t.strictSame(await emails(server), [])
  t.match(
    log.lines(40),
    [{ level: 50, reqId: 'req-1', err: { code: 'DB_TRANSACTION_ABORTED', message: /transaction was aborted by an earlier statement.*SQLSTATE 22012/ } }],
    'with the first SQLSTATE'
  )
  t.equal(log.lines(40).length, 1)
})

t.test('4: answers 500 if a statement without await fails, even while it is still running', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    request.db.execute(sql`select 1 / (pg_sleep(0.05)::text = 'x')::int`)
    request.repo(users).create(grace)
    return 'fine'
  })
  const connections = connectionsOf(server.db)

  t.match((await post(server)).json(), { statusCode: 500, code: 'DB_TRANSACTION_ABORTED' })

  t.strictSame(connections(), reused, 'given back when everything was answered')
  t.match(server.db.poolInfo, { inUse: 0, waiting: 0 })
  t.strictSame(await emails(server), [])
  t.match(log.lines(40), [{ level: 50, reqId: 'req-1', err: { code: 'DB_TRANSACTION_ABORTED', message: /22012/ } }])
  t.equal(log.lines(40).length, 1)
})

t.test('5: answers 500 when the handler\'s own SQL ended the transaction', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.post('/:kind', async (request) => {
    await request.repo(users).create(ada)
    await request.db.execute(sql.raw(Object(request.params).kind))
    await request.repo(users).create(grace).catch(() => {})
    return 'fine'
  })
  const connections = connectionsOf(server.db)

  t.match((await post(server, '/rollback')).json(), { statusCode: 500, code: 'DB_TRANSACTION_BROKEN' })
  t.strictSame(connections(), destroyed)
  t.strictSame(await emails(server), [])
  connections()
  t.match((await post(server, '/commit')).json(), { statusCode: 500, code: 'DB_TRANSACTION_BROKEN' })
  t.strictSame(connections(), destroyed)
  t.strictSame(await emails(server), [ada.email], 'what it committed stays, and nothing more')
  t.match(log.lines(40), [
    { level: 50, reqId: 'req-1', err: { context: { operation: 'ROLLBACK' } } },
    { level: 50, reqId: 'req-2', err: { context: { operation: 'COMMIT' } } }
  ])
  t.equal(log.lines(40).length, 2)
  t.match(server.db.poolInfo, { inUse: 0, waiting: 0 })
})

t.test('9: a nested transaction that fails and is caught leaves the outer one its work', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    await request.transaction(async (scope) => { await scope.repo(users).createMany([grace, grace]) }).catch(() => {})
    await request.repo(users).create({ email: 'after' })
    return 'fine'
  })
  const connections = connectionsOf(server.db)

  t.match(await post(server), { statusCode: 200, body: 'fine' })

  t.strictSame(connections(), reused)
  t.strictSame(await emails(server), [ada.email, 'after'])
  t.equal(log.lines(40).length, 0)
})

t.test('10: of two parallel nested transactions exactly the fulfilled one stays', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.post('/', async (request) => {
    const results = await Promise.allSettled([
      request.transaction(async (scope) => { await scope.repo(users).createMany([ada, ada]) }),
      request.transaction((scope) => scope.repo(users).create(grace))
    ])
    return results.map(({ status }) => status)
  })
  const connections = connectionsOf(server.db)

  t.match(await post(server), { statusCode: 200, body: '["rejected","fulfilled"]' })

  t.strictSame(connections(), reused)
  t.strictSame(await emails(server), [grace.email])
  t.equal(log.lines(40).length, 0)
})

t.test('13: rollbackOnly() makes a dry run of a request that succeeds', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.post('/', async (request) => {
    request.db.rollbackOnly()
    return request.repo(users).create(ada)
  })
  const connections = connectionsOf(server.db)

  const reply = await post(server)

  t.match([reply.statusCode, reply.json()], [200, ada])
  t.strictSame(connections(), reused)
  t.strictSame(await emails(server), [])
  t.equal(log.lines(40).length, 0, 'it was asked for')
})
