/**
 * The server of a scenario, a child process: the same handlers, in the transaction of the chosen package. The environment
 * variable `SUBJECT` has its options as JSON.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import Fastify from 'fastify'
import { ways } from './ways.js'
import type { FastifyRequest } from 'fastify'
import type { Run, WayName } from './ways.js'

/** The kind of server, and the URL of its database. */
export interface SubjectOptions {
  readonly way: WayName
  readonly connectionString: string
}

type Work = (run: Run, id: number) => Promise<unknown>

/** How long slow handlers sleep, in seconds. */
const slowSeconds = 1

const { way, connectionString } = JSON.parse(process.env['SUBJECT'] ?? '') as SubjectOptions
const server = Fastify({ forceCloseConnections: true })
const { transaction, inUse } = await ways[way](server, { connectionString, connections: 2, waitMillis: 400, statementMillis: 10_000 })
let release = (): void => {}
const held = new Promise<void>((resolve) => { release = resolve })

const insertLeft: Work = (run, id) => run(sql`insert into lefts (id) values (${id})`)
const insertRight: Work = (run, id) => run(sql`insert into rights (id, parent) values (${id}, ${id})`)
const fail = (run: Run): Promise<unknown> => run(sql`select 1 / 0`)

const works: Readonly<Record<string, Work>> = {
  write: insertLeft,
  async swallowed (run, id) {
    await insertLeft(run, id)
    await fail(run).catch(() => {})
  },
  async unawaited (run, id) {
    await insertLeft(run, id)
    fail(run).catch(() => {})
  },
  async ended (run, id) {
    await insertLeft(run, id)
    await run(sql`commit`)
    await insertRight(run, id)
    throw new Error('The handler has failed')
  },
  async orphan (run, id) {
    await insertLeft(run, id)
    await run(sql`insert into rights (id, parent) values (${id}, ${-id})`)
  },
  async held (run, id) {
    await insertLeft(run, id)
    await held
  },
  async slow (run, id) {
    await insertLeft(run, id)
    await run(sql`select pg_sleep(${slowSeconds})`)
    await insertRight(run, id)
  },
  async unwritable (run, id) {
    await insertLeft(run, id)
    return { id: BigInt(id) }
  }
}

for (const [name, work] of Object.entries(works)) {
  const handler = (request: FastifyRequest): Promise<unknown> => {
    const { id } = request.params as { id: string }
    return transaction(request, async (run) => await work(run, Number(id)) ?? { id })
  }
  server.post(`/${name}/:id`, handler)
  server.post(`/limited/${name}/:id`, { handlerTimeout: slowSeconds * 500 }, handler)
}
server.get('/in-use', () => ({ inUse: inUse() }))
server.get('/go', async () => {
  release()
  await wait(0)
  return {}
})
process.once('SIGTERM', () => { server.close() })
await server.listen({ port: 0, host: '127.0.0.1' })
console.log(`listening on ${new URL(server.listeningOrigin).port}`)
