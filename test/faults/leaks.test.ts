import t from 'tap'
import { recordLog } from '../helpers/log-stream.js'
import { recordingLogger } from '../helpers/logger.js'
import { open } from '../helpers/database.js'
import { caller, openPool } from '../helpers/pool.js'
import { users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'
import { until } from '../helpers/until.js'
import type { Database, Session } from '../../src/index.js'

const ada = { email: 'ada@example.com' }
const message = 'a database connection is held for long: is a session never closed, or a client never released?'

t.test('41: a long checkout is logged once, with its holder and statement', async (t) => {
  const logger = recordingLogger()
  const pool = await openPool(t, { leakWarningSeconds: 0.05 })
  const leaked = await pool.connect({ logger, label: 'GET /reports' })
  const other = await pool.connect({ logger, label: 'GET /users' })
  other.release()

  await until(() => logger.lines.length > 0)
  const late = await pool.connect({ logger, label: 'GET /posts' })
  await until(() => logger.lines.length > 1)

  t.match(logger.lines, [
    { level: 'warn', message, context: { holder: 'GET /reports', heldSeconds: Number, state: 'idle' } },
    { level: 'warn', message, context: { holder: 'GET /posts' } }
  ])
  t.equal(logger.lines.length, 2)
  leaked.release()
  late.release()
})

t.test('41: the log, and only the log, names the route and the lines of its handler', async (t) => {
  const log = recordLog()
  const server = await build(t, { leakWarningSeconds: 0.5, server: { logger: log.logger } })
  async function findSomething (session: Session): Promise<number> { return session.repo(users).count() }
  server.get('/reports/:id', async function report (request) {
    const early = await findSomething(request.db)
    await request.repo(users).create(ada)
    await until(() => log.lines(40).length > 0)
    return { early }
  })

  const reply = await server.inject('/reports/7?token=s3cret')

  t.equal(reply.body, '{"early":0}')
  t.match(log.lines(40), [
    { level: 40, msg: message, reqId: 'req-1', holder: 'GET /reports/:id', state: 'idle in transaction', stack: /^at \S*report .*leaks\.test\.ts:\d+/ }
  ])
  t.notMatch(log.lines(40)[0]?.['stack'], /s3cret|node_modules|node:|src\/|plugins\//, 'no other frames')
})

t.test('41: a session that is never closed is found by the lines that opened it, whatever ran in it', async (t) => {
  const uses: Record<string, (session: Session) => Promise<unknown>> = {
    repository: (session) => session.repo(users).create(ada),
    drizzle: async (session) => await session.drizzle.insert(users).values(ada),
    parallel: (session) => Promise.all([session.repo(users).count(), session.repo(users).create(ada)])
  }
  for (const [name, use] of Object.entries(uses)) {
    const logger = recordingLogger()
    const database = await open(t, { logger, leakWarningSeconds: 0.5 })
    const forgetful = async (database: Database): Promise<Session> => {
      const session = database.createSession()
      await use(session)
      return session
    }

    const session = await forgetful(database)
    await until(() => logger.lines.length > 0)

    t.match(
      logger.lines,
      [{ message, context: { holder: 'database', state: 'idle in transaction', stack: /^at forgetful .*leaks\.test\.ts.*\n.*leaks\.test\.ts/ } }],
      name
    )
    await session.close()
  }
})

t.test('41: a client checked out through pg\'s pool and never released is logged as well', async (t) => {
  const logger = recordingLogger()
  const pool = await openPool(t, { leakWarningSeconds: 0.05, logger })
  const client = await pool.pool.connect()
  await until(() => logger.lines.length > 0)
  await client.query('begin')
  const other = await pool.pool.connect()
  await other.query('begin')
  await until(() => logger.lines.length > 1)
  await pool.pool.query('select 1')

  t.match(logger.lines, [
    { level: 'warn', message, context: { holder: 'pool.connect()', state: 'no transaction' } },
    { level: 'warn', message, context: { holder: 'pool.connect()', state: 'in a transaction' } }
  ])
  for (const taken of [client, other]) {
    await taken.query('rollback')
    taken.release()
  }
})

t.test('41: with leakWarningSeconds 0 nothing is logged', async (t) => {
  const logger = recordingLogger()
  const [silent, telling] = [await openPool(t, { leakWarningSeconds: 0, logger }), await openPool(t, { leakWarningSeconds: 0.05 })]
  const held = [await silent.connect({ ...caller, logger }), await silent.pool.connect()]
  const others = recordingLogger()
  const other = await telling.connect({ ...caller, logger: others })
  await until(() => others.lines.length > 0)

  t.same(logger.lines, [])
  for (const lent of [...held, other]) lent.release()
})
