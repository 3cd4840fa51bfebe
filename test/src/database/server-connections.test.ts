import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { Client } from 'pg'
import t, { type Test } from 'tap'
import { openDatabase } from '../../../src/index.js'
import { startPostgres } from '../../../src/testing/index.js'
import { infoOf } from '../../helpers/info.js'
import { recordingLogger } from '../../helpers/logger.js'
import type { Database, OpenOptions } from '../../../src/index.js'

// A server of its own: these tests count its connections. It allows 300, and keeps 3 of them for superusers.
const postgres = await startPostgres({ folder: mkdtempSync(join(tmpdir(), 'startup-')), persistent: false })
t.teardown(() => postgres.stop())

const superuser = new Client(postgres.connectionString)
await superuser.connect()
t.teardown(() => superuser.end())
await superuser.query("create role app login password 'app'")
const url = new URL(postgres.connectionString)
url.username = url.password = 'app'

async function open (t: Test, options: OpenOptions): Promise<Database> {
  const database = await openDatabase({ connectionString: url.href, ...options })
  t.teardown(() => database.close())
  return database
}

t.test('warns if the pools of all processes may exceed the connections that the server has left', async (t) => {
  const logger = recordingLogger()
  await open(t, { logger, processes: 4, pool: { size: 50, maxOverflow: 24 } })
  t.same(logger.lines, [], '4 × 74 = 296')

  const running = await open(t, { pool: { size: 20, maxOverflow: 0 } })
  await Promise.all(Array.from({ length: 20 }, () => running.execute(sql`select pg_sleep(0.3)`)))
  await open(t, { logger, processes: 4, pool: { size: 50, maxOverflow: 25 } })
  t.match(logger.lines, [{
    level: 'warn',
    message: '4 × 75 connections (DATABASE_PROCESSES × pool) may be opened, and the server has 296 left: ' +
      'lower DATABASE_POOL_SIZE or DATABASE_MAX_OVERFLOW, correct DATABASE_PROCESSES, or raise max_connections',
    context: { processes: 4, max: 75, left: 296 }
  }], 'all but that of another user, and none of the running processes')

  await open(t, { logger, pool: { size: 275, maxOverflow: 0 } })
  t.match(logger.lines[1], { context: { processes: 1, max: 275, left: 274 } }, 'one process has no others: 22 connections are not its own')
})

t.test('warns if a second process is connected that nobody has counted, and the server has too few connections for both', async (t) => {
  const logger = recordingLogger()
  await superuser.query('create database counted_twice')
  const own = new URL(url)
  own.pathname = '/counted_twice'
  await open(t, { connectionString: own.href, logger, pool: { size: 100, maxOverflow: 50 } })
  t.same(logger.lines, [], 'the first process is alone')

  const named = new URL(own)
  named.searchParams.set('application_name', 'a report')
  await open(t, { connectionString: named.href, logger, pool: { size: 100, maxOverflow: 50 } })
  t.same(logger.lines, [], 'another program')

  await open(t, { connectionString: own.href, logger, pool: { size: 100, maxOverflow: 40 } })
  t.same(logger.lines, [], '2 × 140 connections are there')
  await open(t, { connectionString: own.href, logger, processes: 1, pool: { size: 100, maxOverflow: 50 } })
  t.match(logger.lines, [{
    level: 'warn',
    message: /^another process of this program seems to be connected, and 2 × 150 connections are more than the 29\d that .*set DATABASE_PROCESSES/,
    context: { processes: 2, max: 150 }
  }])
})

t.test('starts without a warning on a server that does not know its number of connections', async (t) => {
  await superuser.query(`create role other login password 'app'; create schema other; grant usage on schema other to other;
    create function other.current_setting(name text, missing_ok boolean) returns text language sql
      return nullif(pg_catalog.current_setting(name, missing_ok), pg_catalog.current_setting('max_connections'));
    alter role other set search_path to other, pg_catalog`)
  const logger = recordingLogger()
  const others = new URL(url)
  others.username = 'other'
  await open(t, { connectionString: others.href, logger, pool: { size: 1000 } })

  t.same(logger.lines, [])
})

t.test('getInfo() counts the connections of users whom it may not observe', async (t) => {
  await superuser.query("create role reader login password 'app'")
  await superuser.query('create database counted')
  const counted = new URL(url)
  counted.pathname = '/counted'
  const owner = new URL(counted)
  owner.username = 'reader'
  const others = await open(t, { connectionString: owner.href, pool: { size: 3, maxOverflow: 0 } })
  const clients = await Promise.all(Array.from({ length: 3 }, () => others.pool.connect()))
  for (const client of clients) client.release()
  const database = await open(t, { connectionString: counted.href, pool: { size: 1, maxOverflow: 0 } })

  t.match(await infoOf(database), { connections: { total: 4, max: 300 } }, 'three of the other user, and its own pool')
})
