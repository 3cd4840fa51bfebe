import { Readable } from 'node:stream'
import { sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { conflicts } from '../../helpers/conflicts.js'
import { deferred } from '../../helpers/deferred.js'
import { recordLog } from '../../helpers/log-stream.js'
import { requestText, sendRaw } from '../../helpers/raw-client.js'
import { users } from '../../helpers/schema.js'
import { build } from '../../helpers/server.js'
import { until } from '../../helpers/until.js'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Test } from 'tap'
import type { BuildOptions } from '../../helpers/server.js'

const audit = pgTable('audit', { id: integer().primaryKey().generatedAlwaysAsIdentity(), what: text().notNull() })
const counters = pgTable('counters', { id: integer().primaryKey(), n: integer().notNull() })

const config = { transaction: { retries: 2 } }

/** A server whose inserts into `users` conflict on demand, with a table for hooks and a table for counting by handlers. */
async function buildAudited (t: Test, options: BuildOptions = {}) {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger }, ...options })
  await server.db.execute(sql`create table audit (id int primary key generated always as identity, what text not null)`)
  await server.db.execute(sql`create table counters (id int primary key, n int not null)`)
  await server.db.execute(sql`insert into counters values (1, 0), (2, 0)`)
  const { collide } = await conflicts(server.db)
  return { server, collide, log }
}

const join = (request: FastifyRequest) => request.repo(users).create({ email: 'ada@example.com' })
const counts = async ({ db }: FastifyInstance) => ({ audit: await db.repo(audit).count(), users: await db.repo(users).count() })

t.test('101: work that a hook left running shares the transaction, which is not repeated then', async (t) => {
  const { server, collide } = await buildAudited(t)
  const [came, wrote] = [deferred(), deferred()]
  server.addHook('preHandler', (request, _reply, done) => {
    came.promise.then(() => request.repo(audit).create({ what: 'background' })).then(() => wrote.resolve())
    done()
  })
  let attempts = 0
  server.post('/', { config }, async (request) => {
    attempts++
    came.resolve()
    await wrote.promise
    return await join(request)
  })
  await collide(1)

  t.equal((await server.inject({ method: 'POST', url: '/' })).statusCode, 409)
  t.equal(attempts, 1)
  t.same(await counts(server), { audit: 0, users: 0 })
})

t.test('101: work between two attempts also prevents a third', async (t) => {
  const { server, collide } = await buildAudited(t)
  let attempts = 0
  server.addHook('preHandler', async (request) => {
    const { warn } = request.log
    request.log.warn = (...line: unknown[]) => {
      if (attempts === 1) request.repo(audit).create({ what: 'in the pause' })
      Reflect.apply(warn, request.log, line)
    }
  })
  server.post('/', { config }, (request) => { attempts++; return join(request) })

  await collide(1)
  t.equal((await server.inject({ method: 'POST', url: '/' })).statusCode, 200)
  t.same(await counts(server), { audit: 1, users: 1 })
  attempts = 0
  await server.db.execute(sql`truncate audit, users cascade`)
  await collide(2)
  t.equal((await server.inject({ method: 'POST', url: '/' })).statusCode, 409)
  t.equal(attempts, 2)
  t.same(await counts(server), { audit: 0, users: 0 })
})

t.test('101: a hook gets one afterRollback when the client left between two attempts', async (t) => {
  const { server, collide } = await buildAudited(t)
  const happened: string[] = []
  server.addHook('preHandler', async (request, reply) => {
    request.db.afterCommit(() => happened.push('committed'))
    request.db.afterRollback(() => happened.push('rolled back'))
    request.log.warn = () => { reply.raw.destroy() }
  })
  server.post('/', { config }, join)
  await collide(1)

  await sendRaw(server, requestText('POST', '/'))
  await until(() => happened.length > 0)
  await server.close()
  t.same(happened, ['rolled back'])
})

for (const [name, transaction] of [
  ['serializable', { isolationLevel: 'serializable', retries: 30 }],
  ['deadlocks under READ COMMITTED', { retries: 30 }]
] as const) {
  t.test(`101: audit rows = counter = afterCommit calls = replies of 200 under conflicts: ${name}`, async (t) => {
    const { server } = await buildAudited(t, { pool: { size: 10, maxOverflow: 0 } })
    const committed = { writing: 0, asking: 0 }
    server.addHook('preHandler', async (request) => {
      const way = request.url === '/writing' ? 'writing' : 'asking'
      request.db.afterCommit(() => committed[way]++)
      if (way === 'writing') await request.repo(audit).create({ what: way })
      else request.db.beforeCommit(() => request.repo(audit).create({ what: way }))
    })
    let turn = 0
    for (const url of ['/writing', '/asking']) {
      server.post(url, { config: { transaction } }, async (request) => {
        await request.db.execute(sql`set local deadlock_timeout = '10ms'`)
        const ids = turn++ % 2 === 0 ? [1, 2] : [2, 1]
        for (const id of ids) {
          const { n } = await request.repo(counters).getOrThrow(id, { lock: 'update' })
          await request.repo(counters).update(id, { n: n + 1 })
        }
        return {}
      })
    }

    for (const way of ['writing', 'asking'] as const) {
      await server.db.execute(sql`update counters set n = 0`)
      const replies = await Promise.all(Array.from({ length: 10 }, () => server.inject({ method: 'POST', url: `/${way}` })))
      const answered = replies.filter(({ statusCode }) => statusCode === 200).length
      await until(() => committed[way] === answered)
      t.equal(await server.db.repo(audit).count({ what: way }), answered, way)
      t.same((await server.db.repo(counters).getAll()).map(({ n }) => n), [answered, answered], way)
      t.ok(answered > 0)
      if (way === 'asking') t.equal(answered, 10, 'what is asked for beforeCommit can be repeated')
      t.ok(replies.every(({ statusCode }) => [200, 409].includes(statusCode)))
    }
  })
}

for (const commit of ['onSend', 'atEnd'] as const) {
  t.test(`101: settings and streams of hooks belong to their own request after a retry, ${commit}`, async (t) => {
    const { server } = await buildAudited(t, { pool: { size: 10, maxOverflow: 0 } })
    const committed: string[] = []
    server.addHook('preHandler', async (request) => {
      await request.db.execute(sql`select set_config('app.who', ${request.id}, true)`)
      request.db.afterCommit(() => committed.push(request.id))
    })
    const count = async (request: FastifyRequest): Promise<string> => {
      const { n } = await request.repo(counters).getOrThrow(1)
      await request.repo(counters).update(1, { n: n + 1 })
      await request.db.execute(sql`insert into audit (what) select current_setting('app.who', true)`)
      return request.id
    }
    server.post('/', { config: { transaction: { commit, isolationLevel: 'serializable', retries: 5 } } }, async (request) => {
      if (commit === 'onSend') return await count(request)
      return Readable.from((async function * () { yield await count(request); yield ' ' })())
    })
    const ask = async (): Promise<string | undefined> => {
      const { statusCode, body } = await server.inject({ method: 'POST', url: '/' }).catch(() => ({ statusCode: 0, body: '' }))
      return statusCode === 200 ? body.trim() : undefined
    }

    const answered = (await Promise.all(Array.from({ length: 20 }, ask))).filter((id) => id !== undefined)
    await until(() => committed.length >= answered.length && server.db.poolInfo.inUse === 0)

    t.ok(answered.length > 0)
    t.strictSame(committed.toSorted(), answered.toSorted())
    t.strictSame((await server.db.repo(audit).getAll()).map(({ what }) => what).toSorted(), answered.toSorted())
    t.equal((await server.db.repo(counters).getOrThrow(1)).n, answered.length)
  })
}
