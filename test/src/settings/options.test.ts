import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import pg from 'pg'
import t from 'tap'
import { silentLogger } from '../../../src/runtime/logger.js'
import { environmentSchema, readEnvironment, resolveSettings } from '../../../src/settings/settings.js'
import { settingRows } from '../../../src/settings/setting-table.js'
import { UsageError } from '../../../src/index.js'
import { resolveTransactionOptions } from '../../../src/settings/transaction-options.js'
import type { DatabaseOptions, Environment } from '../../../src/settings/settings.js'
import type { TransactionOptions } from '../../../src/index.js'

const url = 'postgresql://ada:hush%40hush@db.example/shop'

t.test('has the documented defaults', async (t) => {
  const settings = resolveSettings({}, { DATABASE_URL: url })

  t.match(settings, {
    connection: {
      host: 'db.example',
      user: 'ada',
      database: 'shop',
      keepAlive: true,
      connectionTimeoutMillis: 30_000,
      statement_timeout: 15_000,
      lock_timeout: 5_000,
      idle_in_transaction_session_timeout: 30_000,
    },
    pool: {
      size: 20,
      max: 60,
      timeoutMillis: 30_000,
      maxWaiting: Infinity,
      recycleSeconds: 3600,
      prePing: true,
      prePingAfterMillis: 1000,
      echo: false,
      resetOnRelease: false,
      sharedReads: 0,
    },
    echo: false,
    slowQueryMillis: 500,
    statementTimeoutSeconds: 15,
    lockTimeoutSeconds: 5,
    idleInTransactionTimeoutSeconds: 30,
    pooler: 'auto',
    preparedStatements: undefined,
    maxPreparedStatements: 100,
    processes: 1,
    drainTimeoutSeconds: 10,
    leakWarningSeconds: 30,
    waitForDatabaseSeconds: 0,
    degraded: false,
    repository: { defaultLimit: 100, maxLimit: 1000 },
  })
  t.equal(settings.connection?.password, 'hush@hush')
  t.equal(settings.pg, undefined)
  t.equal(settings.schema, undefined)
  t.equal(settings.casing, undefined)
  t.equal(settings.logger, silentLogger)
})

t.test('an environment that was read once reads the same again', async (t) => {
  const environment = readEnvironment({ DATABASE_URL: url, DATABASE_POOL_SIZE: '3', DATABASE_ECHO: 'on', OTHER: 'x' })

  t.match(environment, { DATABASE_POOL_SIZE: 3, DATABASE_ECHO: true, DATABASE_MAX_OVERFLOW: 40 })
  t.equal(environment.DATABASE_POOL_MAX_WAITING, undefined)
  t.equal(environment.DATABASE_URL, url)
  t.notOk('OTHER' in environment)
  t.ok(Object.isFrozen(environment))
  t.strictSame(readEnvironment(environment), environment)
  t.strictSame(resolveSettings({}, environment), resolveSettings({}, { DATABASE_URL: url, DATABASE_POOL_SIZE: '3', DATABASE_ECHO: 'on' }))
})

t.test('WEB_CONCURRENCY is the default for the number of processes', async (t) => {
  const processes = (environment: Environment) => resolveSettings({}, readEnvironment({ DATABASE_URL: url, ...environment })).processes

  t.equal(processes({ WEB_CONCURRENCY: '4' }), 4)
  t.equal(processes({ WEB_CONCURRENCY: '4', DATABASE_PROCESSES: '' }), 4)
  t.equal(processes({ WEB_CONCURRENCY: '4', DATABASE_PROCESSES: '12' }), 12)
  t.equal(resolveSettings({ processes: 2 }, { DATABASE_URL: url, WEB_CONCURRENCY: '4' }).processes, 2)
  for (const other of ['', '0', '1.5', 'auto', '-2', '262144']) t.equal(processes({ WEB_CONCURRENCY: other }), 1, `not ${other}`)
  t.throws(() => processes({ DATABASE_PROCESSES: 'auto', WEB_CONCURRENCY: '4' }), /DATABASE_PROCESSES must be a whole number from 1/)
})

t.test('the number of prepared statements and whether there are any are two settings', async (t) => {
  const environment = { DATABASE_URL: url, DATABASE_PREPARED_STATEMENTS: 'true', DATABASE_PREPARED_STATEMENTS_MAX: '7' }
  t.match(resolveSettings({ preparedStatements: { max: 400 } }, environment), { preparedStatements: true, maxPreparedStatements: 400 })
  t.match(resolveSettings({ preparedStatements: {} }, environment), { preparedStatements: true, maxPreparedStatements: 7 })
  t.match(resolveSettings({ preparedStatements: false }, environment), { preparedStatements: false, maxPreparedStatements: 7 })
  t.match(resolveSettings({ preparedStatements: { max: 400 } }, { DATABASE_URL: url }), { preparedStatements: undefined, maxPreparedStatements: 400 })
})

t.test('every option is documented with its variable and its default', async (t) => {
  const source = readFileSync(new URL('../../../src/settings/database-options.ts', import.meta.url), 'utf8')

  for (const row of settingRows) {
    const name = row.path.replace(/^.*\./, '')
    const place = row.path.startsWith('pool.') ? 'PoolOptions' : row.path.startsWith('replicas.') ? 'ReplicaOptions' : row.path.startsWith('repository.') ? 'RepositoryOptions' : row.path.startsWith('preparedStatements.') ? 'PreparedStatementOptions' : 'DatabaseOptions'
    const body = source.slice(source.indexOf(`export interface ${place} {`))
    const before = body.slice(0, body.indexOf(`  ${name}?:`))
    const docstring = before.slice(before.lastIndexOf('/**'))
    if ('variable' in row) t.match(docstring, `\`${row.variable}\``, row.path)
    if ('default' in row) t.match(docstring, `@defaultValue \`${row.default}\``, row.path)
  }
})

t.test('the schema of the environment has every variable with its meaning', async (t) => {
  t.match(environmentSchema().properties['DATABASE_POOL_SIZE'], {
    type: 'string', description: 'Connections that stay open once they were opened. Must be a whole number from 1 to 262143.'
  })
  t.equal(Object.keys(environmentSchema().properties).length, 20)
})

t.test('completes missing options', async (t) => {
  const defaults = {
    readsOutside: true,
    begin: 'begin',
    readOnly: false,
    retries: 0,
    timeoutMillis: undefined,
    settleTimeoutMillis: 5000,
    resolveCommits: false,
    onReplica: 'nothing',
    token: false,
    single: false,
    contextRequired: false
  }
  t.same(resolveTransactionOptions({}), defaults)
  t.same(resolveTransactionOptions({ begin: undefined, isolationLevel: undefined, deferrable: undefined, settleTimeoutMillis: undefined }), defaults)
})

t.test('makes a BEGIN of the modes, and never changes the given options', async (t) => {
  const options = Object.freeze({
    isolationLevel: 'serializable', accessMode: 'read only', deferrable: true, timeoutMillis: 1, settleTimeoutMillis: 0.5
  } as const)
  t.same(resolveTransactionOptions(options), {
    readsOutside: false,
    begin: 'begin isolation level serializable, read only, deferrable',
    isolationLevel: 'serializable',
    readOnly: true,
    retries: 0,
    timeoutMillis: 1,
    settleTimeoutMillis: 0.5,
    resolveCommits: false,
    onReplica: 'nothing',
    token: false,
    single: false,
    contextRequired: false
  })
  t.match(resolveTransactionOptions({ deferrable: false }), { begin: 'begin not deferrable', readsOutside: false })
  t.match(resolveTransactionOptions({ begin: 'firstQuery' }), { begin: 'begin', readsOutside: false })
})

t.test('reads go to a replica before BEGIN, or with a read-only transaction that a standby can begin', async (t) => {
  const options: Array<[options: TransactionOptions, onReplica: string]> = [
    [{}, 'reads'],
    [{ begin: 'firstQuery' }, 'nothing'],
    [{ isolationLevel: 'read committed' }, 'nothing'],
    [{ accessMode: 'read only' }, 'transaction'],
    [{ accessMode: 'read only', isolationLevel: 'repeatable read', token: true }, 'transaction'],
    [{ accessMode: 'read only', isolationLevel: 'serializable' }, 'nothing']
  ]
  for (const [given, onReplica] of options) t.match(resolveTransactionOptions({ reads: 'replica', ...given }), { onReplica, token: false })
  t.match(resolveTransactionOptions({ reads: 'primary', token: true }), { onReplica: 'nothing', token: true })
})

t.test('refuses an invalid option by name, without its value', async (t) => {
  const bad: Array<[Record<string, unknown>, RegExp]> = [
    [{ begin: 'onRequest' }, /^transaction.begin must be 'firstWrite' or 'firstQuery'$/],
    [{ isolationLevel: 'serializable; drop table users' }, /^transaction.isolationLevel must be 'read uncommitted', .* or 'serializable'$/],
    [{ isolationLevel: ['serializable'] }, /^transaction.isolationLevel/],
    [{ accessMode: 'READ ONLY' }, /^transaction.accessMode must be 'read write' or 'read only'$/],
    [{ accessMode: null }, /^transaction.accessMode/],
    [{ reads: 'standby' }, /^transaction.reads must be 'primary' or 'replica'$/],
    [{ token: 'yes' }, /^transaction.token must be true or false$/],
    [{ deferrable: 'yes' }, /^transaction.deferrable must be true or false$/],
    [{ isolation: 'serializable' }, /^transaction.isolation is not an option: use begin, isolationLevel/],
    [{ toString: 1 }, /^transaction.toString is not an option/],
    ...['timeoutMillis', 'settleTimeoutMillis'].flatMap((name) => [
      0, -1, NaN, Infinity, 2 ** 31, '5000', null
    ].map((value): [Record<string, unknown>, RegExp] =>
      [{ [name]: value }, new RegExp(`^transaction.${name} must be a number of milliseconds, above 0 and at most 2147483647$`)]))
  ]
  for (const [options, message] of bad) {
    t.throws(() => resolveTransactionOptions(options as TransactionOptions), UsageError)
    t.throws(() => resolveTransactionOptions(options as TransactionOptions), { message })
  }
})

t.test('DATABASE_DIRECT_URL leads to the server of DATABASE_URL, and to no other', async (t) => {
  const environment = { DATABASE_URL: url, DATABASE_DIRECT_URL: 'postgresql://ada:hush@server.example/shop', DATABASE_POOL_TIMEOUT: '2' }
  const hostOf = (options: DatabaseOptions) => resolveSettings(options, environment).directConnection?.host
  const pool = new pg.Pool()
  t.teardown(() => pool.end())

  t.match(resolveSettings({}, environment).directConnection, { host: 'server.example', password: 'hush', connectionTimeoutMillis: 2000, statement_timeout: undefined })
  t.notMatch(inspect([resolveSettings({}, environment), readEnvironment(environment)]), 'hush')
  t.equal(hostOf({ connectionString: url }), 'server.example')
  t.equal(hostOf({ connectionString: 'postgresql://ada@other.example/shop' }), undefined)
  t.equal(hostOf({ pg: pool }), undefined)
  t.equal(hostOf({ pg: pool, directConnectionString: 'postgresql://ada@given.example/shop' }), 'given.example')
  t.throws(() => resolveSettings({ connectionString: url, directConnectionString: 'postgresql://ada@' }), /directConnectionString/)
  t.throws(() => resolveSettings({}, { DATABASE_URL: url, DATABASE_DIRECT_URL: 'postgresql://ada@' }), /DATABASE_DIRECT_URL/)
})
