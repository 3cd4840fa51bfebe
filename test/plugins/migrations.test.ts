import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Fastify from 'fastify'
import { Client } from 'pg'
import t from 'tap'
import dataAccess from '../../plugins/index.js'
import { rollbackMigrations, runMigrations } from '../../src/migrations/index.js'
import { patient } from '../helpers/info.js'
import { recordingLogger } from '../helpers/logger.js'
import { startProxy } from '../helpers/proxy.js'
import { until } from '../helpers/until.js'
import { first, second, third } from '../src/migrations/history.js'
import { writeFolder } from '../src/migrations/folder.js'
import { folderName, rewrite } from '../src/migrations/layouts.js'
import { build as buildFolder } from '../src/migrations/setup.js'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import type { DataAccessOptions, MigrationsAtStart } from '../../plugins/index.js'

/** Registers the plugin over a database of {@link buildFolder}. */
async function start (t: Test, { server: options, ...plugin }: DataAccessOptions & { server?: FastifyServerOptions }): Promise<FastifyInstance> {
  const server = Fastify({ pluginTimeout: 0, ...options })
  t.teardown(() => server.close())
  await server.register(dataAccess, { health: { details: true }, logger: recordingLogger(), ...plugin })
  return server
}

async function build (t: Test) {
  const { connectionString, folder, client, tables } = await buildFolder(t, [first, second])
  const logger = recordingLogger()
  const said = () => logger.lines.map(({ level, message }) => `${level}: ${message}`)
  return { options: { connectionString, folder }, folder, connectionString, client, tables, logger, said }
}

/** Asks the database itself, because the health route shares its result for a second. */
const statusOf = async (server: FastifyInstance) => (await server.db.checkHealth(patient)).status

t.test('a server whose database has all migrations is ready', async (t) => {
  const { options, connectionString, folder, logger } = await build(t)
  await runMigrations(options)
  const server = await start(t, { connectionString, logger, migrations: { folder } })

  t.match((await server.inject('/health/database')).json(), { status: 'up' })
  t.strictSame(logger.lines.filter(({ level }) => level !== 'debug'), [])
})

t.test('a server with a pending migration is unready, logs it once, and recovers', async (t) => {
  const { options, connectionString, folder, said, logger } = await build(t)
  const server = await start(t, { connectionString, logger, migrations: { atStart: 'verify', folder } })

  const reply = await server.inject('/health/database')
  t.equal(reply.statusCode, 503)
  t.match(reply.json(), { status: 'pending', error: '0000_users.sql is not applied yet\n0001_posts.sql is not applied yet' })
  t.equal(await statusOf(server), 'pending')
  t.match(said(), [/^warn: 0000_users\.sql is not applied yet\n0001_posts\.sql is not applied yet\nThe server is unready/])

  await runMigrations(options)
  t.equal(await statusOf(server), 'up')
  await rollbackMigrations(options)
  t.equal(await statusOf(server), 'up', 'what was right once is not checked again')
})

t.test('a server may refuse to start while migrations are pending', async (t) => {
  const { connectionString, folder } = await build(t)

  await t.rejects(start(t, { connectionString, migrations: { folder, onPending: 'refuse' } }), {
    code: 'DB_MIGRATION_PENDING', message: /^0000_users\.sql is not applied yet/
  })
})

t.test('a server checks and applies the folders of drizzle-kit 1.0', async (t) => {
  const { connectionString, folder, said, logger } = await build(t)
  rewrite(folder, 'folders', [first, second])
  const [one, two] = [first, second].map(folderName)

  const server = await start(t, { connectionString, logger, migrations: { folder } })
  t.equal(await statusOf(server), 'pending')
  t.ok(said().splice(-1)[0]?.startsWith(`warn: ${one}/migration.sql is not applied yet\n${two}/migration.sql is not applied yet`))
  await start(t, { connectionString, migrations: { atStart: 'apply', folder } })
  t.equal(await statusOf(server), 'up')

  rewrite(folder, 'folders', [first])
  await start(t, { connectionString, logger, migrations: { folder } })
  t.ok(said().some((line) => line.startsWith('warn: The database has a migration that') && line.includes(`does not have, ${two}, generated`)))
})

t.test('59: a server older than its database warns and starts, or refuses if configured', async (t) => {
  const { options, connectionString, folder, said, logger } = await build(t)
  await runMigrations(options)
  writeFolder(folder, [first])

  for (const atStart of ['verify', 'apply'] as const) {
    const server = await start(t, { connectionString, logger, migrations: { atStart, folder } })
    t.equal(await statusOf(server), 'up')
    t.match(said().splice(-1), [/^warn: The database has a migration that .* does not have/])
    await t.rejects(start(t, { connectionString, migrations: { atStart, folder, onUnknown: 'refuse' } }), { code: 'DB_MIGRATION_MISSING' })
  }
})

t.test('57: a server whose files were edited does not start', async (t) => {
  const { options, connectionString, folder } = await build(t)
  await runMigrations(options)
  writeFolder(folder, [{ ...first, sql: 'edited' }])

  for (const atStart of ['verify', 'apply'] as const) {
    await t.rejects(
      start(t, { connectionString, migrations: { atStart, folder } }),
      { code: 'DB_MIGRATION_EDITED' }
    )
  }
})

t.test('58: a server whose older file was merged later does not start', async (t) => {
  const { options, connectionString, folder } = await build(t)
  writeFolder(folder, [first, third])
  await runMigrations(options)
  writeFolder(folder, [first, second, third])

  for (const atStart of ['verify', 'apply'] as const) {
    await t.rejects(
      start(t, { connectionString, migrations: { atStart, folder } }),
      { code: 'DB_MIGRATION_OUT_OF_ORDER' }
    )
  }
})

t.test('55: servers that apply at their start apply each file once, and are ready', async (t) => {
  const { connectionString, folder, logger, tables } = await build(t)
  const servers = await Promise.all([1, 2, 3].map(() => start(t, { connectionString, logger, migrations: { atStart: 'apply', folder } })))

  for (const server of servers) t.equal(await statusOf(server), 'up')
  t.strictSame(await tables(), ['posts', 'users'])
  const applied = logger.lines.filter(({ message }) => message === 'applied the pending migrations').map(({ context }) => context['migrations'])
  t.strictSame(applied.flat(), ['0000_users', '0001_posts'])
})

t.test('61: a server that applies at its start names the sessions that block its migration', async (t) => {
  const { options, connectionString, folder, logger } = await build(t)
  await runMigrations({ ...options, to: first.tag })
  const other = new Client({ connectionString, application_name: 'the application' })
  const observer = new Client({ connectionString })
  for (const client of [other, observer]) {
    await client.connect()
    t.teardown(() => client.end())
  }
  const { rows: [{ pid }] } = await other.query('select pg_backend_pid() as pid')
  await other.query("begin; insert into users values (7, 'a')")
  // As PostgreSQL knows it: with test:instrumented, the instrumentation has given the session another name.
  const { rows: [{ name }] } = await observer.query('select application_name as name from pg_stat_activity where pid = $1', [pid])

  const starting = start(t, { connectionString, logger, migrations: { atStart: 'apply', folder, statementLockTimeoutSeconds: 0.3, lockRetries: 5 } })
  const waited = () => logger.lines.find(({ message }) => message === 'a migration did not get its locks and will be retried')
  await until(() => waited() !== undefined)
  await other.query('commit')
  t.equal(await statusOf(await starting), 'up')
  t.match(waited()?.context, { tag: '0001_posts', blockedBy: [new RegExp(`^process ${pid} \\(${name}, `)] })
})

t.test('a migration that fails at the start fails the start', async (t) => {
  const { connectionString, folder } = await build(t)
  writeFileSync(join(folder, '0001_posts.sql'), 'select 1 / 0')

  await t.rejects(start(t, { connectionString, migrations: { atStart: 'apply', folder } }), {
    code: 'DB_MIGRATION_FAILED', message: /^0001_posts\.sql failed at/
  })
})

t.test('without the option, or with ignore, migrations are not checked', async (t) => {
  const { connectionString } = await build(t)

  t.equal(await statusOf(await start(t, { connectionString })), 'up')
  t.equal(await statusOf(await start(t, { connectionString, migrations: { atStart: 'ignore', folder: './nowhere' } })), 'up')
  await t.rejects(start(t, { connectionString, migrations: { folder: './nowhere' } }), { code: 'DB_MIGRATION_MISSING' })
})

t.test('a degraded server applies its migrations later, and is unready until then', async (t) => {
  const { connectionString, folder, tables } = await build(t)
  const proxy = await startProxy(t, connectionString)
  await proxy.refuse()
  const server = await start(t, { connectionString: proxy.connectionString, degraded: true, migrations: { atStart: 'apply', folder } })
  t.equal(await statusOf(server), 'down')

  const lost = proxy.loseAnswer('create table users')
  await proxy.resume()
  await lost
  await until(async () => await statusOf(server) === 'up')
  t.strictSame(await tables(), ['posts', 'users'])
})

t.test('a degraded server whose migrations cannot be applied stays unready, and says why', async (t) => {
  const { connectionString, folder, logger } = await build(t)
  writeFileSync(join(folder, '0001_posts.sql'), 'commit')
  const proxy = await startProxy(t, connectionString)
  await proxy.refuse()
  const server = await start(t, { connectionString: proxy.connectionString, degraded: true, logger, migrations: { atStart: 'apply', folder } })
  await proxy.resume()

  await until(() => logger.lines.some(({ message }) => message === 'the migrations could not be applied, so the server stays unready'))
  t.match(await server.db.checkHealth(patient), { status: 'pending', error: /^0001_posts\.sql, statement 1, COMMIT/ })
})

t.test('a degraded server that waits for its database closes at once', async (t) => {
  const { connectionString, folder } = await build(t)
  const proxy = await startProxy(t, connectionString)
  await proxy.refuse()
  const server = await start(t, { connectionString: proxy.connectionString, degraded: true, migrations: { atStart: 'apply', folder } })

  await t.resolves(server.close())
})

t.test('a degraded server that verifies checks with each health request', async (t) => {
  const { options, connectionString, folder, said, logger } = await build(t)
  const proxy = await startProxy(t, connectionString)
  await proxy.refuse()
  const server = await start(t, { connectionString: proxy.connectionString, degraded: true, logger, migrations: { folder } })
  t.equal(await statusOf(server), 'down')

  await proxy.resume()
  t.equal(await statusOf(server), 'pending')
  await runMigrations(options)
  const file = join(folder, '0001_posts.sql')
  writeFileSync(file, 'edited')
  t.match(await server.db.checkHealth(patient), { status: 'pending', error: /^0001_posts\.sql was edited/ })
  writeFileSync(file, second.sql)
  t.equal(await statusOf(server), 'up')
  t.match(said().filter((text) => text.includes('posts') || text.includes('be checked')), [
    /^warn: the migrations could not be checked/, /^warn: 0000_users\.sql is not applied yet\n0001_posts/, /^warn: 0001_posts\.sql was edited/
  ])
})

t.test('options that do not exist or cannot be used are refused by their name', async (t) => {
  const { connectionString } = await build(t)
  const refused: Array<[options: unknown, setting: string, message: RegExp]> = [
    [{ attStart: 'apply' }, 'migrations.attStart', /is not an option: use connectionString, atStart/],
    [{ constructor: 1 }, 'migrations.constructor', /is not an option/],
    [{ atStart: true }, 'migrations.atStart', /must be 'verify', 'apply' or 'ignore'$/],
    [{ onPending: 'warn' }, 'migrations.onPending', /must be 'unready' or 'refuse'$/],
    [{ onUnknown: 'unready' }, 'migrations.onUnknown', /must be 'warn' or 'refuse'$/],
    [{ folder: '' }, 'migrations.folder', /must be a text that is not empty$/],
    [{ table: 7 }, 'migrations.table', /must be a text that is not empty$/],
    [{ lockTimeoutSeconds: -1 }, 'migrations.lockTimeoutSeconds', /must be a number of seconds/],
    [{ statementLockTimeoutSeconds: 0 }, 'migrations.statementLockTimeoutSeconds', /must be a number of seconds from 0.001/],
    [{ lockRetries: 1.5 }, 'migrations.lockRetries', /must be a whole number/],
    ['apply', 'migrations', /must be an object$/],
    [null, 'migrations', /must be an object$/],
    [['apply'], 'migrations', /must be an object$/]
  ]
  for (const [migrations, setting, message] of refused) {
    // A JavaScript program may pass these values.
    await t.rejects(start(t, { connectionString, migrations: migrations as MigrationsAtStart }), { name: 'SettingsError', setting, message }, setting)
  }
  await t.resolves(start(t, { connectionString, migrations: { atStart: 'ignore', folder: undefined } }))
})

t.test('warns where Fastify gives the start up before another server has applied its migrations', async (t) => {
  const { options, connectionString, folder, logger, said } = await build(t)
  await runMigrations(options)
  const warned = () => said().filter((text) => text.startsWith('warn: pluginTimeout is shorter than migrations.lockTimeoutSeconds'))
  await start(t, { connectionString, logger, server: { pluginTimeout: 60_000 }, migrations: { atStart: 'apply', folder, lockTimeoutSeconds: 30 } })
  t.strictSame(warned(), [])

  await start(t, { connectionString, logger, server: { pluginTimeout: 60_000 }, migrations: { atStart: 'apply', folder } })
  t.equal(warned().length, 1)
})

t.test('a server takes the URL for its migrations from their option', async (t) => {
  const { connectionString, folder, tables } = await build(t)
  const other = await build(t)
  const server = await start(t, { connectionString: other.connectionString, migrations: { atStart: 'apply', folder, connectionString } })

  t.equal(await statusOf(server), 'up')
  t.strictSame(await tables(), ['posts', 'users'])
  t.strictSame(await other.tables(), [])
})
