import { sql } from 'drizzle-orm'
import { ways } from '../rivals/ways.js'
import { subjectsOf } from './operations.js'
import { few } from './tables.js'
import type { FastifyInstance } from 'fastify'
import type { Run } from '../rivals/ways.js'
import type { SubjectOptions, SubjectRoutes } from './subject-routes.js'

/** Adds the plain operations in SQL, in the transaction of the chosen rival. */
export async function addRivalRoutes (server: FastifyInstance, { kind, connectionString }: SubjectOptions): Promise<SubjectRoutes> {
  const way = await ways[kind](server, { connectionString, connections: 8, waitMillis: 2000, statementMillis: 2000 })
  for (const [kind, work] of Object.entries(routes)) {
    server.post(`/${kind}/:id`, async (request) => {
      const { id } = request.params as { id: string }
      await way.transaction(request, (run) => work(run, Number(id)))
      return { id }
    })
  }
  return way
}

const routes: Readonly<Record<string, (run: Run, id: number) => Promise<void>>> = {
  pair: insertPair,
  async transfer (run, id) {
    const { source, target } = subjectsOf(id, few)
    await run(sql`insert into lefts (id) values (${id})`)
    await run(sql`update accounts set balance = balance - 1 where id = ${source}`)
    await run(sql`update accounts set balance = balance + 1 where id = ${target}`)
    await run(sql`insert into rights (id, parent, source, target) values (${id}, ${id}, ${source}, ${target})`)
  },
  async increment (run, id) {
    const { counter } = subjectsOf(id, few)
    await run(sql`insert into lefts (id) values (${id})`)
    await run(sql`update counters set value = value + 1 where id = ${counter}`)
    await run(sql`insert into rights (id, parent, counter) values (${id}, ${id}, ${counter})`)
  },
  async orphan (run, id) {
    await run(sql`insert into lefts (id) values (${id})`)
    await run(sql`insert into rights (id, parent) values (${id}, ${-id})`)
  },
  async swallowed (run, id) {
    await insertPair(run, id)
    await run(sql`select 1 / 0`).catch(() => {})
  }
}

async function insertPair (run: Run, id: number): Promise<void> {
  await run(sql`insert into lefts (id) values (${id})`)
  await run(sql`insert into rights (id, parent) values (${id}, ${id})`)
}
