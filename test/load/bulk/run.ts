/**
 * Compares the speed and the memory of writing many rows with Drizzle's: `npm run bench:bulk -- --rows 100000`, see
 * benchmark/README.md.
 *
 * Both write the same rows of twelve columns, in one transaction, and get them back; they take turns, and the ratio is taken within
 * a turn. With --number, `createMany` takes turns with itself: without rows, and with them.
 */
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { bigint, boolean, date, doublePrecision, integer, jsonb, numeric, pgTable, text, timestamp, uuid, varchar } from 'drizzle-orm/pg-core'
import { getTableColumns, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { openDatabase } from '../../../src/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'

const people = pgTable('people', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  email: text().notNull().unique(),
  name: varchar({ length: 100 }),
  age: integer(),
  active: boolean().notNull().default(true),
  balance: numeric({ precision: 12, scale: 2 }),
  score: doublePrecision(),
  visits: bigint({ mode: 'number' }),
  token: uuid(),
  day: date(),
  seenAt: timestamp({ withTimezone: true }),
  settings: jsonb().$type<{ theme: string, pages: number[] }>(),
  note: text()
})

type NewPerson = typeof people.$inferInsert

const table = `create table people (
  id integer primary key generated always as identity, email text not null, name varchar(100), age integer, active boolean not null default true,
  balance numeric(12, 2), score double precision, visits bigint, token uuid, day date, "seenAt" timestamptz, settings jsonb, note text
)`

function person (n: number): NewPerson {
  return {
    email: `ada.lovelace.${n}@example.com`,
    name: `Ada "${n}" Lovelace`,
    age: n % 90,
    active: n % 3 > 0,
    balance: `${n}.25`,
    score: n / 7,
    visits: n * 1_000_000,
    token: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    day: `2026-${String(n % 12 + 1).padStart(2, '0')}-15`,
    seenAt: new Date(1_700_000_000_000 + n * 1000),
    settings: { theme: n % 2 > 0 ? 'dark' : 'light', pages: [n, n + 1] },
    note: 'made by the benchmark'
  }
}

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    turns: { type: 'string', default: '3' },
    chunk: { type: 'string', default: '1000' },
    memory: { type: 'boolean', default: false },
    upsert: { type: 'boolean', default: false },
    number: { type: 'boolean', default: false }
  }
})
const count = Number(values.rows)
const chunk = Number(values.chunk)
const method = values.upsert ? 'upsertMany' : 'createMany'
const endings: Array<() => Promise<unknown>> = []
const { connectionString } = await createTestDatabase(
  { teardown: (fn: () => Promise<unknown>) => endings.unshift(fn) },
  { sql: values.upsert ? `${table}; create unique index on people (email)` : table }
)
const database = await openDatabase({ connectionString, statementTimeoutSeconds: 0 })
endings.unshift(() => database.close())
const plain = drizzle({ client: database.pool })

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** The columns that an upsert writes into an existing row: all but its key. */
const replaced = Object.fromEntries(Object.entries(getTableColumns(people)).flatMap(([key, { name }]) => key === 'id' || key === 'email'
  ? []
  : [
      [key, sql`excluded.${sql.identifier(name)}`]
    ]))

function byUs (rows: readonly NewPerson[]): Promise<unknown[]> {
  const repo = database.repo(people)
  return values.upsert ? repo.upsertMany(rows, { target: 'email' }) : repo.createMany(rows)
}

function ourNumber (rows: readonly NewPerson[]): Promise<number> {
  return database.repo(people).createMany(rows, { returning: false })
}

async function byDrizzle (rows: readonly NewPerson[]): Promise<unknown[]> {
  const stored: unknown[] = []
  await plain.transaction(async (transaction) => {
    for (let start = 0; start < rows.length; start += chunk) {
      const insert = transaction.insert(people).values(rows.slice(start, start + chunk))
      const write = values.upsert ? insert.onConflictDoUpdate({ target: people.email, set: replaced }) : insert
      for (const row of await write.returning()) stored.push(row)
    }
  })
  return stored
}

/** Writes the rows, and resolves with them or with their number. */
type Write = (rows: readonly NewPerson[]) => Promise<unknown[] | number>

/** Empties the table. For upserts, inserts every second row, so that these rows exist. */
async function prepare (rows: readonly NewPerson[]): Promise<void> {
  await plain.execute(sql`truncate people restart identity`)
  if (values.upsert) await database.repo(people).createMany(rows.filter((_, n) => n % 2 > 0))
}

async function timed (
  write: Write,
  rows: readonly NewPerson[]
): Promise<{ millis: number, processorMillis: number }> {
  await prepare(rows)
  collectGarbage()
  const start = performance.now()
  const before = process.cpuUsage()
  const stored = await write(rows)
  const millis = performance.now() - start
  const { user, system } = process.cpuUsage(before)
  const number = typeof stored === 'number' ? stored : stored.length
  if (number !== rows.length) throw new Error(`${number} of ${rows.length} rows were written`)
  return { millis, processorMillis: (user + system) / 1000 }
}

function told ({ millis, processorMillis }: { millis: number, processorMillis: number }): string {
  return `${Math.round(millis)} ms (${Math.round(processorMillis)} ms of this process's processor time)`
}

function median (numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? NaN
}

/** A way to write the rows, and its name. */
interface Side {
  readonly name: string
  readonly write: Write
}

/** The two ways that take turns. */
function sides (): readonly [Side, Side] {
  const ours = { name: method, write: byUs }
  return values.number
    ? [{ name: `${method} of a number`, write: ourNumber }, { ...ours, name: `${method} of rows` }]
    : [ours, { name: `Drizzle in chunks of ${chunk}`, write: byDrizzle }]
}

async function compare (): Promise<void> {
  const rows = Array.from({ length: count }, (_, n) => person(n))
  const ratios: number[] = []
  const processor: number[] = []
  const [one, other] = sides()
  await timed(one.write, rows.slice(0, 5000))
  await timed(other.write, rows.slice(0, 5000))
  for (let turn = 0; turn < Number(values.turns); turn++) {
    const ours = await timed(one.write, rows)
    const theirs = await timed(other.write, rows)
    const ratio = theirs.millis / ours.millis
    ratios.push(ratio)
    processor.push(ours.processorMillis / theirs.processorMillis)
    console.log(`${count} rows: ${one.name} ${told(ours)}, ${other.name} ${told(theirs)}: ${ratio.toFixed(2)} times as fast`)
  }
  console.log(`median: ${median(ratios).toFixed(2)} times as fast as ${other.name}, with ${median(processor).toFixed(2)} of its processor time in this process`)
}

function megabytes (bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}

/** Samples the memory still in use, and spends at most a tenth of the time on it. */
function watchMemory (): () => number {
  const held = (): number => {
    collectGarbage()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  let most = held()
  let timer: NodeJS.Timeout
  const look = (): void => {
    const start = performance.now()
    most = Math.max(most, held())
    timer = setTimeout(look, 10 * (performance.now() - start))
  }
  timer = setTimeout(look, 0)
  return () => {
    clearTimeout(timer)
    return Math.max(most, held())
  }
}

async function weigh (): Promise<void> {
  await timed(byUs, Array.from({ length: 2000 }, (_, n) => person(n)))
  const before = watchMemory()()
  const rows = Array.from({ length: count }, (_, n) => person(n))
  const input = watchMemory()() - before
  await prepare(rows)
  const most = watchMemory()
  const start = performance.now()
  const stored = await byUs(rows)
  const seconds = (performance.now() - start) / 1000
  const peak = most() - before
  const total = await database.repo(people).count()
  console.log(`${count} rows: ${total} stored and ${stored.length} given back in ${seconds.toFixed(1)} s; the input takes ${megabytes(input)}, at most ${megabytes(peak)} were in use with it and the result: ${(peak / input).toFixed(2)} times the input`)
}

try {
  await (values.memory ? weigh() : compare())
} finally {
  for (const end of endings) await end()
}
