import type { Activity, Second } from '../../../src/activity/activity.js'

const at = Date.UTC(2026, 10, 30, 6, 30)

function second (place: number): Second {
  const wave = Math.sin(place / 6) + 1
  const waits = place % 9 === 4 ? 0 : Math.round(40 + wave * 30)
  return {
    at: at - (59 - place) * 1000,
    running: Math.round(2 + wave * 2),
    idleInTransaction: place > 20 ? 2 : 1,
    idle: place > 40 ? 0 : 3,
    waiting: place > 45 ? (place - 45) * 2 : 0,
    waits,
    waitP50: waits === 0 ? null : 0.3 + wave,
    waitP99: waits === 0 ? null : 4 + wave * 40 + (place > 45 ? place * 4 : 0),
    commits: Math.round(60 + wave * 40),
    rollbacks: place % 7 === 0 ? 9 : 1,
    unknown: place === 50 ? 2 : 0,
    statements: 200,
    failures: 1
  }
}

const transfer = 'update "accounts" set "balance" = "balance" - $1 where "accounts"."id" = $2 returning "id", "owner_id", "balance", "updated_at"'
const hostile = 'select \'</script><script>document.title = "broken"</script><img src=x onerror=alert(1)>\' as "greeting" from "users"'
const stack = 'at transfer (file:///srv/app/routes/transfers.ts:41:22)\nat Object.handler (file:///srv/app/routes/transfers.ts:18:11)'

function shape (place: number, text: string) {
  const times = { totalMillis: 9200 / (place + 1), p50Millis: 0.8 + place, p99Millis: 18, longestMillis: 1200 }
  return { id: `5ha9e${place}`, text, routes: ['POST /transfers', 'GET /users/:id'].slice(place % 2), count: 4200 - place * 300, failures: place, rows: 4100, ...times }
}

/** What a page of a busy database shows: a queue, a leak, locks, and a statement whose text is HTML. */
export const sampleActivity: Activity = {
  database: 'default',
  at,
  pools: [{ pool: 'default', size: 5, max: 10, total: 9, idle: 0, inUse: 9, waiting: 28 }],
  seconds: Array.from({ length: 60 }, (_, place) => second(place)),
  holders: [
    { pool: 'default', route: 'POST /reports', heldMillis: 92_400, state: 'idle in transaction', texts: [], processId: 4120, stack: null },
    { pool: 'default', route: 'POST /transfers', heldMillis: 3180, state: 'running', texts: [transfer], processId: 4127, stack: null },
    { pool: 'default', route: 'GET /users/:id', heldMillis: 12, state: 'running', texts: [hostile], processId: 4131, stack: null }
  ],
  blockings: [{
    waiting: { processId: 4127, route: 'POST /transfers', application: 'shop', state: 'active', text: transfer, millis: 3170 },
    blockers: [
      { processId: 4120, route: 'POST /reports', application: 'shop', state: 'idle in transaction', text: '', millis: 92_380 },
      { processId: 977, application: 'psql', state: 'idle in transaction', text: '', millis: 640_000 }
    ]
  }],
  shapes: [transfer, hostile, 'select "id", "email", "name" from "users" where "users"."id" = $1', 'insert into "audit" ("action", "user_id") values ($1, $2)'].map((text, place) => shape(place, text))
}

/** The same as a recording. */
export const sampleRecording: Activity = {
  ...sampleActivity,
  holders: sampleActivity.holders.map((holder) => ({ ...holder, stack })),
  incident: { kind: 'pool time-out', at, route: 'POST /transfers', text: transfer, blocker: 'POST /reports (process 4120), which has been idle in its transaction for 92 s', code: 'DB_POOL_TIMEOUT', sqlState: null, processId: null },
  transactions: Array.from({ length: 12 }, (_, place) => ({
    at: at - (12 - place) * 700,
    route: 'POST /transfers',
    attempt: place % 5 === 4 ? 2 : 1,
    processId: 4127,
    waitMillis: place * 40,
    millis: place === 11 ? null : 14 + place,
    outcome: (['committed', 'committed', 'rolledBack', 'unknown', 'none'] as const)[place % 5] ?? 'open',
    code: place % 5 === 2 ? 'DB_CONFLICT' : null,
    sqlState: place % 5 === 2 ? '40001' : null,
    statementCount: 2,
    statements: [
      { at, text: hostile, millis: 1.2, rows: 1, sqlState: null, code: null },
      { at, text: transfer, millis: null, rows: null, sqlState: null, code: null }
    ]
  }))
}
