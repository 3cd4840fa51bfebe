import { sql } from 'drizzle-orm'
import { Pool } from 'pg'
import t from 'tap'
import { openPools } from '../../../src/channels/open-pools.js'
import { openDatabase } from '../../../src/index.js'
import { channelLog } from '../../helpers/channel-log.js'
import { running } from '../../helpers/backend.js'
import { open } from '../../helpers/database.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { users } from '../../helpers/schema.js'
import { until } from '../../helpers/until.js'

t.test('each wait for a connection, each connection that is opened, and each that comes back is told', async (t) => {
  const database = await open(t, { pool: { size: 1, maxOverflow: 1 } })
  const { namespace } = [...openPools].at(-1) ?? {}
  t.equal(namespace, database.pool.options.database)
  const { started, ended, published, clear } = channelLog(t, ['acquire', 'connect', 'release'], namespace)
  await database.repo(users).count()
  t.match(started('acquire'), [{ database: 'default', pool: 'default', route: 'database', waiting: 0, outcome: undefined }])
  t.match(ended('acquire'), [{ outcome: 'lent', waitMillis: Number, processId: Number }])
  t.match(published('release'), [{ pool: 'default', route: 'database', heldMillis: Number, isDestroyed: false, processId: Number }])
  t.same(published('connect'), [], 'it was open since the start')

  clear()
  const [one, two] = [database.createSession(), database.createSession()]
  await Promise.all([one.begin(), two.begin()])
  t.match(published('connect'), [{ pool: 'default', durationMillis: Number, processId: Number, namespace }])
  const third = database.createSession()
  const begun = third.begin()
  await one.close()
  await begun
  t.match(ended('acquire').at(-1), { outcome: 'lent' })

  await Promise.all([two.close(), third.close()])
})

t.test('a connection that is destroyed is told as such, and so is one that cannot be opened', async (t) => {
  const database = await open(t, { pool: { size: 1, maxOverflow: 0 } })
  const { ended, published, clear } = channelLog(t, ['acquire', 'release'], String(database.pool.options.database))
  await t.rejects(database.session(async (session) => {
    await session.repo(users).create({ email: 'a' })
    await session.execute(sql`select pg_terminate_backend(pg_backend_pid())`)
  }))
  t.match(published('release'), [{ isDestroyed: true }])

  clear()
  const closed = await openDatabase({ connectionString: 'postgresql://nobody@127.0.0.1:1/nowhere', degraded: true })
  t.teardown(() => closed.close())
  const unreachable = channelLog(t, ['acquire'], 'nowhere')
  await t.rejects(closed.repo(users).count(), { code: 'DB_CONNECTION' })
  t.match(unreachable.ended(), [{ outcome: 'failed', error: { code: 'DB_CONNECTION' }, serverPort: 1, processId: undefined }])
  t.same(ended(), [])
})

t.test('the open pools tell their counts, and who holds a connection since when, running what', async (t) => {
  const database = await open(t)
  const pool = [...openPools].findLast(({ namespace }) => namespace === database.pool.options.database)
  t.match(pool, { database: 'default', pool: 'default', serverAddress: String, serverPort: Number })
  t.same(pool?.counts(), database.poolInfo)
  t.same(pool?.holdings(), [])

  const session = database.createSession()
  await session.repo(users).create({ email: 'canary' })
  const sleeping = database.execute(sql`select pg_sleep(600), ${'canary'}::text`).catch(() => {})
  await running(database, 'pg_sleep')
  const holdings = pool?.holdings() ?? []
  t.match(holdings, [
    { route: 'database', state: 'idle in transaction', heldMillis: Number, processId: Number, texts: [] },
    { state: 'running', texts: ['select pg_sleep(600), $1::text'] }
  ])
  t.match(holdings[0]?.stack(), /pools\.test\.ts/)
  t.notMatch(JSON.stringify(holdings), /canary/)
  await session.execute(sql`select pg_cancel_backend(${holdings[1]?.processId})`)
  await sleeping
  await session.close()
})

t.test('a pool that was closed is no open pool', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const other = await openDatabase({ connectionString })
  const count = openPools.size
  await other.close()
  t.equal(openPools.size, count - 1)
})

t.test('41: a leak is told with the lines that asked for the connection', async (t) => {
  const database = await open(t, { leakWarningSeconds: 0.05 })
  const { published } = channelLog(t, ['leak'], String(database.pool.options.database))
  const session = database.createSession()
  await session.begin()
  await until(() => published().length > 0)
  t.match(published(), [{ pool: 'default', route: 'database', heldMillis: Number, state: 'idle in transaction', stack: /pools\.test\.ts/, processId: Number }])
  await session.close()
})

t.test('a pool of the program tells what it does, without the time that opening took', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const pg = new Pool({ connectionString })
  t.teardown(() => pg.end())
  const { published } = channelLog(t, ['connect'])
  const database = await openDatabase({ pg })
  t.teardown(() => database.close())
  t.match(published(), [{ durationMillis: undefined, processId: Number }])
})
