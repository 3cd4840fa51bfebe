import t from 'tap'
import { clipped } from '../../../src/activity/clipped.js'
import { Histogram } from '../../../src/activity/histogram.js'
import { Ring } from '../../../src/activity/ring.js'
import { ShapeTable } from '../../../src/activity/shape-table.js'
import { TransactionLog } from '../../../src/activity/transaction-log.js'
import { messageCaller } from '../../../src/channels/messages.js'
import { silentLogger } from '../../../src/runtime/logger.js'
import { ConnectionError } from '../../../src/index.js'
import type { StatementMessage, TransactionMessage } from '../../../src/channels/messages.js'

const place = { database: 'default', namespace: 'shop', serverAddress: undefined, serverPort: undefined }
const caller = () => ({ logger: silentLogger, label: 'GET /' })

function statement (text: string, more: Partial<StatementMessage> = {}): StatementMessage {
  return {
    ...place,
    [messageCaller]: caller(),
    route: 'GET /',
    operation: 'execute',
    table: undefined,
    kind: 'raw',
    name: undefined,
    text,
    transaction: undefined,
    durationMillis: 1,
    ...more
  }
}

function transaction (more: Partial<TransactionMessage> = {}): TransactionMessage {
  return { ...place, [messageCaller]: caller(), route: 'GET /', isolationLevel: undefined, readOnly: false, attempt: 1, statements: 0, ...more }
}

/** Runs a statement through a log. */
function ran (log: TransactionLog, message: StatementMessage): void {
  log.statementStarted(message)
  log.statementEnded(message)
}

t.test('percentiles are at most a tenth too high, and never above the longest time', async (t) => {
  const times = new Histogram()
  t.equal(times.percentile(0.5), 0)
  for (let millis = 1; millis <= 1000; millis++) times.add(millis)

  for (const [share, exact] of [[0.5, 500], [0.99, 990], [1, 1000]] as const) {
    t.ok(times.percentile(share) >= exact && times.percentile(share) <= exact * 1.1, `${share}: ${times.percentile(share)}`)
  }
  t.match({ count: times.count, longest: times.longest }, { count: 1000, longest: 1000 })
})

t.test('times of nothing and of days are counted, too', async (t) => {
  const times = new Histogram()
  times.add(0)
  t.equal(times.percentile(1), 0)
  times.add(1e9)
  const all = new Histogram()
  all.addAll(times)
  all.addAll(times)

  t.equal(all.count, 4)
  t.equal(all.longest, 1e9)
  t.ok(all.percentile(0.5) <= 0.01)
})

t.test('a ring holds the latest items, oldest first', async (t) => {
  const ring = new Ring<number>(3)
  t.same(ring.all(), [])
  for (const item of [1, 2]) ring.add(item)
  t.same(ring.all(), [1, 2])
  for (const item of [3, 4, 5]) ring.add(item)
  t.same(ring.all(), [3, 4, 5])
})

t.test('a long text is cut, and the same text is cut once', async (t) => {
  const long = 'x'.repeat(5000)

  t.equal(clipped('short'), 'short')
  t.equal(clipped(long), `${'x'.repeat(2000)} …`)
  t.equal(clipped(long), clipped(`${long}`))
})

t.test('texts beyond three hundred are counted together, and only the slowest twenty are shown', async (t) => {
  const table = new ShapeTable()
  for (let count = 0; count < 1000; count++) table.add(statement(`select ${count}`, { durationMillis: count, route: `GET /${count % 50}`, rows: 2 }))
  for (let count = 0; count < 20; count++) table.add(statement('select 7', { durationMillis: 100_000, route: `GET /${count}` }))

  const shapes = table.slowest()
  t.equal(shapes.length, 20)
  t.match(shapes.slice(0, 2), [{ text: 'select 7', count: 21, longestMillis: 100_000 }, { text: '(other statements)', count: 700, rows: 1400 }])
  t.equal(shapes[0]?.routes.length, 10)
})

t.test('shapes are forgotten after two minutes', async (t) => {
  const table = new ShapeTable()
  const now = performance.now()
  table.add(statement('select 1', { durationMillis: undefined }))

  table.age(now + 1000)
  table.age(now + 61_000)
  table.add(statement('select 1'))
  t.match(table.slowest(), [{ count: 2, totalMillis: 1 }])
  table.age(now + 122_000)
  t.match(table.slowest(), [{ count: 1 }])
  table.age(now + 183_000)
  t.same(table.slowest(), [])
})

t.test('the log keeps a thousand transactions, and the noteworthy ones among those before', async (t) => {
  t.intercept(performance, 'now', { value: () => 0 }) // one that takes long is noteworthy, too
  const log = new TransactionLog()
  const error = new ConnectionError()
  ran(log, statement('failed', { error, durationMillis: undefined }))
  ran(log, statement('refused', { error, sqlState: '57P01' }))
  for (let count = 0; count < 2000; count++) ran(log, statement(`select ${count}`))

  const recorded = log.recorded(60)
  t.equal(recorded.length, 1002)
  t.match(recorded.slice(0, 3), [
    { outcome: 'none', code: 'DB_CONNECTION', statements: [{ text: 'failed', millis: null, code: 'DB_CONNECTION' }] },
    { outcome: 'rolledBack', sqlState: '57P01' },
    { outcome: 'committed', code: null, statements: [{ text: 'select 1000' }] }
  ])
  t.same(log.recorded(-1), [])
})

t.test('of a transaction the log keeps the latest hundred statements', async (t) => {
  const log = new TransactionLog()
  const message = transaction({ attempt: 2 })
  log.transactionStarted(message)
  for (let count = 0; count < 250; count++) ran(log, statement(`select ${count}`, { transaction: message }))

  t.match(log.recorded(60), [{ outcome: 'open', attempt: 2, statementCount: 250, millis: null, waitMillis: null, processId: null }])
  const [{ statements = [] } = {}] = log.recorded(60)
  t.same([statements.length, statements[0]?.text, statements.at(-1)?.text], [100, 'select 150', 'select 249'])
  log.transactionEnded(message)
  t.match(log.recorded(60), [{ outcome: 'none', millis: Number }])
})

t.test('a recording has at most a million characters of texts, the latest', async (t) => {
  const log = new TransactionLog()
  for (let count = 0; count < 1000; count++) ran(log, statement(`${count}${'x'.repeat(1990)}`))

  const recorded = log.recorded(60)
  t.ok(recorded.length > 450 && recorded.length < 510, String(recorded.length))
  t.match(recorded.at(-1)?.statements[0]?.text, /^999x/)
})

t.test('work that began before the log did is left out', async (t) => {
  const log = new TransactionLog()
  log.transactionEnded(transaction())
  log.statementEnded(statement('select 1'))

  t.same(log.recorded(60), [])
  t.equal(log.workOf(statement('select 1')), undefined)
})

t.test('a wait belongs to the work that its caller has open', async (t) => {
  const log = new TransactionLog()
  const message = statement('select 1')
  const wait = { ...place, [messageCaller]: message[messageCaller], pool: 'default', route: 'GET /', waiting: 0, waitMillis: 5, processId: 42 }
  log.statementStarted(message)
  log.waitEnded(wait)

  t.equal(log.workOn(42), log.workFor(message[messageCaller]))
  t.match(log.lastOn(42), { route: 'GET /', statements: [{ text: 'select 1', millis: null }] })
  log.statementEnded(message)
  t.match(log.recorded(60), [{ waitMillis: 5, processId: 42 }])
  t.match(log.lastOn(42), { route: 'GET /', statements: [{ text: 'select 1', millis: 1 }] })
  t.equal(log.lastOn(43), undefined)
  const later = statement('select 2', { [messageCaller]: message[messageCaller] })
  ran(log, later)
  t.match(log.recorded(60), [{}, { waitMillis: null }])
  log.waitEnded({ ...wait, waitMillis: undefined })
  ran(log, later)
  t.equal(log.recorded(60).at(-1)?.waitMillis, 0)
})
