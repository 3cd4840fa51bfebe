import { Readable } from 'node:stream'
import t from 'tap'
import Fastify from 'fastify'
import dataAccess from '../../../plugins/index.js'
import { queryOnce } from '../../helpers/backend.js'
import { unhurried } from '../../helpers/database.js'
import { patient, serving, startReplicated } from '../../helpers/replicas.js'
import { schema, users } from '../../helpers/schema.js'
import { until } from '../../helpers/until.js'
import type { FastifyInstance } from 'fastify'
import type { DataAccessOptions } from '../../../plugins/index.js'

t.test('a client sees its own writes, and nobody else waits for them', async (t) => {
  const { primary, standby, proxy } = await startReplicated(t)
  const start = async (options: DataAccessOptions): Promise<FastifyInstance> => {
    const server = Fastify()
    t.teardown(() => server.close())
    await server.register(dataAccess, {
      connectionString: primary.connectionString,
      replicas: { connectionStrings: [proxy.connectionString], maxLagMillis: patient },
      transaction: { reads: 'replica' },
      schema,
      ...unhurried,
      ...options
    })
    server.post('/users', async (request, reply) => {
      const { email, early, status } = request.body as { email: string, early?: boolean, status?: number }
      await request.repo(users).create({ email })
      if (early === true) await request.db.commit()
      reply.code(status ?? 201)
      return { email }
    })
    server.post('/later', { config: { transaction: { commit: 'onResponse' } } }, (request) => request.repo(users).create({ email: 'later@example.com' }))
    server.post('/streamed', { config: { transaction: { commit: 'atEnd' } } }, (request, reply) => reply.send(Readable.from((async function * () {
      yield 'begun, '
      yield (await request.repo(users).create({ email: 'streamed@example.com' })).email
    })())))
    server.post('/called', { config: { transaction: { commit: 'onResponse' } } }, async (request) => {
      request.db.beforeCommit(async () => { await request.repo(users).create({ email: 'called@example.com' }) })
      return 'done'
    })
    server.get('/read', { config: { transaction: { commit: 'onResponse' } } }, async (request) => request.repo(users).count())
    server.get('/count', async (request) => ({ count: await request.repo(users).count() }))
    await server.ready()
    await serving(server.db)
    return server
  }
  const inHeader = await start({ readYourWrites: { header: 'Database-Token' } })
  const inCookie = await start({ readYourWrites: { cookie: 'last-write' } })
  await standby.lag()
  const countOf = async (server: FastifyInstance, headers: Record<string, string> = {}): Promise<number> =>
    (await server.inject({ url: '/count', headers })).json().count

  await t.test('in a header, across servers', async (t) => {
    const { headers } = await inHeader.inject({ method: 'POST', url: '/users', payload: { email: 'ada@example.com' } })
    const token = String(headers['database-token'])
    t.equal(await countOf(inHeader, { 'database-token': token }), 1)
    t.equal(await countOf(inCookie, { cookie: `a=b; last-write=${token}` }), 1)
    t.equal(await countOf(inHeader), 0, 'the replica answers whoever has written nothing')
    for (const odd of ['', 'x', `${token}, ${token}`, token.replace(/^\d+/, '1')]) t.equal(await countOf(inHeader, { 'database-token': odd }), 1, odd)
    t.equal((await inHeader.inject({ url: '/count' })).headers['database-token'], undefined, 'a read gives no token')
  })

  await t.test('in a cookie, beside other cookies', async (t) => {
    const { cookies: [cookie] } = await inCookie.inject({ method: 'POST', url: '/users', payload: { email: 'grace@example.com', early: true } })
    t.match(cookie, { name: 'last-write', path: '/', httpOnly: true, sameSite: 'Lax', secure: undefined, maxAge: 3600 })
    t.equal(await countOf(inCookie, { cookie: `last-write=${cookie?.value}` }), 2)
    t.equal(await countOf(inCookie, { cookie: 'not-last-write=5' }), 0)
    t.equal(await countOf(inCookie, { cookie: 'last-write=' }), 2)
  })

  await t.test('a reply before its commit sends its client to the primary, one that rolls back gives no token', async (t) => {
    const { headers } = await inHeader.inject({ method: 'POST', url: '/later' })
    t.equal(headers['database-token'], 'primary')
    await until(async () => (await queryOnce(primary.connectionString, 'select from users')).length === 3)
    t.equal(await countOf(inHeader, { 'database-token': 'primary' }), 3)
    const refused = await inHeader.inject({ method: 'POST', url: '/users', payload: { email: 'joan@example.com', status: 409 } })
    t.equal(refused.headers['database-token'], undefined)
    const failed = await inHeader.inject({ method: 'POST', url: '/users', payload: { email: 'ada@example.com' } })
    t.equal(failed.statusCode, 409)
    t.equal(failed.headers['database-token'], undefined)
  })

  await t.test('a reply before the first write sends its client to the primary, too', async (t) => {
    const tokenOf = async (method: 'GET' | 'POST', url: string) => (await inHeader.inject({ method, url })).headers['database-token']
    t.strictSame([await tokenOf('POST', '/streamed'), await tokenOf('POST', '/called'), await tokenOf('GET', '/read')], ['primary', 'primary', undefined])
  })

  await t.test('over TLS the cookie is secure', async (t) => {
    const server = Fastify({ trustProxy: true })
    t.teardown(() => server.close())
    await server.register(dataAccess, { connectionString: primary.connectionString, readYourWrites: { cookie: 'w' }, schema })
    server.post('/users', (request) => request.repo(users).create({ email: 'tls@example.com' }))
    const { cookies: [cookie] } = await server.inject({ method: 'POST', url: '/users', headers: { 'x-forwarded-proto': 'https' } })
    t.equal(cookie?.secure, true)
  })

  await t.test('the health route shows the replicas', async (t) => {
    const { replicas, ...pool } = (await inHeader.inject('/health/database/pool')).json()
    t.match(replicas, [{ serves: true, pool: { size: 20, max: 60, waiting: 0 } }])
    t.match(pool, { size: 20 })
  })

  await t.test('an option that names no place, two, or an odd name is refused', async (t) => {
    const refusals: Array<[unknown, RegExp]> = [
      [{}, /must name one place/], [{ cookie: 'a', header: 'b' }, /must name one place/], [{ cookie: 'a b' }, /readYourWrites.cookie must be a name/],
      [{ header: '' }, /readYourWrites.header must be a name/], [true, /readYourWrites must be an object/], [{ token: 'x' }, /readYourWrites.token is not an option/]
    ]
    for (const [readYourWrites, message] of refusals) {
      const server = Fastify()
      const options = { connectionString: primary.connectionString, readYourWrites } as DataAccessOptions
      await t.rejects(Promise.resolve(server.register(dataAccess, options)), message)
      await server.close()
    }
  })
})
