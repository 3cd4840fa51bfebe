/**
 * `npm run test:shared -- [--seconds 1.5] [--rounds 3] [--clients 32]`: lookups with `pool.sharedReads` beside the same without, in turns.
 *
 * 1. Nothing goes wrong: how much the option gives.
 * 2. One lookup in a hundred takes 50 ms: those of another table, and then those of certain rows of the same table.
 * 3. A table is locked by DDL for half of the time, while eight clients read it.
 * 4. A backend is killed each second.
 *
 * Exits with 1 if an answer is wrong or missing, if less than 0.9 of the others' lookups are answered (the median of the rounds, each of
 * which compares two turns next to each other), or if the p99.9 of all rounds is more than twice as long. A machine with other work to do
 * makes both longer, and not always alike.
 */
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openDatabase } from '../../../src/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { clientsOf } from '../../helpers/watch.js'
import { declared, posts, users, withTables } from '../../helpers/schema.js'
import { unhurried } from '../../helpers/database.js'
import { queryOnce } from '../../helpers/backend.js'
import { percentile } from '../overload/clients.js'
import { startReaders } from './readers.js'
import type { Database } from '../../../src/index.js'
import type { Test } from '../../helpers/test.js'
import type { Share } from './readers.js'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '1.5' }, rounds: { type: 'string', default: '3' }, clients: { type: 'string', default: '32' } } })
const millis = Number(values.seconds) * 1000
const clients = Number(values.clients)

/** How much less may be answered, and how much longer the slowest may take. */
const bounds = { answered: 0.9, slowest: 2 }

const ends: Array<() => unknown> = []
const t = { after: (fn: () => unknown) => { ends.push(fn) }, teardown: (fn: () => unknown) => { ends.push(fn) } } as unknown as Test
const { connectionString } = await createTestDatabase(t, withTables)
const reader = new URL(connectionString)
reader.username = 'shared_reader'
reader.password = 'shared'

/** Policies hold for the limited user, and make PostgreSQL sleep: in the rows of posts, and in one of a hundred users if that is asked for. */
const policies = `
  create role shared_reader login password 'shared'; grant all on all tables in schema public to shared_reader;
  insert into users (email) select 'user' || number from generate_series(1, 10000) number;
  insert into posts (user_id, title) select number, 'post' || number from generate_series(1, 1000) number;
  create table moods (is_slow boolean not null); insert into moods values (false); grant all on moods to public;
  create function is_slow () returns boolean language sql stable as 'select is_slow from moods';
  create function sleeps () returns boolean language plpgsql volatile as 'begin perform pg_sleep(0.05); return true; end';
  alter table users enable row level security; alter table posts enable row level security;
  create policy users_policy on users using (case when id % 100 = 0 and is_slow() then sleeps() else true end);
  create policy posts_policy on posts using (case when id % 100 = 0 then sleeps() else true end)`

interface Scenario {
  readonly name: string
  /** What the clients read that are measured, and what others read beside them. */
  readonly measured: Share[]
  readonly beside?: { readonly clients: number, readonly share: Share }
  readonly begin?: (database: Database) => () => Promise<void>
}

const admin = async (text: string): Promise<void> => { await queryOnce({ connectionString }, text) }

/** Repeats something until the turn is over. */
function again (work: () => Promise<void>): () => Promise<void> {
  const over = new AbortController()
  const running = (async () => { while (!over.signal.aborted) await work() })()
  return () => { over.abort(); return running }
}

const quick: Share = { table: users, of: 1, id: () => 1 + Math.floor(Math.random() * 9999), text: (id) => `user${id}` }
const slow: Share = { table: posts, of: 0.01, id: () => 100, text: () => 'post100' }
const locked: Share = { table: posts, of: 1, id: () => 1 + Math.floor(Math.random() * 99), text: (id) => `post${id}` }

const scenarios: Scenario[] = [
  { name: 'nothing goes wrong', measured: [quick] },
  { name: '1 % of 50 ms, of another table', measured: [slow, quick] },
  {
    name: '1 % of 50 ms, of the same table',
    measured: [quick],
    begin: () => {
      const begun = admin('update moods set is_slow = true')
      return async () => { await begun; await admin('update moods set is_slow = false') }
    }
  },
  {
    name: 'a table under a DDL lock',
    measured: [quick],
    beside: { clients: 8, share: locked },
    begin: () => again(async () => {
      await admin('begin; lock table posts in access exclusive mode; select pg_sleep(0.25); commit')
      await wait(250)
    })
  },
  {
    name: 'a backend killed each second',
    measured: [quick],
    begin: ({ pool }) => again(async () => {
      const all = clientsOf(pool)
      const { processID = 0 } = all[Math.floor(Math.random() * all.length)] ?? {}
      await admin(`select pg_terminate_backend(${processID})`)
      await wait(1000)
    })
  }
]

interface Turn {
  readonly times: number[]
  readonly failures: number
}

async function turn (database: Database, { measured, beside, begin }: Scenario): Promise<Turn> {
  const others = beside === undefined ? undefined : startReaders(database, beside.clients, [beside.share])
  const end = begin?.(database)
  const readers = startReaders(database, clients, measured)
  await wait(millis)
  const { times, failures } = await readers.end()
  await end?.()
  const beyond = await others?.end()
  return { times, failures: failures + (beyond?.failures ?? 0) }
}

const median = (numbers: number[]): number => percentile(numbers, 0.5)

try {
  await admin(policies)
  ends.push(() => admin('drop owned by shared_reader; drop role shared_reader'))
  const open = async (sharedReads: boolean): Promise<Database> => {
    const pool = { size: 20, maxOverflow: 0, sharedReads }
    const database = await openDatabase({ connectionString: reader.href, ...declared, ...unhurried, pool })
    ends.push(() => database.close())
    return database
  }
  const [without, shared] = [await open(false), await open(true)]
  for (const database of [without, shared]) await turn(database, scenarios[0] as Scenario)
  for (const scenario of scenarios) {
    const ratios: Array<{ answered: number, cost: number }> = []
    const times: { without: number[], shared: number[] } = { without: [], shared: [] }
    let failures = 0
    for (let round = 0; round < Number(values.rounds); round++) {
      const cost = async (database: Database): Promise<Turn & { readonly micros: number }> => {
        const before = process.cpuUsage()
        const result = await turn(database, scenario)
        const { user, system } = process.cpuUsage(before)
        return { ...result, micros: (user + system) / result.times.length }
      }
      const [before, after] = [await cost(without), await cost(shared)]
      failures += after.failures
      times.without.push(...before.times)
      times.shared.push(...after.times)
      ratios.push({
        answered: after.times.length / before.times.length,
        cost: after.micros / before.micros
      })
    }
    const answered = median(ratios.map((ratio) => ratio.answered))
    const [slowestWithout, slowestShared] = [percentile(times.without, 0.999), percentile(times.shared, 0.999)]
    const cost = median(ratios.map((ratio) => ratio.cost))
    console.log(`${scenario.name}: ${answered.toFixed(2)} of the lookups, ${cost.toFixed(2)} of the processor time each, p99.9 ${slowestShared.toFixed(1)} ms in place of ${slowestWithout.toFixed(1)}, ${failures} failed`)
    assert.equal(failures, 0, 'no lookup is lost')
    assert.ok(answered >= bounds.answered, 'others are answered as often as without the option')
    assert.ok(slowestShared <= slowestWithout * bounds.slowest, 'the slowest take no more than twice as long')
  }
} finally {
  for (const end of ends.reverse()) await end()
}
