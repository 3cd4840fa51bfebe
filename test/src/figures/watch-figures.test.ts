import { Pool } from 'pg'
import t from 'tap'
import { attributeNames } from '../../../src/figures/attributes.js'
import * as all from '../../../src/figures/figures.js'
import { FiguresWatch } from '../../../src/figures/watch-figures.js'
import { acquireChannel, connectChannel, releaseChannel, statementChannel } from '../../../src/channels/channels.js'
import { openPools } from '../../../src/channels/open-pools.js'
import { subscribe } from '../../../src/channels/subscribe.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { openDatabase } from '../../../src/index.js'
import { users } from '../../helpers/schema.js'
import { canary, liveThrough } from './eventful.js'
import type { Attributes } from '../../../src/figures/attributes.js'
import type { HistogramFigure, ObservedFigure } from '../../../src/figures/figures.js'

const { connectionCount, connectionMax, createTime, figures, idleMax, idleMin, leaks, observed, operationDuration, pendingRequests } = all
const { retries, returnedRows, timeouts, transactions, useTime, waitTime } = all

interface Value { readonly figure: HistogramFigure, readonly value: number, readonly attributes: Attributes }

function watching () {
  const values: Value[] = []
  const watch = new FiguresWatch((figure, value, attributes) => { values.push({ figure, value, attributes }) })
  return { values, watch, of: (figure: HistogramFigure) => values.filter((value) => value.figure === figure) }
}

/** The figures of all pools with the name `default`: other tests of this process may have one, too. */
function poolFigures (watch: FiguresWatch) {
  const valueOf = (figure: ObservedFigure, state?: string) => Number(watch.observe(figure).find(({ attributes }) => {
    return attributes['db.client.connection.pool.name'] === 'default' && attributes['db.client.connection.state'] === state
  })?.value ?? 0)
  const max = valueOf(connectionMax)
  return { max, most: valueOf(idleMax), least: valueOf(idleMin), idle: valueOf(connectionCount, 'idle'), used: valueOf(connectionCount, 'used') }
}

function raised (before: ReturnType<typeof poolFigures>, { max, least, idle, used }: Record<'max' | 'least' | 'idle' | 'used', number>) {
  return { max: before.max + max, most: before.most + max, least: before.least + least, idle: before.idle + idle, used: before.used + used }
}

const pool = { 'db.client.connection.pool.name': 'default' }

t.test('statements, waits, uses and transactions become figures, and no value is in them', async (t) => {
  const { watched: { values, watch, of }, database } = await liveThrough(t, watching)

  const statement = { 'db.system.name': 'postgresql', 'db.namespace': /./, 'server.address': /./, 'server.port': Number }
  const built = (command: string) => {
    return { ...statement, 'db.collection.name': 'users', 'db.operation.name': command, 'db.query.summary': `${command} users` }
  }
  const failed = (sqlState: string) => ({ 'db.response.status_code': sqlState, 'error.type': sqlState })
  t.match(of(operationDuration).map(({ attributes }) => attributes), [
    built('SELECT'), built('INSERT'), { ...built('INSERT'), ...failed('23505') }, built('SELECT'), built('INSERT'), built('SELECT'),
    { ...statement, ...failed('42601') }, { ...built('INSERT'), ...failed('40001') }, built('INSERT'), built('INSERT'), built('SELECT'), built('INSERT'), built('SELECT')
  ])
  t.notHas(of(operationDuration)[6]?.attributes, { 'db.query.summary': String })
  t.strictSame(of(returnedRows).map(({ value }) => value), [0, 1, 1, 1, 2, 1, 1, 1, 1, 1])
  t.match(of(createTime)[0], { attributes: pool }, 'the connection after the lost one')
  t.equal(of(createTime).length, 1)
  t.equal(of(waitTime).length, of(useTime).length, 'each that was lent was released')
  t.match(of(waitTime)[0], { attributes: pool })

  t.strictSame(watch.observe(timeouts), [{ attributes: pool, value: 1 }])
  t.strictSame(watch.observe(leaks), [{ attributes: pool, value: 1 }])
  t.same(watch.observe(retries).map(({ attributes, value }) => [Object.values(attributes), value]), [[['default', '40001'], 1], [['default', '40P01'], 0]])
  t.same(Object.fromEntries(watch.observe(transactions).map(({ attributes, value }) => [attributes['data_access.transaction.outcome'], value])), {
    committed: 1, rolledBack: 2, unknown: 1, none: 0
  })
  t.strictSame(watch.observe(pendingRequests), [{ attributes: pool, value: 0 }])
  const text = JSON.stringify([values, observed.map((figure) => watch.observe(figure))])
  t.notMatch(text, canary)
  watch.end()
  values.length = 0
  await database.repo(users).count()
  t.strictSame(values, [], 'nothing after the end')
})

t.test('a figure has no other attributes than it declares', async (t) => {
  const { watched: { values, watch } } = await liveThrough(t, watching)
  watch.end()
  const seen = [...values, ...observed.flatMap((figure) => watch.observe(figure).map((observation) => ({ figure, ...observation })))]

  for (const { figure, attributes } of seen) {
    t.strictSame(Object.keys(attributes).filter((name) => !figure.attributes.some((declared) => declared === name)), [], figure.name)
  }
  t.strictSame(new Set(seen.map(({ figure }) => figure.name)), new Set(figures.map(({ name }) => name)), 'each figure was seen')
  t.strictSame([...new Set(figures.flatMap(({ attributes }) => attributes))].sort(), [...attributeNames])
})

t.test('counts of a pool begin with 0 before anything happens, and its connections are counted by state', async (t) => {
  const { watch } = watching()
  t.teardown(() => watch.end())
  const size = openPools.size
  const before = poolFigures(watch)
  const { database } = await createTestDatabase(t, { pool: { size: 2, maxOverflow: 3 } })
  t.equal(openPools.size, size + 1)

  for (const figure of [timeouts, leaks, transactions, retries]) t.ok(watch.observe(figure).every(({ value }) => value === 0), figure.name)
  t.equal(watch.observe(transactions).length, 4)
  const session = database.createSession()
  await session.query('select 1')
  t.same(poolFigures(watch), raised(before, { max: 5, least: 2, idle: database.poolInfo.idle, used: 1 }))
  await session.rollback()
  t.same(poolFigures(watch), raised(before, { max: 5, least: 2, idle: database.poolInfo.idle, used: 0 }))
})

t.test('pools of the same name are one figure', async (t) => {
  const { watch } = watching()
  t.teardown(() => watch.end())
  const before = poolFigures(watch)
  await createTestDatabase(t, { pool: { size: 2, maxOverflow: 3 } })
  await createTestDatabase(t, { pool: { size: 1, maxOverflow: 0 } })

  t.match(watch.observe(connectionMax), [{ attributes: pool, value: before.max + 6 }])
})

t.test('of a pool of the program\'s own it is not known how long a connection took to open', async (t) => {
  const { connectionString, database } = await createTestDatabase(t)
  await database.close()
  const { watch, of } = watching()
  t.teardown(() => watch.end())
  const pg = new Pool({ connectionString })
  const own = await openDatabase({ pg })
  t.teardown(async () => {
    await own.close()
    await pg.end()
  })
  await own.query('select 1')

  t.equal(of(operationDuration).length, 1)
  t.strictSame(of(createTime), [])
})

t.test('times are those of the messages, in seconds', async (t) => {
  const millis = new Map<HistogramFigure, Array<number | undefined>>([operationDuration, waitTime, useTime, createTime].map((figure) => [figure, []]))
  const note = (figure: HistogramFigure, value: number | undefined): void => { millis.get(figure)?.push(value) }
  const ends = [
    subscribe(statementChannel.asyncEnd, ({ durationMillis }) => note(operationDuration, durationMillis)),
    subscribe(acquireChannel.asyncEnd, ({ waitMillis }) => note(waitTime, waitMillis)),
    subscribe(releaseChannel, ({ heldMillis }) => note(useTime, heldMillis)),
    subscribe(connectChannel, ({ durationMillis }) => note(createTime, durationMillis))
  ]
  const { watch, of } = watching()
  const { database } = await createTestDatabase(t)
  await database.query('select 1')
  watch.end()
  for (const end of ends) end()

  for (const [figure, times] of millis) {
    t.ok(times.length > 0, figure.name)
    t.strictSame(of(figure).map(({ value }) => value), times.map((time) => Number(time) / 1000), figure.name)
  }
})
