import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { sql } from 'drizzle-orm'
import pg from 'pg'
import t from 'tap'
import { openTelemetry } from '../../../src/opentelemetry/index.js'
import { open } from '../../helpers/database.js'
import { users } from '../../helpers/schema.js'
import { watchSent } from '../../helpers/sent.js'
import { lines, tracing, withoutWaits } from './tracing.js'
import type { DataPoint, Histogram } from '@opentelemetry/sdk-metrics'
import type { Database } from '../../../src/index.js'
import type { Test } from '../../helpers/test.js'

/** pg's own client, with OpenTelemetry's instrumentation around it for one test. Its patch is what its loader applies to pg. */
function instrument (t: Test, { provider }: ReturnType<typeof tracing>) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const meters = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 })] })
  const instrumentation = new PgInstrumentation({ addSqlCommenterCommentToQueries: true, enableTraceContextPropagation: true })
  instrumentation.setTracerProvider(provider)
  instrumentation.setMeterProvider(meters)
  const [definition] = instrumentation.getModuleDefinitions()
  definition?.patch?.(pg)
  t.teardown(async () => {
    definition?.unpatch?.(pg)
    instrumentation.disable()
    await meters.shutdown()
  })
  return {
    /** How many durations of statements it has measured. */
    async measured (): Promise<number> {
      await meters.forceFlush()
      const all = exporter.getMetrics().at(-1)?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? []
      const durations = all.filter(({ descriptor: { name } }) => name === 'db.client.operation.duration')
      const points = durations.flatMap(({ dataPoints }) => dataPoints as ReadonlyArray<DataPoint<Histogram>>)
      return points.reduce((sum, { value: { count } }) => sum + count, 0)
    }
  }
}

/** A read, SQL of the program, a create, a failure, a rollback, and rows in batches. */
async function work (database: Database): Promise<string[]> {
  const outcomes: string[] = []
  outcomes.push(String(await database.repo(users).count()))
  outcomes.push(JSON.stringify((await database.query('select $1::int as one', [1])).rows))
  await database.session(async (session) => {
    await session.repo(users).create({ email: 'a@example.com' })
    await session.transaction((scope) => scope.repo(users).create({ email: 'b@example.com' }))
    await session.execute(sql`select 1; select 2`)
  })
  await database.session((session) => session.repo(users).create({ email: 'a@example.com' })).catch((error: Error) => outcomes.push(error.name))
  const session = database.createSession()
  await session.repo(users).create({ email: 'c@example.com' })
  await session.rollback()
  for await (const { email } of database.repo(users).stream()) outcomes.push(email)
  return outcomes
}

const outcome = ['0', '[{"one":1}]', 'UniqueViolationError', 'a@example.com', 'b@example.com']
const one = { pool: { size: 1, maxOverflow: 0 } }

/** The statements that a database sends over its only connection. */
async function sentBy (database: Database): Promise<string[]> {
  const texts: string[] = []
  const client = await database.pool.connect()
  watchSent(client, (text) => texts.push(text))
  client.release()
  return texts
}

t.test('with instrumentation-pg, its comments and its trace context each statement is sent as without them, and each of its spans ends', async (t) => {
  const plain = await open(t, one)
  const expected = await sentBy(plain)
  t.strictSame(await work(plain), outcome)

  const database = await open(t, one)
  const sent = await sentBy(database)
  const spans = tracing(t)
  const { measured } = instrument(t, spans)
  t.strictSame(await work(database), outcome)

  t.strictSame(sent.filter((text) => !text.startsWith('SET application_name')), expected)
  t.strictSame(spans.open(), [])
  const { length } = spans.take().filter(({ name }) => name.startsWith('pg.query'))
  t.ok(length > 0)
  t.equal(await measured(), length, 'nothing is counted twice')
})

t.test('with instrumentation-pg beside openTelemetry() each statement has one span and one duration, ours', async (t) => {
  const plain = await open(t, one)
  const expected = await sentBy(plain)
  await work(plain)
  const database = await open(t, one)
  const sent = await sentBy(database)
  const spans = tracing(t)
  const { measured } = instrument(t, spans)
  const telemetry = openTelemetry({ tracerProvider: spans.provider })
  t.teardown(() => telemetry.disable())
  t.strictSame(await work(database), outcome)

  t.strictSame(sent, expected)
  t.strictSame(spans.open(), [])
  t.strictSame(lines(withoutWaits(spans.take())), [
    'SELECT users', 'SELECT',
    'transaction', 'transaction > INSERT users', 'transaction > INSERT users', 'transaction > SELECT',
    'transaction', 'transaction > INSERT users 23505',
    'transaction', 'transaction > INSERT users',
    'SELECT users'
  ])
  t.equal(await measured(), 0)
  telemetry.disable()
  await database.repo(users).count()
  t.match(spans.take(), [{ name: /^pg\.query/ }], 'then the other one tells of it again')
})

/** What pg holds of its queries, under the names of pg 8. */
interface Holds { readonly _queryQueue: ReadonlyArray<Held | undefined>, readonly _activeQuery: Held | null }
interface Held { callback?: (this: unknown, ...given: unknown[]) => unknown, readonly text: string }

/**
 * What dd-trace does with pg: it wraps query() when pg is loaded, puts its comment before the text by a property of the query, and replaces the callback
 * of the query that pg holds last or works at, after pg has taken it. Counts the ends of each query.
 */
function watchAsDatadog (t: Test): Map<object, number> {
  const ends = new Map<object, number>()
  const query = pg.Client.prototype.query as (this: unknown, ...given: unknown[]) => unknown
  t.teardown(async () => { pg.Client.prototype.query = query as never })
  pg.Client.prototype.query = function (this: Holds, ...given: unknown[]) {
    const [asked] = given as [Held]
    const { text } = asked
    Object.defineProperty(asked, 'text', { configurable: true, get: () => `/*dddbs='test'*/ ${text}` })
    const returned = query.apply(this, given)
    const held = this._queryQueue.at(-1) ?? this._activeQuery
    if (held?.callback !== undefined) {
      const { callback } = held
      ends.set(asked, 0)
      held.callback = function (...given) {
        ends.set(asked, Number(ends.get(asked)) + 1)
        return callback.apply(this, given)
      }
    }
    return returned
  } as never
  return ends
}

t.test('with the steps of dd-trace around query() each statement is sent as without them, and each end is told once', async (t) => {
  const plain = await open(t, one)
  const expected = await sentBy(plain)
  await work(plain)
  const database = await open(t, one)
  const sent = await sentBy(database)
  const ends = watchAsDatadog(t)
  t.strictSame(await work(database), outcome)

  t.strictSame(sent, expected)
  t.ok(ends.size > 0)
  t.strictSame([...ends.values()].filter((count) => count !== 1), [])
})

t.test('beside openTelemetry() a wrapper of query() that is not of OpenTelemetry sees each statement and its end once', async (t) => {
  const database = await open(t, one)
  const ends = watchAsDatadog(t)
  const spans = tracing(t)
  const telemetry = openTelemetry({ tracerProvider: spans.provider })
  t.teardown(async () => telemetry.disable())
  t.strictSame(await work(database), outcome)
  t.strictSame(spans.open(), [])
  t.ok(ends.size > 0, 'the other program still sees the statements')
  t.strictSame([...ends.values()].filter((count) => count !== 1), [])
})
