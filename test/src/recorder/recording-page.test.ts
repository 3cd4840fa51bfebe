import { createHash } from 'node:crypto'
import t from 'tap'
import { recordingPage } from '../../../src/recorder/recording-page.js'
import type { Activity, Process, RecordedTransaction } from '../../../src/activity/activity.js'

const at = Date.UTC(2026, 0, 2, 3, 4, 5, 6)
const statement = { at, text: 'update "users" set "balance" = $1', millis: 12.34, rows: 1, sqlState: null, code: null }
const transaction: RecordedTransaction = {
  at,
  route: 'POST /a',
  attempt: 1,
  processId: 11,
  waitMillis: 0.5,
  millis: 1500,
  outcome: 'committed',
  code: null,
  sqlState: null,
  statementCount: 1,
  statements: [statement]
}
const process: Process = { processId: 11, route: 'POST /a', application: '', state: 'active', text: statement.text, millis: 2000 }
const quiet: Activity = { database: 'default', at, pools: [], seconds: [], holders: [], blockings: [], shapes: [] }
const busy: Activity = {
  ...quiet,
  seconds: [{
    at,
    running: 1,
    idleInTransaction: 2,
    idle: 3,
    waiting: 4,
    waits: 5,
    waitP50: 6,
    waitP99: null,
    commits: 7,
    rollbacks: 8,
    unknown: 9,
    statements: 10,
    failures: 11
  }],
  holders: [{ pool: 'default', route: 'GET /<script>', heldMillis: 31_000, state: 'running', texts: ['select $1', 'select $2'], processId: 11, stack: 'at handler (routes.ts:1)' }],
  blockings: [{
    waiting: process,
    blockers: [{ ...process, processId: 22, route: undefined, application: 'psql', text: '' }, { ...process, processId: 33, route: undefined, text: '' }]
  }],
  shapes: [{
    id: 'a', text: statement.text, routes: ['POST /a', 'POST /b'], count: 3, failures: 1, rows: 2, totalMillis: 40, p50Millis: 10, p99Millis: 20, longestMillis: 20
  }],
  incident: { kind: 'deadlock', at, route: 'POST /a', text: statement.text, blocker: 'POST /b (process 22)', code: 'DB_CONFLICT', sqlState: '40P01', processId: 11 },
  transactions: [
    transaction,
    { ...transaction, attempt: 2, outcome: 'rolledBack', code: 'DB_CONFLICT', sqlState: '40P01', statementCount: 300, statements: [{ ...statement, code: 'DB_CONFLICT' }] }
  ]
}

/** The text of a page, without its tags. */
function textOf (page: string): string {
  return page.replace(/<style>.*?<\/style>/s, '').replace(/<[^>]+>/g, '|').replace(/(\s*\|\n?)+/g, '|').replaceAll('&quot;', '"')
}

t.test('shows the incident, holders, locks, transactions, statements and seconds', async (t) => {
  const text = textOf(recordingPage(busy))

  for (const part of [
    '|deadlock on POST /a|', '|Statement|update "users" set "balance" = $1|Waited for|POST /b (process 22)|Error|DB_CONFLICT, 40P01|Process|11|',
    '|31.0 s|GET /&lt;script&gt;|running|11|select $1; select $2|at handler (routes.ts:1)|',
    '|2.0 s|POST /a (process 11)|update "users" set "balance" = $1|psql (process 22), active for 2.0 s|another program (process 33), active for 2.0 s|',
    '|03:04:05.006|POST /a|committed|1.5 s|0.5 ms|11|03:04:05.006| 12.3 ms|update "users" set "balance" = $1|',
    '|POST /a (attempt 2)|rolledBack, DB_CONFLICT, 40P01|', '|The latest 1 of 300:|03:04:05.006| 12.3 ms DB_CONFLICT|',
    '|40.0 ms|3|10.0 ms|20.0 ms|20.0 ms|2|1|update "users" set "balance" = $1|POST /a, POST /b|',
    '|03:04:05.006|1|2|3|4|5|6.0 ms|–|7|8|9|10|11|'
  ]) t.ok(text.includes(part), part)
})

t.test('says so where there is nothing', async (t) => {
  const incident: Activity['incident'] = { kind: 'lost commit', at, route: 'POST /a', text: null, blocker: null, code: null, sqlState: null, processId: null }
  const text = textOf(recordingPage({ ...quiet, blockings: null, incident }))

  for (const part of ['|lost commit on POST /a|', '|When|03:04:05.006|Connections in use|No connection was in use.|', '|PostgreSQL did not answer.|', '|None was recorded.|']) t.ok(text.includes(part), part)
  t.match(textOf(recordingPage(quiet)), /\|default\|.*\|Nobody waited for a lock\.\|/s)
})

t.test('needs nothing but itself, and its policy allows nothing but its style', async (t) => {
  const page = recordingPage(busy)

  const [, style = ''] = /<style>(.*?)<\/style>/s.exec(page) ?? []
  const hash = createHash('sha256').update(style).digest('base64')
  t.ok(page.includes(`content="default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;"`))
  t.notMatch(page, /<script|<link|src=|href=|url\(|style="|\son\w+="/)
})
