import { sql } from 'drizzle-orm'
import { Client } from 'pg'
import t from 'tap'
import { ActivityWatch } from '../../../src/activity/activity-watch.js'
import { watchActivity } from '../../../src/activity/watch-activity.js'
import { createTestDatabase, expectNoLeaks } from '../../../src/testing/index.js'
import { backendOf } from '../../helpers/backend.js'
import { deferred } from '../../helpers/deferred.js'
import { users, withTables } from '../../helpers/schema.js'
import { until } from '../../helpers/until.js'
import type { Test } from 'tap'
import type { Database, OpenOptions } from '../../../src/index.js'

async function opened (t: Test, options?: OpenOptions): Promise<Database> {
  const { database } = await createTestDatabase(t, { ...withTables, ...options })
  t.teardown(() => expectNoLeaks(database))
  return database
}

async function watched (t: Test, options?: OpenOptions) {
  const database = await opened(t, options)
  const view = watchActivity(database)
  t.teardown(() => view.end())
  return { database, view }
}

/** Resolves when a second has ended since now. */
async function aSecond (view: { current (): { seconds: ReadonlyArray<{ at: number }> } }): Promise<void> {
  const { length } = view.current().seconds
  await until(() => view.current().seconds.length > length)
}

function sumOf <Key extends string> (rows: ReadonlyArray<Record<Key, number>>, key: Key): number {
  return rows.reduce((sum, row) => sum + row[key], 0)
}

t.test('shows at once the pool and its connections by state, and one more second each second', async (t) => {
  const { view } = await watched(t, { pool: { size: 2, maxOverflow: 1 } })

  const { database: name, pools, seconds, holders } = view.current()
  t.match({ name, pools, holders }, { name: 'default', pools: [{ pool: 'default', size: 2, max: 3, total: 1, idle: 1, inUse: 0, waiting: 0 }], holders: [] })
  t.match(seconds, [{ running: 0, idleInTransaction: 0, idle: 1, waiting: 0, waits: 0, waitP50: null, waitP99: null, statements: 0 }])
  await aSecond(view)
})

t.test('counts statements, failures, commits, rollbacks and waits of a second', async (t) => {
  const { database, view } = await watched(t)

  await database.repo(users).create({ email: 'ada' })
  await database.transaction((session) => session.repo(users).create({ email: 'grace' }))
  await t.rejects(database.transaction((session) => session.execute(sql`select 1 / 0`)))
  await aSecond(view)

  const { seconds } = view.current()
  t.equal(sumOf(seconds, 'statements'), 3)
  t.equal(sumOf(seconds, 'failures'), 1)
  t.equal(sumOf(seconds, 'commits'), 1)
  t.equal(sumOf(seconds, 'rollbacks'), 1)
  t.equal(sumOf(seconds, 'waits'), 3)
  t.ok(seconds.some(({ waitP50, waitP99 }) => Number(waitP50) > 0 && Number(waitP99) >= Number(waitP50)))
})

t.test('names who holds a connection, in which state, and on request where it was requested', async (t) => {
  const { database, view } = await watched(t)

  await database.transaction(async (session) => {
    await session.execute(sql`select 1`)
    t.match(view.current().holders, [{ pool: 'default', route: 'database', state: 'idle in transaction', texts: [], processId: Number, stack: null }])
    t.match(view.current({ stacks: true }).holders, [{ stack: /activity-watch\.test/ }])
    const sleeping = session.execute(sql`select pg_sleep(${0.3}::float)`)
    await until(() => view.current().holders[0]?.state === 'running')
    t.match(view.current().holders, [{ texts: ['select pg_sleep($1::float)'] }])
    await sleeping
    await aSecond(view)
    t.match(view.current().seconds.at(-1), { running: 0, idleInTransaction: 1 })
  })
})

t.test('counts statements by their text, slowest first, without values', async (t) => {
  const { database, view } = await watched(t)

  for (const email of ['ada', 'grace']) await database.repo(users).create({ email })
  await database.execute(sql`select pg_sleep(${0.05}::float)`)
  await t.rejects(database.execute(sql`select 1 / ${0}::int`))

  const { shapes } = view.current()
  t.match(shapes[0], { text: 'select pg_sleep($1::float)', routes: ['database'], count: 1, failures: 0, rows: 1 })
  t.match(shapes.find(({ text }) => text.startsWith('insert')), { count: 2, rows: 2, failures: 0 })
  t.match(shapes.find(({ text }) => text.startsWith('select 1 /')), { count: 1, rows: 0, failures: 1 })
  t.equal(new Set(shapes.map(({ id }) => id)).size, 3)
  t.notMatch(JSON.stringify(shapes), /ada|grace|0\.05/)
})

t.test('names who waits for whose lock', async (t) => {
  const { database, view } = await watched(t)
  const { id } = await database.repo(users).create({ email: 'ada' })
  const [held, done] = [deferred(), deferred()]

  const holder = database.transaction(async (session) => {
    await session.repo(users).update(id, { email: 'grace' })
    held.resolve()
    await done.promise
  })
  await held.promise
  const waiter = database.transaction((session) => session.repo(users).update(id, { email: 'joan' }))
  await until(() => view.current().blockings?.length === 1)

  const own = { route: 'database', text: /^update "users"/ }
  t.match(view.current().blockings, [{ waiting: { ...own, state: 'active', millis: Number }, blockers: [{ ...own, state: 'idle in transaction' }] }])
  done.resolve()
  await Promise.all([holder, waiter])
  await until(() => view.current().blockings?.length === 0)
})

t.test('names another program that has a lock, and nothing of its statements', async (t) => {
  const { database, view } = await watched(t)
  const { id } = await database.repo(users).create({ email: 'ada' })
  const other = new Client(database.pool.options)
  await other.connect()
  await other.query(`set application_name = 'nightly report'; begin; update users set balance = 4711 where id = ${id}`)

  const waiter = database.repo(users).update(id, { balance: 1 })
  await until(() => view.current().blockings?.length === 1)

  t.match(view.current().blockings, [{ waiting: { route: 'database', text: /^update "users"/ }, blockers: [{ application: 'nightly report', state: 'idle in transaction', text: '' }] }])
  t.notMatch(JSON.stringify(view.current()), /4711/)
  await other.end()
  await waiter
})

t.test('names the running statement of a connection whose transaction began before', async (t) => {
  const database = await opened(t)
  await database.transaction(async (session) => {
    const processId = await backendOf(session)
    const view = watchActivity(database, { blockings: false })
    const sleeping = session.execute(sql`select pg_sleep(0.2)`)
    await until(() => view.current().holders[0]?.state === 'running')
    t.match(view.watch.processOf(processId), { route: 'database', text: 'select pg_sleep(0.2)' })
    await sleeping
    t.match(view.watch.processOf(processId), { route: 'database', text: '' })
    t.equal(view.watch.processOf(0), undefined)
    await view.end()
  })
})

t.test('says that it does not know the locks of a server that does not answer', async (t) => {
  const { database, view } = await watched(t)
  const lost = new ActivityWatch({ place: database.host.place, connection: { host: '127.0.0.1', port: 1 } })
  t.teardown(() => lost.close())

  await Promise.all([lost.findBlockings(), view.watch.findBlockings()])

  t.equal(lost.current().blockings, null)
  t.same(view.current().blockings, [])
})

t.test('all who look at a database share one watch, which ends with the last of them', async (t) => {
  const { database, view } = await watched(t)
  const other = watchActivity(database, { blockings: false })

  t.equal(other.watch, view.watch)
  await Promise.all([view.end(), view.end()])
  await database.repo(users).create({ email: 'ada' })
  t.equal(other.current().shapes.length, 1)
  await other.end()
  await database.repo(users).create({ email: 'grace' })
  t.equal(other.current().shapes[0]?.count, 1)
  const next = watchActivity(database)
  t.not(next.watch, view.watch)
  await next.end()
})

t.test('two databases of one name in a process are told apart', async (t) => {
  const { view } = await watched(t)
  const other = await opened(t)

  await other.repo(users).create({ email: 'ada' })

  t.same(view.current().shapes, [])
  t.equal(view.current().pools.length, 1)
})
