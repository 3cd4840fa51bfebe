import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { connectionsOf } from '../helpers/connections.js'
import { recordLog } from '../helpers/log-stream.js'
import { posts, users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'

const ada = { email: 'ada@example.com' }

/** One connection was used, and went back to the pool. */
const reused = { acquired: 1, destroyed: 0 }

const post = (server: FastifyInstance, url = '/') => server.inject({ method: 'POST', url })
const emails = async (server: FastifyInstance) => (await server.db.repo(users).getAll()).map(({ email }) => email)

t.test('6: violations are 409, 409 and 422, without names of constraints unless words are given', async (t) => {
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

t.test('12: commitOn of a route sees the status of a Response', async (t) => {
  const server = await build(t)
  const commitOn = (reply: { statusCode: number }) => reply.statusCode < 400
  server.post<{ Params: { status: number } }>('/:status', { config: { transaction: { commitOn } } }, async (request) => {
    await request.repo(users).create(ada)
    return new Response('said', { status: Number(request.params.status) })
  })

  t.match(await post(server, '/409'), { statusCode: 409, body: 'said' })
  t.strictSame(await emails(server), [])
  t.equal((await post(server, '/207')).statusCode, 207)
  t.strictSame(await emails(server), [ada.email])
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

t.test('14: rows of an error handler are undone as well', async (t) => {
  const server = await build(t)
  server.setErrorHandler(async (_error, request, reply) => {
    await request.repo(users).create(ada)
    return reply.code(200).send('noted')
  })
  server.post('/', async () => { throw new Error('a slip') })

  t.equal((await post(server)).statusCode, 200)
  t.strictSame(await emails(server), [])
})

t.test('14a: a GraphQL 200 with errors is rolled back by commitOn or rollbackOnly()', async (t) => {
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
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'recipes', 'graphql.md'), 'utf8')
  t.match(page, /rollbackOnly\(.*commitOn: .*"errors"/s, 'as docs/recipes/graphql.md shows')
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
  t.match(sent, [{ statement: /^begin read only;.* insert/ }, { statement: 'rollback' }])
  t.equal(sent.length, 2)
  t.match(log.lines(40), [{ level: 50, reqId: 'req-1', err: { code: 'DB_READ_ONLY' } }])
  t.equal(log.lines(40).length, 1)
})
