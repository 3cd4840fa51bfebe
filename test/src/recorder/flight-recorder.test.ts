import { sql } from 'drizzle-orm'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { leakChannel, transactionChannel } from '../../../src/channels/channels.js'
import { ignore } from '../../../src/runtime/promises.js'
import { deferred } from '../../helpers/deferred.js'
import { record } from '../../helpers/recorder.js'
import { users } from '../../helpers/schema.js'
import { build, buildByProxy } from '../../helpers/server.js'
import { until } from '../../helpers/until.js'
import type { FastifyInstance } from 'fastify'

const secret = 's3cret-4711@example.com'
const one = { size: 1, maxOverflow: 0 }

/** A route that writes, and keeps its transaction open until `release`. */
function holdOn (server: FastifyInstance, url: string, write: (id: number) => ReturnType<typeof sql> = (id) => sql`update users set balance = balance + ${1} where id = ${id}`) {
  const [held, released] = [deferred(), deferred()]
  server.post<{ Params: { id: number } }>(url, async (request) => {
    await request.db.execute(write(request.params.id))
    held.resolve()
    await released.promise
  })
  return { held: held.promise, release: () => released.resolve() }
}

async function userIn (server: FastifyInstance, email = secret): Promise<number> {
  return (await server.db.repo(users).create({ email })).id
}

t.test('a request that waits in vain for a connection is recorded: its statement, and who holds the connections', async (t) => {
  const server = await build(t, { pool: { ...one, timeoutSeconds: 0.3 } })
  server.post('/starved', (request) => request.repo(users).create({ email: secret }))
  const { held, release } = holdOn(server, '/holding/:id')
  const { recording, logger } = await record(t, server.db)
  const holding = server.inject({ method: 'POST', url: '/holding/1' })
  await held

  t.equal((await server.inject({ method: 'POST', url: '/starved' })).statusCode, 503)

  const { incident, holders, pools, transactions = [], ...file } = await recording()
  const blocker = /^POST \/holding\/:id \(1 connection for \d\.\d s, idle in transaction: update users set balance = balance \+ \$1 where id = \$2\)$/
  t.match(incident, { kind: 'pool time-out', route: 'POST /starved', text: /^insert into "users"/, blocker, code: 'DB_POOL_TIMEOUT', sqlState: null })
  t.match(holders, [{ route: 'POST /holding/:id', state: 'idle in transaction', stack: /flight-recorder\.test/ }])
  t.match(pools.find(({ max }) => max === 1), { size: 1, total: 1, inUse: 1 })
  t.match(transactions.map(({ route, outcome, code }) => ({ route, outcome, code })), [
    { route: 'POST /holding/:id', outcome: 'open', code: null },
    { route: 'POST /starved', outcome: 'none', code: 'DB_POOL_TIMEOUT' }
  ])
  t.match(logger.lines, [{ level: 'warn', message: /^the flight recorder has written/, context: { incident: 'pool time-out', route: 'POST /starved', blocker, file: /pool-time-out-default-\d+-1\.html$/ } }])
  t.notMatch(JSON.stringify(file), /s3cret|4711/)
  release()
  await holding
})

t.test('a session that waits in vain before its first statement is recorded without one', async (t) => {
  const server = await build(t, { pool: { ...one, timeoutSeconds: 0.3 } })
  const { recording } = await record(t, server.db)
  const [holder, starved] = [server.db.createSession(), server.db.createSession()]
  await holder.begin()

  await t.rejects(starved.begin(), { code: 'DB_POOL_TIMEOUT' })

  t.match((await recording()).incident, { kind: 'pool time-out', route: 'database', text: null, blocker: /^database \(1 connection for \d\.\d s, idle in transaction\)$/ })
  await holder.close()
})

t.test('a thousand requests of one incident write one file', async (t) => {
  const server = await build(t, { pool: { ...one, timeoutSeconds: 0.3, maxWaiting: 500 } })
  const { held, release } = holdOn(server, '/holding/:id')
  for (let count = 0; count < 20; count++) server.get(`/starved/${count}`, (request) => request.repo(users).count())
  const { recording, recorder, files } = await record(t, server.db)
  const holding = server.inject({ method: 'POST', url: '/holding/1' })
  await held

  const replies = await Promise.all(Array.from({ length: 1000 }, (_, count) => server.inject(`/starved/${count % 20}`)))

  t.ok(replies.every(({ statusCode }) => statusCode === 503))
  t.equal((await recording()).incident?.kind, 'pool time-out')
  release()
  await holding
  await recorder.close()
  t.equal((await files()).length, 1)
})

/** The rows that a route locks, one after the other. */
interface Way { readonly ids: readonly [number, number], readonly mine: () => void, readonly others: Promise<void> }

t.test('a deadlock is recorded: the victim, its statement, and the route and the statement that it met', async (t) => {
  const server = await build(t)
  const [first, second] = [await userIn(server), await userIn(server, `other-${secret}`)]
  const [hasFirst, hasSecond] = [deferred(), deferred()]
  const route = (url: string, { ids, mine, others }: Way) => server.post(url, async (request) => {
    await request.repo(users).update(ids[0], { balance: 4711 })
    mine()
    await others
    await request.db.execute(sql`update users set balance = ${4711} where id = ${ids[1]}`)
  })
  route('/there', { ids: [first, second], mine: hasFirst.resolve, others: hasSecond.promise })
  route('/back', { ids: [second, first], mine: hasSecond.resolve, others: hasFirst.promise })
  const { recording } = await record(t, server.db)

  const replies = await Promise.all(['/there', '/back'].map((url) => server.inject({ method: 'POST', url })))
  t.same(replies.map(({ statusCode }) => statusCode).sort(), [200, 409])

  const { incident, transactions = [], ...file } = await recording()
  const [victim, other] = replies[0]?.statusCode === 200 ? ['/back', '/there'] : ['/there', '/back']
  t.match(incident, { kind: 'deadlock', route: `POST ${victim}`, text: 'update users set balance = $1 where id = $2', sqlState: '40P01', processId: Number })
  t.match(incident?.blocker, new RegExp(`^POST ${other} \\(process \\d+: update users set balance = \\$1 where id = \\$2\\)$`))
  t.equal(transactions.find(({ route }) => route === `POST ${victim}`)?.processId, incident?.processId)
  t.notMatch(JSON.stringify({ incident, transactions, ...file }), /s3cret|\b4711\b/)
})

t.test('a connection that is held for too long is recorded: its route, its latest statement and its state', async (t) => {
  const server = await build(t, { leakWarningSeconds: 0.1 })
  const { held, release } = holdOn(server, '/leaking/:id')
  const { recording } = await record(t, server.db)
  const holding = server.inject({ method: 'POST', url: '/leaking/1' })
  await held

  const { incident, holders } = await recording()

  t.match(incident, { kind: 'leak', route: 'POST /leaking/:id', text: /^update users/, blocker: /^POST \/leaking\/:id \(process \d+, idle in transaction for \d\.\d s\)$/ })
  t.match(holders, [{ route: 'POST /leaking/:id', stack: /flight-recorder\.test/ }])
  release()
  await holding
})

t.test('a leak that waits for a lock names who has it', async (t) => {
  const server = await build(t, { leakWarningSeconds: 0.5 })
  const id = await userIn(server)
  const holder = holdOn(server, '/holding/:id')
  const leak = holdOn(server, '/leaking/:id')
  const holding = server.inject({ method: 'POST', url: `/holding/${id}` })
  await holder.held
  const leaking = server.inject({ method: 'POST', url: `/leaking/${id}` })
  const { recorder, files, folder } = await record(t, server.db)

  await until(async () => (await files()).length === 2)
  const [one, other] = await Promise.all((await files()).map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')).incident))

  t.match([one, other].find(({ route }) => route === 'POST /leaking/:id'), { kind: 'leak', blocker: /^POST \/holding\/:id \(process \d+, idle in transaction for/ })
  holder.release()
  leak.release()
  await Promise.all([holding, leaking, recorder.close()])
})

t.test('a COMMIT whose response is lost is recorded, with the latest statement', async (t) => {
  const { server, proxy } = await buildByProxy(t)
  server.post('/', (request) => request.repo(users).create({ email: secret }))
  const { recording } = await record(t, server.db)
  proxy.loseAnswer('commit')

  t.equal((await server.inject({ method: 'POST', url: '/' })).statusCode, 500)

  const { incident, transactions } = await recording()
  t.match(incident, { kind: 'lost commit', route: 'POST /', text: /^insert into "users"/, blocker: null, code: 'DB_COMMIT_UNKNOWN', processId: Number })
  t.match(transactions, [{ route: 'POST /', outcome: 'unknown', code: 'DB_COMMIT_UNKNOWN', statementCount: 1 }])
})

t.test('a statement that commits by itself, and whose response is lost, is recorded, too', async (t) => {
  const { server, proxy } = await buildByProxy(t)
  const { recording } = await record(t, server.db)
  proxy.loseAnswer('insert')

  await t.rejects(server.db.repo(users).create({ email: secret }), { code: 'DB_COMMIT_UNKNOWN' })

  const { incident, transactions } = await recording()
  t.match(incident, { kind: 'lost commit', route: 'database', text: /^insert into "users"/, code: 'DB_COMMIT_UNKNOWN' })
  t.match(transactions, [{ route: 'database', outcome: 'unknown' }])
})

t.test('of a transaction that began before the recorder its end is recorded', async (t) => {
  const { server, proxy } = await buildByProxy(t)
  transactionChannel.start.subscribe(ignore)
  t.teardown(() => { transactionChannel.start.unsubscribe(ignore) })
  const session = server.db.createSession()
  await session.repo(users).create({ email: secret })
  const { recording } = await record(t, server.db)
  proxy.loseAnswer('commit')

  await t.rejects(session.commit(), { code: 'DB_COMMIT_UNKNOWN' })

  const { incident, transactions } = await recording()
  t.match(incident, { kind: 'lost commit', route: 'database', text: null, processId: Number })
  t.same(transactions, [])
})

t.test('a leak without a known process is recorded, too', async (t) => {
  const server = await build(t)
  const { recording } = await record(t, server.db)

  leakChannel.publish({ ...server.db.host.place, pool: 'default', route: 'GET /', heldMillis: 1000, state: 'idle', stack: '', processId: undefined })

  t.match((await recording()).incident, { kind: 'leak', route: 'GET /', text: null, processId: null, blocker: 'GET / (idle for 1.0 s)' })
})

t.test('a slow request is recorded while it waits for a lock: its statement, and who has the lock', async (t) => {
  const server = await build(t)
  const id = await userIn(server)
  const slow = holdOn(server, '/slow/:id')
  const { recording } = await record(t, server.db, { slowRequestMillis: 300 })
  const session = server.db.createSession()
  await session.repo(users).update(id, { balance: 1 })
  const waiting = server.inject({ method: 'POST', url: `/slow/${id}` })

  const { incident } = await recording()

  t.match(incident, { kind: 'slow request', route: 'POST /slow/:id', text: /^update users/, code: null, processId: Number })
  t.match(incident?.blocker, /^database \(process \d+, idle in transaction for \d\.\d s: update "users"/)
  await session.rollback()
  await slow.held
  slow.release()
  await waiting
})

t.test('a request that is slow because it waits for a connection names who holds them', async (t) => {
  const server = await build(t, { pool: one })
  server.get('/slow', (request) => request.repo(users).count())
  const session = server.db.createSession()
  await session.repo(users).create({ email: secret })
  const { recording } = await record(t, server.db, { slowRequestMillis: 100 })
  const waiting = server.inject('/slow')

  const { incident } = await recording()

  t.match(incident, { kind: 'slow request', route: 'GET /slow', text: /^select count/, processId: null, blocker: /^database \(1 connection for/ })
  await session.rollback()
  await waiting
})

t.test('a request that was slow in all is recorded once, at its end at the latest; sessions outside requests are not', async (t) => {
  const server = await build(t)
  for (const url of ['/a', '/b', '/c']) {
    server.get(url, async (request) => {
      for (let count = 0; count < 5; count++) await request.db.execute(sql`select pg_sleep(0.005)`)
      return await request.repo(users).count()
    })
  }
  const { recorder, logger } = await record(t, server.db, { slowRequestMillis: 10 })

  for (const url of ['/a', '/b', '/c']) await server.inject(url)
  await server.db.transaction((session) => session.execute(sql`select pg_sleep(0.02)`))
  await recorder.close()

  t.same(logger.lines.map(({ context }) => `${context['incident']} ${context['route']}`).sort(), ['slow request GET /a', 'slow request GET /b', 'slow request GET /c'])
})
