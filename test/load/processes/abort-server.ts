/** A server whose requests report their stage, so that they can be aborted there. */
import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import Fastify from 'fastify'
import dataAccess from '../../../plugins/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { schema, tables, users } from '../../helpers/schema.js'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Test } from '../../helpers/test.js'

/** The stages of a request. */
export const stages = ['handler', 'queue', 'statement', 'commit', 'stream'] as const
export type Stage = typeof stages[number]

/** Called when a request reaches a stage. */
export type StageListener = (number: number, stage: Stage) => void

/** Makes each commit of a user take two milliseconds in PostgreSQL, during which it can be aborted. */
const slowCommit = `
  create function take_time () returns trigger language plpgsql as $$ begin perform pg_sleep(0.002); return null; end $$;
  create constraint trigger take_time after insert on users deferrable initially deferred for each row execute function take_time();
`

export interface AbortServer {
  readonly server: FastifyInstance
  /** The end of each request's transaction: 1 if it was committed. */
  readonly committed: Uint8Array
  readonly port: number
}

interface Named { readonly Params: { readonly number: number } }

/** Opens a listening server; each request writes the user with its number, if it gets that far. */
export async function openAbortServer (t: Test, { requests, reached }: { requests: number, reached: StageListener }): Promise<AbortServer> {
  const { connectionString } = await createTestDatabase(t, { sql: `${tables} ${slowCommit}` })
  const server = Fastify({ forceCloseConnections: true })
  t.teardown(() => server.close())
  await server.register(dataAccess, { connectionString, schema, pool: { size: 5, maxOverflow: 0, maxWaiting: 1000 } })
  const committed = new Uint8Array(requests)

  const create = async (request: FastifyRequest<Named>): Promise<{ id: number }> => {
    const number = Number(request.params.number)
    request.db.afterCommit(() => { committed[number] = 1 })
    request.db.beforeCommit(() => reached(number, 'commit'))
    const created = request.repo(users).create({ email: String(number) })
    if (server.db.poolInfo.waiting > 0) reached(number, 'queue')
    return await created
  }
  server.post<Named>('/handler/:number', async (request, reply) => {
    reached(Number(request.params.number), 'handler')
    await request.repo(users).first()
    await wait(1)
    reply.code(201)
    return await create(request)
  })
  server.post<Named>('/statement/:number', async (request, reply) => {
    await create(request)
    const slow = request.db.execute(sql`select pg_sleep(${0.003})`)
    reached(Number(request.params.number), 'statement')
    await slow
    reply.code(201)
    return { done: true }
  })
  server.post<Named>('/nested/:number', async (request, reply) => {
    await create(request)
    await request.transaction((scope) => scope.repo(users).create({ email: String(request.params.number) })).catch(() => {})
    await Promise.all([1, 2, 3].map(() => request.repo(users).count()))
    reply.code(201)
    return { done: true }
  })
  server.post<Named>('/stream/:number', async (request, reply) => {
    await create(request)
    reply.code(201)
    return reply.send(Readable.from(chunks(Number(request.params.number), reached)))
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
  return { server, committed, port: (server.server.address() as AddressInfo).port }
}

async function * chunks (number: number, reached: StageListener): AsyncGenerator<string> {
  for (let chunk = 0; chunk < 5; chunk++) {
    yield 'x'.repeat(5000)
    reached(number, 'stream')
    await wait(1)
  }
  yield 'the end'
}
