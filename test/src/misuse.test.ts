import t from 'tap'
import { sql } from 'drizzle-orm'
import { boolean, getTableConfig, integer, pgTable } from 'drizzle-orm/pg-core'
import * as core from '../../src/index.js'
import { createTestDatabase, expectNoLeaks } from '../../src/testing/index.js'
import { each, missing, optional, options, refuses, takes } from '../helpers/misuse.js'
import { notes, notesTable } from '../helpers/notes.js'
import type { Mistake } from '../helpers/misuse.js'

const {
  Database, Scope, Session, failure, inspectRow, isDeleted, listQuery, openDatabase, problem, resolveSettings, softDelete, success,
  tenantPolicy, toDatabaseError, toDict, uniqueLive
} = core
const { database } = await createTestDatabase(t, { sql: notesTable, schema: { notes } })
await database.query(`
  create schema graphile_worker;
  create function graphile_worker.add_job (identifier text, payload json, queue_name text, run_at timestamptz, max_attempts int, job_key text, priority int, flags text[], job_key_mode text)
    returns table (id int) language sql as 'select 1'
`)
const note = await database.repo(notes).create({ title: 'a' })

/** Nobody is there, and nobody is asked before the options have been read. */
const nowhere = { connectionString: 'postgresql://nobody@127.0.0.1:1/none', degraded: true }
const opening = (optionsOf: (mistake: never) => object) => async (x: never) => {
  try {
    await (await openDatabase({ ...nowhere, ...optionsOf(x) } as core.OpenOptions)).close()
  } catch (error) {
    if (!(error instanceof core.ConnectionError)) throw error // the options were fine
  }
}

/** The plugin reads these, and what is in them. */
const readElsewhere = ['strange', 'foreign', 'schema', 'table'] as const
/** Besides tables: all but a module, on which Drizzle fails. */
const whatAModuleExports = [
  'undefined', 'null', 'false', '0', 'NaN', "''", 'text', '[]', '[null]', '{}', 'strange', 'foreign', 'function', 'symbol', 'bigint', 'date',
  'schema', 'table', 'promise', 'map'
] as const

const opened = {
  'openDatabase(_)': takes(async (x) => { await (await openDatabase(x)).close() }),
  ...each(
    ['transaction', 'errors', 'pool', 'repository', 'drizzle'],
    (key) => `openDatabase({ ${key}: _ })`,
    (key) => takes(opening((x) => ({ [key]: x })), ...options)
  ),
  'openDatabase({ migrations: _ })': takes(opening((x) => ({ migrations: x })), ...options, ...readElsewhere),
  'openDatabase({ health: _ })': takes(opening((x) => ({ health: x })), ...options, 'false', ...readElsewhere),
  'openDatabase({ recorder: _ })': takes(opening((x) => ({ recorder: x })), ...options, 'false', ...readElsewhere),
  'openDatabase({ schema: _ })': takes(opening((x) => ({ schema: x })), ...options, 'strange', 'foreign', 'schema'),
  'openDatabase({ schema: { k: _ } })': takes(opening((x) => ({ schema: { k: x } })), ...whatAModuleExports),
  ...each(['casing', 'logger', 'pg', 'unknown'], (key) => `openDatabase({ ${key}: _ })`, (key) => takes(opening((x) => ({ [key]: x })), ...optional)),
  ...each(['size', 'timeoutSeconds', 'unknown'], (key) => `openDatabase({ pool: { ${key}: _ } })`, (key) => takes(
    opening((x) => ({ pool: { [key]: x } })),
    ...optional
  )),
  ...each(['maxOverflow', 'maxWaiting', 'recycleSeconds'], (key) => `openDatabase({ pool: { ${key}: _ } })`, (key) => takes(
    opening((x) => ({ pool: { [key]: x } })),
    ...optional,
    '0'
  )),
  ...each(['prePing', 'resetOnRelease', 'sharedReads'], (key) => `openDatabase({ pool: { ${key}: _ } })`, (key) => takes(
    opening((x) => ({ pool: { [key]: x } })),
    ...optional,
    'false'
  )),
  ...each(['pooler'], (key) => `openDatabase({ ${key}: _ })`, (key) => takes(opening((x) => ({ [key]: x })), ...optional)),
  'openDatabase({ preparedStatements: _ })': takes(opening((x) => ({ preparedStatements: x })), ...options, 'false'),
  'openDatabase({ preparedStatements: { max: _ } })': takes(opening((x) => ({ preparedStatements: { max: x } })), ...optional),
  ...each(['echo', 'degraded'], (key) => `openDatabase({ ${key}: _ })`, (key) => takes(
    opening((x) => ({ [key]: x })),
    ...optional,
    'false'
  )),
  ...each(
    ['slowQueryMillis', 'statementTimeoutSeconds', 'drainTimeoutSeconds'],
    (key) => `openDatabase({ ${key}: _ })`,
    (key) => takes(opening((x) => ({ [key]: x })), ...optional, '0')
  ),
  'openDatabase({ errors: { constraints: _ } })': takes(opening((x) => ({ errors: { constraints: x } })), ...options),
  'openDatabase({ errors: { constraints: { k: _ } } })': takes(opening((x) => ({ errors: { constraints: { k: x } } })), ...options),
  'openDatabase({ errors: { constraints: { k: { status: _ } } } })': takes(opening((x) => ({ errors: { constraints: { k: { status: x } } } })), ...optional),
  'openDatabase({ errors: { constraints: { k: { unknown: _ } } } })': takes(opening((x) => ({ errors: { constraints: { k: { unknown: x } } } }))),
  ...each(['code', 'message'], (key) => `openDatabase({ errors: { constraints: { k: { ${key}: _ } } } })`, (key) => takes(
    opening((x) => ({ errors: { constraints: { k: { [key]: x } } } })),
    ...optional,
    'text'
  )),
  'resolveSettings(_)': takes((x) => resolveSettings(x)),
  'resolveSettings(options, _)': takes((x) => resolveSettings(nowhere, x), ...options, 'strange', 'foreign', 'schema', 'table')
}

const inSession = (
  use: (session: core.Session, x: never) => unknown,
  ...works: readonly Mistake[]
) => takes((x) => database.session((session) => use(session, x)), ...works)

const transactions = {
  'session(_)': takes((x) => database.session(x), 'function'),
  'session(fn, _)': takes((x) => database.session(() => 1, x), ...options),
  'transaction(_)': takes((x) => database.transaction(x), 'function'),
  'transaction(fn, _)': takes((x) => database.transaction(() => 1, x), ...options),
  'createSession(_)': takes((x) => database.createSession(x), ...options),
  ...each(
    ['begin', 'isolationLevel', 'accessMode', 'timeoutMillis', 'settleTimeoutMillis'],
    (key) => `createSession({ ${key}: _ })`,
    (key) => takes((x) => database.createSession({ [key]: x }), ...optional)
  ),
  ...each(['deferrable', 'resolveCommits'], (key) => `createSession({ ${key}: _ })`, (key) => takes(
    (x) => database.createSession({ [key]: x }),
    ...optional,
    'false'
  )),
  'createSession({ single: _ })': takes((x) => database.createSession({ single: x }), ...optional, 'false'),
  'createSession({ retries: _ })': takes((x) => database.createSession({ retries: x }), ...optional, '0'),
  'createSession({ context: _ })': takes((x) => database.createSession({ context: x }), ...optional),
  'createSession({ contextRequired: _ })': takes((x) => database.createSession({ contextRequired: x }), ...optional, 'false'),
  ...each(['settings', 'role', 'searchPath'], (key) => `withContext({ ${key}: _ })`, (key) => takes((x) => database.withContext({ 'app.k': 'v', [key]: x } as never))),
  'withContext(_)': takes((x) => database.withContext(x)),
  'createSession({ unknown: _ })': takes((x) => database.createSession({ unknown: x } as never)),
  'repo(_)': takes((x) => database.repo(x), 'table'),
  'execute(_)': takes((x) => database.execute(x)),
  'query(_)': takes((x) => database.query(sqlOf(x)), "''", 'text'),
  'query(text, _)': takes((x) => database.query('select 1', x), 'undefined', '[]'),
  'listen(_)': takes((x) => database.listen(x, () => {}), 'text'),
  'listen(channel, _)': takes((x) => database.listen('notes', x), 'function'),
  'listen(channel, handler, _)': takes((x) => database.listen('notes', () => {}, x), ...options),
  'listen(channel, handler, { onGap: _ })': takes((x) => database.listen('notes', () => {}, { onGap: x }), ...optional, 'function'),
  'checkHealth(_)': takes((x) => database.checkHealth(x), ...options),
  'checkHealth({ timeoutMillis: _ })': takes((x) => database.checkHealth({ timeoutMillis: x }), ...optional, '0'),
  'checkHealth({ maxAgeMillis: _ })': takes((x) => database.checkHealth({ maxAgeMillis: x }), ...optional, '0'),
  'drizzle.transaction(_)': takes((x) => database.drizzle.transaction(x), 'function'),
  'drizzle.transaction(fn, _)': takes((x) => database.drizzle.transaction(async () => 1, x), ...options),
  'new Database(_)': takes((x) => new Database(x, {} as never)),
  'new Database(pool, _)': takes((x) => new Database(database.pool, x)),
  'new Database(pool, settings, _)': takes((x) => new Database(database.pool, resolveSettings(nowhere), x), ...options, ...readElsewhere)
}

/** A text is SQL: it is sent as it is. */
const sqlOf = (mistake: unknown): never => (mistake === 'hunter2' ? 'select 1' : mistake) as never

/** The options of addJob() that a mistake may fit. */
const jobOptions: Readonly<Record<string, readonly Mistake[]>> = { queueName: ['text'], jobKey: ['text'], runAt: ['date'], priority: ['0'], flags: ['[]'] }

const scopes = {
  ...each(['beforeCommit', 'afterCommit', 'afterRollback'], (method) => `session.${method}(_)`, (method) => inSession(
    (session, x) => session[method](x),
    'function'
  )),
  'session.execute(_)': inSession((session, x) => session.execute(x)),
  'session.query(_)': inSession((session, x) => session.query(sqlOf(x)), "''", 'text'),
  'session.query(text, _)': inSession((session, x) => session.query('select 1', x), 'undefined', '[]'),
  'jobExecutor(_)': takes((x) => core.jobExecutor(x)),
  'addJob(_, name)': takes((x) => core.addJob(x, 'name')),
  'addJob(session, _)': inSession((session, x) => core.addJob(session, x), 'text'),
  'addJob(session, name, _)': inSession(
    (session, x) => core.addJob(session, 'name', x),
    ...optional, 'null', 'false', '0', 'NaN', "''", 'text', '[]', '[null]', '{}', 'blank', 'strange', 'foreign', 'date', 'map'
  ),
  'addJob(session, name, payload, _)': inSession((session, x) => core.addJob(session, 'name', {}, x), ...options),
  ...each(
    ['queueName', 'runAt', 'maxAttempts', 'jobKey', 'jobKeyMode', 'priority', 'flags', 'schema'],
    (key) => `addJob(session, name, payload, { ${key}: _ })`,
    (key) => inSession((session, x) => core.addJob(session, 'name', {}, { [key]: x }), ...optional, ...jobOptions[key] ?? [])
  ),
  'addJob(session, name, payload, { unknown: _ })': inSession((session, x) => core.addJob(session, 'name', {}, { unknown: x } as never)),
  'session.repo(_)': inSession((session, x) => session.repo(x), 'table'),
  'session.rollbackOnly(_)': inSession((session, x) => session.rollbackOnly(x), ...optional, "''", 'text'),
  'session.transaction(_)': inSession((session, x) => session.transaction(x), 'function'),
  'session.transaction(fn, _)': inSession((session, x) => session.transaction(() => 1, x), ...optional),
  'session.drizzle.transaction(_)': inSession((session, x) => session.drizzle.transaction(x), 'function'),
  'new Scope(_)': takes((x) => new Scope(x)),
  'new Session(_)': takes((x) => new Session(x, {} as never, {} as never))
}

const lists = {
  'listQuery(_)': takes((x) => listQuery(x), 'table'),
  'listQuery(table, _)': takes((x) => listQuery(notes, x), ...options),
  'listQuery(table, { filterable: _ })': takes((x) => listQuery(notes, { filterable: x }), ...options, '[]'),
  ...each(['sortable', 'searchable'], (key) => `listQuery(table, { ${key}: _ })`, (key) => takes((x) => listQuery(notes, { [key]: x }), ...optional, '[]')),
  ...each(['maxLimit', 'defaultLimit', 'pages'], (key) => `listQuery(table, { ${key}: _ })`, (key) => takes(
    (x) => listQuery(notes, { [key]: x }),
    ...optional
  )),
  'listQuery(table, { unknown: _ })': takes((x) => listQuery(notes, { unknown: x } as never)),
  'listQuery(table, { filterable: [_] })': takes((x) => listQuery(notes, { filterable: [x] }), 'name'),
  'listQuery(table, { filterable: { title: _ } })': takes((x) => listQuery(notes, { filterable: { title: x } }), ...optional, '[]'),
  ...each(['filter', 'paginate', 'cursor'], (method) => `listQuery(table).${method}(_)`, (method) => takes((x) => listQuery(notes)[method](x), '{}', 'blank')),
  ...each(['filter', 'paginate', 'cursor'], (method) => `listQuery(table).${method}(query, _)`, (method) => takes((x) => listQuery(notes)[method]({}, x))),
  'listQuery(table).cursor(query, { where: _ })': takes((x) => listQuery(notes).cursor({}, { where: x }), '{}', 'blank', 'strange', 'schema')
}

const circular: { self?: unknown } = {}
circular.self = circular

/** Rows of which none of the table's columns was read. */
const ofOtherColumns = ['{}', 'blank', 'strange', 'foreign', 'schema'] as const

const helpers = {
  'toDict(_, row)': takes((x) => toDict(x, {}), 'table'),
  'toDict(table, _)': takes((x) => toDict(notes, x), ...ofOtherColumns),
  'toDict(table, row, _)': takes((x) => toDict(notes, note, x), ...options),
  'toDict(table, row, { omit: _ })': takes((x) => toDict(notes, note, { omit: x }), ...optional, '[]'),
  'toDict(table, row, { include: _ })': takes((x) => toDict(notes, note, { include: x }), ...optional, '[]'),
  'toDict(table, row, { omit: [_] })': takes((x) => toDict(notes, note, { omit: [x] }), 'name'),
  'inspectRow(_, row)': takes((x) => inspectRow(x, {}), 'table'),
  'inspectRow(table, _)': takes((x) => inspectRow(notes, x), ...ofOtherColumns),
  'isDeleted(_)': takes((x) => isDeleted(x)),
  'uniqueLive(_)': takes((x) => uniqueLive(x)),
  'uniqueLive(column, _)': takes((x) => getTableConfig(pgTable(
    'others',
    { id: integer(), done: boolean(), ...softDelete() },
    (table) => [uniqueLive(table.id, x)]
  ))),
  'tenantPolicy(_)': takes((x) => tenantPolicy(x)),
  'tenantPolicy(column, _)': takes((x) => tenantPolicy(notes.id as never, x), ...options),
  'tenantPolicy(column, { setting: _ })': takes((x) => tenantPolicy(notes.id as never, { setting: x }), ...optional),
  'tenantPolicy(column, { role: _ })': takes((x) => tenantPolicy(notes.id as never, { role: x }), ...optional, 'text'),
  'tenantPolicy(column, { name: _ })': takes((x) => tenantPolicy(notes.id as never, { name: x }), ...optional, 'text'),
  'increment(_)': takes((x) => database.repo(notes).update(404, { size: core.increment(x) }), '0', 'bigint'),
  'success(data, _)': takes((x) => success(1, x), ...options),
  'success(data, { message: _ })': takes((x) => success(1, { message: x }), ...optional, "''", 'text'),
  'failure(error, _)': takes((x) => failure(new Error('e'), x), ...options),
  'failure(error, { requestId: _ })': takes((x) => failure(new Error('e'), { requestId: x }), ...optional, "''", 'text'),
  'failure(error, { statusCode: _ })': takes((x) => failure(new Error('e'), { statusCode: x }), ...optional),
  'problem(error, _)': takes((x) => problem(new Error('e'), x), ...options),
  'problem(error, { instance: _ })': takes((x) => problem(new Error('e'), { instance: x }), ...optional, "''", 'text'),
  'toDatabaseError(error, _)': takes((x) => toDatabaseError(new Error('e'), x), ...options),
  'toDatabaseError(error, { context: _ })': takes((x) => toDatabaseError(new Error('e'), { context: x }), ...options, ...readElsewhere)
}

const errorClasses = Object.entries(core).flatMap(([name, Class]) => typeof Class === 'function' && Class.prototype instanceof Error
  ? [
      [name, Class as new (...given: never[]) => Error] as const
    ]
  : [])
const errors = Object.fromEntries(errorClasses.flatMap(([name, Class]) => [
  [
    `new ${name}(_)`,
    takes(
      (x) => new Class(x, ...(name === 'MigrationError' || name === 'SettingsError') ? ['DB_MIGRATION_FAILED' as never] : []),
      ...name === 'SettingsError' ? [] : optional,
      "''",
      'text'
    )
  ],
  ...name === 'SettingsError'
    ? []
    : [
        [
      `new ${name}(message, _)`,
      takes((x) => name === 'MigrationError' ? new Class('m' as never, 'DB_MIGRATION_FAILED' as never, x) : new Class('m' as never, x), ...options)
        ] as const
      ]
]))

for (const [what, rows] of Object.entries({
  'what opens a database': opened, 'a database': transactions, 'a session': scopes, 'a list': lists, 'a helper': helpers, 'an error': errors
})) {
  t.test(`every call of ${what} explains a bad argument`, (t) => refuses(t, rows))
}

t.test('every export of the core, and every method of a database and a session, has a row', async (t) => {
  const constants = ['infinity', 'minusInfinity']
  // test/src/repository/misuse.test.ts, test/src/audit/misuse.test.ts, test/src/model/misuse.test.ts
  const elsewhere = [
    'Repository', 'RelatedRepository', 'JsonRepository', 'JsonText', 'audit', 'auditSql', 'timestamps', 'softDelete', 'version', 'asUpdatedAt', 'asDeletedAt', 'asVersion'
  ]
  const rows = { ...opened, ...transactions, ...scopes, ...lists, ...helpers, ...errors }
  t.strictSame(missing(Object.keys(core).filter((name) => ![...constants, ...elsewhere].includes(name)), rows), [])

  const nullary = [
    'constructor', 'start', 'drizzle', 'getInfo', 'poolInfo', 'replicas', 'drain', 'close', 'checkPolicies', 'checkConstraints', 'outcome', 'begin', 'commit', 'rollback', 'endStreams',
    'isRolledBack', 'isSettled', 'hasNothingToCommit', 'directConnection', 'name', 'isUsed', 'isBusy', 'asked', 'retryState', 'caller', 'obstacle', 'mustRollBack', 'hasChild',
    'token', 'readAfter' // takes whatever a client sends
  ]
  const byThePackage = ['lend', 'run', 'stream', 'awaits', 'dropCallbacks', 'inherit', 'join', 'abort', 'commitNow', 'end'] // for repositories and plugins
  const methods = [Database, Object.getPrototypeOf(Database), Session, Scope].flatMap((Class) => Object.getOwnPropertyNames(Class.prototype))
  t.strictSame(missing(methods.filter((name) => ![...nullary, ...byThePackage].includes(name)), { ...transactions, ...scopes }), [])
})

t.test('a row that holds itself is refused, however deep', async (t) => {
  t.throws(() => toDict(notes, { title: circular as never }), core.UsageError)
  t.throws(() => toDict(notes, { title: [[{ toJSON: () => circular }]] as never }), core.UsageError)
  const shared = {}
  t.strictSame(toDict(notes, { title: [shared, shared] as never }) as unknown, { title: [{}, {}] }, 'what comes twice does not hold itself')
})

t.test('columns of two tables are no key of one', async (t) => {
  t.throws(() => uniqueLive(notes.title as never, notes.id as never, pgTable('others', { id: integer() }).id as never), core.UsageError)
})

t.test('no refusal stores anything, or keeps a connection', async (t) => {
  t.strictSame((await database.execute(sql`select id from notes`)).rows.length, 1)
  await expectNoLeaks(database)
})
