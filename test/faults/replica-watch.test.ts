import t from 'tap'
import { openDatabase } from '../../src/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { queryOnce } from '../helpers/backend.js'
import { recordingLogger } from '../helpers/logger.js'
import { until } from '../helpers/until.js'
import { count, isOnReplica, openReplicated, patient, read, serving, startReplicated } from '../helpers/replicas.js'

/** Short enough for a test to wait for it, and longer than a busy machine takes for an answer. */
const maxLagMillis = 1500

t.test('a replica that must not serve is left out, and asked again', async (t) => {
  const pair = await startReplicated(t)
  const { primary, standby, proxy, add } = pair
  const logger = recordingLogger()
  const database = await openReplicated(t, pair, { maxLagMillis, logger })
  await add('ada@example.com')
  const reasons = (): unknown[] => logger.lines.map(({ context }) => context['reason'])

  await t.test('a replica that lags further behind than maxLagMillis', async (t) => {
    await standby.lag()
    await add('grace@example.com')
    await serving(database, false)
    t.equal(await read(database, count), 2, 'the primary answers')
    t.match(database.replicas, [{ serves: false, lagMillis: undefined, pool: { max: 2 } }])
    await until(() => reasons().includes('it lags behind'))
    await standby.catchUp()
    await serving(database)
    t.ok(Number(database.replicas[0]?.lagMillis) <= maxLagMillis)
    await until(() => logger.lines.some(({ message }) => message === 'the replica serves reads again'))
  })

  await t.test('a replica that has lost its primary, although it has replayed everything that it received', async (t) => {
    await standby.part()
    await add('joan@example.com')
    await serving(database, false)
    t.equal(await read(database, count), 3)
    await standby.rejoin()
    await serving(database)
  })

  await t.test('a replica that does not answer: those who wait for a connection to it are served by the primary', async (t) => {
    proxy.cut()
    proxy.blackHole()
    t.equal(await read(database, count), 3)
    await serving(database, false)
    proxy.cut()
    await proxy.resume()
    await serving(database)
  })

  await t.test('a replica of another primary, and a primary in place of a replica', async (t) => {
    const { connectionString } = await createTestDatabase(t)
    const log = recordingLogger()
    const connectionStrings = [primary.connectionString, standby.connectionString, 'postgresql://ada@127.0.0.1:1/nowhere']
    const other = await openDatabase({ connectionString, replicas: { connectionStrings, maxLagMillis }, logger: log })
    t.teardown(() => other.close())
    const left = (): unknown[] => log.lines.filter(({ context }) => 'reason' in context).map(({ context: { replica, reason } }) => `${replica}: ${reason}`).sort()
    await until(() => left().length === 3)
    t.same(left(), [
      '1: it is not a standby: it was promoted, or its URL leads to a primary', '2: it follows another primary', '3: it does not answer'
    ])
    t.match(other.replicas, [{ serves: false }, { serves: false }, { serves: false }])
  })

  await t.test('while the address of the primary leads to a standby, it is connected anew', async (t) => {
    const replicas = { connectionStrings: [standby.connectionString], maxLagMillis }
    const misled = await openDatabase({ connectionString: proxy.connectionString, replicas })
    t.teardown(() => misled.close())
    const { accepted } = proxy
    await until(() => proxy.accepted > accepted + 1)
    t.match(misled.replicas, [{ serves: false }])
    proxy.leadTo(primary.connectionString)
    await serving(misled)
    proxy.leadTo(standby.connectionString)
  })

  await t.test('several replicas answer in turn, those that may', async (t) => {
    const replicas = { connectionStrings: [primary.connectionString, proxy.connectionString], maxLagMillis: patient }
    const several = await openDatabase({ connectionString: primary.connectionString, replicas, transaction: { reads: 'replica', accessMode: 'read only' } })
    t.teardown(() => several.close())
    await until(() => several.replicas[1]?.serves === true)
    t.same(await Promise.all([1, 2, 3].map(() => read(several, isOnReplica))), [true, true, true])
  })

  await t.test('a replica that was promoted', async (t) => {
    await standby.promote()
    await serving(database, false)
    await queryOnce(standby.connectionString, 'delete from users')
    t.equal(await read(database, count), 3)
  })
})
