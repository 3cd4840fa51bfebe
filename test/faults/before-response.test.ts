import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Client } from 'pg'
import t from 'tap'
import type { Session } from '../../plugins/index.js'
import { beside } from '../helpers/backend.js'
import { connectionsOf } from '../helpers/connections.js'
import { recordLog } from '../helpers/log-stream.js'
import { requestText, sendRaw } from '../helpers/raw-client.js'
import { posts, users } from '../helpers/schema.js'
import { build, buildByProxy } from '../helpers/server.js'

const ada = { email: 'ada@example.com' }
const grace = { email: 'grace@example.com' }
const impossible = sql`select 1 / 0`

/** One connection was used, and went back to the pool. */
const reused = { acquired: 1, destroyed: 0 }
const destroyed = { acquired: 1, destroyed: 1 }
const none = { acquired: 0, destroyed: 0 }

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
      // Fastify's own format shows the message of any error; of ours, and in the other formats, it is a general one.
      if (format !== 'fastify' || url === '/database') t.notMatch(reply.body, /cellar|nowhere|select/, `${format} ${url}`)
    }

    t.match(log.lines(40), [
      { level: 50, reqId: 'req-1', err: { message: 'the key to the cellar' } },
      { level: 50, reqId: 'req-2', err: { code: 'DB_ERROR', context: { sqlState: '42P01' } } }
    ], format)
    t.equal(log.lines(40).length, 2)
  }
})

t.test('1: whoever fails after writes, and whatever is thrown, the client gets 500 over its socket, and nothing stays', async (t) => {
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

t.test('2: what is below 400 is kept, and from 400 on nothing is', async (t) => {
  const server = await build(t)
  server.post<{ Params: { status: number } }>('/:status', async (request, reply) => {
    await request.repo(users).create({ email: String(request.params.status) })
    return reply.code(Number(request.params.status)).send()
  })

  for (const status of [200, 201, 204, 302, 399, 400, 401, 404, 499, 500, 503]) t.equal((await post(server, `/${status}`)).statusCode, status)

  t.strictSame(await emails(server), ['200', '201', '204', '302', '399'])
})

t.test('2: an explicit 409 or 422 after writes is sent as it is, and rolled back unless the route says otherwise', async (t) => {
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

t.test('4: answers 500 when a statement that nobody awaited fails, also one that is still under way', async (t) => {
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

t.test('6: violations are answered 409, 409 and 422, without names unless one was given words of its own', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  const mapped = await build(t, {
    errors: { constraints: { users_email_key: { status: 422, code: 'EMAIL_TAKEN', message: 'users_email_key, in my own words' } } }
  })
  for (const each of [server, mapped]) each.post('/unique', async (request) => { await request.repo(users).createMany([ada, ada]) })
  server.post('/foreign', async (request) => { await request.repo(posts).create({ userId: 404, title: 'x' }) })
  server.post('/check', async (request) => { await request.repo(users).create({ ...ada, balance: -1 }) })
  const connections = connectionsOf(server.db)

  for (const [url, statusCode, code] of [
    ['/unique', 409, 'DB_UNIQUE_VIOLATION'],
    ['/foreign', 409, 'DB_FOREIGN_KEY_VIOLATION'],
    ['/check', 422, 'DB_CHECK_VIOLATION']
  ] as const) {
    const reply = await post(server, url)
    t.match(reply.json(), { statusCode, code })
    t.notMatch(reply.body, /users|posts|_key|_fkey|_check|ada@/, 'no names and no values')
    t.strictSame(connections(), reused, url)
  }
  t.match((await post(mapped, '/unique')).json(), { statusCode: 422, code: 'EMAIL_TAKEN', message: 'users_email_key, in my own words' })

  t.strictSame([...await emails(server), ...await emails(mapped)], [])
  t.equal(log.lines(40).length, 0)
  const codes = log.lines(30).flatMap(({ level, err }) => err === undefined ? [] : [`${level} ${err.code}`])
  t.strictSame(codes, ['30 DB_UNIQUE_VIOLATION', '30 DB_FOREIGN_KEY_VIOLATION', '30 DB_CHECK_VIOLATION'])
  t.notMatch(log.text, /ada@example\.com/, 'the log has no values')
})

t.test('8: a statement that takes too long is answered 503', async (t) => {
  const log = recordLog()
  const server = await build(t, { statementTimeoutSeconds: 1, server: { logger: log.logger } })
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    await request.db.execute(sql`select pg_sleep(60)`)
  })
  const connections = connectionsOf(server.db)

  t.match((await post(server)).json(), { statusCode: 503, code: 'DB_TIMEOUT' })

  t.strictSame(connections(), reused)
  t.strictSame(await emails(server), [])
  t.match(log.lines(50), [{ reqId: 'req-1', err: { code: 'DB_TIMEOUT', context: { sqlState: '57014' } } }])
  t.equal(log.lines(50).length, 1)
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

t.test('11: a reply that cannot be serialized is answered 500, and rolled back', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    return { big: 1n }
  })
  const connections = connectionsOf(server.db)

  const reply = await post(server)
  t.equal(reply.statusCode, 500)
  t.match(reply.json().message, /^Do not know how to serialize a BigInt: .*response schema.*toDict.*mode: 'number'/, 'with the ways out')

  t.strictSame(connections(), reused)
  t.strictSame(await emails(server), [])
  t.match(log.lines(40), [{ level: 50, reqId: 'req-1', err: { message: /BigInt: .*response schema/ } }])
  t.equal(log.lines(40).length, 1)
})

t.test('12: a Response decides by its own status', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.post<{ Params: { status: number } }>('/:status', async (request) => {
    await request.repo(users).create(ada)
    return new Response('said', { status: Number(request.params.status) })
  })
  const connections = connectionsOf(server.db)

  t.match(await post(server, '/500'), { statusCode: 500, body: 'said' })
  t.strictSame(connections(), reused)
  t.strictSame(await emails(server), [])
  t.equal(log.lines(40).length, 0, 'an honest 500 is no reason to warn')
  t.equal((await post(server, '/201')).statusCode, 201)
  t.strictSame(await emails(server), [ada.email])
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

t.test('14: an error that the error handler answers with 200 is rolled back, with a warning', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.setErrorHandler((_error, _request, reply) => { reply.code(200).header('x-mine', 'yes').send('never mind') })
  server.post('/thrown', async (request) => {
    await request.repo(users).create(ada)
    throw new Error('a slip')
  })
  server.post('/sent', async (request, reply) => {
    await request.repo(users).create(ada)
    return reply.send(new Error('a slip'))
  })
  const connections = connectionsOf(server.db)

  for (const url of ['/thrown', '/sent']) {
    t.match(await post(server, url), { statusCode: 200, body: 'never mind', headers: { 'x-mine': 'yes' } })
    t.strictSame(connections(), reused)
    t.strictSame(await emails(server), [])
    connections()
  }
  t.strictSame(log.lines(40).map(({ level, reqId, msg }) => `${level} ${reqId} ${msg}`), [
    '40 req-1 answered 200, rolled back',
    '40 req-2 answered 200, rolled back'
  ])
})

t.test('14: what an error handler writes is undone as well', async (t) => {
  const server = await build(t)
  server.setErrorHandler(async (_error, request, reply) => {
    await request.repo(users).create(ada)
    return reply.code(200).send('noted')
  })
  server.post('/', async () => { throw new Error('a slip') })

  t.equal((await post(server)).statusCode, 200)
  t.strictSame(await emails(server), [])
})

t.test('14a: a GraphQL answer of 200 with errors is rolled back, where commitOn reads the payload or the formatter says rollbackOnly()', async (t) => {
  const server = await build(t)
  const answer = { data: null, errors: [{ message: 'a resolver threw' }] }
  server.post('/payload', {
    config: { transaction: { commitOn: (reply, payload) => reply.statusCode < 400 && !String(payload).includes('"errors"') } }
  }, async (request) => {
    await request.repo(users).create(ada)
    return answer
  })
  server.post('/formatter', async (request) => {
    await request.repo(users).create(ada)
    request.db.rollbackOnly()
    return answer
  })
  const connections = connectionsOf(server.db)

  for (const url of ['/payload', '/formatter']) {
    const reply = await post(server, url)
    t.strictSame([reply.statusCode, reply.json()], [200, answer])
    t.strictSame(connections(), reused)
    t.strictSame(await emails(server), [])
    connections()
  }
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'errors.md'), 'utf8')
  t.match(page, /^## GraphQL\n.*commitOn: .*"errors".*rollbackOnly\(\)/ms, 'as docs/errors.md shows')
})

t.test('15: a write on a read-only route is answered 500', async (t) => {
  const log = recordLog()
  const server = await build(t, { echo: true, server: { logger: log.logger } })
  server.get('/', { config: { transaction: { accessMode: 'read only' } } }, (request) => request.repo(users).create(ada))
  const connections = connectionsOf(server.db)

  t.match((await server.inject('/')).json(), { statusCode: 500, code: 'DB_READ_ONLY' })

  t.strictSame(connections(), reused)
  t.strictSame(await emails(server), [])
  const sent = log.lines(30).filter(({ msg, reqId }) => msg === 'statement' && reqId === 'req-1')
  t.match(sent, [{ statement: /^begin read only; insert/ }, { statement: 'rollback' }])
  t.equal(sent.length, 2)
  t.match(log.lines(40), [{ level: 50, reqId: 'req-1', err: { code: 'DB_READ_ONLY' } }])
  t.equal(log.lines(40).length, 1)
})

t.test('16: 404, 401, 400 and slow bodies take no connection, so that they are answered while none is free', async (t) => {
  const server = await build(t, { pool: { size: 1, maxOverflow: 0 } })
  server.post('/users', {
    schema: { body: { type: 'object', required: ['email'], properties: { email: { type: 'string' } } } },
    onRequest: async (request, reply) => { if (request.headers.authorization === 'no') return reply.code(401).send() }
  }, (request) => request.repo(users).create(request.body as typeof ada))
  server.get('/ping', async () => 'pong')
  const holder = server.db.createSession()
  await holder.begin()
  const connections = connectionsOf(server.db)

  t.equal((await server.inject('/ping')).statusCode, 200)
  t.equal((await server.inject('/nowhere')).statusCode, 404)
  t.equal((await server.inject({ method: 'POST', url: '/users', headers: { authorization: 'no' } })).statusCode, 401)
  t.equal((await server.inject({ method: 'POST', url: '/users', payload: {} })).statusCode, 400)
  const upload = await sendRaw(
    server,
    'POST /users HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n{"email"'
  )
  t.strictSame(connections(), none)
  t.match(server.db.poolInfo, { inUse: 1, waiting: 0 }, 'nobody else holds or wants one')
  await holder.close()
  upload.socket.write(':"ada@example.com"}'.padEnd(19))
  await upload.ended
  t.match(upload.text, /^HTTP\/1.1 200/)
  t.strictSame(connections(), reused, 'when the body was there')
  t.strictSame(await emails(server), [ada.email])
})

t.test('16a: what a not-found handler writes is kept with 200 and 302, and undone with 404', async (t) => {
  const server = await build(t)
  server.setNotFoundHandler(async (request, reply) => {
    const status = Number(request.headers['x-status'])
    await request.repo(users).create({ email: String(status) })
    return status === 302 ? reply.redirect('/elsewhere') : reply.code(status).send('?')
  })
  const connections = connectionsOf(server.db)

  for (const status of [200, 302, 404]) {
    const reply = await server.inject({ url: '/nowhere', headers: { 'x-status': String(status) } })
    t.match(reply, { statusCode: status, headers: status === 302 ? { location: '/elsewhere' } : {} })
    t.strictSame(connections(), reused)
  }
  t.strictSame(await emails(server), ['200', '302'])
})

t.test('16a: a route that hands over to the not-found handler is settled before the first byte, whichever of them wrote', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.setNotFoundHandler(async (request, reply) => {
    if (request.url === '/handler') await request.repo(users).create({ email: 'handler' })
    return reply.code(200).send('an application of one page')
  })
  server.get('/:who', async (request, reply) => {
    if (request.url === '/route') await request.repo(users).create({ email: 'route' })
    reply.callNotFound()
    return reply
  })

  for (const url of ['/route', '/handler']) t.match(await server.inject(url), { statusCode: 200, body: 'an application of one page' }, url)
  t.strictSame(await emails(server), ['route', 'handler'])
  t.equal(log.lines(40).length, 0)
})

t.test('16b: a route declared before register keeps what it writes, and rolls back its errors', async (t) => {
  const log = recordLog()
  const server = await build(t, {
    server: { logger: log.logger },
    before: (server) => {
      server.post('/kept', async (request) => request.repo(users).create(ada))
      server.post('/thrown', async (request) => {
        await request.repo(users).create(grace)
        throw new Error('a slip')
      })
    }
  })
  const connections = connectionsOf(server.db)

  t.match((await post(server, '/kept')).json(), ada)
  t.strictSame(connections(), reused)
  t.equal((await post(server, '/thrown')).statusCode, 500)
  t.strictSame(connections(), reused)
  t.strictSame(await emails(server), [ada.email])
  t.match(log.lines(40), [{ level: 50, reqId: 'req-2', err: { message: 'a slip' } }])
  t.equal(log.lines(40).length, 1)
})

t.test('16c: where BEGIN is lost with its connection, the write behind it is not done, 503', async (t) => {
  const log = recordLog()
  const { server, proxy } = await buildByProxy(t, { server: { logger: log.logger } })
  server.post('/', (request) => request.repo(users).create(ada))
  const connections = connectionsOf(server.db)
  const lost = proxy.loseRequest('begin')

  const reply = await post(server)

  await lost
  t.match(reply.json(), { statusCode: 503, code: 'DB_CONNECTION' })
  t.equal(reply.headers['retry-after'], '1')
  t.strictSame(connections(), destroyed)
  t.strictSame(await emails(server), [])
  t.match(log.lines(40), [{ level: 50, reqId: 'req-1', err: { code: 'DB_CONNECTION' } }])
  t.equal(log.lines(40).length, 1)
})

t.test('16c: cancels that hit anything, BEGIN included, leave exactly the rows that were answered for', async (t) => {
  const server = await build(t, { pool: { size: 2, maxOverflow: 0 }, slowQueryMillis: 60_000 })
  server.post<{ Params: { id: string } }>('/:id', async (request) => {
    await request.repo(users).create({ email: request.params.id })
    await request.repo(posts).count()
    return 'kept'
  })
  const saboteur = new Client(server.db.pool.options)
  await saboteur.connect()
  t.teardown(() => saboteur.end())
  const done = new AbortController()
  const cancelling = (async () => {
    while (!done.signal.aborted) await saboteur.query('select pg_cancel_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()')
  })()

  const kept: string[] = []
  let refused = 0
  await Promise.all(Array.from({ length: 4 }, async (_, client) => {
    for (let n = 0; refused < 20; n++) {
      const { statusCode } = await post(server, `/${client}-${n}`)
      if (statusCode === 200) kept.push(`${client}-${n}`)
      else refused++
      if (![200, 500, 503].includes(statusCode)) t.fail(`answered ${statusCode}`)
    }
  }))
  done.abort()
  await cancelling

  const rows = await beside<{ email: string }>(server.db, 'select email from users')
  t.strictSame(rows.map(({ email }) => email).sort(), kept.sort())
})
