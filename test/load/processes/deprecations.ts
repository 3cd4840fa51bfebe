/**
 * Uses each main feature once, for `node --throw-deprecation --trace-warnings`: there may be no error and no warning.
 */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { sql } from 'drizzle-orm'
import Fastify from 'fastify'
import dataAccess, { PoolTimeoutError } from '../../../plugins/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { deferred } from '../../helpers/deferred.js'
import { posts, schema, tables, users } from '../../helpers/schema.js'
import { until } from '../../helpers/until.js'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'

const ways: Record<string, (server: FastifyInstance) => Promise<unknown>> = {
  'reads and writes': async ({ db }) => {
    const user = await db.repo(users).create({ email: 'ada' })
    await db.repo(users).createMany([{ email: 'bob' }, { email: 'cid' }])
    await Promise.all([db.repo(users).getOrThrow(user.id), db.repo(users).getAll(), db.repo(users).count(), db.execute(sql`select 1`)])
    await db.drizzle.select().from(users)
    await db.repo(users).update(user.id, { balance: 1 })
    await assert.rejects(db.repo(users).create({ email: 'ada' }))
  },
  'parallel statements in one transaction': async ({ db }) => {
    await db.session(async (session) => {
      const many = Array.from({ length: 20 }, (_, number) => session.repo(users).create({ email: `parallel ${number}` }))
      await Promise.all([...many, session.repo(users).getAll(), session.execute(sql`select 1`), session.drizzle.select().from(users)])
    })
    await db.transaction(async (session) => {
      session.execute(sql`select 1 / 0`).catch(() => {})
      session.rollbackOnly()
    })
  },
  'nested scopes': async ({ db }) => {
    await db.transaction(async (session) => {
      const scope = (email: string): Promise<unknown> => session.transaction((scope) => scope.repo(users).create({ email })).catch(() => {})
      await Promise.all([
        scope('x'),
        scope('x'),
        session.repo(users).count(),
        scope('y'),
        session.drizzle.transaction((tx) => tx.insert(users).values({ email: 'z' }))
      ])
    }, { isolationLevel: 'serializable', retries: 2, timeoutMillis: 10_000, resolveCommits: true })
  },
  'requests, streams, and those who leave': async (server) => {
    assert.equal((await server.inject({ method: 'POST', url: '/users', payload: { email: 'by request' } })).statusCode, 201)
    assert.equal((await server.inject('/stream')).body, 'one two')
    assert.equal((await server.inject('/nowhere')).statusCode, 404)
    assert.equal((await server.inject('/health/database')).statusCode, 200)
    const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1')
    socket.write('GET /sleep HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await sleeping.promise
    socket.resetAndDestroy()
    await until(() => server.db.poolInfo.inUse === 0)
  },
  'an exhausted pool': async ({ db }) => {
    const sessions = [db.createSession(), db.createSession()]
    for (const session of sessions) await session.begin()
    await assert.rejects(db.repo(users).getAll(), PoolTimeoutError)
    const waits = db.repo(users).getAll()
    for (const session of sessions) await session.close()
    await waits
  },
  'a session that is aborted, and one whose backend is lost': async ({ db }) => {
    const session = db.createSession()
    await session.repo(posts).getAll()
    session.execute(sql`select pg_sleep(10)`).catch(() => {})
    await until(() => session.outcome === 'open')
    session.abort(new Error('enough'))
    await session.close()
    const lost = db.createSession()
    await assert.rejects(lost.execute(sql`select pg_terminate_backend(pg_backend_pid())`))
    await assert.rejects(lost.commit())
  }
}

const sleeping = deferred()

async function build (connectionString: string): Promise<FastifyInstance> {
  const server = Fastify({ forceCloseConnections: true })
  await server.register(dataAccess, { connectionString, schema, pool: { size: 2, maxOverflow: 0, timeoutSeconds: 1 } })
  server.post<{ Body: { email: string } }>('/users', async (request, reply) => {
    const user = await request.repo(users).create(request.body)
    await request.transaction((scope) => scope.repo(posts).create({ userId: user.id, title: 'hello' }))
    reply.code(201)
    return user
  })
  server.get('/stream', async (request, reply) => {
    await request.repo(users).create({ email: 'streamed' })
    return reply.send(Readable.from(['one ', 'two']))
  })
  server.get('/sleep', async (request) => {
    await request.repo(users).create({ email: 'asleep' })
    const slept = request.db.execute(sql`select pg_sleep(10)`)
    sleeping.resolve()
    return await slept
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
  return server
}

process.on('warning', (warning) => {
  process.exitCode = 1
  console.error(warning)
})
const { connectionString, drop } = await createTestDatabase(undefined, { sql: tables })
try {
  const server = await build(connectionString)
  for (const [name, go] of Object.entries(ways)) {
    await go(server)
    console.log(name)
  }
  await server.close()
  console.log('the end')
} finally {
  await drop()
}
