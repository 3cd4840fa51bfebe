import Fastify from 'fastify'
import { setTimeout as wait } from 'node:timers/promises'
import dataAccess from '../../../plugins/index.js'
import { lefts, rights } from '../crash/tables.js'
import type { FastifyInstance } from 'fastify'
import type { Client } from 'pg'
import type { PgBouncer } from '../../helpers/pgbouncer.js'
import type { Result } from './calm.js'

/** What was answered for each id: the client was told of success, of failure, or that nobody knows. */
type Answers = Map<number, 'acknowledged' | 'refused' | 'unknown'>

const clients = 8

/** What is done to the pooler, in turn. */
function faultsOf (bouncer: PgBouncer, direct: Client): ReadonlyArray<readonly [name: string, strike: () => Promise<unknown>]> {
  return [
    ['PAUSE and RESUME', async () => { await bouncer.command('PAUSE'); await wait(150); await bouncer.command('RESUME') }],
    ['RELOAD', () => bouncer.command('RELOAD')],
    ['RECONNECT', () => bouncer.command('RECONNECT')],
    ['restart', () => bouncer.restart('SIGTERM')],
    ['KILL of the database, and RESUME', async () => { await bouncer.command(`KILL ${bouncer.database}`); await bouncer.command(`RESUME ${bouncer.database}`) }],
    ['kill -9', () => bouncer.restart('SIGKILL')],
    ['its backends terminated', () => direct.query("select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()")]
  ]
}

async function buildServer (connectionString: string): Promise<FastifyInstance> {
  const server = Fastify()
  await server.register(dataAccess, {
    connectionString,
    pool: { size: 8, maxOverflow: 0, timeoutSeconds: 5 },
    waitForDatabaseSeconds: 10,
    slowQueryMillis: 3_600_000,
    transaction: { resolveCommits: true }
  })
  server.post('/pairs/:id', async (request, reply) => {
    const id = Number((request.params as { id: string }).id)
    await request.repo(lefts).create({ id })
    await request.repo(rights).create({ id, parent: id })
    return reply.code(201).send({ id })
  })
  return server
}

/** Writes pairs of rows while the pooler fails, and compares all answers with the rows. */
export async function strike (bouncer: PgBouncer, direct: Client, seconds: number): Promise<Result[]> {
  const server = await buildServer(bouncer.connectionString)
  const answers: Answers = new Map()
  const until = performance.now() + seconds * 1000
  let next = 1
  const work = async (): Promise<void> => {
    while (performance.now() < until) {
      const id = next++
      const { statusCode, body } = await server.inject({ method: 'POST', url: `/pairs/${id}` })
      answers.set(id, statusCode === 201 ? 'acknowledged' : body.includes('"DB_COMMIT_UNKNOWN"') ? 'unknown' : 'refused')
    }
  }
  const load = Promise.all(Array.from({ length: clients }, work))
  const faults = faultsOf(bouncer, direct)
  let struck = 0
  while (performance.now() < until) {
    const [name, strikeOnce] = faults[struck++ % faults.length] as (typeof faults)[number]
    await strikeOnce().catch((error: Error) => { throw new Error(`${name}: ${error.message}`) })
    await wait(250)
  }
  await load
  await server.close()
  return await judge(answers, direct, struck)
}

async function judge (answers: Answers, direct: Client, struck: number): Promise<Result[]> {
  const idsOf = async (table: string): Promise<Set<number>> => new Set((await direct.query<{ id: number }>(`select id from ${table}`)).rows.map(({ id }) => id))
  const [left, right] = [await idsOf('lefts'), await idsOf('rights')]
  const of = (answer: string): number[] => [...answers].filter(([, given]) => given === answer).map(([id]) => id)
  const isThere = (id: number): boolean => left.has(id) || right.has(id)
  const lost = of('acknowledged').filter((id) => !left.has(id) || !right.has(id)).length
  const ghosts = of('refused').filter(isThere).length
  const halves = [...answers.keys()].filter((id) => left.has(id) !== right.has(id)).length
  const { rows } = await direct.query("select from pg_stat_activity where state like 'idle in transaction%'")
  const counts = `${of('acknowledged').length} acknowledged, ${of('refused').length} refused, ${of('unknown').length} unknown, ${struck} faults`
  return [
    { what: 'writes while the pooler fails', seen: counts, isKept: of('acknowledged').length > 100 && struck >= 7 },
    ...Object.entries({ lost, ghosts, halves, 'idle in transaction': rows.length }).map(([what, count]) => ({ what, seen: String(count), isKept: count === 0 }))
  ]
}
