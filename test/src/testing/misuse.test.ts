import t from 'tap'
import * as testing from '../../../src/testing/index.js'
import { missing, optional, options, refuses, takes } from '../../helpers/misuse.js'
import { notes, notesTable } from '../../helpers/notes.js'

const { captureStatements, createTestDatabase, expectIsolated, expectNoLeaks, factory, recordStatements, sandbox, startPostgres } = testing
const { database } = await createTestDatabase(t, { sql: notesTable, schema: { notes } })
await database.repo(notes).create({ title: 'a' })

/** Answers every request. */
const silent = { inject: async () => ({ statusCode: 200, headers: {}, body: '' }) }

/** Drops the databases that are created. */
const making = (optionsOf: (mistake: never) => object) => async (x: never) => { await (await createTestDatabase(undefined, optionsOf(x))).drop() }

/** Begins a recording, and ends it. Without a statement it writes no file. */
const recording = (optionsOf: (mistake: never) => object) => (x: never) => recordStatements(optionsOf(x)).stop()

const rows = {
  'factory(_, {})': takes((x) => factory(x, {} as never), 'table'),
  'factory(table, _)': takes((x) => factory(notes, x)({}), '{}', 'blank', 'function'),
  'factory(table, function)': takes((x) => factory(notes, () => x)({}), '{}', 'blank', 'promise'),
  'factory(table, {})(_)': takes((x) => factory(notes, { title: 'z' })(x), ...options),
  'factory(table, {})({}, _)': takes((x) => factory(notes, { title: 'z' })({}, x), ...optional),
  'factory(table, {})(_, database)': takes((x) => factory(notes, { title: 'a', id: 1 } as never)(x, database)),
  'sandbox(_)': takes((x) => sandbox(x)),
  'sandbox(database, _)': takes(async (x) => { await (await sandbox(database, x)).rollback() }, ...options),
  'sandbox(database, { timeoutMillis: _ })': takes(async (x) => { await (await sandbox(database, { timeoutMillis: x })).rollback() }, ...optional),
  'captureStatements(_, fn)': takes((x) => captureStatements(x, () => 1)),
  'captureStatements(database, _)': takes((x) => captureStatements(database, x), 'function'),
  'expectIsolated(_)': takes((x) => expectIsolated(x, { a: {}, b: {} }, [])),
  'expectIsolated(server, _)': takes((x) => expectIsolated(silent, x, [])),
  'expectIsolated(server, tenants, _)': takes((x) => expectIsolated(silent, { a: {}, b: {} }, x)),
  'expectNoLeaks(_)': takes((x) => expectNoLeaks(x)),
  'createTestDatabase(_)': takes(async (x) => { await (await createTestDatabase(x)).drop() }, ...optional, 'function'),
  'createTestDatabase(t, _)': takes(async (x) => { await (await createTestDatabase(undefined, x)).drop() }, ...options),
  'createTestDatabase(t, { connectionString: _ })': takes(making((x) => ({ connectionString: x })), ...optional, "''"),
  'createTestDatabase(t, { sql: _ })': takes(making((x) => ({ sql: x === 'hunter2' as never ? 'select 1' : x })), ...optional, "''", 'text'),
  'createTestDatabase(t, { migrate: _ })': takes(making((x) => ({ migrate: x })), ...optional, 'function'),
  'createTestDatabase(t, { seed: _ })': takes(making((x) => ({ seed: x })), ...optional, 'function'),
  'createTestDatabase(t, { templateKey: _ })': takes(making((x) => ({ templateKey: x })), ...optional, "''", 'text'),
  'createTestDatabase(t, { migrations: _ })': takes(
    making((x) => ({ migrations: Object.keys(Object(x)).length === 0 && typeof x === 'object' ? { folder: x } : x })),
    ...optional,
    'name'
  ),
  'createTestDatabase(t, { schema: _ })': takes(making((x) => ({ schema: x })), ...options, 'strange', 'foreign', 'schema'),
  'recordStatements(_)': takes(recording((x) => x), ...options),
  'recordStatements({ file: _ })': takes(recording((x) => ({ file: x === 'hunter2' as never ? undefined : x })), ...optional, 'text'),
  'recordStatements({ ignore: _ })': takes(recording((x) => ({ ignore: x })), ...optional, 'function'),
  'recordStatements({ database: _ })': takes(recording((x) => ({ database: x })), ...optional, 'text'),
  'recordStatements({ migrations: _ })': takes(recording((x) => ({ migrations: x === 'hunter2' as never ? undefined : x })), ...optional, 'text'),
  'startPostgres(_)': takes((x) => startPostgres(x)),
  'startPostgres({ folder: _ })': takes((x) => startPostgres({ folder: x === 'hunter2' as never ? undefined : x } as never)),
  'startPostgres({ persistent: _ })': takes((x) => startPostgres({ persistent: x } as never)),
  'startPostgres({ port: _ })': takes((x) => startPostgres({ port: x } as never))
}

t.test('every test helper explains a bad argument', (t) => refuses(t, rows))

t.test('every export has a row', async (t) => t.strictSame(missing(Object.keys(testing), rows), []))

t.test('no refusal stores anything, or keeps a connection', async (t) => {
  t.equal(await database.repo(notes).count(), 1)
  await expectNoLeaks(database)
})
