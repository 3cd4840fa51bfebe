import fastifyPostgres from '@fastify/postgres'
import Fastify, { type FastifyInstance } from 'fastify'
import { Pool } from 'pg'
import t from 'tap'
import dataAccess, { databasePlugin, envPlugin } from '../../plugins/index.js'
import type { DataAccessOptions } from '../../plugins/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { recordLog } from '../helpers/log-stream.js'
import { schema, tables, users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'

const ada = { email: 'ada@example.com' }

t.test('fastify.pg is the pool of fastify.db, sized by the settings', async (t) => {
  const server = await build(t, { pool: { size: 2, maxOverflow: 3 } })

  t.equal(server.pg.pool, server.db.pool)
  t.match(server.db.poolInfo, { size: 2, max: 5 })
  t.equal(Object(server.db.pool).options.max, 5)
  t.match((await server.pg.query('select 1 as one')).rows, [{ one: 1 }])
})

t.test('an @fastify/postgres registered before is used as it is, and ended by itself', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const server = Fastify()
  t.teardown(() => server.close())
  await server.register(fastifyPostgres, { connectionString, max: 3 })
  await server.register(dataAccess, { schema })
  server.post('/', (request) => request.repo(users).create(ada))

  t.equal(server.db.pool, server.pg.pool)
  t.equal((await server.inject({ method: 'POST', url: '/' })).statusCode, 200)
  t.equal(server.db.poolInfo.max, 3)
  await server.db.close()
  t.equal(Object(server.pg.pool).ended, false, 'the database lets go of it')
  await server.close()
  t.equal(Object(server.pg.pool).ended, true)
})

t.test('a named @fastify/postgres, which has a pool of its own for others, is left alone', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const server = Fastify()
  t.teardown(() => server.close())
  await server.register(fastifyPostgres, { connectionString, name: 'reports' })
  await server.register(dataAccess, { connectionString, schema })

  t.not(server.db.pool, server.pg['reports']?.pool)
  t.equal(await server.db.repo(users).count(), 0)
})

t.test('a pool given as pg is used as it is, and never ended here', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const pg = new Pool({ connectionString, max: 2 })
  t.teardown(() => pg.end())
  const server = Fastify()
  await server.register(dataAccess, { pg, schema })

  t.equal(server.db.pool, pg)
  t.notOk(server.hasDecorator('pg'))
  t.match(await server.db.repo(users).create(ada), ada)
  await server.close()
  t.match((await pg.query('select count(*)::int as users from users')).rows, [{ users: 1 }])
})

t.test('pool settings beside a pool of one\'s own are refused by name', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const pg = new Pool({ connectionString })
  t.teardown(() => pg.end())
  const before = Fastify()
  t.teardown(() => before.close())
  await before.register(fastifyPostgres, { connectionString })

  await t.rejects(async () => { await Fastify().register(dataAccess, { pg, pool: { size: 5 } }) }, { name: 'SettingsError', message: /^pool\.size / })
  await t.rejects(async () => { await before.register(dataAccess, { pool: { size: 5 } }) }, { name: 'SettingsError', message: /^pool\.size / })
})

t.test('errors.constraints and transaction apply to fastify.db, also before the first request', async (t) => {
  const server = await build(t, {
    transaction: { begin: 'onRequest', accessMode: 'read only', commitOn: () => true },
    errors: { constraints: { users_email_key: { status: 422, code: 'EMAIL_TAKEN', message: 'That address is taken' } } }
  })

  await server.db.repo(users).create(ada)
  await t.rejects(server.db.repo(users).create(ada), { statusCode: 422, code: 'EMAIL_TAKEN', message: 'That address is taken' })
  await server.db.session(async (session) => {
    await session.repo(users).count()
    t.equal(session.outcome, 'open')
    await t.rejects(session.repo(users).create(ada), { code: 'DB_READ_ONLY' })
    await session.rollback()
  }).catch((error) => t.match(error, { code: 'DB_TRANSACTION_CLOSED' }))
})

t.test('works alone after envPlugin, which it requires, and with a logger of its own', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  await t.rejects(async () => { await Fastify().register(databasePlugin, { connectionString }) }, /data-access\/env/)
  const server = Fastify()
  t.teardown(() => server.close())
  const messages: string[] = []
  const keep = (_context: object, message: string) => { messages.push(message) }
  await server.register(envPlugin, { connectionString })
  await server.register(databasePlugin, { connectionString, echo: true, logger: { debug: keep, info: keep, warn: keep, error: keep } })

  t.equal(await server.db.repo(users).count(), 0)
  t.ok(messages.includes('statement'))
})

t.test('65: warns at register if handlerTimeout is shorter than the limits of the database', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const pg = new Pool({ connectionString })
  t.teardown(() => pg.end())
  const warningsOf = async (handlerTimeout: number | undefined, options: DataAccessOptions) => {
    const log = recordLog()
    const server: FastifyInstance = Fastify({ logger: log.logger, ...(handlerTimeout !== undefined && { handlerTimeout }) })
    await server.register(dataAccess, options)
    await server.close()
    return log.lines(40).filter(({ msg }) => msg.startsWith('handlerTimeout'))
  }

  t.match(await warningsOf(19_999, { connectionString }), [{
    level: 40,
    handlerTimeout: 19_999,
    statementTimeoutMillis: 15_000,
    settleTimeoutMillis: 5000,
    msg: /^handlerTimeout is shorter than statementTimeoutSeconds and transaction\.settleTimeoutMillis together/
  }])
  t.strictSame(await warningsOf(20_000, { connectionString }), [])
  t.strictSame(await warningsOf(undefined, { connectionString }), [])
  t.equal((await warningsOf(3000, { connectionString, statementTimeoutSeconds: 2, transaction: { settleTimeoutMillis: 1001 } })).length, 1)
  t.strictSame(await warningsOf(3000, { connectionString, statementTimeoutSeconds: 2, transaction: { settleTimeoutMillis: 1000 } }), [])
  t.strictSame(await warningsOf(1, { connectionString, statementTimeoutSeconds: 0 }), [], 'no limit of ours to compare with')
  t.strictSame(await warningsOf(1, { pg }), [], 'a pool of the user\'s own has limits of its own')
})
