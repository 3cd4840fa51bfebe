import { join } from 'node:path'
import t from 'tap'
import { createTestDatabase, sandbox } from '../../src/testing/index.js'
import { buildServer } from './build-server.js'
import { openBoss, type OrderPlaced } from './events.js'
import { receive } from './handlers.js'
import { orders, stock } from './schema.js'
import { startWorker } from './start-worker.js'

const { connectionString } = await createTestDatabase(t, { migrations: join(import.meta.dirname, 'migrations') })
const server = await buildServer(connectionString)
t.teardown(() => server.close())
await server.db.repo(stock).create({ item: 'apple', left: 10 })
// Over the server's own database: in a sandbox it sees the jobs of the sandbox.
const boss = await openBoss({ query: (text, values) => server.db.query(text, values) })

const order = (item: string, quantity: number) => server.inject({ method: 'POST', url: '/orders', payload: { item, quantity } })
const left = async (): Promise<number> => (await server.db.repo(stock).getOrThrow('apple')).left

/** The events that a queue would deliver. In a sandbox no time passes for PostgreSQL, so no job is due yet. */
const waiting = async (queue: string): Promise<OrderPlaced[]> =>
  (await boss.fetch<OrderPlaced>(queue, { ignoreStartAfter: true, batchSize: 100 })).map(({ data }) => data)

t.test('an order is committed with one job in each queue', async (t) => {
  t.teardown((await sandbox(server)).rollback)
  const { id } = (await order('apple', 3)).json<{ id: string }>()
  const events = await waiting('stock')
  t.match(events, [{ orderId: id, item: 'apple', quantity: 3 }])
  t.same(await waiting('mail'), events, 'the same event, by the same id')
})

t.test('a refused order leaves no job', async (t) => {
  t.teardown((await sandbox(server)).rollback)
  t.equal((await order('pear', 1)).statusCode, 409)
  t.equal(await server.db.repo(orders).count(), 0)
  t.same(await waiting('stock'), [])
})

t.test('an event that is delivered twice counts once', async (t) => {
  t.teardown((await sandbox(server)).rollback)
  await order('apple', 3)
  const [event] = await waiting('stock')
  t.ok(await receive(server.db, 'stock', event!))
  t.notOk(await receive(server.db, 'stock', event!))
  t.equal(await left(), 7)
})

t.test('the worker handles what the server has committed', async (t) => {
  const worker = await startWorker(connectionString)
  t.teardown(() => worker.stop())
  await order('apple', 3)
  while (await left() !== 7) await new Promise((resolve) => setTimeout(resolve, 50))
})
