import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { sql } from 'drizzle-orm'
import { Client } from 'pg'
import t, { type Test } from 'tap'
import { startPostgres } from '../../../../src/testing/index.js'
import { loaderFor } from '../../../../src/testing/postgres/shared-server.js'
import { queryOnce } from '../../../helpers/backend.js'
import { nodeOptions } from '../../../helpers/child.js'
import { createDatabase15 } from '../../../helpers/postgres-15.js'

// Each test makes a cluster of its own, which takes a busy machine many seconds.
t.setTimeout(600_000)

function folderFor (t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

t.test('rows are still there after a stop and another start', async (t) => {
  const folder = folderFor(t)
  const first = await startPostgres({ folder })
  await queryOnce(first.connectionString, 'create table kept as select 42 as answer')
  await first.stop()

  const second = await startPostgres({ folder })
  t.strictSame(await queryOnce(second.connectionString, 'select answer from kept'), [{ answer: 42 }])
  t.match(await queryOnce(second.connectionString, 'show fsync'), [{ fsync: 'on' }])
  await second.stop()
  await t.rejects(queryOnce(second.connectionString, 'select 1'), { code: 'ECONNREFUSED' })
})

t.test('a PostgreSQL that is not persistent leaves nothing on the disk', async (t) => {
  const folder = folderFor(t)
  const postgres = await startPostgres({ folder, persistent: false })
  t.match(await queryOnce(postgres.connectionString, 'show fsync'), [{ fsync: 'off' }])
  t.match(await queryOnce(postgres.connectionString, 'show synchronous_commit'), [{ synchronous_commit: 'on' }])

  await postgres.stop()
  t.notOk(existsSync(folder))
})

t.test('connections need the password, and come from this machine only', async (t) => {
  const postgres = await startPostgres({ folder: folderFor(t), persistent: false })
  t.after(() => postgres.stop())
  const { host, username, password } = new URL(postgres.connectionString)

  await t.rejects(queryOnce(`postgresql://${username}:wrong@${host}/postgres`, 'select 1'), { code: '28P01' })
  t.match(await queryOnce(postgres.connectionString, 'show listen_addresses'), [{ listen_addresses: '127.0.0.1' }])
  t.ok(password.length > 20)
})

t.test('a port that is taken in the meantime is replaced by another', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.after(() => taken.close())
  const { port } = taken.address() as AddressInfo
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port: other } = free.address() as AddressInfo
  free.close()

  const ports = [port, other]
  const postgres = await startPostgres({ folder: folderFor(t), persistent: false, port: () => ports.shift() ?? 0 })
  t.equal(new URL(postgres.connectionString).port, `${other}`)
  await postgres.stop()
})

t.test("a second PostgreSQL in the same folder is refused with PostgreSQL's own words", async (t) => {
  const folder = folderFor(t)
  const postgres = await startPostgres({ folder })
  t.after(() => postgres.stop())

  await t.rejects(startPostgres({ folder }), { message: /PostgreSQL did not start.*postmaster\.pid/ })
})

t.test('an interrupted start is repaired by the next one', async (t) => {
  const folder = folderFor(t)
  await t.rejects(startPostgres({ folder, port: () => { throw new Error('cut short') } }), { message: 'cut short' })

  const postgres = await startPostgres({ folder })
  t.match(await queryOnce(postgres.connectionString, 'select 1 as one'), [{ one: 1 }])
  await postgres.stop()
})

t.test('PostgreSQL ends with its process, even if killed, and the next start has the rows', async (t) => {
  const folder = folderFor(t)
  const module = new URL('../../../../src/testing/index.ts', import.meta.url).href
  const script =
    `import('${module}').then(async ({ startPostgres }) => { console.log((await startPostgres({ folder: '${folder}' })).connectionString); process.stdin.resume() })`
  const child = spawn('env', [`NODE_OPTIONS=${nodeOptions}`, process.execPath, ...loaderFor(module), '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [connectionString] = await once(createInterface({ input: child.stdout }), 'line')
  const client = new Client({ connectionString })
  const ended = new Promise<void>((resolve) => { client.on('error', () => {}).on('end', resolve) })
  await client.connect()
  await client.query('create table kept as select 42 as answer')

  child.kill('SIGKILL')
  await ended
  const next = await startPostgres({ folder })
  t.strictSame(await queryOnce(next.connectionString, 'select answer from kept'), [{ answer: 42 }])
  await next.stop()
})

t.test('tests can use a database on PostgreSQL 15, too', async (t) => {
  const { database } = await createDatabase15(t)
  const version = sql`select current_setting('server_version_num')::int / 10000 as version`
  t.match(await database.execute(version), { rows: [{ version: 15 }] })
})
