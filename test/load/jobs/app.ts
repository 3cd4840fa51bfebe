/** The server under load, a child process of the driver. The environment variable `APP` has its options as JSON. */
import Fastify from 'fastify'
import { sql } from 'drizzle-orm'
import dataAccess from '../../../plugins/index.js'
import { jobs } from './library.js'
import { clerk, counters, orders } from './tables.js'
import type { RequestTransactionOptions, Session } from '../../../plugins/index.js'
import type { Library } from './library.js'

/** The options of a server. */
export interface AppOptions {
  readonly library: Library
  readonly connectionString: string
  readonly pooler: 'transaction' | 'none'
}

interface Route {
  readonly transaction?: RequestTransactionOptions
  work (session: Session, id: number): Promise<unknown>
}

const { library, connectionString, pooler } = JSON.parse(process.env['APP'] ?? '') as AppOptions
const server = Fastify({ handlerTimeout: 5000, forceCloseConnections: true })
await server.register(dataAccess, {
  connectionString,
  pooler,
  waitForDatabaseSeconds: 30,
  pool: { size: 8, maxOverflow: 0, timeoutSeconds: 3 },
  statementTimeoutSeconds: 2,
  idleInTransactionTimeoutSeconds: 5,
  transaction: { resolveCommits: true, settleTimeoutMillis: 2000 }
})
const send = await jobs[library].sender(server.db)

async function order (session: Session, id: number): Promise<void> {
  await session.repo(orders).create({ id })
  await send(session, id)
}

const routes: Readonly<Record<string, Route>> = {
  plain: { work: order },
  retried: {
    transaction: { retries: 20, isolationLevel: 'serializable' },
    async work (session, id) {
      const { value } = await session.repo(counters).getOrThrow(id % 8)
      await order(session, id)
      await session.repo(counters).update(id % 8, { value: value + 1 })
    }
  },
  nested: {
    async work (session, id) {
      await session.transaction((scope) => send(scope, id))
      await session.transaction(async (scope) => {
        await send(scope, -id)
        throw new Error('undone')
      }).catch(() => {})
      await session.repo(orders).create({ id })
    }
  },
  context: {
    transaction: {
      context: ({ params }) => ({ role: clerk, settings: { 'app.parity': String(Number((params as { id: string }).id) % 2) } })
    },
    async work (session, id) {
      await session.repo(orders).create({ id })
      await send(session, id, true)
    }
  },
  refused: {
    async work (session, id) {
      await order(session, id)
      throw Object.assign(new Error('no'), { statusCode: 409 })
    }
  },
  dry: {
    async work (session, id) {
      await order(session, id)
      session.rollbackOnly()
    }
  },
  swallowed: {
    async work (session, id) {
      await order(session, id)
      await session.execute(sql`select 1 / 0`).catch(() => {})
    }
  }
}

for (const [kind, { work, transaction }] of Object.entries(routes)) {
  server.post<{ Params: { id: string } }>(`/${kind}/:id`, { config: { transaction } }, async (request) => {
    await work(request.db, Number(request.params.id))
    return {}
  })
}
process.once('SIGTERM', () => { server.close() })
await server.listen({ port: 0, host: '127.0.0.1' })
console.log(`listening on ${new URL(server.listeningOrigin).port}`)
