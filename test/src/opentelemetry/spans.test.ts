import { sql } from 'drizzle-orm'
import t from 'tap'
import { attributeNames } from '../../../src/figures/attributes.js'
import { openTelemetry } from '../../../src/opentelemetry/index.js'
import { spanAttributeNames } from '../../../src/opentelemetry/span-attributes.js'
import { openDatabase, UsageError } from '../../../src/index.js'
import { liveThrough, canary } from '../figures/eventful.js'
import { conflicts } from '../../helpers/conflicts.js'
import { acquireChannel } from '../../../src/channels/channels.js'
import { subscribe } from '../../../src/channels/subscribe.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { open, openByProxy } from '../../helpers/database.js'
import { users, withTables } from '../../helpers/schema.js'
import { until } from '../../helpers/until.js'
import { inShort, lines, traced, tracing, withoutWaits } from './tracing.js'

const common = { 'db.system.name': 'postgresql', 'data_access.database': 'default' }
const oneConnection = { pool: { size: 1, maxOverflow: 0 } }

t.test('a read has one span, with the attributes of the conventions, where it was requested', async (t) => {
  const database = await open(t)
  await database.repo(users).count()
  const { take, tracer, open: running } = traced(t)
  await tracer.startActiveSpan('handler', async (span) => {
    await database.repo(users).get(7)
    span.end()
  })

  const spans = withoutWaits(take())
  t.match(inShort(spans), [{ name: 'handler' }, {
    name: 'SELECT users',
    parent: 'handler',
    kind: 'CLIENT',
    status: 'UNSET',
    attributes: {
      'db.system.name': 'postgresql',
      'data_access.database': undefined,
      'db.collection.name': 'users',
      'db.operation.name': 'SELECT',
      'db.query.summary': 'SELECT users',
      'db.query.text': /^select .* where .*\$1/,
      'db.response.returned_rows': 0
    },
    events: 0
  }])
  const { host, port, database: namespace } = database.pool.options
  t.match(spans[1]?.attributes, { 'db.namespace': namespace, 'server.address': host, 'server.port': port })
  t.strictSame(running(), [])
})

t.test('a create has a span for its transaction, and in it one for its statement', async (t) => {
  const database = await open(t)
  const { take, tracer, open: running } = traced(t)
  await tracer.startActiveSpan('handler', async (span) => {
    await database.session((session) => session.repo(users).create({ email: canary }), { isolationLevel: 'serializable' })
    span.end()
  })

  const found = inShort(withoutWaits(take()))
  t.match(found, [{ name: 'handler' }, {
    name: 'transaction',
    parent: 'handler',
    kind: 'INTERNAL',
    attributes: {
      ...common,
      'data_access.route': 'database',
      'data_access.transaction.attempt': 1,
      'data_access.transaction.isolation_level': 'serializable',
      'data_access.transaction.read_only': false,
      'data_access.transaction.outcome': 'committed',
      'data_access.transaction.statements': 1
    }
  }, { name: 'INSERT users', parent: 'transaction', attributes: { 'db.response.returned_rows': 1 } }])
  t.strictSame(running(), [])
})

t.test('a transfer with a nested scope: its statements are in the transaction, unless the program has begun a span of its own around them', async (t) => {
  const database = await open(t)
  const { take, tracer } = traced(t)
  await tracer.startActiveSpan('handler', async (span) => {
    await database.session(async (session) => {
      await session.repo(users).create({ email: 'a@example.com', balance: 5 })
      await session.transaction(async (scope) => {
        await scope.repo(users).updateMany({ email: 'a@example.com' }, { balance: 3 })
        await tracer.startActiveSpan('of the program', async (own) => {
          await scope.repo(users).create({ email: 'b@example.com', balance: 2 })
          own.end()
        })
      })
      await t.rejects(session.transaction((scope) => scope.repo(users).create({ email: 'b@example.com' })), { code: 'DB_UNIQUE_VIOLATION' })
      await session.execute(sql`select 1; select 2`)
    })
    span.end()
  })

  const spans = withoutWaits(take())
  t.strictSame(lines(spans), [
    'handler',
    'handler > transaction',
    'transaction > INSERT users',
    'transaction > UPDATE users',
    'handler > of the program',
    'of the program > INSERT users',
    'transaction > INSERT users 23505',
    'transaction > SELECT'
  ])
  t.match(inShort(spans)[6], { status: 'ERROR', attributes: { 'db.response.status_code': '23505' } })
  t.match(inShort(spans)[7], { attributes: { 'db.operation.batch.size': 2 } })
})

t.test('a repetition is a transaction more', async (t) => {
  const database = await open(t)
  const { collide } = await conflicts(database)
  await collide(1)
  const { take } = traced(t)
  await database.session((session) => session.repo(users).create({ email: 'a@example.com' }), { retries: 1 })

  const spans = withoutWaits(take())
  t.strictSame(lines(spans), ['transaction', 'transaction > INSERT users 40001', 'transaction', 'transaction > INSERT users'])
  t.match(inShort(spans), [
    { status: 'UNSET', attributes: { 'data_access.transaction.attempt': 1, 'data_access.transaction.outcome': 'rolledBack' } },
    {},
    { status: 'UNSET', attributes: { 'data_access.transaction.attempt': 2, 'data_access.transaction.outcome': 'committed' } }
  ])
})

t.test('the span of a transaction whose COMMIT has no answer ends, and says so', async (t) => {
  const { database, proxy } = await openByProxy(t)
  const { take, open: running } = traced(t)
  const session = database.createSession()
  await session.repo(users).create({ email: 'a@example.com' })
  const lost = proxy.loseAnswer('commit')
  await t.rejects(session.commit(), { code: 'DB_COMMIT_UNKNOWN' })
  await lost

  const transaction = inShort(take()).find(({ name }) => name === 'transaction')
  t.match(transaction, { status: 'ERROR', attributes: { 'error.type': 'DB_COMMIT_UNKNOWN', 'data_access.transaction.outcome': 'unknown' } })
  t.strictSame(running(), [])
})

t.test('a wait that is longer than a millisecond has a span, also when it ends with a time-out', async (t) => {
  const database = await open(t, { pool: { size: 1, maxOverflow: 0, timeoutSeconds: 1 } })
  const { take, tracer, open: running } = traced(t)
  await database.session(async (session) => {
    await session.repo(users).create({ email: 'a@example.com' })
    take()
    await tracer.startActiveSpan('handler', async (span) => {
      await t.rejects(database.repo(users).count(), { code: 'DB_POOL_TIMEOUT' })
      span.end()
    })
  })

  const spans = take().filter(({ name }) => name !== 'transaction')
  t.strictSame(lines(spans), ['handler', 'handler > SELECT users DB_POOL_TIMEOUT', 'handler > wait for a connection DB_POOL_TIMEOUT'])
  t.match(inShort(spans)[2], {
    kind: 'INTERNAL',
    status: 'ERROR',
    attributes: { ...common, 'db.client.connection.pool.name': 'default', 'data_access.route': 'database', 'data_access.wait.outcome': 'timedOut', 'data_access.wait.waiting': 0 }
  })
  t.strictSame(running(), [])
})

t.test('whatever happens, each span ends, has known attributes, and shows no value', async (t) => {
  const { watched: { take, open: running } } = await liveThrough(t, () => traced(t))
  const spans = take()
  const known = new Set<string>([...attributeNames, ...spanAttributeNames])

  t.strictSame(running(), [])
  t.ok(lines(spans).includes('postgresql 42601'), 'SQL without a command has the name of the system')
  t.strictSame(spans.flatMap(({ attributes }) => Object.keys(attributes)).filter((name) => !known.has(name)), [])
  t.notMatch(JSON.stringify(spans.map(({ name, attributes, events, status }) => ({ name, attributes, events, status }))), canary)
})

t.test('disable() ends the spans of what still runs; what began before the spans has none', async (t) => {
  const database = await open(t, oneConnection)
  const earlier = traced(t)
  const early = database.createSession()
  const begun = early.repo(users).create({ email: 'a@example.com' })
  const { take, telemetry, open: running } = traced(t)
  await begun
  await early.commit()
  t.strictSame(lines(take()), [])
  t.strictSame(lines(withoutWaits(earlier.take())), ['transaction', 'transaction > INSERT users'])

  const late = database.createSession()
  const creating = late.repo(users).create({ email: 'b@example.com' })
  telemetry.disable()
  t.strictSame(running(), [])
  t.strictSame(lines(withoutWaits(take())), ['transaction', 'transaction > INSERT users'])
  await creating
  await late.rollback()
  t.strictSame(lines(take()), [])
})

t.test('a span that a sampler leaves out gets nothing', async (t) => {
  const database = await open(t)
  const { provider } = tracing(t)
  const span = { ...provider.getTracer('x').startSpan('x'), isRecording: () => false, setAttributes: () => t.fail('set'), end: () => t.pass('ended') }
  const telemetry = openTelemetry({ tracerProvider: { getTracer: () => ({ startSpan: () => span }) } as never })
  t.teardown(() => telemetry.disable())
  await database.repo(users).count()
})

t.test('a tracer provider gets the spans once; the global one is the default', async (t) => {
  const telemetry = openTelemetry()
  t.throws(() => openTelemetry(), UsageError)
  telemetry.disable()
  openTelemetry().disable()
  t.throws(() => openTelemetry({ tracerProvider: {} as never }), { message: /must be a provider/ })
})

t.test('a statement of a database with a name has that name', async (t) => {
  const database = await open(t, { name: 'billing' })
  const { take } = traced(t)
  await database.repo(users).count()
  t.match(withoutWaits(take()).map(({ attributes }) => attributes), [{ 'data_access.database': 'billing', 'db.collection.name': 'users' }])
})

t.test('with several hosts the server of a statement is told at its end', async (t) => {
  const { connectionString } = await createTestDatabase(t, withTables)
  const { host } = new URL(connectionString)
  const database = await openDatabase({ connectionString: connectionString.replace(host, `${host},${host}`) })
  t.teardown(() => database.close())
  const { take } = traced(t)
  await database.repo(users).count()
  t.match(withoutWaits(take()).map(({ attributes }) => attributes), [{ 'server.address': new URL(connectionString).hostname, 'server.port': Number }])
})

t.test('a wait that began before the spans did has none', async (t) => {
  const database = await open(t, oneConnection)
  const holder = database.createSession()
  await holder.begin()
  let isLong = false
  const timer = setTimeout(() => { isLong = true }, 5)
  const watched = subscribe(acquireChannel.start, () => {})
  const waiting = database.repo(users).count()
  const { take } = traced(t)
  await until(() => isLong)
  clearTimeout(timer)
  await holder.close()
  await waiting
  watched()
  t.same(take(), [])
})
