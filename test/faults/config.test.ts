import { inspect } from 'node:util'
import Fastify, { type FastifyInstance, type FastifyRequest, type FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import dataAccess from '../../plugins/index.js'
import type { DataAccessOptions } from '../../plugins/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { recordLog } from '../helpers/log-stream.js'
import { posts, users } from '../helpers/schema.js'
import { build, buildByProxy } from '../helpers/server.js'

/** Registers the plugin with options that only a program without types can pass. */
async function register (t: Test, options: unknown, server: FastifyServerOptions = {}): Promise<FastifyInstance> {
  const fastify = Fastify(server)
  t.teardown(() => fastify.close())
  await fastify.register(dataAccess, options as DataAccessOptions)
  return fastify
}

t.test('62: numbers that cannot be are refused at register, with the name of the option', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const wrong: Array<[options: object, message: RegExp]> = [
    [{ pool: { size: 0 } }, /^pool\.size must be a whole number from 1/],
    [{ pool: { size: -1 } }, /^pool\.size must/],
    [{ pool: { size: NaN } }, /^pool\.size must/],
    [{ pool: { size: '20' } }, /^pool\.size must/],
    [{ pool: { maxOverflow: -1 } }, /^pool\.maxOverflow must/],
    [{ pool: { timeoutSeconds: 'abc' } }, /^pool\.timeoutSeconds must/],
    [{ pool: { max: 5 } }, /^pool\.max is not an option: use pool\.size/],
    [{ statementTimeoutSeconds: -1 }, /^statementTimeoutSeconds must/],
    [{ poolSize: 5 }, /^poolSize is not an option/],
    [{ transaction: { begin: 'never' } }, /^transaction\.begin must/],
    [{ errors: { format: 'xml' } }, /^errors\.format must/],
    [{ health: { path: 'health' } }, /^health\.path must/]
  ]
  for (const [options, message] of wrong) {
    await t.rejects(register(t, { connectionString, ...options }), { name: 'SettingsError', message }, String(message))
  }
})

t.test('63: an invalid URL is reported without any part of it, at any log level', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const { username, hostname, port, pathname } = new URL(connectionString)
  const wrong: Record<string, [string, RegExp]> = {
    'an unescaped @': [`postgresql://${username}:p@ss@w0rdle@${hostname}:${port}/sh/op`, /^connectionString /],
    'another database': [`postgresql://${username}:s3cret@${hostname}:${port}/unknown_shop`, /3D000|28P01/],
    'another user': [`postgresql://mallory:s3cret@${hostname}:${port}${pathname}`, /28P01|28000/],
    'another port': [`postgresql://${username}:s3cret@${hostname}:1${pathname}`, /ECONNREFUSED/],
    'no URL': ['s3cret', /^connectionString is not a URL/],
    'another protocol': ['mysql://ada:s3cret@db.internal/shop', /^connectionString /]
  }
  for (const [what, [url, message]] of Object.entries(wrong)) {
    const log = recordLog()
    const error = await register(t, { connectionString: url }, { logger: log.logger }).then(() => undefined, (error: Error) => error)
    t.match(error, { message }, what)
    for (const part of ['p@ss', 'w0rdle', 's3cret', 'mallory', 'unknown_shop', 'db.internal', 'sh/op']) {
      t.notOk(`${error?.message}${JSON.stringify(error)}${log.text}`.includes(part), `${what}: no ${part}`)
    }
  }
})

t.test('64: registering twice is refused, on the same server and in a child of it', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const server = await build(t)
  const message = /^fastify-data-access is registered already on this server: register it once, at the root, and a further database with a name/

  await t.rejects(async () => { await server.register(dataAccess, { connectionString }) }, { name: 'SettingsError', message })
  const other = await build(t)
  await t.rejects(
    async () => { await other.register(async (child) => { await child.register(dataAccess, { connectionString }) }) },
    { name: 'SettingsError', message }
  )
})

t.test('64: a second register is refused with our error before any connection is opened', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const message =
    /^fastify-data-access is registered already on this server, in another scope, and GET \/(health\/database|ready\/pool) is there: register it once, at the root; for a database of its own in each scope, give this one other routes, with health: \{ path \}, or none, with health: false$/
  const inScope = (server: FastifyInstance, options: DataAccessOptions) => server.register(async (scope) => {
    await scope.register(dataAccess, { connectionString, ...options })
  })
  const second: Record<string, (server: FastifyInstance) => PromiseLike<unknown>> = {
    sibling: (server) => inScope(server, { connectionString: 'postgresql://127.0.0.1:1/nobody' }),
    grandchild: (server) => server.register(async (scope) => { await inScope(scope, {}) }),
    root: (server) => server.register(dataAccess, { connectionString }),
    crossed: (server) => inScope(server, { health: { path: '/ready/pool' } })
  }
  for (const [name, register] of Object.entries(second)) {
    const server = Fastify()
    t.teardown(() => server.close())
    await inScope(server, name === 'crossed' ? { health: { path: '/ready' } } : {})
    await t.rejects(async () => { await register(server) }, { name: 'SettingsError', message }, name)
  }
})

t.test('64: a health route that already exists is refused by name; other paths or a prefix work', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const withRoute = (): FastifyInstance => {
    const server = Fastify()
    t.teardown(() => server.close())
    server.get('/health/database', () => 'well')
    return server
  }
  const message = /^health\.path cannot be used: the server has a route GET \/health\/database already; give this one other routes/

  await t.rejects(async () => { await withRoute().register(dataAccess, { connectionString }) }, { name: 'SettingsError', message })
  const server = withRoute()
  const others: Array<[DataAccessOptions, string]> = [[{ health: { path: '/well' } }, ''], [{ health: false }, ''], [{}, '/one'], [{}, '/two']]
  for (const [options, prefix] of others) {
    await server.register(async (scope) => { await scope.register(dataAccess, { connectionString, ...options }) }, { prefix })
  }
  for (const url of ['/well', '/one/health/database', '/two/health/database']) t.equal((await server.inject(url)).statusCode, 200, url)
})

t.test('64: two servers, and two children of one server, each have a database of their own', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const second = (await createTestDatabase(t)).connectionString
  const server = Fastify()
  t.teardown(() => server.close())
  const names: unknown[] = []
  for (const [prefix, url] of [['/one', connectionString], ['/two', second]] as const) {
    await server.register(async (child) => {
      await child.register(dataAccess, { connectionString: url, health: false })
      child.get('/', async (request) => {
        const { rows } = await request.db.drizzle.execute('select current_database() as name')
        names.push(rows[0]?.['name'])
      })
    }, { prefix })
  }

  for (const url of ['/one', '/two']) t.equal((await server.inject(url)).statusCode, 200)
  t.strictSame(names.map((name) => `/${String(name)}`), [connectionString, second].map((url) => new URL(url).pathname))
})

t.test('64: an existing decorator is named, and no connection is opened', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const taken: Array<[(server: FastifyInstance) => unknown, RegExp]> = [
    [(server) => server.decorate<unknown>('db', {}), /^fastify\.db was decorated before by somebody else/],
    [(server) => server.decorate<unknown>('databaseConfig', {}), /^fastify\.databaseConfig was/],
    [(server) => server.decorateRequest<unknown>('repo', undefined), /^request\.repo was/],
    [(server) => server.decorateRequest<unknown>('db', undefined).decorateRequest<unknown>('transaction', undefined), /^request\.db, request\.transaction was/]
  ]
  for (const [decorate, message] of taken) {
    const server = Fastify()
    t.teardown(() => server.close())
    decorate(server)
    await t.rejects(async () => { await server.register(dataAccess, { connectionString }) }, { name: 'SettingsError', message })
    t.notOk(server.hasDecorator('pg'))
  }
})

t.test('74: an error reply holds no SQL, values, names of tables, host or user, in any format', async (t) => {
  for (const format of ['fastify', 'envelope', 'problem'] as const) {
    const { server, proxy } = await buildByProxy(t, { errors: { format } })
    const { port, user, database } = server.db.pool.options
    const secrets = new RegExp(`select|insert|users|nowhere|s3cret|ada@|127\\.0\\.0\\.1|localhost|postgres|ECONN|${port}|"${user}"|${database}`, 'i')
    server.post('/unique', async (request) => { await request.repo(users).createMany([{ email: 'ada@example.com' }, { email: 'ada@example.com' }]) })
    server.get('/sql', async (request) => { await request.db.drizzle.execute("select * from nowhere where secret = 's3cret'") })
    server.get('/query', async (request) => { await request.db.drizzle.insert(users).values({ email: 's3cret', balance: -1 }) })
    server.get('/swallowed', async (request) => { await request.db.drizzle.execute("select 's3cret'::int").catch(() => {}) })

    for (const [method, url, status] of [['POST', '/unique', 409], ['GET', '/sql', 500], ['GET', '/query', 422], ['GET', '/swallowed', 500]] as const) {
      const reply = await server.inject({ method, url })
      t.equal(reply.statusCode, status, `${format} ${url}`)
      t.notMatch(`${reply.body}${JSON.stringify(reply.headers)}`, secrets, `${format} ${url}`)
      t.match(reply.body, /DB_/)
      if (format !== 'fastify') t.match(reply.json(), { requestId: /^req-/ })
    }
    await proxy.refuse()
    const reply = await server.inject('/sql')
    t.match(reply, { statusCode: 503, headers: { 'retry-after': '1' }, body: /DB_CONNECTION/ })
    t.notMatch(`${reply.body}${JSON.stringify(reply.headers)}`, secrets, `${format}: a server that is gone`)
    await proxy.resume()
  }
})

t.test('74: nor does any other failure of the database, of a repository, or of a commit', async (t) => {
  for (const format of ['fastify', 'envelope', 'problem'] as const) {
    const { server, proxy } = await buildByProxy(t, { errors: { format }, pool: { size: 1, maxOverflow: 0, maxWaiting: 0 } })
    const { port, user, database } = server.db.pool.options
    const secrets = new RegExp(`select|insert|users|posts|nowhere|s3cret|pl/pgsql|127\\.0\\.0\\.1|localhost|postgres|${port}|"${user}"|${database}`, 'i')
    const raise = (code: string) =>
      (request: FastifyRequest) => request.db.drizzle.execute(`do $$ begin raise exception 's3cret' using errcode = '${code}'; end $$`)
    const failures: Record<string, [status: number, handler: (request: FastifyRequest) => unknown]> = {
      missing: [404, (request) => request.repo(users).getOrThrow(7)],
      empty: [400, (request) => request.repo(users).deleteMany({})],
      value: [400, (request) => request.db.drizzle.execute("select 's3cret'::int")],
      required: [422, (request) => request.db.drizzle.execute('insert into users (email) values (null)')],
      foreign: [409, (request) => request.repo(posts).create({ userId: 404, title: 's3cret' })],
      deferred: [
        409,
        async (request) => {
          await request.db.drizzle.execute('set constraints all deferred')
          await request.repo(posts).create({ userId: 404, title: 's3cret' })
        }
      ],
      syntax: [500, (request) => request.db.drizzle.execute('selec s3cret')],
      raised: [500, raise('P0001')],
      conflict: [409, raise('40001')],
      deadlock: [409, raise('40P01')],
      locked: [503, raise('55P03')],
      full: [503, raise('53300')],
      internal: [500, raise('XX000')],
      cancelled: [503, raise('57014')],
      busy: [503, (request) => request.repo(users).create({ email: 's3cret' }).then(() => server.db.repo(users).count())],
      broken: [500, async (request) => { await request.repo(users).create({ email: 's3cret' }); await request.db.drizzle.execute('rollback') }],
      lost: [500, async (request) => { await request.repo(users).create({ email: 's3cret' }); proxy.loseAnswer('commit') }]
    }
    for (const [name, [, handler]] of Object.entries(failures)) server.post(`/${name}`, async (request) => { await handler(request) })

    for (const [name, [status]] of Object.entries(failures)) {
      const reply = await server.inject({ method: 'POST', url: `/${name}` })
      t.equal(reply.statusCode, status, `${format} ${name}`)
      t.match(reply.body, /"code":"DB_/, `${format} ${name}`)
      t.notMatch(`${reply.body}${JSON.stringify(reply.headers)}`, secrets, `${format} ${name}`)
    }
  }
})

for (const format of ['fastify', 'envelope', 'problem'] as const) {
  t.test(`75: a failure is logged once (${format}), with request, code and SQLSTATE, without values`, async (t) => {
    const log = recordLog()
    const server = await build(t, { server: { logger: log.logger }, errors: { format } })
    server.get('/', async (request) => { await request.db.drizzle.insert(users).values({ email: 's3cret', balance: -1 }) })
    server.get('/broken', async (request) => { await request.db.drizzle.execute("select 's3cret' from nowhere") })

    await server.inject('/')
    await server.inject('/broken')

    const failures = log.lines(20).filter(({ err }) => err !== undefined)
    t.match(failures, [
      { level: 30, reqId: 'req-1', err: { code: 'DB_CHECK_VIOLATION' } },
      { level: 50, reqId: 'req-2', err: { code: 'DB_ERROR' } }
    ])
    t.equal(failures.length, 2)
    t.match(JSON.stringify(failures[1]), /42P01/)
    t.notMatch(JSON.stringify(failures[0]), /s3cret/)
    t.notOk(log.text.includes(String(server.pg.pool.options.password)))
  })
}

t.test('75: the log has SQL only if configured, and never its values', async (t) => {
  const log = recordLog()
  const server = await build(t, { echo: true, slowQueryMillis: 0.001, server: { logger: log.logger } })
  server.get('/', async (request) => {
    await request.repo(users).create({ email: 's3cret' })
    await request.repo(users).getBy({ email: 's3cret' })
    await request.repo(users).create({ email: 's3cret' })
  })

  t.equal((await server.inject('/')).statusCode, 409)

  t.match(
    log.lines(30).filter(({ msg, reqId }) => msg.endsWith('statement') && reqId !== undefined).map(({ statement }) => statement),
    [/^begin; insert into "users"/, /^select .* from "users"/, /^insert into "users"/, 'rollback']
  )
  t.match(log.lines(30).filter(({ err }) => err !== undefined), [{ level: 30, err: { code: 'DB_UNIQUE_VIOLATION', context: { sqlState: '23505' } } }])
  t.notMatch(log.text, /s3cret[^-]/)
})

t.test('78: no password shows in an inspected server, request or database, nor in a logged error', async (t) => {
  const log = recordLog()
  const { server, proxy } = await buildByProxy(t, { server: { logger: log.logger } })
  const password = String(server.pg.pool.options.password)
  t.ok(password.length > 8, 'the test needs a password to look for')
  const seen: string[] = []
  server.get('/', async (request, reply) => {
    await request.repo(users).count()
    seen.push(inspect(request, { depth: 12, getters: true }), inspect(reply, { depth: 12 }))
  })
  await server.inject('/')

  seen.push(
    inspect(server, { depth: 12 }),
    inspect(server.db, { depth: 12, getters: true }),
    inspect(server.pg, { depth: 12 }),
    JSON.stringify(server.databaseConfig)
  )
  await proxy.refuse()
  const error = await server.db.repo(users).count().catch((error: unknown) => error)
  server.log.error({ err: error, error, server: server.db, pool: server.pg.pool.options }, 'gone')
  seen.push(inspect(error, { depth: Infinity, showHidden: true }), JSON.stringify(error), log.text)
  t.match(log.text, /DB_CONNECTION/)
  await proxy.resume()
  for (const text of seen) t.notOk(text.includes(password))
  t.notOk('connectionString' in server.pg.pool.options, 'the pool is made of parts, of which pg hides the password')
})
