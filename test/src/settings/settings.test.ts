import { inspect } from 'node:util'
import pg from 'pg'
import { pgTable } from 'drizzle-orm/pg-core'
import t from 'tap'
import * as tables from '../../../examples/quickstart/schema.js'
import { silentLogger } from '../../../src/runtime/logger.js'
import { refuseDrizzleVersion } from '../../../src/settings/given-options.js'
import {
  optionNames, readEnvironment, resolveSettings, SettingsError, type DatabaseOptions, type Environment
} from '../../../src/settings/settings.js'
import { isDrizzle1, snakeCase } from '../../helpers/drizzle.js'

const url = 'postgresql://ada:hush%40hush@db.example/shop'

/** Options as JavaScript may give them, whatever the types say. */
function untyped (options: object): DatabaseOptions {
  return options
}

/** The refusal of settings; a test fails that gets none. */
function refusal (options: object, environment: Environment = {}): SettingsError {
  try {
    resolveSettings(untyped(options), environment)
  } catch (error) {
    if (error instanceof SettingsError) return error
    throw error
  }
  throw new Error('the settings were accepted')
}

t.test('reads every variable of the environment', async (t) => {
  const settings = resolveSettings({}, {
    DATABASE_URL: url,
    DATABASE_POOL_SIZE: '2',
    DATABASE_MAX_OVERFLOW: '3',
    DATABASE_POOL_TIMEOUT: '0.25',
    DATABASE_POOL_MAX_WAITING: '0',
    DATABASE_POOL_RECYCLE: '0',
    DATABASE_POOL_PRE_PING: 'off',
    DATABASE_ECHO: 'Yes',
    DATABASE_ECHO_POOL: '1',
    DATABASE_STATEMENT_TIMEOUT: '1.5',
    DATABASE_LOCK_TIMEOUT: '0',
    DATABASE_IDLE_IN_TRANSACTION_TIMEOUT: '7',
    DATABASE_SLOW_QUERY_MILLIS: '0',
    DATABASE_PREPARED_STATEMENTS: 'off',
    DATABASE_PREPARED_STATEMENTS_MAX: '250',
  })

  t.match(settings.connection, { connectionTimeoutMillis: 250, statement_timeout: 1500, lock_timeout: 0, idle_in_transaction_session_timeout: 7000 })
  t.match(settings.pool, { size: 2, max: 5, timeoutMillis: 250, maxWaiting: 0, recycleSeconds: 0, prePing: false, echo: true })
  t.match(settings, { echo: true, slowQueryMillis: 0, statementTimeoutSeconds: 1.5, lockTimeoutSeconds: 0, idleInTransactionTimeoutSeconds: 7 })
  t.match(settings, { preparedStatements: false, maxPreparedStatements: 250 })
})

t.test('reads process.env by default', async (t) => {
  const before = process.env['DATABASE_POOL_SIZE']
  process.env['DATABASE_POOL_SIZE'] = '7'
  t.teardown(() => { process.env['DATABASE_POOL_SIZE'] = before ?? '' })

  t.equal(resolveSettings({ connectionString: url }).pool.size, 7)
})

t.test('options win over the environment, one by one', async (t) => {
  const schema = { users: {} }
  const environment = { DATABASE_URL: 'postgresql://localhost/other', DATABASE_POOL_SIZE: '7', DATABASE_MAX_OVERFLOW: '8', DATABASE_ECHO: 'true' }
  const settings = resolveSettings({
    connectionString: url,
    pool: { size: 1, maxWaiting: 3, prePingAfterMillis: 0, resetOnRelease: true, sharedReads: true },
    echo: false,
    schema,
    ...snakeCase,
    repository: { defaultLimit: 10, maxLimit: 20 },
    drainTimeoutSeconds: 0,
    leakWarningSeconds: 0.5,
    waitForDatabaseSeconds: 60,
    degraded: true,
    logger: console,
  }, environment)

  t.match(settings.connection, { host: 'db.example', database: 'shop' })
  t.match(settings.pool, { size: 1, max: 9, maxWaiting: 3, prePingAfterMillis: 0, resetOnRelease: true, sharedReads: 2 })
  t.match(settings, {
    echo: false,
    ...snakeCase,
    repository: { defaultLimit: 10, maxLimit: 20 },
    drainTimeoutSeconds: 0,
    leakWarningSeconds: 0.5,
    waitForDatabaseSeconds: 60,
    degraded: true,
  })
  t.equal(settings.schema, schema)
  t.equal(resolveSettings({ connectionString: url, schema: tables }).schema, tables, 'a module')
  t.equal(settings.logger, console)
})

t.test('an undefined option and an empty variable count as not given', async (t) => {
  const settings = resolveSettings(
    { connectionString: undefined, pool: { size: undefined }, schema: undefined },
    { DATABASE_URL: url, DATABASE_POOL_SIZE: '', DATABASE_ECHO: '' }
  )

  t.equal(settings.pool.size, 20)
  t.equal(settings.echo, false)
})

t.test('mutates neither the options nor the environment', async (t) => {
  const options = Object.freeze({ connectionString: url, pool: Object.freeze({ size: 3 }), repository: Object.freeze({}) })
  const environment = Object.freeze({ DATABASE_ECHO: 'on' })

  t.equal(resolveSettings(options, environment).pool.size, 3)
})

t.test('is frozen', async (t) => {
  const settings = resolveSettings({ connectionString: url }, {})

  for (const part of [settings, settings.pool, settings.repository, settings.connection]) t.ok(Object.isFrozen(part))
})

t.test('refuses a bad option with its path, never its value (scenario 62)', async (t) => {
  const bad: ReadonlyArray<[path: string, options: object]> = [
    ...[0, -1, NaN, Infinity, 1.5, '20', '', null, true, 262_144].map((size): [string, object] => ['pool.size', { pool: { size } }]),
    ...[-1, NaN, '40'].map((maxOverflow): [string, object] => ['pool.maxOverflow', { pool: { maxOverflow } }]),
    ...['abc', 0, -1, NaN, 0.0001, 2_147_484, '30'].map((timeoutSeconds): [string, object] => ['pool.timeoutSeconds', { pool: { timeoutSeconds } }]),
    ['pool.maxWaiting', { pool: { maxWaiting: -1 } }],
    ['pool.recycleSeconds', { pool: { recycleSeconds: -1 } }],
    ['pool.prePing', { pool: { prePing: 'true' } }],
    ['pool.prePingAfterMillis', { pool: { prePingAfterMillis: 2 ** 31 } }],
    ['pool.echo', { pool: { echo: 1 } }],
    ['pool', { pool: 5 }],
    ['pool', { pool: null }],
    ['pool', { pool: [] }],
    ['echo', { echo: 'yes' }],
    ['statementTimeoutSeconds', { statementTimeoutSeconds: 0.0001 }],
    ['lockTimeoutSeconds', { lockTimeoutSeconds: '5' }],
    ['slowQueryMillis', { slowQueryMillis: -1 }],
    ['degraded', { degraded: 0 }],
    ...[0, 10_001, 1.5, '200', true].map((max): [string, object] => ['preparedStatements.max', { preparedStatements: { max } }]),
    ['preparedStatements', { preparedStatements: 200 }],
    ['repository.maxLimit', { repository: { maxLimit: 0 } }],
    ['repository.defaultLimit', { repository: { defaultLimit: 1001 } }],
    ['repository', { repository: 'all' }],
    ['schema', { schema: 'users' }],
    ['schema', { schema: pgTable('users', {}) }],
    ...isDrizzle1 ? [] : [['casing', { casing: 'kebab' }] as [string, object]],
    ['relations', { relations: 'all' }],
    ['logger', { logger: { info () {} } }],
    ['pg', { pg: { pool: {}, connect () {} } }],
    ['connectionString', { connectionString: 5 }],
    ['connectionString', { connectionString: '' }],
    ['connectionString', { connectionString: new URL('http://localhost') }],
  ]

  if (!isDrizzle1) t.match(refusal({ connectionString: url, relations: {} }), { setting: 'relations', message: /option of Drizzle 1\.0/ })
  for (const [path, options] of bad) {
    const error = refusal({ connectionString: url, ...options })
    t.match(error, { name: 'SettingsError', code: 'DB_SETTINGS', setting: path }, inspect(options))
    t.ok(error.message.startsWith(`${path} must`), error.message)
  }
})

t.test('says which values a setting may have', async (t) => {
  t.equal(refusal({ pool: { size: 0 } }).message, 'pool.size must be a whole number from 1 to 262143')
  t.equal(refusal({ pool: { timeoutSeconds: 0 } }).message, 'pool.timeoutSeconds must be a number of seconds from 0.001 to 2147483.647')
  t.equal(refusal({ pool: { recycleSeconds: -1 } }).message, 'pool.recycleSeconds must be a number of seconds from 0.001 to 2147483.647, or 0 for no limit')
  t.equal(refusal({ slowQueryMillis: -1 }).message, 'slowQueryMillis must be a number of milliseconds from 0 to 2147483647')
  t.match(refusal({ echo: 1 }).message, 'echo must be true or false')
  t.match(refusal({ preparedStatements: 2 } as never).message, /^preparedStatements must be true or false .*, as an option also an object: \{ max \}$/)
  t.match(refusal({ preparedStatements: { most: 2 } } as never).message, 'preparedStatements.most is not an option: use preparedStatements.max')
})

t.test('refuses a bad variable with its name, never its value', async (t) => {
  const bad: ReadonlyArray<[variable: string, text: string]> = [
    ...['20x', '0', '-1', '1.5', ' ', ' 20', '0x14', '1e1', 'NaN', 'Infinity'].map((text): [string, string] => ['DATABASE_POOL_SIZE', text]),
    ['DATABASE_POOL_TIMEOUT', 'abc'],
    ['DATABASE_POOL_TIMEOUT', '.5'],
    ['DATABASE_ECHO', 'maybe'],
    ['DATABASE_PREPARED_STATEMENTS', '2'],
    ['DATABASE_PREPARED_STATEMENTS_MAX', '0'],
    ['DATABASE_POOLER', 'session'],
  ]

  for (const [variable, text] of bad) {
    const error = refusal({ connectionString: url, pool: { size: 5 } }, { [variable]: text })
    t.equal(error.setting, variable, text)
    t.ok(error.message.startsWith(`${variable} must be`), error.message)
  }
})

t.test('refuses an option that does not exist, and names those that do', async (t) => {
  t.equal(refusal({ connectionString: url, pol: {} }).setting, 'pol')
  t.equal(
    refusal({ connectionString: url, pool: { max: 5 } }).message,
    'pool.max is not an option: use pool.size, pool.maxOverflow, pool.timeoutSeconds, pool.maxWaiting, pool.recycleSeconds, pool.prePing, pool.prePingAfterMillis, pool.echo, pool.resetOnRelease, pool.sharedReads'
  )
  t.equal(refusal({ connectionString: url, repository: { limit: 5 } }).setting, 'repository.limit')
  t.equal(refusal({ connectionString: url, 'pool.size': 5 }).setting, 'pool.size')
})

t.test('leaves the options of other rooms alone', async (t) => {
  const settings = resolveSettings(untyped({ connectionString: url, transaction: {}, errors: {}, health: false, migrations: {} }), {})

  t.equal(settings.pool.size, 20)
  for (const name of ['connectionString', 'pool', 'schema', 'transaction', 'health']) t.ok(optionNames.includes(name))
})

t.test('a lower maximum lowers the limit that is not given', async (t) => {
  t.strictSame(resolveSettings({ connectionString: url, repository: { maxLimit: 50 } }, {}).repository, { defaultLimit: 50, maxLimit: 50 })
})

t.test('says how to name the database when nothing does', async (t) => {
  const error = refusal({}, { DATABASE_URL: '' })

  t.match(error.message, /DATABASE_URL .*connectionString/)
})

t.test('names the source of a broken URL', async (t) => {
  t.equal(refusal({}, { DATABASE_URL: 'postgresql://ada:p@ss@db/shop' }).setting, 'DATABASE_URL')
  t.equal(refusal({ connectionString: 'postgresql://ada:p@ss@db/shop' }, { DATABASE_URL: url }).setting, 'connectionString')
})

t.test('connecting may take no longer than the URL says, nor than the wait for a connection', async (t) => {
  const connecting = (seconds: number) => resolveSettings({ connectionString: `${url}?connect_timeout=${seconds}` }, {}).connection?.connectionTimeoutMillis

  t.equal(connecting(3), 3000)
  t.equal(connecting(300), 30_000)
})

t.test('behind a pooler the server-side limits are no startup parameters', async (t) => {
  const settings = resolveSettings({ connectionString: url, pooler: 'transaction' }, {})

  t.equal(settings.connection?.statement_timeout, undefined)
  t.equal(settings.connection?.lock_timeout, undefined)
  t.equal(settings.connection?.idle_in_transaction_session_timeout, undefined)
  t.equal(settings.statementTimeoutSeconds, 15)
})

t.test('a pool given by the user has its own limits', async (t) => {
  const pool = new pg.Pool({ connectionString: url, max: 4, min: 1, connectionTimeoutMillis: 900, maxLifetimeSeconds: 60 })
  t.teardown(() => pool.end())

  const settings = resolveSettings({ pg: pool }, { DATABASE_URL: 'broken', DATABASE_POOL_SIZE: '9', DATABASE_ECHO_POOL: 'true' })

  t.equal(settings.pg, pool)
  t.equal(settings.connection, undefined)
  t.match(settings.pool, { size: 1, max: 4, timeoutMillis: 900, maxWaiting: Infinity, recycleSeconds: 60, prePing: false, echo: true, resetOnRelease: false })
  t.notMatch(inspect(settings, { depth: 9 }) + JSON.stringify(settings), 'hush')
})

t.test('a given pool without limits has the default time limit for waiters', async (t) => {
  const pool = new pg.Pool()
  pool.options.min = undefined
  t.teardown(() => pool.end())

  t.match(resolveSettings({ pg: pool }, {}).pool, { size: 0, max: 10, timeoutMillis: 30_000, maxWaiting: Infinity, recycleSeconds: 0 })
})

t.test('refuses options that a given pool makes meaningless', async (t) => {
  const pool = new pg.Pool()
  t.teardown(() => pool.end())

  t.equal(refusal({ pg: pool, pool: { size: 1 } }).message, 'pool.size cannot be given beside pg: that pool is used as it is')
  t.equal(refusal({ pg: pool, connectionString: url }).setting, 'connectionString')
})

t.test('shows no secret, however it is printed (scenario 78)', async (t) => {
  const logger = { ...silentLogger, url }
  const settings = resolveSettings({ connectionString: url, schema: { url }, logger }, { DATABASE_URL: url })
  const environment = readEnvironment({ DATABASE_URL: url })

  for (const printed of [settings, { ...settings }, settings.connection, environment, { ...environment }]) {
    const text = inspect(printed, { depth: 9 }) + JSON.stringify(printed)
    t.notMatch(text, /hush|postgresql:/)
  }
  t.notMatch(inspect(refusal({ connectionString: `${url}/hush` }), { depth: 9, showHidden: true }), /hush|db\.example/)
})

t.test('a pool made of the connection has the password and hides it', async (t) => {
  const { connection } = resolveSettings({ connectionString: url }, {})
  const pool = new pg.Pool(connection)
  t.teardown(() => pool.end())

  t.equal(pool.options.password, 'hush@hush')
  t.notMatch(inspect(pool, { depth: 9 }), 'hush')
})

t.test('a version of drizzle-orm that is not supported is refused, with the way out', async (t) => {
  for (const version of ['0.44.9', '0.45.0', '0.45.1', '0.46.0', '1.0.0-beta.22', '1.0.0-rc.4', '1.0.0-rc.4-273829f', '2.0.0']) {
    t.throws(() => refuseDrizzleVersion(version), { name: 'SettingsError', setting: 'drizzle-orm', message: `${version} is installed: npm install drizzle-orm@${version.startsWith('0.') ? '^0.45.2' : '^1.0.0-rc.5'}` }, version)
  }
  for (const version of ['0.45.2', '0.45.10', '1.0.0-rc.5', '1.0.0-rc.5-ab785fc', '1.0.0-rc.10', '1.0.0', '1.12.3']) {
    t.doesNotThrow(() => refuseDrizzleVersion(version), version)
  }
})
