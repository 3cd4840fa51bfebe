import t from 'tap'
import Fastify from 'fastify'
import { sql } from 'drizzle-orm'
import dataAccess from '../../../plugins/index.js'
import { ended as over } from '../../helpers/backend.js'
import { conflicts } from '../../helpers/conflicts.js'
import { unhurried } from '../../helpers/database.js'
import { openQueues } from '../../helpers/jobs.js'
import { startProxy } from '../../helpers/proxy.js'
import { users } from '../../helpers/schema.js'
import { startTransactionPooler } from '../../helpers/transaction-pooler.js'
import { until } from '../../helpers/until.js'
import { CommitUnknownError, ConnectionError, TransactionAbortedError, openDatabase } from '../../../src/index.js'
import { sandbox } from '../../../src/testing/index.js'
import type { Database, OpenOptions } from '../../../src/index.js'
import type { Test } from '../../helpers/test.js'

const { database, connectionString, queues } = await openQueues(t)
const { collide } = await conflicts(database)

/** The same database once more, by another way. */
async function openBy (t: Test, way: string, options: OpenOptions = {}): Promise<Database> {
  const other = await openDatabase({ connectionString: way, ...unhurried, ...options })
  t.teardown(() => other.close())
  return other
}

const stops = new Error('stop')
const fails = sql`select 1 / 0`

for (const [library, queue] of Object.entries(queues)) {
  t.test(`a job of ${library} is there when its transaction is committed, and not before`, async (t) => {
    await database.session(async (session) => {
      await session.repo(users).create({ email: library })
      await queue.add(session, 'committed')
      t.same(await queue.seen(), [])
    })
    t.same(await queue.seen(), ['committed'])
  })

  t.test(`no job of ${library} outlives a transaction that was rolled back, failed, or has ended`, async (t) => {
    const before = await queue.seen()
    await t.rejects(database.session(async (session) => {
      await queue.add(session, 'thrown')
      throw stops
    }), stops)
    await database.session(async (session) => {
      await queue.add(session, 'rollbackOnly')
      session.rollbackOnly()
    })
    await t.rejects(database.session(async (session) => {
      await queue.add(session, 'failed')
      await session.execute(fails).catch(() => {})
    }), TransactionAbortedError, 'a failed statement that was swallowed')
    const ended = database.createSession()
    await ended.commit()
    await t.rejects(queue.add(ended, 'late'), { code: 'DB_TRANSACTION_CLOSED' })
    t.same(await queue.seen(), before)
  })

  t.test(`a job of ${library} belongs to the nested scope that added it`, async (t) => {
    const before = await queue.seen()
    await database.session(async (session) => {
      await session.transaction((scope) => queue.add(scope, 'kept'))
      await session.transaction(async (scope) => {
        await queue.add(scope, 'undone')
        throw stops
      }).catch(() => {})
      await session.transaction(async (scope) => {
        await queue.add(scope, 'failed')
        await scope.execute(fails)
      }).catch(() => {})
      await session.transaction(async (scope) => {
        await queue.add(session, 'by the outer handle')
        scope.rollbackOnly()
      })
    })
    t.same(await queue.seen(), [...before, 'kept'].sort())
  })

  t.test(`with retries, one job of ${library} is left of all attempts`, async (t) => {
    const before = await queue.seen()
    await collide(2)
    let attempts = 0
    await database.session(async (session) => {
      attempts++
      await queue.add(session, 'repeated')
      await session.repo(users).create({ email: `${library} repeated` })
    }, { retries: 3 })
    t.equal(attempts, 3)
    t.same(await queue.seen(), [...before, 'repeated'].sort())
  })

  t.test(`with a context, a job of ${library} is part of the same transaction`, async (t) => {
    const before = await queue.seen()
    const context = { settings: { 'app.tenant_id': '42' } }
    await database.session(async (session) => {
      await queue.add(session, 'tenant')
      t.match(await session.query("select current_setting('app.tenant_id') as id"), { rows: [{ id: '42' }] })
    }, { context })
    await database.session(async (session) => {
      await queue.add(session, 'undone')
      session.rollbackOnly()
    }, { context })
    t.same(await queue.seen(), [...before, 'tenant'].sort())
  })

  t.test(`a job of ${library} that is not awaited is committed with its transaction`, async (t) => {
    const before = await queue.seen()
    await database.session((session) => { queue.add(session, 'not awaited') })
    t.same(await queue.seen(), ['not awaited', ...before].sort())
  })

  t.test(`a lost COMMIT leaves the row and the job of ${library}, or neither`, async (t) => {
    const proxy = await startProxy(t, connectionString)
    const unsure = await openBy(t, proxy.connectionString)
    const before = await queue.seen()
    const add = async (name: string, resolveCommits: boolean): Promise<void> => {
      await unsure.session(async (session) => {
        await session.repo(users).create({ email: `${library} ${name}` })
        await queue.add(session, name)
      }, { resolveCommits })
    }
    const expected = new Set<string>()
    for (const [name, lose, resolveCommits] of [
      ['x1', proxy.loseRequest, false], ['x2', proxy.loseAnswer, false], ['x3', proxy.loseRequest, true], ['x4', proxy.loseAnswer, true]
    ] as const) {
      const lost = lose('commit')
      const failure = await add(name, resolveCommits).then(() => undefined, (error: unknown) => error)
      await lost
      if (resolveCommits) t.ok(name === 'x4' ? failure === undefined : failure instanceof ConnectionError, `${name} is resolved`)
      else t.type(failure, CommitUnknownError)
      if (await database.repo(users).exists({ email: `${library} ${name}` })) expected.add(name)
    }
    t.same([...expected], ['x2', 'x4'])
    t.same(await queue.seen(), [...before, ...expected].sort())
  })

  t.test(`in a sandbox, a job of ${library} is there for its test only`, async (t) => {
    const before = await queue.seen()
    const other = await openBy(t, connectionString)
    const { rollback } = await sandbox(other)
    await other.session((session) => queue.add(session, 'tried'))
    await other.session(async (session) => {
      await queue.add(session, 'undone')
      session.rollbackOnly()
    })
    const { rows } = await other.query(library === 'pg-boss'
      ? 'select data as job from pgboss.job'
      : 'select payload as job from graphile_worker._private_jobs')
    t.same(rows.map(({ job }) => (job as { name: string }).name).filter((name) => !before.includes(name)), ['tried'])
    t.same(await queue.seen(), before, 'no worker sees it')
    await rollback()
    t.same(await queue.seen(), before)
  })

  t.test(`through a pooler, a job of ${library} is part of its transaction`, async (t) => {
    const before = await queue.seen()
    const pooler = await startTransactionPooler(t, connectionString)
    const pooled = await openBy(t, pooler.connectionString, { pooler: 'transaction' })
    await pooled.session(async (session) => {
      await queue.add(session, 'y1')
      await queue.add(session, 'y2')
    })
    await pooled.session(async (session) => {
      await queue.add(session, 'undone')
      session.rollbackOnly()
    })
    t.same(await queue.seen(), [...before, 'y1', 'y2'].sort())
  })

  t.test(`a job of ${library} that a request adds is there exactly when its reply reports success`, async (t) => {
    const before = await queue.seen()
    const server = Fastify()
    t.teardown(() => server.close())
    await server.register(dataAccess, { connectionString, ...unhurried })
    let arrived = false
    server.post<{ Params: { name: string }, Querystring: { status: number } }>('/:name', async (request, reply) => {
      await queue.add(request.db, request.params.name)
      arrived = true
      if (request.params.name === 'left') await request.db.execute(sql`select pg_sleep(60)`)
      return await reply.code(request.query.status).send({})
    })
    await server.listen({ port: 0 })
    const post = (name: string, signal?: AbortSignal): Promise<Response> =>
      fetch(`${server.listeningOrigin}/${name}?status=${name === 'z refused' ? 409 : 201}`, { method: 'POST', ...signal && { signal } })

    t.equal((await post('z accepted')).status, 201)
    t.same(await queue.seen(), [...before, 'z accepted'].sort())
    t.equal((await post('z refused')).status, 409)
    arrived = false
    const leaving = new AbortController()
    const left = post('left', leaving.signal)
    await until(() => arrived)
    leaving.abort()
    await t.rejects(left)
    await over(database, 'pg_sleep(60)')
    t.same(await queue.seen(), [...before, 'z accepted'].sort())
  })
}
