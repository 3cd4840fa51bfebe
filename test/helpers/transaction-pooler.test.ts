import pg from 'pg'
import t from 'tap'
import { requestCancel } from '../../src/pg/client.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { startTransactionPooler } from './transaction-pooler.js'
import { until } from './until.js'
import type { Test } from './test.js'
import type { TransactionPoolerOptions } from './pooler-core.js'

async function start (t: Test, options?: TransactionPoolerOptions) {
  const { connectionString } = await createTestDatabase(t as never, { sql: 'create table rows (id int)' })
  const pooler = await startTransactionPooler(t, connectionString, options)
  const connect = async (more: pg.ClientConfig = {}): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: pooler.connectionString, ...more })
    client.on('error', () => {})
    t.teardown(() => client.end())
    await client.connect()
    return client
  }
  return { pooler, connect }
}

const pidOf = async (client: pg.Client): Promise<number> => (await client.query('select pg_backend_pid() as pid')).rows[0].pid

t.test('a client has a server for the length of a transaction, and any server after that', async (t) => {
  const { pooler, connect } = await start(t, { servers: 2 })
  const [one, other, third] = [await connect(), await connect(), await connect()]
  await one.query('begin')
  const held = await pidOf(one)
  t.not(await pidOf(other), held)
  t.equal(await pidOf(third), await pidOf(other))
  t.equal(await pidOf(one), held)
  await one.query('commit')
  t.equal(await pidOf(other), held)
  t.equal(pooler.servers.length, 2)
  t.equal(pooler.clients, 3)
})

t.test('names meet other clients\' names, unless the pooler keeps them', async (t) => {
  const named = (client: pg.Client, value: number) => client.query({ name: 'double', text: 'select $1::int * 2 as n', values: [value] })
  const { connect } = await start(t, { servers: 1 })
  const [one, other] = [await connect(), await connect()]
  t.equal((await named(one, 2)).rows[0].n, 4)
  await t.rejects(named(other, 3), { code: '42P05' })

  const keeping = await start(t, { servers: 1, keepsNames: true })
  const [first, second] = [await keeping.connect(), await keeping.connect()]
  for (const client of [first, second]) for (const value of [1, 2, 3]) t.equal((await named(client, value)).rows[0].n, value * 2)
  await t.rejects(first.query({ name: 'wrong', text: 'select nothing from nowhere', values: [] }), { code: '42P01' })
  t.equal((await named(second, 5)).rows[0].n, 10)
})

t.test('a cancel request reaches the server that the client has', async (t) => {
  const { connect } = await start(t)
  const client = await connect()
  const sleep = client.query('select pg_sleep(60)')
  const watcher = await connect()
  await until(async () => (await watcher.query("select from pg_stat_activity where datname = current_database() and query like '%sleep(60)' and state = 'active'")).rowCount === 1)
  const cancelled = t.rejects(sleep, { code: '57014' })
  await requestCancel(client, 5000)
  await cancelled
  t.ok(await pidOf(client))
})

t.test('refusals have the words of PgBouncer', async (t) => {
  const { pooler, connect } = await start(t, { password: 'right', maxClients: 1 })
  await t.rejects(connect({ statement_timeout: 5 }), { code: '08P01', message: 'unsupported startup parameter: statement_timeout' })
  await t.rejects(connect({ options: '-c work_mem=4MB' }), { message: 'unsupported startup parameter in options: work_mem' })
  const url = new URL(pooler.connectionString)
  url.pathname = '/none'
  await t.rejects(connect({ connectionString: url.href }), { message: 'no such database: none' })
  url.href = pooler.connectionString
  url.password = 'wrong'
  await t.rejects(connect({ connectionString: url.href }), { code: '08P01', message: 'password authentication failed' })
  const client = await connect()
  await t.rejects(connect(), { message: 'no more connections allowed (max_client_conn)' })
  pooler.pause()
  const waiting = client.query('select 1')
  pooler.resume()
  t.equal((await waiting).rowCount, 1)
  pooler.restart()
  await t.rejects(client.query('select 1'))
})
