import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { beside } from '../helpers/backend.js'
import { users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'
import { until } from '../helpers/until.js'
import { backendsOf } from '../helpers/watch.js'

const connections = 4

interface Answer {
  readonly statusCode: number
  readonly code?: string
  readonly retryAfter: unknown
}

/** A server whose routes read and write, in autocommit and in transactions, with every kind of cached statement. */
async function buildTraffic (t: Test, preparedStatements: boolean): Promise<FastifyInstance> {
  const server = await build(t, { preparedStatements, pool: { size: connections, maxOverflow: 0 } })
  const writer = server.db.repo(users)
  server.post('/users/:email', (request) => request.repo(users).create({ email: emailOf(request) }))
  server.get('/users/:email', (request) => request.repo(users).getByOrThrow({ email: emailOf(request) }))
  server.get('/users', (request) => request.repo(users).getAll({ limit: 5 }))
  server.put('/users/:email', async (request) => {
    const { id, balance } = await request.repo(users).getByOrThrow({ email: emailOf(request) }, { lock: 'update' })
    return await request.repo(users).update(id, { balance: balance + 1 })
  })
  server.get('/alone', () => writer.first())
  server.get('/drizzle', (request) => request.db.drizzle.select().from(users).limit(5))
  return server
}

function emailOf ({ params }: { params: unknown }): string {
  return (params as { email: string }).email
}

/** Sends requests of every kind over all connections, before, during and after the schema change; returns the responses since the change. */
async function change (server: FastifyInstance, statement: string): Promise<Answer[]> {
  const answers: Answer[] = []
  const over = new AbortController()
  const ask = async (client: number, n: number): Promise<void> => {
    const url = `/users/${client}-${n}`
    for (const [method, path] of [['POST', url], ['GET', url], ['GET', '/users'], ['PUT', url], ['GET', '/alone'], ['GET', '/drizzle']] as const) {
      const reply = await server.inject({ method, url: path })
      // A row whose request failed was not created, so reading it gives 404.
      if (reply.statusCode === 404 && answers.some(({ statusCode }) => statusCode === 503)) continue
      answers.push({ statusCode: reply.statusCode, code: reply.json()?.code, retryAfter: reply.headers['retry-after'] })
    }
  }
  const clients = Array.from({ length: connections * 2 }, async (_, client) => {
    for (let n = 0; !over.signal.aborted; n++) await ask(client, n)
  })
  await until(() => answers.length > 400 && backendsOf(server.db.pool).length === connections)
  await beside(server.db, statement)
  const changed = answers.length
  await until(() => answers.length > changed + 400)
  over.abort()
  await Promise.all(clients)
  return answers
}

for (const preparedStatements of [true, false]) {
  const title = `with preparedStatements: ${preparedStatements}`

  t.test(`44a: ALTER COLUMN TYPE under load costs each connection at most one 503, ${title}`, async (t) => {
    const server = await buildTraffic(t, preparedStatements)
    for (const statement of ['alter table users alter column balance type bigint', 'alter table users alter column email type varchar(200)']) {
      const failed = (await change(server, statement)).filter(({ statusCode }) => statusCode !== 200)
      t.ok(failed.length <= connections, `${failed.length} failed`)
      t.strictSame(failed.filter(({ statusCode, retryAfter }) => statusCode !== 503 || retryAfter === undefined), [])
      await beside(server.db, 'truncate users cascade')
    }
  })

  t.test(`44b: ADD COLUMN under traffic fails nothing, ${title}`, async (t) => {
    const server = await buildTraffic(t, preparedStatements)
    const failed = (await change(server, "alter table users add column nickname text default 'none'")).filter(({ statusCode }) => statusCode !== 200)
    t.strictSame(failed, [])
  })
}
