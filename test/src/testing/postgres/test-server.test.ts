import { Client } from 'pg'
import t from 'tap'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { TestServer } from '../../../../src/testing/postgres/test-server.js'
import { until } from '../../../helpers/until.js'
import type { Test } from '../../../helpers/test.js'

async function build (t: Test): Promise<{ url: string, admin: Client, exists: (name: string) => Promise<boolean> }> {
  const { connectionString } = await createTestDatabase(t)
  const url = connectionString.replace(/[^/]*$/, 'postgres')
  const admin = new Client({ connectionString: url })
  await admin.connect()
  t.teardown(() => admin.end())
  const exists = async (name: string) => (await admin.query('select from pg_database where datname = $1', [name])).rowCount === 1
  return { url, admin, exists }
}

t.test('databases of live processes stay, and the next process drops those of dead ones', async (t) => {
  const { url, admin, exists } = await build(t)
  const alive = new TestServer(url)
  const kept = await alive.clone('template0')
  t.teardown(() => alive.drop(kept))
  await admin.query('create database test_0123456789ab_1')
  await admin.query('create database test_0123456789ab_2')
  await admin.query('create database test_mine')
  t.teardown(() => admin.query('drop database test_mine'))

  await new TestServer(url).exclusively((query) => query('select 1'))
  t.ok(await exists(kept))
  t.notOk(await exists('test_0123456789ab_1'))
  t.notOk(await exists('test_0123456789ab_2'))
  t.ok(await exists('test_mine'), 'other databases stay')
})

t.test('a live process is visible from every database of the server', async (t) => {
  const { url, exists } = await build(t)
  const alive = new TestServer(url)
  const [kept, door] = [await alive.clone('template0'), await alive.clone('template0')]
  t.teardown(() => alive.drop(kept))
  t.teardown(() => alive.drop(door))

  const other = new TestServer(alive.urlOf(door))
  const others = await other.clone('template0')
  t.teardown(() => other.drop(others))
  t.ok(await exists(kept))
  await new TestServer(url).exclusively((query) => query('select 1'))
  t.ok(await exists(others))
})

t.test('drop() waits for connections that are closing', async (t) => {
  const { url, admin, exists } = await build(t)
  const server = new TestServer(url)
  const name = await server.clone('template0')
  const errors: Error[] = []
  const client = new Client({ connectionString: server.urlOf(name) }).on('error', (error) => errors.push(error))
  await client.connect()

  const dropped = server.drop(name)
  for (let count = 0; count < 10; count++) await admin.query('select 1')
  t.ok(await exists(name))
  await client.end()
  await dropped
  t.strictSame(errors, [])
  t.notOk(await exists(name))
})

t.test('one clone is made ahead, for any process that needs the next one', async (t) => {
  const { url, admin } = await build(t)
  const oidOf = async (like: string) => (await admin.query('select oid from pg_database where datname like $1', [like])).rows
  const template = 'test_mine_template'
  await admin.query(`create database ${template} template template0`)
  const servers = [1, 2, 3].map(() => new TestServer(url, { keepsSpares: true }))
  const [one, two, three] = servers as [TestServer, TestServer, TestServer]
  const names: string[] = []
  t.teardown(async () => {
    for (const { datname } of (await admin.query("select datname from pg_database where datname like 'test_mine_template%'")).rows) await one.drop(datname)
    for (const name of names) await one.drop(name)
  })

  names.push(await one.clone(template))
  await one.exclusively(async () => {})
  const spares = await oidOf(`${template}_spare_%`)
  t.equal(spares.length, 1)
  const second = await two.clone(template)
  names.push(second)
  t.strictSame(await oidOf(second), spares, 'the spare clone is renamed')
  await two.exclusively(async () => {})
  t.equal((await oidOf(`${template}_spare_%`)).length, 1, 'a new spare clone is made')

  const both = await Promise.all([two.clone(template), three.clone(template)])
  names.push(...both)
  t.not(both[0], both[1])
  for (const name of both) t.equal((await oidOf(name)).length, 1)
  await Promise.all([two, three].map((server) => server.exclusively(async () => {})))
  const { rows: [spare] } = await admin.query("select datname from pg_database where datname like 'test_mine_template_spare_%'")
  const guest = new Client({ connectionString: one.urlOf(spare.datname) })
  await guest.connect()
  names.push(await one.clone(template))
  t.equal((await oidOf(String(names.at(-1)))).length, 1, 'a spare in use is skipped')
  await guest.end()
})

t.test("a server that stays gets no spare clone, and keeps the user's own databases", async (t) => {
  const { url, admin, exists } = await build(t)
  await admin.query('create database test_own_template template template0')
  await admin.query('create database test_own_template_spare_1')
  const server = new TestServer(url)
  t.teardown(async () => { for (const name of ['test_own_template', 'test_own_template_spare_1']) await server.drop(name) })

  const name = await server.clone('test_own_template')
  t.teardown(() => server.drop(name))
  await server.exclusively(async () => {})

  t.ok(await exists('test_own_template_spare_1'))
  t.same((await admin.query("select datname from pg_database where datname like 'test_own_template_spare_%'")).rows.length, 1)
})

t.test('a database that cannot be dropped does not disturb others', async (t) => {
  const { url, admin, exists } = await build(t)
  await admin.query('create database test_ba9876543210_1 is_template true')
  t.teardown(async () => {
    await admin.query('alter database test_ba9876543210_1 is_template false')
    await admin.query('drop database test_ba9876543210_1')
  })

  await new TestServer(url).exclusively((query) => query('select 1'))
  t.ok(await exists('test_ba9876543210_1'))
})

t.test('a lost connection is opened again', async (t) => {
  const { url, admin } = await build(t)
  const server = new TestServer(url)
  const askPid = () => server.exclusively((query) => query<{ pid: number }>('select pg_backend_pid() as pid'))
  const [row] = await askPid()
  await admin.query('select pg_terminate_backend($1)', [row?.pid])

  await until(async () => {
    const [now] = await askPid().catch(() => [row])
    return now?.pid !== row?.pid
  })
  t.match(await server.exclusively((query) => query('select 1 as one')), [{ one: 1 }])
})

t.test('an unreachable server is an error, each time', async (t) => {
  const server = new TestServer('postgresql://postgres@127.0.0.1:1/postgres')

  await t.rejects(server.exclusively((query) => query('select 1')), { code: 'ECONNREFUSED' })
  await t.rejects(server.exclusively((query) => query('select 1')), { code: 'ECONNREFUSED' })
})

t.test('a URL keeps everything but its database', async (t) => {
  const server = new TestServer('postgresql://ada:pw@localhost:5433/shop?sslmode=disable&dbname=other')

  t.equal(server.urlOf('test_1'), 'postgresql://ada:pw@localhost:5433/test_1?sslmode=disable')
})

t.test('close() before the first call and once more changes nothing, and a later call opens another connection', async (t) => {
  const { url } = await build(t)
  const server = new TestServer(url)
  await server.close()
  t.match(await server.exclusively((query) => query('select 1 as one')), [{ one: 1 }])

  await server.close()
  await server.close()
  t.match(await server.exclusively((query) => query('select 2 as two')), [{ two: 2 }])
  await server.close()
})
