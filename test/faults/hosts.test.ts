import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { Pool } from 'pg'
import t from 'tap'
import { openDatabase } from '../../src/index.js'
import { getMigrationHistory } from '../../src/migrations/index.js'
import { processOf } from '../../src/pg/client.js'
import { queryOnce } from '../helpers/backend.js'
import { unhurried } from '../helpers/database.js'
import { patient } from '../helpers/info.js'
import { recordingLogger } from '../helpers/logger.js'
import { caller, openPool, run } from '../helpers/pool.js'
import { startProxy } from '../helpers/proxy.js'
import { tables, users } from '../helpers/schema.js'
import { startPair } from '../helpers/standby.js'
import { until } from '../helpers/until.js'
import type { Database, OpenOptions } from '../../src/index.js'
import type { Test } from '../helpers/test.js'

const unavailable = { code: 'DB_CONNECTION', statusCode: 503, retryable: true }

let rows = 0
const write = (database: Database): Promise<unknown> => database.session((session) => session.repo(users).create({ email: `${++rows}@example.com` }))
const count = (database: Database): Promise<unknown> => database.repo(users).count()

/** Opens so many connections at the same time. */
async function fill (database: Database, connections: number): Promise<void> {
  await Promise.all(Array.from({ length: connections }, () => database.execute(sql`select pg_sleep(0.2)`)))
  t.equal(database.pool.idleCount, connections)
}

async function open (t: Test, options: OpenOptions): Promise<Database> {
  const database = await openDatabase({ ...unhurried, ...options })
  t.teardown(() => database.close())
  return database
}

const folder = await mkdtemp(join(tmpdir(), 'data-access-hosts-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))
const { primary, standby } = await startPair(folder)
t.teardown(() => Promise.all([primary.stop(), standby.stop()]))
await queryOnce(primary.connectionString, tables)
await standby.level()

const urls = [standby.connectionString, primary.connectionString].map((url) => new URL(url))
const both = (attributes: string): string => `${urls[0]?.href.replace(/@.*/, '')}@${urls.map(({ host }) => host).join(',')}/postgres?${attributes}`
const proxy = await startProxy(t, primary.connectionString)

t.test('47: the primary among several hosts is found, and found again after a promotion', async (t) => {
  const logger = recordingLogger()
  const database = await open(t, { connectionString: both('target_session_attrs=read-write'), logger })
  const moved = await open(t, { connectionString: proxy.connectionString })
  const readers = await open(t, { connectionString: standby.connectionString + '?target_session_attrs=standby', pool: { prePingAfterMillis: 0 } })
  const pg = new Pool({ connectionString: primary.connectionString })
  t.teardown(() => pg.end())
  const own = await openDatabase({ ...unhurried, pg })

  await write(database)
  t.equal((await database.checkHealth(patient)).status, 'up')
  t.strictSame(await getMigrationHistory({ connectionString: both('target_session_attrs=read-write'), folder: 'drizzle' }), [])
  for (const each of [database, moved, own]) await fill(each, 4)
  const held = database.createSession()
  await held.repo(users).count()
  await held.execute(sql`select 1`)
  await count(readers)
  const spare = await openPool(t, { connectionString: `${primary.connectionString}?target_session_attrs=read-write` })
  const [first, second] = [await spare.connect(caller), await spare.connect(caller)]
  second.release()

  await t.test('47: when the primary refuses writes, one write fails, and every connection to it is replaced', async (t) => {
    await queryOnce(primary.connectionString, 'alter system set default_transaction_read_only = on')
    await queryOnce(primary.connectionString, 'select pg_reload_conf()')
    const setting = 'select current_setting(\'default_transaction_read_only\') as value'
    await until(async () => (await queryOnce<{ value: string }>(primary.connectionString, setting))[0]?.value === 'on')
    await t.rejects(write(database), unavailable)
    t.equal(database.pool.idleCount, 0)
    t.equal(logger.lines.filter(({ message }) => message?.includes('replaced by new ones')).length, 1)
    await t.rejects(write(database), { ...unavailable, cause: { name: 'HostsError', message: /accepts writes: host 1 is a standby, host 2 is read-only/ } })
    await held.rollback()
    await until(() => database.pool.totalCount === 0)
    t.match(await database.checkHealth(patient), { status: 'down', error: /none of the 2 hosts/ })
    await t.rejects(openDatabase({ connectionString: both('target_session_attrs=read-write') }), /could not be reached .*host 1 is a standby, host 2 is read-only/)
  })

  await t.test('47: a first statement whose client was lost does not go to an idle one that has become read-only', async (t) => {
    await queryOnce(primary.connectionString, 'select pg_terminate_backend($1)', [processOf(first.pooled.client)])
    await until(() => first.pooled.lost !== undefined)
    t.match(await run(first, "insert into users (email) values ('lost')"), { error: { code: '57P01' } }, 'the loss, and not the refusal of a write')
    first.release()
    await until(() => spare.pool.totalCount === 0)
  })

  await t.test('47: after the promotion every write is served', async (t) => {
    await standby.promote()
    await Promise.all([1, 2, 3, 4].map(() => write(database)))
    t.equal((await database.checkHealth(patient)).status, 'up')
  })

  await t.test('47: an address that has moved is looked for anew by all connections after the first refused write', async (t) => {
    for (let attempt = 0; attempt < 3; attempt++) await t.rejects(write(moved), unavailable)
    proxy.leadTo(standby.connectionString)
    const accepted = proxy.accepted
    await write(moved).catch(() => {})
    await Promise.all([1, 2, 3, 4].map(() => write(moved)))
    t.ok(proxy.accepted > accepted)
  })

  await t.test('47: connections of a pool of your own end one by one', async (t) => {
    await t.rejects(write(own), unavailable)
    t.equal(pg.totalCount, 3)
    await own.close()
  })

  await t.test('47: a promoted standby no longer serves those who asked for a standby', async (t) => {
    await t.rejects(count(readers), { ...unavailable, cause: { message: /host 1 is a primary|is a standby: host 1/ } })
    await t.rejects(count(readers), unavailable)
  })
})
