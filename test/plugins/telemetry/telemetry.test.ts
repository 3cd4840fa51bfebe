import { Readable } from 'node:stream'
import { sql } from 'drizzle-orm'
import Fastify from 'fastify'
import t from 'tap'
import dataAccess from '../../../plugins/index.js'
import { statementChannel } from '../../../src/channels/channels.js'
import { recordLog } from '../../helpers/log-stream.js'
import { users } from '../../helpers/schema.js'
import { build } from '../../helpers/server.js'
import { until } from '../../helpers/until.js'

const summary = 'database work of a request'

t.test('one line at debug tells what a request did to the database, and no value', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.post('/users/:email', async (request) => {
    const { email } = request.params as { email: string }
    await request.repo(users).create({ email })
    await request.repo(users).getAll()
    if (email === 'refused') throw new Error('refused')
    return 'done'
  })
  server.get('/none', async () => 'nothing')
  await server.inject('/none')
  await server.inject({ method: 'POST', url: '/users/canary' })
  await server.inject({ method: 'POST', url: '/users/refused' })
  const lines = (): object[] => log.lines(20).filter(({ msg }) => msg === summary)
  await until(() => lines().length === 2)
  t.match(lines(), [
    { level: 20, reqId: 'req-2', route: 'POST /users/:email', statements: 2, rows: 2, waitMillis: Number, databaseMillis: Number, outcome: 'committed' },
    { level: 20, reqId: 'req-3', route: 'POST /users/:email', statements: 2, rows: 3, outcome: 'rolledBack' }
  ])
  t.notMatch(JSON.stringify(lines()), /canary/)
})

t.test('a slow request is a warning with the text that took most of the time', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger }, slowQueryMillis: 0, serverTiming: true })
  server.setNotFoundHandler(async (request) => {
    for (let i = 0; i < 2; i++) await request.db.execute(sql`select ${i}::int, pg_sleep(0.05)`)
    await request.db.execute(sql`select 1`)
    return 'none'
  })
  const { headers } = await server.inject('/missing')
  t.match(headers['server-timing'], /^db;dur=[\d.]+;desc="3 statements", db-wait;dur=[\d.]+$/)
  const slow = (): object[] => log.lines(40).filter(({ msg }) => msg === `slow ${summary}`)
  await until(() => slow().length === 1)
  t.match(slow(), [{ level: 40, route: 'GET (no route)', statements: 3, outcome: 'committed', slowest: { statement: /pg_sleep/, count: 2, durationMillis: Number } }])
})

t.test('the texts of a request are bounded', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.get('/', async (request) => {
    for (let i = 0; i < 120; i++) await request.db.execute(sql.raw(`select ${i}`))
    return 'done'
  })
  await server.inject('/')
  await until(() => log.lines(20).some(({ msg }) => msg === summary))
  t.match(log.lines(20).filter(({ msg }) => msg === summary), [{ statements: 120 }])
})

t.test('Server-Timing counts the statements of beforeCommit, keeps the metrics of the program, and is there for streams', async (t) => {
  const server = await build(t, { serverTiming: true })
  server.post('/', async (request, reply) => {
    reply.header('server-timing', 'cache;desc="hit", db;dur=1')
    await request.repo(users).create({ email: 'ada@example.com' })
    request.db.beforeCommit(async () => { await request.repo(users).count() })
    return 'done'
  })
  server.get('/one', async (request) => request.repo(users).count())
  server.get('/stream', async (request, reply) => {
    await request.repo(users).count()
    return await reply.send(Readable.from(['a', 'b']))
  })
  server.get('/none', async () => 'nothing')
  const timing = async (method: 'GET' | 'POST' | 'HEAD', url: string): Promise<unknown> => (await server.inject({ method, url })).headers['server-timing']
  t.match(await timing('POST', '/'), /^cache;desc="hit", db;dur=[\d.]+;desc="2 statements", db-wait;dur=[\d.]+$/)
  for (const method of ['GET', 'HEAD'] as const) t.match(await timing(method, '/one'), /^db;dur=[\d.]+;desc="1 statement", db-wait;dur=[\d.]+$/)
  t.match(await timing('GET', '/stream'), /^db;dur=[\d.]+;desc="1 statement", /)
  t.equal(await timing('GET', '/none'), undefined)
})

t.test('a statement that PostgreSQL refuses counts, and one that is never sent', async (t) => {
  const server = await build(t, { serverTiming: true })
  server.get('/', async (request) => {
    await request.db.execute(sql`select 1 / 0`).catch(() => {})
    await request.db.execute(sql`select 1`).catch(() => {})
    return 'done'
  })
  t.match((await server.inject('/')).headers['server-timing'], /desc="2 statements"/)
})

t.test('nothing is subscribed without the header and above the level debug, and nothing after the close', async (t) => {
  const quiet = await build(t, { server: { logger: { level: 'silent' } } })
  t.not(statementChannel.hasSubscribers, true)
  quiet.get('/', async (request) => request.repo(users).count())
  t.equal((await quiet.inject('/')).headers['server-timing'], undefined)
  const timed = await build(t, { serverTiming: true })
  t.ok(statementChannel.hasSubscribers)
  await timed.close()
  t.not(statementChannel.hasSubscribers, true)
})

t.test('wrong options are refused with the way out', async (t) => {
  const nowhere = { connectionString: 'postgresql://nobody@127.0.0.1:1/none', degraded: true }
  const server = Fastify()
  t.teardown(() => server.close())
  await t.rejects(async () => { await server.register(dataAccess, { ...nowhere, serverTiming: 'yes' as never }) }, { setting: 'serverTiming', message: /must be true or false/ })
  const other = Fastify()
  t.teardown(() => other.close())
  await other.register(dataAccess, nowhere)
  await t.rejects(async () => { await other.register(dataAccess, { ...nowhere, name: 'billing', serverTiming: true }) }, { setting: 'serverTiming', message: /give it to the one without/ })
})
