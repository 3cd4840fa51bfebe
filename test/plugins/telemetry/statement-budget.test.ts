import { sql } from 'drizzle-orm'
import Fastify from 'fastify'
import t from 'tap'
import dataAccess from '../../../plugins/index.js'
import { StatementBudgetError } from '../../../src/index.js'
import { conflicts } from '../../helpers/conflicts.js'
import { recordLog } from '../../helpers/log-stream.js'
import { users } from '../../helpers/schema.js'
import { build } from '../../helpers/server.js'
import type { FastifyRequest } from 'fastify'
import type { StatementBudgetOption } from '../../../plugins/index.js'
import type { Test } from '../../helpers/test.js'

const warning = 'a request ran more statements than its budget: is one run for each row of a list?'

async function start (t: Test, statementBudget?: StatementBudgetOption) {
  const log = recordLog()
  const server = await build(t, { ...(statementBudget !== undefined && { statementBudget }), server: { logger: { ...log.logger, level: 'info' } } })
  return { server, warnings: () => log.lines(40).filter(({ msg }) => msg === warning), log }
}

/** One statement for a list, and one for each of its rows. */
async function onePerRow (request: FastifyRequest): Promise<number> {
  await request.repo(users).getAll()
  for (const id of [1, 2, 3]) await request.repo(users).get(id)
  return 4
}

t.test('a request beyond the budget is one warning, with its route and the text that it repeated', async (t) => {
  const { server, warnings } = await start(t, 3)
  server.get('/users', onePerRow)
  server.get('/one', (request) => request.repo(users).count())
  server.get('/nested', (request) => request.transaction(async () => await onePerRow(request)))
  server.get('/plenty', { config: { transaction: { statementBudget: 4 } } }, onePerRow)
  server.get('/unlimited', { config: { transaction: { statementBudget: false } } }, onePerRow)
  server.get('/none', { config: { transaction: false } }, async () => 0)
  for (const url of ['/one', '/plenty', '/unlimited', '/none', '/missing']) await server.inject(url)
  t.same(warnings(), [])

  t.equal((await server.inject('/users')).statusCode, 200)
  t.match(warnings(), [{ route: 'GET /users', statements: 4, budget: 3, statement: /select .* where .*\$1/, times: 3 }])
  await server.inject('/nested')
  t.match(warnings()[1], { route: 'GET /nested', statements: 4 })
  t.equal((await server.inject({ method: 'HEAD', url: '/users' })).statusCode, 200)
  t.equal(warnings().length, 3)
})

t.test('without a budget of the plugin, a route may have one of its own', async (t) => {
  const { server, warnings } = await start(t)
  server.get('/free', onePerRow)
  server.get('/users', { config: { transaction: { statementBudget: { max: 1 } } }, onRequest: async () => {} }, onePerRow)
  await server.inject('/free')
  t.same(warnings(), [])
  await server.inject('/users')
  await server.inject({ method: 'HEAD', url: '/users' })
  t.match(warnings().map(({ route, statements }) => [route, statements]), [['GET /users', 4], ['HEAD /users', 4]])
})

t.test('with exceed: throw the statement beyond is an error and not sent, and nothing of the request is saved', async (t) => {
  const { server, warnings, log } = await start(t, { max: 2, exceed: 'throw' })
  server.post('/', async (request) => {
    for (const email of ['a', 'b', 'canary']) await request.repo(users).create({ email })
  })
  server.post('/swallowed', async (request) => {
    for (const email of ['a', 'b', 'c']) await request.repo(users).create({ email }).catch(() => {})
    return 'done'
  })
  server.get('/stream', async (request) => {
    await request.repo(users).count()
    await request.repo(users).count()
    for await (const user of request.repo(users).stream()) t.fail(String(user))
  })
  const reply = await server.inject({ method: 'POST', url: '/' })
  t.match(reply.json(), { statusCode: 500, code: 'DB_STATEMENT_BUDGET' })
  t.match(log.lines(50), [{ err: { code: 'DB_STATEMENT_BUDGET', context: { operation: 'create', table: 'users', statement: /insert into "users"/, times: 3 } } }])
  t.notMatch(log.text, /canary/)
  t.equal((await server.inject({ method: 'POST', url: '/swallowed' })).json().code, 'DB_TRANSACTION_ABORTED', 'a write that was not sent prevents the commit')
  t.match((await server.inject('/stream')).json(), { code: 'DB_STATEMENT_BUDGET' })
  t.equal(await server.db.repo(users).count(), 0)
  t.same(warnings(), [])
  t.ok(new StatementBudgetError().message.includes('with()'))
})

t.test('with retries each attempt counts anew, and begin and the check at the commit count nothing', async (t) => {
  const { server } = await start(t, { max: 2, exceed: 'throw' })
  const { collide } = await conflicts(server.db)
  await collide(1)
  server.post('/', { config: { transaction: { retries: 1, begin: 'onRequest' } } }, async (request) => {
    await request.repo(users).count()
    return await request.repo(users).create({ email: 'a' })
  })
  t.equal((await server.inject({ method: 'POST', url: '/' })).statusCode, 200)
})

t.test('the texts that are counted are bounded', async (t) => {
  const { server, warnings } = await start(t, 100)
  server.get('/', async (request) => {
    for (let i = 0; i < 103; i++) await request.db.execute(sql.raw(`select ${i}`))
    await request.db.execute(sql.raw('select 0'))
  })
  await server.inject('/')
  t.match(warnings(), [{ statements: 104, statement: 'select 0', times: 2 }])
})

t.test('a budget that cannot be used is refused with its name', async (t) => {
  const nowhere = { connectionString: 'postgresql://nobody@127.0.0.1:1/none', degraded: true }
  for (const [budget, message] of [[0, 'statementBudget'], [1.5, 'statementBudget'], ['3', 'statementBudget'], [{}, 'statementBudget.max'],
    [{ max: 0 }, 'statementBudget.max'], [{ max: 1, exceed: 'fail' }, 'statementBudget.exceed'], [{ max: 1, more: 1 }, 'statementBudget.more']] as const) {
    const server = Fastify()
    await t.rejects(async () => { await server.register(dataAccess, { ...nowhere, statementBudget: budget as never }) }, { message: new RegExp(message) })
    await server.close()
  }
  const server = await build(t)
  const wrong = { config: { transaction: { statementBudget: -1 } } }
  t.throws(() => server.get('/', wrong, async () => 1), { message: /config\.transaction\.statementBudget of GET \// })
  for (const [given, setting] of [[{ statementBudget: 1 }, /^statementBudget cannot/], [{ transaction: { statementBudget: 1 } }, /^transaction\.statementBudget cannot/]] as const) {
    const another = await build(t)
    await t.rejects(async () => { await another.register(dataAccess, { ...nowhere, name: 'billing', ...given }) }, { message: setting })
  }
})
