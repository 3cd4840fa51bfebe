import { Readable } from 'node:stream'
import { sql } from 'drizzle-orm'
import dataAccess from '../../../plugins/index.js'
import { subjectsOf } from './operations.js'
import { hookRoutes } from './hook-routes.js'
import { streamRoutes } from './stream-routes.js'
import { few, lefts, rights } from './tables.js'
import { idOf, ignoreDuplicate, increment, insertPair } from './work.js'
import type { FastifyInstance } from 'fastify'
import type { SubjectOptions, SubjectRoutes } from './subject-routes.js'
import type { OwnRoute } from './work.js'

/** A value that throws when it is written as text: its statement is never sent. */
const unsendable = { toPostgres (): never { throw new Error('This value cannot be written') } } as unknown as number

/** The routes of a server with this package. Its limits are short, so that a silent connection ends soon. */
export async function addOwnRoutes (server: FastifyInstance, { connectionString, commit, resolveCommits }: SubjectOptions): Promise<SubjectRoutes> {
  await server.register(dataAccess, {
    connectionString,
    // A subject may be restarted while the database is away.
    waitForDatabaseSeconds: 30,
    pool: { size: 6, maxOverflow: 2, timeoutSeconds: 2 },
    statementTimeoutSeconds: 2,
    lockTimeoutSeconds: 1,
    idleInTransactionTimeoutSeconds: 5,
    // If a standby takes over, the server that can look up a commit comes back only after a while.
    transaction: { commit, resolveCommits, timeoutMillis: 1500, settleTimeoutMillis: resolveCommits ? 3000 : 1000 }
  })
  for (const [kind, { work, transaction, hooks }] of Object.entries({ ...routes, ...hookRoutes, ...streamRoutes })) {
    server.post(`/${kind}/:id`, { config: { transaction }, ...hooks }, async (request, reply) => {
      const id = idOf(request)
      const answer = await work(request.db, id, reply)
      return answer === reply || answer instanceof Readable ? answer : { id }
    })
  }
  return { inUse: () => server.db.poolInfo.inUse }
}

const routes: Readonly<Record<string, OwnRoute>> = {
  pair: { work: insertPair },
  resolved: { work: insertPair, transaction: { resolveCommits: true } },
  transfer: {
    async work (session, id) {
      const { source, target } = subjectsOf(id, few)
      await session.repo(lefts).create({ id })
      await session.execute(sql`update accounts set balance = balance - 1 where id = ${source}`)
      await session.execute(sql`update accounts set balance = balance + 1 where id = ${target}`)
      await session.repo(rights).create({ id, parent: id, source, target })
    }
  },
  increment: { work: (session, id) => increment(session, id, { lock: 'update' }) },
  serializable: {
    transaction: { isolationLevel: 'serializable', retries: 3 },
    work: (session, id) => increment(session, id)
  },
  nested: {
    async work (session, id) {
      await session.repo(lefts).create({ id })
      await session.transaction(async (scope) => {
        await scope.repo(rights).create({ id, parent: id })
        await scope.repo(lefts).create({ id })
      }).catch(ignoreDuplicate)
    }
  },
  orphan: {
    async work (session, id) {
      await session.repo(lefts).create({ id })
      await session.repo(rights).create({ id, parent: -id })
    }
  },
  swallowed: {
    async work (session, id) {
      await insertPair(session, id)
      await session.execute(sql`select 1 / 0`).catch(() => {})
    }
  },
  unawaited: {
    async work (session, id) {
      await insertPair(session, id)
      session.execute(sql`select 1 / 0`)
    }
  },
  unsendable: {
    async work (session, id) {
      await session.repo(lefts).create({ id })
      await session.execute(sql`insert into rights (id, parent) values (${id}, ${sql.param(unsendable)})`).catch(() => {})
    }
  }
}
