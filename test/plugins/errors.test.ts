import { Writable } from 'node:stream'
import Fastify from 'fastify'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import t from 'tap'
import { errorsPlugin } from '../../plugins/errors.js'
import type { ErrorsOptions } from '../../plugins/errors.js'
import { ConnectionError, DatabaseError, NotFoundError, UniqueViolationError } from '../../src/errors/errors.js'

interface Line {
  level: number
  msg: string
  reqId?: string
  err?: { type: string, code: string, message: string, context: object }
}

interface Built {
  server: FastifyInstance
  /** The log lines except `incoming request` and `request completed`. */
  failures: () => Line[]
}

interface BuildOptions extends FastifyServerOptions {
  before?: (server: FastifyInstance) => void
}

/** The test that owns a server. */
interface Owner {
  after (fn: () => Promise<void>): unknown
}

/** A server with routes that fail in every way, closed with the test. */
async function build (t: Owner, errors: ErrorsOptions | undefined, { before, ...options }: BuildOptions = {}): Promise<Built> {
  const lines: Line[] = []
  const stream = new Writable({ write (line, _encoding, done) { lines.push(JSON.parse(String(line))); done() } })
  const server = Fastify({ logger: { stream }, ...options })
  t.after(() => server.close())
  before?.(server)
  await server.register(errorsPlugin, { errors })

  server.get('/missing', async () => { throw new NotFoundError('User not found', { context: { operation: 'getOrThrow', table: 'users' } }) })
  server.get('/down', async () => { throw new ConnectionError(undefined, { cause: new Error('connect ECONNREFUSED 10.0.0.7:5432') }) })
  server.get('/bug', async () => { throw new Error('secret of the house') })
  server.get('/text', () => { throw 'secret text' }) // eslint-disable-line no-throw-literal
  server.get('/teapot', async (_request, reply) => { reply.code(418); throw new Error('Short and stout') })
  server.post('/users', { schema: { body: { type: 'object', properties: { age: { type: 'integer' } } } } }, async () => 'never')
  server.get('/copy', async () => ({ message: 'Route GET:/copy not found' }))
  const failures = () => lines.filter(({ msg }) => !['incoming request', 'request completed'].includes(msg))
  return { server, failures }
}

t.test('sets no error handler with the default format', async (t) => {
  for (const errors of [undefined, {}, { format: 'fastify' } as const]) {
    const { server } = await build(t, errors)
    const reply = await server.inject('/missing')
    t.equal(server.errorHandler.name, 'defaultErrorHandler')
    t.strictSame(reply.json(), { statusCode: 404, code: 'DB_NOT_FOUND', error: 'Not Found', message: 'User not found' })
  }
})

t.test('answers our errors in the envelope', async (t) => {
  const { server } = await build(t, { format: 'envelope' })
  const reply = await server.inject('/missing')
  t.equal(reply.statusCode, 404)
  t.equal(reply.headers['content-type'], 'application/json; charset=utf-8')
  t.strictSame(reply.json(), { success: false, error: { code: 'DB_NOT_FOUND', message: 'User not found' }, requestId: 'req-1' })
})

t.test('answers our errors as problems', async (t) => {
  const { server } = await build(t, { format: 'problem' })
  const reply = await server.inject('/missing?token=abc')
  t.equal(reply.statusCode, 404)
  t.equal(reply.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.strictSame(reply.json(), {
    type: 'about:blank', title: 'Not Found', status: 404, detail: 'User not found', instance: '/missing', code: 'DB_NOT_FOUND', requestId: 'req-1'
  })
})

t.test('sends Retry-After along, and nothing of the cause', async (t) => {
  const { server } = await build(t, { format: 'envelope' })
  const reply = await server.inject('/down')
  t.equal(reply.statusCode, 503)
  t.equal(reply.headers['retry-after'], '1')
  t.notMatch(reply.body, /ECONNREFUSED|10\.0\.0\.7/)
})

t.test("where only Fastify's own error handler was there, other errors have the format too", async (t) => {
  const { server } = await build(t, { format: 'problem' })

  t.match((await server.inject('/bug')).json(), { status: 500, code: 'INTERNAL_SERVER_ERROR', detail: 'Internal Server Error' })
  t.match((await server.inject('/text')).json(), { status: 500, detail: 'Internal Server Error' })
  t.match((await server.inject('/teapot')).json(), { status: 418, detail: 'Short and stout' }, 'with the status that the reply had')
  const invalid = await server.inject({ method: 'POST', url: '/users', payload: { age: 'old' } })
  t.equal(invalid.statusCode, 400)
  t.match(invalid.json(), { status: 400, code: 'FST_ERR_VALIDATION', details: [{ in: 'body', path: '/age', message: 'must be integer' }] })
  t.match((await server.inject({ method: 'POST', url: '/users', payload: '{', headers: { 'content-type': 'application/json' } })).json(), { status: 400 })
})

t.test('hands other errors to the error handler that was there before', async (t) => {
  const { server, failures } = await build(t, { format: 'envelope' }, {
    before: (server) => server.setErrorHandler((error, _request, reply) => {
      reply.code(500).send({ mine: error instanceof Error ? error.message : error })
    })
  })

  t.strictSame((await server.inject('/bug')).json(), { mine: 'secret of the house' })
  t.strictSame((await server.inject('/text')).json(), { mine: 'secret text' })
  t.match((await server.inject({ method: 'POST', url: '/users', payload: { age: 'old' } })).json(), { mine: 'body/age must be integer' })
  t.match((await server.inject('/nowhere')).json(), { statusCode: 404, error: 'Not Found' }, "and leaves Fastify's not-found answer alone")
  t.strictSame(failures().map(({ msg }) => msg), ['Route GET:/nowhere not found'], 'which may log or not')

  t.match((await server.inject('/missing')).json(), { success: false, error: { code: 'DB_NOT_FOUND' } }, 'ours stay ours')
})

t.test('an error handler before us that throws is followed by the one before it, once', async (t) => {
  let calls = 0
  const { server } = await build(t, { format: 'envelope' }, {
    before: (server) => server.setErrorHandler(async (error) => { calls += 1; throw error })
  })
  t.match((await server.inject('/bug')).json(), { statusCode: 500, message: 'secret of the house' })
  t.equal(calls, 1)
})

t.test('an error handler of a child wins, and reaches ours by throwing', async (t) => {
  const { server } = await build(t, { format: 'envelope' })
  server.register(async (child) => {
    child.setErrorHandler((error: Error, _request, reply) => {
      if (error instanceof UniqueViolationError) return reply.code(409).send({ mine: true })
      throw error
    })
    child.get('/child/taken', async () => { throw new UniqueViolationError() })
    child.get('/child/missing', async () => { throw new NotFoundError() })
  })
  t.strictSame((await server.inject('/child/taken')).json(), { mine: true })
  t.match((await server.inject('/child/missing')).json(), { success: false, error: { code: 'DB_NOT_FOUND' } })
})

t.test('a route that does not exist is answered in the format, and logged once', async (t) => {
  const { server, failures } = await build(t, { format: 'problem' })
  const reply = await server.inject('/nowhere?token=abc')
  t.equal(reply.statusCode, 404)
  t.equal(reply.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.match(reply.json(), { title: 'Not Found', status: 404, code: 'NOT_FOUND', instance: '/nowhere', requestId: 'req-1' })
  t.equal(failures().length, 1)
  t.strictSame((await server.inject('/copy')).json(), { message: 'Route GET:/copy not found' }, 'a route that exists may say what it likes')
})

t.test('a not-found handler of the user keeps its answers', async (t) => {
  for (const when of ['before', 'after']) {
    const set = (server: FastifyInstance) => { server.setNotFoundHandler(async (_request, reply) => { reply.code(404); return { page: 'lost' } }) }
    const { server } = await build(t, { format: 'envelope' }, when === 'before' ? { before: set } : {})
    if (when === 'after') set(server)
    t.strictSame((await server.inject('/nowhere')).json(), { page: 'lost' }, `set ${when} us`)
  }
  const { server } = await build(t, { format: 'envelope' }, {
    before: (server) => server.setNotFoundHandler(async (request) => request.url === '/null' ? null : request.url === '/odd' ? { odd: 1 } : [1])
  })
  t.equal((await server.inject('/null')).body, 'null')
  t.strictSame((await server.inject('/odd')).json(), { odd: 1 })
  t.strictSame((await server.inject('/array')).json(), [1])
})

t.test('logs a failure once: an error from 500 on, info below, with the request id and the context', async (t) => {
  const { server, failures } = await build(t, { format: 'envelope' })
  await server.inject('/missing')
  await server.inject('/down')
  await server.inject('/text')

  t.match(failures(), [
    {
      level: 30,
      msg: 'User not found',
      reqId: 'req-1',
      err: { type: 'NotFoundError', code: 'DB_NOT_FOUND', context: { operation: 'getOrThrow', table: 'users' } }
    },
    { level: 50, reqId: 'req-2', err: { type: 'ConnectionError', message: /ECONNREFUSED/ } },
    { level: 50, reqId: 'req-3', err: 'secret text' }
  ])
  t.equal(failures().length, 3)
})

t.test('logs nothing where the server logs no requests', async (t) => {
  for (const disableRequestLogging of [true, () => true]) {
    const { server, failures } = await build(t, { format: 'envelope' }, { disableRequestLogging })
    await server.inject('/missing')
    t.strictSame(failures(), [])
  }
  const { server, failures } = await build(t, { format: 'envelope' }, { disableRequestLogging: () => false })
  await server.inject('/missing')
  t.equal(failures().length, 1)
})

t.test('is safe with headers of an error that are none', async (t) => {
  const { server } = await build(t, { format: 'envelope' })
  server.get('/odd', async () => { throw Object.assign(new Error('odd'), { headers: null, statusCode: 400 }) })
  server.get('/plain', async () => { throw Object.assign(new DatabaseError(), { headers: undefined }) })
  t.equal((await server.inject('/odd')).statusCode, 400)
  t.equal((await server.inject('/plain')).statusCode, 500)
})

t.test('refuses a format that is none, and a status that is not that of an error, by name', async (t) => {
  const bad: ReadonlyArray<[unknown, string]> = [
    [{ format: 'xml' }, "errors.format must be 'fastify', 'envelope' or 'problem'"],
    [{ format: 'constructor' }, "errors.format must be 'fastify', 'envelope' or 'problem'"],
    [{ constraints: { users_email_key: { status: 200 } } }, 'errors.constraints.users_email_key.status must be a whole number from 400 to 599'],
    [{ constraints: { users_email_key: { status: 600 } } }, 'errors.constraints.users_email_key.status must be a whole number from 400 to 599'],
    [{ constraints: { users_email_key: { status: 409.5 } } }, 'errors.constraints.users_email_key.status must be a whole number from 400 to 599'],
    [
      { constraints: { users_email_key: { staus: 409 } } as object },
      'errors.constraints.users_email_key.staus is not an option: use status, code, message'
    ]
  ]
  for (const [errors, message] of bad) {
    await t.rejects(build(t, errors as ErrorsOptions), { message })
  }
  const { server } = await build(t, { constraints: { users_email_key: { status: 422 }, users_age_check: { message: 'Too young' } } })
  await server.ready()
  t.equal(server.errorHandler.name, 'defaultErrorHandler', 'words of constraints need no handler')
})
