import type { FastifyInstance } from 'fastify'
import { Client } from 'pg'
import t from 'tap'
import { beside } from '../helpers/backend.js'
import { connectionsOf } from '../helpers/connections.js'
import { recordLog } from '../helpers/log-stream.js'
import { sendRaw } from '../helpers/raw-client.js'
import { posts, users } from '../helpers/schema.js'
import { build, buildByProxy } from '../helpers/server.js'

const ada = { email: 'ada@example.com' }
const grace = { email: 'grace@example.com' }

/** One connection was used, and went back to the pool. */
const reused = { acquired: 1, destroyed: 0 }
const destroyed = { acquired: 1, destroyed: 1 }
const none = { acquired: 0, destroyed: 0 }

const post = (server: FastifyInstance, url = '/') => server.inject({ method: 'POST', url })
const emails = async (server: FastifyInstance) => (await server.db.repo(users).getAll()).map(({ email }) => email)

t.test('16: 404, 401, 400 and slow bodies are answered without a connection from a full pool', async (t) => {
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

t.test('16a: rows of a not-found handler are saved with 200 and 302, and undone with 404', async (t) => {
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

t.test('16a: a route that calls callNotFound() is settled before the first byte of either handler', async (t) => {
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

t.test('16b: a route declared before register commits, and rolls back its errors', async (t) => {
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

t.test('16c: if BEGIN is lost with its connection, the write after it does not run, 503', async (t) => {
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

t.test('16c: cancels at any moment, BEGIN included, leave exactly the acknowledged rows', async (t) => {
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
