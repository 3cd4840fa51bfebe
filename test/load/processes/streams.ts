/**
 * Streams a table of the given size and prints the growth of the heap, then does the same with a stream that is abandoned
 * half-way: `npm run test:streams -- --rows 1000000`. It fails above 50 MB, or if a connection is not released.
 */
import { parseArgs } from 'node:util'
import { sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { openDatabase } from '../../../src/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'

const { values } = parseArgs({ options: { rows: { type: 'string', default: '1000000' } } })
const rows = Number(values.rows)
const limitMegabytes = 50

const big = pgTable('big', { id: integer().primaryKey(), name: text().notNull(), body: text().notNull() })

const endings: Array<() => Promise<unknown>> = []
const { connectionString } = await createTestDatabase({ teardown: (fn) => endings.unshift(fn) }, {
  sql: 'create table big (id integer primary key, name text not null, body text not null)'
})
const database = await openDatabase({ connectionString, statementTimeoutSeconds: 0 })
endings.unshift(() => database.close())
try {
  await database.execute(sql`insert into big select n, 'name ' || n, repeat('x', 100) from generate_series(1, ${rows}::int) n`)
  const heap = (): number => { globalThis.gc?.(); return process.memoryUsage().heapUsed }
  const before = heap()
  const started = performance.now()
  let read = 0
  let growth = 0
  for await (const { id } of database.repo(big).stream()) {
    if (id !== ++read) throw new Error(`Row ${read} is ${id}`)
    if (read % 50_000 === 0) growth = Math.max(growth, heap() - before)
  }
  const seconds = (performance.now() - started) / 1000
  for await (const { id } of database.repo(big).stream()) if (id === Math.floor(rows / 2)) break
  const { inUse } = database.poolInfo
  const megabytes = growth / 2 ** 20
  console.log(`${read} rows in ${seconds.toFixed(1)} s, heap growth ${megabytes.toFixed(1)} MB; connections in use after one that was abandoned: ${inUse}`)
  process.exitCode = read === rows && megabytes < limitMegabytes && inUse === 0 ? 0 : 1
} finally {
  for (const end of endings) await end()
}
