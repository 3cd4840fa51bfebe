import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import type { FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import { deferred } from '../helpers/deferred.js'
import { recordLog } from '../helpers/log-stream.js'
import { requestText, sendRaw } from '../helpers/raw-client.js'
import { users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'
import { until } from '../helpers/until.js'
import type { RequestTransactionOptions } from '../../plugins/index.js'

interface Moment {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Signals that the client may leave. */
  readonly here: () => void
  /** Resolves when it has left. */
  readonly left: Promise<void>
}

const sleeping = sql`select pg_sleep(60)`

/** The handlers during which the client leaves. */
const moments: Record<string, (moment: Moment) => Promise<unknown>> = {
  'between two statements': async ({ request, here, left }) => {
    await request.repo(users).create({ email: request.id })
    here()
    await left
    return await request.repo(users).count()
  },
  'before the first statement': async ({ request, here, left }) => {
    here()
    await left
    return await request.repo(users).create({ email: request.id })
  },
  'while a statement runs': async ({ request, here }) => {
    here()
    return await request.db.execute(sleeping)
  },
  'while a read runs': async ({ request, here }) => {
    await request.repo(users).count()
    here()
    await Promise.all([request.db.execute(sleeping), request.repo(users).count()])
  },
  'while a nested scope is open': async ({ request, here, left }) => await request.transaction(async (scope) => {
    await scope.repo(users).create({ email: request.id })
    here()
    await left
    await scope.repo(users).count()
  }),
  'in a callback before the commit': async ({ request, here, left }) => {
    await request.repo(users).create({ email: request.id })
    request.db.beforeCommit(async () => {
      here()
      await left
      await request.repo(users).count()
    })
    return 'done'
  },
  'while the handler fails by itself with what it was told': async ({ request, here, left }) => {
    await request.repo(users).create({ email: request.id })
    here()
    await left
    await Promise.all([request.repo(users).create({ email: 'grace' }), request.transaction(() => 1)])
  },
  'while rows are streamed': async ({ request, reply, here, left }) => {
    await request.repo(users).create({ email: request.id })
    reply.type('text/plain')
    return Readable.from((async function * () {
      yield 'one'
      here()
      await left
      for await (const row of request.repo(users).stream()) yield row.email
    })())
  },
  'while rows are read for its reply': async ({ request, here, left }) => {
    for await (const row of request.repo(users).stream({}, { batchSize: 1 })) {
      here()
      await left
      await turn()
      row.id++
    }
    return 'done'
  },
  'behind a hijacked reply': async ({ request, reply, here, left }) => {
    reply.hijack()
    await request.repo(users).create({ email: request.id })
    reply.raw.write('HTTP')
    here()
    await left
    // Fastify logs an error that a handler throws after a hijack.
    await request.repo(users).count().catch(() => {})
  },
  'while it waits for a lock': async ({ request, here }) => {
    here()
    await request.db.execute(sql`select pg_advisory_xact_lock(4711)`)
  }
}

t.test('32: a client that leaves is no error of the server\'s: the log has none, at whatever moment', async (t) => {
  const commits: Array<RequestTransactionOptions> = [{}, { commit: 'atEnd' }, { commit: 'onResponse' }, { retries: 2 }, { begin: 'onRequest' }]
  for (const transaction of commits) {
    const log = recordLog()
    const server = await build(t, { transaction, server: { logger: log.logger } })
    await server.db.repo(users).createMany([{ email: 'one' }, { email: 'two' }, { email: 'three' }])
    const holder = server.db.createSession()
    await holder.execute(sql`select pg_advisory_xact_lock(4711)`)
    let here = deferred()
    let left = deferred()
    let ended = deferred()
    server.get<{ Params: { moment: string } }>('/:moment', async (request, reply) => {
      try {
        return await moments[request.params.moment]?.({ request, reply, here: here.resolve, left: left.promise })
      } finally {
        ended.resolve()
      }
    })
    for (const name of Object.keys(moments)) {
      [here, left, ended] = [deferred(), deferred(), deferred()]
      const client = await sendRaw(server, requestText('GET', `/${encodeURIComponent(name)}`))
      await here.promise
      await turn()
      await client.leave()
      await turn()
      left.resolve()
      await ended.promise
      await until(() => server.db.poolInfo.inUse === 1)
      t.strictSame(log.lines(50).map(({ msg, err }) => `${msg} ${err?.code}`), [], `${JSON.stringify(transaction)}, ${name}`)
    }
    await holder.close()
  }
})

t.test('32: a client that leaves while its request waits for a connection is no error, either', async (t) => {
  const log = recordLog()
  const server = await build(t, { pool: { size: 1, maxOverflow: 0 }, server: { logger: log.logger } })
  const ended = deferred<unknown>()
  server.get('/', async (request) => {
    await request.repo(users).create({ email: request.id }).catch((error) => {
      ended.resolve(error)
      throw error
    })
  })
  const holder = server.db.createSession()
  await holder.execute(sql`select 1`)
  const client = await sendRaw(server, requestText('GET', '/'))
  await until(() => server.db.poolInfo.waiting === 1)
  await client.leave()

  t.match(await ended.promise, { code: 'DB_TRANSACTION_CLOSED', statusCode: 499, message: /^The client has left/ })
  await turn()
  t.strictSame(log.lines(50), [])
  await holder.close()
})
