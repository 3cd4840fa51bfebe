import { sql } from 'drizzle-orm'
import { Client, Pool } from 'pg'
import t, { type Test } from 'tap'
import { createTestDatabase, expectNoLeaks, type TestLike } from '../../../../src/testing/index.js'
import { patient } from '../../../helpers/info.js'

// No test closes it. If it kept the process alive, the file would never end.
const forTheFile = await createTestDatabase(t, { sql: 'create table notes (id int primary key)' })

async function connect (t: Test, connectionString: string): Promise<Client> {
  const client = new Client({ connectionString })
  client.on('error', () => {})
  await client.connect()
  t.after(() => client.end())
  return client
}

t.test('each test database is new, and holds the requested tables', async (t) => {
  const one = await createTestDatabase(t, { sql: 'create table users (id int)' })
  const two = await createTestDatabase(t)
  const tables = "select count(*)::int as count from pg_tables where schemaname = 'public'"

  t.strictSame((await (await connect(t, one.connectionString)).query(tables)).rows, [{ count: 1 }])
  t.strictSame((await (await connect(t, two.connectionString)).query(tables)).rows, [{ count: 0 }])
})

t.test('drop() removes the database even while others are connected, and may be called twice', async (t) => {
  const { connectionString, drop } = await createTestDatabase()
  const client = await connect(t, connectionString)
  const ended = new Promise<void>((resolve) => { client.once('end', resolve) })

  await drop()
  await ended
  await drop()
  await t.rejects(connect(t, connectionString), { code: '3D000' })
})

t.test('the database is dropped when the test ends, in every test framework', async (t) => {
  for (const name of ['after', 'teardown', 'onTestFinished', 'a function'] as const) {
    const atTheEnd: Array<() => Promise<void>> = []
    const register = (fn: () => Promise<void>) => { atTheEnd.push(fn) }
    const { connectionString } = await createTestDatabase(name === 'a function' ? register : { [name]: register } as unknown as TestLike)

    t.equal(atTheEnd.length, 1)
    await atTheEnd[0]?.()
    await t.rejects(connect(t, connectionString), { code: '3D000' })
  }
})

t.test('the server can be named by option or by DATABASE_URL', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const host = (url: string) => new URL(url).host

  t.equal(host((await createTestDatabase(t, { connectionString })).connectionString), host(connectionString))
  t.intercept(process, 'env', { value: { ...process.env, DATABASE_URL: connectionString } })
  t.equal(host((await createTestDatabase(t)).connectionString), host(connectionString))
})

t.test('without DATABASE_URL the server is an embedded PostgreSQL 18, shared by the whole process', async (t) => {
  t.intercept(process, 'env', { value: { ...process.env, DATABASE_URL: '' } })
  const [one, two] = await Promise.all([createTestDatabase(t), createTestDatabase(t)])
  const client = await connect(t, one.connectionString)

  t.match((await client.query('show server_version')).rows, [{ server_version: /^18/ }])
  t.equal(new URL(one.connectionString).host, new URL(two.connectionString).host)
})

t.test('invalid statements or options are an error, and leave no database behind', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const admin = await connect(t, connectionString)
  const [owner] = /test_[0-9a-f]{12}/.exec(connectionString) ?? []
  const own = async () => (await admin.query('select datname from pg_database where starts_with(datname, $1) order by 1', [`${owner}_`])).rows
  const before = await own()
  t.match(before, [{ datname: String }])

  await t.rejects(createTestDatabase(t, { sql: 'create table' }), { code: '42601' })
  await t.rejects(createTestDatabase(t, { pool: { size: -1 } }), /pool\.size/)
  t.strictSame(await own(), before)
})

t.test('the database is open, with the given options', async (t) => {
  const { database, drop } = await createTestDatabase(t, { sql: 'create table users (id int)', pool: { size: 2, maxOverflow: 1 } })

  t.equal(database.poolInfo.max, 3)
  t.match(await database.execute(sql`select count(*)::int from users`), { rows: [{ count: 0 }] })
  await drop()
  await t.rejects(database.execute(sql`select 1`))
})

t.test('an unreleased connection and an open transaction are leaks, reported with their backend', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const pool = new Pool({ connectionString })
  t.after(() => pool.end())
  await t.resolves(expectNoLeaks({ pool }), 'nothing leaks at first')

  const client = await pool.connect()
  await t.rejects(expectNoLeaks({ pool }), { message: /^The test leaks: 1 of 1 connections were not released[^b]*$/ })

  const { rows: [{ pid }] } = await client.query('select pg_backend_pid() as pid')
  await client.query('begin; select 1')
  await t.rejects(expectNoLeaks({ pool }), {
    message: new RegExp(`1 of 1 connections.*1 transactions are open.*${pid}`), cause: [{ pid, query: 'begin; select 1' }]
  })

  client.release()
  await t.rejects(
    expectNoLeaks({ pool }),
    { message: /^The test leaks: 1 transactions are open and idle/ },
    'a released connection with an open transaction is also a leak'
  )
  await pool.query('rollback')
  await t.resolves(expectNoLeaks({ pool }))
})

t.test('a database for the whole file serves its tests, and its health connection ends with the file', async (t) => {
  t.match(await forTheFile.database.drizzle.execute('select count(*)::int as notes from notes'), { rows: [{ notes: 0 }] })
  t.match(await forTheFile.database.checkHealth(patient), { healthy: true })
})
