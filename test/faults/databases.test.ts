import t, { type Test } from 'tap'
import { backendOf, beside, killBackend } from '../helpers/backend.js'
import { conflicts } from '../helpers/conflicts.js'
import { holdCommits } from '../helpers/held-commit.js'
import { recordLog } from '../helpers/log-stream.js'
import { users } from '../helpers/schema.js'
import { until } from '../helpers/until.js'
import { buildBoth, databaseOf, invoices } from '../helpers/two-databases.js'
import type { FastifyRequest } from 'fastify'
import type { Both, BothOptions } from '../helpers/two-databases.js'
import type { Session } from '../../plugins/index.js'

const post = ({ server }: Both, url = '/') => server.inject({ method: 'POST', url })
const billingOf = (request: FastifyRequest): Session => request.databases['billing'] as Session

let people = 0

/** A server with a route that writes into both databases; `ran` lists the callbacks that were called. */
async function buildWriter (t: Test, resolveCommits: boolean, options: BothOptions = {}) {
  const log = recordLog()
  const transaction = { resolveCommits }
  const both = await buildBoth(t, { server: { logger: log.logger }, first: { transaction }, billing: { transaction }, ...options })
  const ran: string[] = []
  both.server.post('/', async (request, reply) => {
    for (const [name, session] of Object.entries({ first: request.db, billing: billingOf(request) })) {
      session.afterCommit(() => { ran.push(`${name} committed`) })
      session.afterRollback(() => { ran.push(`${name} rolled back`) })
    }
    const email = `${++people}@example.com`
    await request.repo(users).create({ email })
    await request.repo(invoices).create({ email })
    reply.code(201)
    return 'made'
  })
  return { ...both, both, log, ran }
}

type Writer = Awaited<ReturnType<typeof buildWriter>>

/** A moment of the commit, and what must come out of it: with the answers to COMMIT looked up, and without. */
interface Moment {
  readonly strike: (writer: Writer) => Promise<unknown>
  readonly unresolved: readonly [status: number, code: string | undefined, rows: string, ran: readonly string[]]
  readonly resolved?: Moment['unresolved']
}

const saved = ['first committed', 'billing committed']
const undone = ['billing rolled back', 'first rolled back']
const half = ['billing rolled back', 'first committed']

const moments: Record<string, Moment> = {
  'no failure': { strike: async () => {}, unresolved: [201, undefined, '1 1', saved] },
  'the second is lost at the check before the first COMMIT': {
    strike: async ({ billing }) => billing.loseRequest('set constraints'),
    unresolved: [503, 'DB_CONNECTION', '0 0', undone]
  },
  'the answer to that check is lost': {
    strike: async ({ billing }) => billing.loseAnswer('set constraints'),
    unresolved: [503, 'DB_CONNECTION', '0 0', undone]
  },
  'the first is lost with its COMMIT': {
    strike: async ({ first }) => first.loseRequest('commit'),
    unresolved: [500, 'DB_COMMIT_UNKNOWN', '0 0', ['billing rolled back']],
    resolved: [503, 'DB_CONNECTION', '0 0', undone]
  },
  'the answer of the first is lost': {
    strike: async ({ first }) => first.loseAnswer('commit'),
    unresolved: [500, 'DB_COMMIT_UNKNOWN', '1 0', ['billing rolled back']],
    resolved: [201, undefined, '1 1', saved]
  },
  'the second is lost between the two, with its COMMIT': {
    strike: async ({ billing }) => billing.loseRequest('commit'),
    unresolved: [500, 'DB_PARTIAL_COMMIT', '1 0', ['first committed']],
    resolved: [500, 'DB_PARTIAL_COMMIT', '1 0', half]
  },
  'the answer of the second is lost': {
    strike: async ({ billing }) => billing.loseAnswer('commit'),
    unresolved: [500, 'DB_PARTIAL_COMMIT', '1 1', ['first committed']],
    resolved: [201, undefined, '1 1', saved]
  }
}

for (const resolveCommits of [false, true]) {
  t.test(`130: at each moment of the commit of two databases, ${resolveCommits ? 'with' : 'without'} resolveCommits, the reply never claims a half`, async (t) => {
    const writer = await buildWriter(t, resolveCommits)
    for (const [name, { strike, unresolved, resolved = unresolved }] of Object.entries(moments)) {
      const [status, code, rows, ran] = resolveCommits ? resolved : unresolved
      const before = await writer.rows()
      writer.ran.length = 0
      strike(writer)

      const reply = await post(writer)
      const after = await writer.rows()

      t.equal(reply.statusCode, status, name)
      t.equal(reply.headers['content-type']?.toString().includes('json') ? reply.json().code : undefined, code, name)
      t.equal(`${after.users - before.users} ${after.invoices - before.invoices}`, rows, name)
      t.strictSame([...writer.ran].sort(), [...ran].sort(), name)
    }
  })
}

t.test('131: the log of a half names the databases, and the client sees the code only', async (t) => {
  const writer = await buildWriter(t, false)

  writer.billing.loseRequest('commit')
  const reply = await post(writer)

  t.strictSame(reply.json(), {
    statusCode: 500,
    code: 'DB_PARTIAL_COMMIT',
    error: 'Internal Server Error',
    message: 'Some of the changes were saved, and others may not have been: look before you try again'
  })
  t.match(writer.log.lines(50), [{ err: { code: 'DB_PARTIAL_COMMIT', context: { committed: ['default'], failed: 'billing', rolledBack: [] } } }])
  t.equal(writer.log.lines(50).length, 1)
  writer.first.loseRequest('commit')
  await post(writer)
  t.match(writer.log.lines(50)[1], { err: { code: 'DB_COMMIT_UNKNOWN', context: { committed: [], failed: 'default', rolledBack: ['billing'] } } })
})

t.test('130: a backend that is killed while the first COMMIT runs is a half, and one killed before it is none', async (t) => {
  const writer = await buildWriter(t, true)
  writer.server.post('/killed', async (request) => {
    await request.repo(users).create({ email: 'killed' })
    await request.repo(invoices).create({ email: 'killed' })
    await killBackend(databaseOf(writer.server), await backendOf(billingOf(request)))
  })
  t.match((await post(writer, '/killed')).json(), { statusCode: 503, code: 'DB_CONNECTION' })
  t.strictSame(await writer.rows(), { users: 0, invoices: 0 })

  const held = await holdCommits(t, writer.server.db)
  const reply = post(writer)
  await held.reached()
  const [{ pid } = { pid: 0 }] = await beside<{ pid: number }>(databaseOf(writer.server), "select pid from pg_stat_activity where state = 'idle in transaction' and datname = current_database()")
  await killBackend(databaseOf(writer.server), pid)
  await held.release()

  t.match((await reply).json(), { statusCode: 500, code: 'DB_PARTIAL_COMMIT' })
  t.strictSame(await writer.rows(), { users: 1, invoices: 0 })
})

t.test('132: a constraint that the second database would refuse at COMMIT keeps the first from committing', async (t) => {
  const both = await buildBoth(t)
  both.server.post('/', async (request) => {
    await request.repo(users).create({ email: `${++people}@example.com` })
    await request.repo(invoices).create({ email: 'twice' })
  })

  t.equal((await post(both)).statusCode, 200)
  t.match((await post(both)).json(), { statusCode: 409, code: 'DB_UNIQUE_VIOLATION' })
  t.strictSame(await both.rows(), { users: 1, invoices: 1 })
})

t.test('133: a conflict is repeated before the first COMMIT, and never behind one that has committed', async (t) => {
  const both = await buildBoth(t)
  const { collide } = await conflicts(both.server.db, 'commit')
  let runs = 0
  both.server.addHook('onRequest', async (request) => { billingOf(request).afterCommit(() => { told++ }) })
  let told = 0
  both.server.post('/', { config: { transaction: { retries: 3, isolationLevel: 'serializable' } } }, async (request) => {
    runs++
    await request.repo(users).create({ email: `${++people}@example.com` })
    await request.repo(invoices).create({ email: `${await request.repo(invoices).count()} ${people}` })
    return 'made'
  })

  await collide(2)
  t.equal((await post(both)).statusCode, 200)
  t.strictSame([runs, told, await both.rows()], [3, 1, { users: 1, invoices: 1 }])

  const held = await holdCommits(t, both.server.db)
  const reply = post(both)
  await held.reached()
  await databaseOf(both.server).session(async (session) => {
    await session.repo(invoices).create({ email: `${await session.repo(invoices).count()} other` })
  }, { isolationLevel: 'serializable' })
  await held.release()

  t.match((await reply).json(), { statusCode: 500, code: 'DB_PARTIAL_COMMIT' })
  t.strictSame([runs, told, await both.rows()], [4, 1, { users: 2, invoices: 2 }])
})

t.test('137: each database has a health of its own', async (t) => {
  const both = await buildBoth(t)
  const health = async () => Promise.all(['', '/billing'].map(async (path) => (await both.server.inject(`/health/database${path}`)).statusCode))

  t.strictSame(await health(), [200, 200])
  t.match((await both.server.inject('/health/database/billing/pool')).json(), { max: 60 })
  await both.server.close()

  for (const [lost, expected] of [['first', [503, 200]], ['billing', [200, 503]]] as const) {
    const each = await buildBoth(t)
    await each[lost].refuse()
    t.strictSame(await Promise.all(['', '/billing'].map(async (path) => (await each.server.inject(`/health/database${path}`)).statusCode)), expected, lost)
  }
})

t.test('138: closing waits for the work of each, and a request between two COMMITs is not cut off', async (t) => {
  const writer = await buildWriter(t, false, { first: { drainTimeoutSeconds: 0.2 }, billing: { drainTimeoutSeconds: 0.2 } })
  const held = await holdCommits(t, writer.server.db)
  const reply = post(writer)
  await held.reached()

  const closing = Promise.all([writer.server.db.close(), databaseOf(writer.server).close()])
  await until(async () => (await databaseOf(writer.server).checkHealth()).status === 'closing')
  await held.release()

  t.equal((await reply).statusCode, 201)
  await closing
  t.strictSame(await writer.rows(), { users: 1, invoices: 1 })
})
