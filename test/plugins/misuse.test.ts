import { randomUUID } from 'node:crypto'
import t from 'tap'
import Fastify from 'fastify'
import * as plugins from '../../plugins/index.js'
import { ignore } from '../../src/runtime/promises.js'
import * as core from '../../src/index.js'
import { each, missing, optional, options, refuses, takes } from '../helpers/misuse.js'
import { notes, notesTable } from '../helpers/notes.js'
import { createTestDatabase, expectNoLeaks } from '../../src/testing/index.js'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Mistake, Row } from '../helpers/misuse.js'

const { dataAccess, databasePlugin, envPlugin, errorsPlugin, healthPlugin, migrationsPlugin, recorderPlugin, telemetryPlugin, transactionPlugin } = plugins
const { database } = await createTestDatabase(t, { sql: notesTable, schema: { notes } })

/** A URL without a server; no connection is made before the options have been checked. */
const nowhere = { connectionString: 'postgresql://nobody@127.0.0.1:1/none', degraded: true }

async function onServer (use: (server: FastifyInstance) => Promise<unknown>): Promise<void> {
  const server = Fastify()
  try {
    await use(server)
    await server.ready()
  } finally {
    await server.close()
  }
}

const registering = (optionsOf: (mistake: never) => object, ...works: readonly Mistake[]): Row =>
  takes((x) => onServer(async (server) => { await server.register(dataAccess, { ...nowhere, ...optionsOf(x) }) }), ...works)

const onRoute = (transactionOf: (mistake: never) => unknown, ...works: readonly Mistake[]): Row => takes((x) => onServer(async (server) => {
  await server.register(dataAccess, nowhere)
  server.get('/', { config: { transaction: transactionOf(x) as false } }, async () => 1)
}), ...works)

const parts = { databasePlugin, errorsPlugin, healthPlugin, migrationsPlugin, recorderPlugin, transactionPlugin }
const whole = {
  databasePlugin: [envPlugin],
  errorsPlugin: [],
  healthPlugin: [envPlugin, databasePlugin],
  migrationsPlugin: [envPlugin, databasePlugin],
  recorderPlugin: [envPlugin, databasePlugin],
  transactionPlugin: [envPlugin, databasePlugin]
} as const
const slices = {
  databasePlugin: 'pool',
  errorsPlugin: 'errors',
  healthPlugin: 'health',
  migrationsPlugin: 'migrations',
  recorderPlugin: 'recorder',
  transactionPlugin: 'transaction'
} as const

const making = (optionsOf: (mistake: never) => object, ...works: readonly Mistake[]): Row => takes((x) => onServer(async (server) => {
  await server.register(dataAccess, nowhere)
  await server.register(plugins.crud(notes, { prefix: '/notes', get: true, ...optionsOf(x) }))
}), ...works)

const rows: Record<string, Row> = {
  'crud(_, options)': takes((x) => onServer(async (server) => {
    await server.register(dataAccess, nowhere)
    await server.register(plugins.crud(x as typeof notes, { prefix: '/notes', get: true }))
  }), 'table'),
  'crud(table, _)': takes((x) => onServer(async (server) => { await server.register(plugins.crud(notes, x)) })),
  ...each(['prefix', 'get', 'create', 'update', 'remove', 'ifMatch'], (key) => `crud(table, { ${key}: _ })`, (key) => making((x) => ({ list: true, [key]: x }), ...key === 'prefix' ? [] : optional)),
  'crud(table, { list: _ })': making((x) => ({ list: x }), ...options),
  ...each(['hidden', 'tags'], (key) => `crud(table, { ${key}: _ })`, (key) => making((x) => ({ [key]: x }), ...optional, '[]')),
  ...each(['onRequest', 'preHandler'], (key) => `crud(table, { ${key}: _ })`, (key) => making((x) => ({ [key]: x }), ...optional, '[]', 'function')),
  'crud(table, { config: _ })': making((x) => ({ config: x }), ...options, 'strange', 'schema'),
  'crud(table, { unknown: _ })': making((x) => ({ unknown: x })),
  'crud(table, { create: [_] })': making((x) => ({ create: [x] }), 'name'),
  ...each(['pool', 'transaction', 'errors', 'migrations'], (key) => `dataAccess({ ${key}: _ })`, (key) => registering((x) => ({ [key]: x }), ...options)),
  'dataAccess({ health: _ })': registering((x) => ({ health: x }), ...options, 'false'),
  'dataAccess({ recorder: _ })': registering((x) => ({ recorder: x }), ...options, 'false'),
  ...each(['seconds', 'files'], (key) => `dataAccess({ recorder: { ${key}: _ } })`, (key) => registering((x) => ({ recorder: { [key]: x } }), ...optional)),
  'dataAccess({ recorder: { slowRequestMillis: _ } })': registering((x) => ({ recorder: { slowRequestMillis: x } }), ...optional, '0'),
  'dataAccess({ statementBudget: _ })': registering((x) => ({ statementBudget: x }), ...optional, 'false'),
  'dataAccess({ warnOutsideTransaction: _ })': registering((x) => ({ warnOutsideTransaction: x }), ...optional, 'false'),
  'dataAccess({ serverTiming: _ })': registering((x) => ({ serverTiming: x }), ...optional, 'false'),
  'dataAccess({ unknown: _ })': registering((x) => ({ unknown: x }), ...optional),
  'dataAccess({ errors: { format: _ } })': registering((x) => ({ errors: { format: x } }), ...optional),
  'dataAccess({ health: { path: _ } })': registering((x) => ({ health: { path: x } }), ...optional),
  'dataAccess({ health: { preHandler: _ } })': registering((x) => ({ health: { preHandler: x } }), ...optional, '[]', 'function'),
  'dataAccess({ health: { details: _ } })': registering((x) => ({ health: { details: x } }), ...optional, 'false', 'function'),
  'dataAccess({ health: { live: _ } })': registering((x) => ({ health: { live: x } }), ...options, 'false'),
  'dataAccess({ health: { live: { preHandler: _ } } })': registering((x) => ({ health: { live: { preHandler: x } } }), ...optional, '[]', 'function'),
  ...each(['logLevel', 'timeoutMillis'], (key) => `dataAccess({ health: { ${key}: _ } })`, (key) => registering(
    (x) => ({ health: { [key]: x } }),
    ...optional
  )),
  ...each(['folder', 'table'], (key) => `dataAccess({ migrations: { ${key}: _ } })`, (key) => registering(
    (x) => ({ migrations: { [key]: x, atStart: 'ignore' } }),
    ...optional,
    'text'
  )),
  ...each(['atStart', 'onPending', 'onUnknown'], (key) => `dataAccess({ migrations: { ${key}: _ } })`, (key) => registering(
    (x) => ({ migrations: { atStart: 'ignore', [key]: x } }),
    ...optional
  )),
  ...each(['begin', 'commit', 'isolationLevel'], (key) => `dataAccess({ transaction: { ${key}: _ } })`, (key) => registering(
    (x) => ({ transaction: { [key]: x } }),
    ...optional
  )),
  'dataAccess({ transaction: { commitOn: _ } })': registering((x) => ({ transaction: { commitOn: x } }), ...optional, 'function'),
  'dataAccess({ transaction: { single: _ } })': registering((x) => ({ transaction: { single: x } }), ...optional, 'false'),
  'dataAccess({ transaction: { retries: _ } })': registering((x) => ({ transaction: { retries: x } }), ...optional, '0'),
  'a route with config: { transaction: _ }': onRoute((x) => x, ...options, 'false'),
  'a route with config: { transaction: { begin: _ } }': onRoute((x) => ({ begin: x }), ...optional),
  ...each([
    'databasePlugin', 'errorsPlugin', 'healthPlugin', 'migrationsPlugin', 'recorderPlugin', 'transactionPlugin'
  ], (name) => `${name}({ ${slices[name]}: _ })`, (name) => takes((x) => onServer(async (server) => {
    for (const plugin of whole[name]) await server.register(plugin as never, nowhere)
    await server.register(parts[name] as never, { ...nowhere, [slices[name]]: x })
  }), ...options, ...name === 'healthPlugin' || name === 'recorderPlugin' ? ['false' as const] : [])),
  'telemetryPlugin({ serverTiming: _ })': takes((x) => onServer(async (server) => {
    for (const plugin of [envPlugin, databasePlugin, transactionPlugin]) await server.register(plugin as never, nowhere)
    await server.register(telemetryPlugin, { ...nowhere, serverTiming: x })
  }), ...optional, 'false'),
  'envPlugin({ connectionString: _ })': takes((x) => onServer(async (server) => {
    await server.register(envPlugin, { connectionString: x })
    await server.register(databasePlugin, { ...nowhere, connectionString: x })
  })),
}

const server = Fastify()
await server.register(dataAccess, { pg: database.pool, schema: { notes } })
t.teardown(() => server.close())

/** Runs a call in a handler, and throws the handler's own error. */
const inRequest = (use: (request: FastifyRequest, x: never) => unknown, ...works: readonly Mistake[]): Row => takes(async (x) => {
  const url = `/${randomUUID()}`
  let outcome = Promise.resolve<unknown>(undefined)
  asked.set(url, async (request) => {
    outcome = (async () => await use(request, x))()
    await outcome.catch(ignore)
  })
  await server.inject(url)
  await outcome
}, ...works)

const asked = new Map<string, (request: FastifyRequest) => Promise<void>>()
server.get('/:id', async (request) => { await asked.get(request.url)?.(request) })

const requests = {
  'request.repo(_)': inRequest((request, x) => request.repo(x), 'table'),
  'request.transaction(_)': inRequest((request, x) => request.transaction(x), 'function'),
  'request.db.afterCommit(_)': inRequest((request, x) => request.db.afterCommit(x), 'function'),
  'request.db.execute(_)': inRequest((request, x) => request.db.execute(x))
}

t.test('every option of the plugins is refused by its name', (t) => refuses(t, rows))

t.test('every method of a request explains a bad argument', (t) => refuses(t, requests))

t.test('every export has a row, here or with the core', async (t) => {
  const takeNothing = ['repositoryPlugin', 'default'] // `default` is dataAccess
  const own = Object.keys(plugins).filter((name) => !(name in core) && !takeNothing.includes(name))
  t.strictSame(missing(own, rows), [])
  t.equal(plugins.default, dataAccess)
})

t.test('no refusal keeps a connection', () => expectNoLeaks(database))
