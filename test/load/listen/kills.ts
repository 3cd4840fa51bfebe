/**
 * A listener whose backend is killed while another session notifies: `npm run test:listen`, with `-- --kills 100` for another number.
 *
 * Exits with 1 if a gap was not told, a message behind the last gap was lost, one came twice or out of order, or one was lost without a gap.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { openDatabase } from '../../../src/index.js'
import { startPostgres } from '../../../src/testing/index.js'
import { until } from '../../helpers/until.js'

const { values } = parseArgs({ options: { kills: { type: 'string', default: '100' } } })
const kills = Number(values.kills)

const postgres = await startPostgres({ folder: join(mkdtempSync(join(tmpdir(), 'listen-kills-')), 'postgres'), persistent: false })
const { connectionString } = postgres
const database = await openDatabase({ connectionString })
const client = new Client({ connectionString })
await client.connect()

/** The numbers that the handler got since the last gap, and the first and last number that was lost by then. */
const heard: number[] = []
let gaps = 0
/** The number that was sent last before onGap was called: everything later must arrive. */
let sentAtGap = 0
let sent = 0
let killed = 0
const failures: string[] = []
await database.listen('numbers', ({ payload }) => {
  const number = Number(payload)
  const before = heard.at(-1) ?? 0
  if (number <= before) failures.push(`${number} came behind ${before}`)
  // A number may only be missing if it was sent before the gap that was told since.
  if (number > before + 1 && number - 1 > sentAtGap) failures.push(`${number} came behind ${before}, but the last gap ended at ${sentAtGap}`)
  heard.push(number)
}, { onGap: () => { gaps++; sentAtGap = sent } })

const stop = new AbortController()
const notifying = (async () => {
  while (!stop.signal.aborted) {
    await client.query('select pg_notify($1, $2)', ['numbers', `${sent + 1}`])
    sent++
  }
})()
const killer = new Client({ connectionString })
await killer.connect()
for (; killed < kills; killed++) {
  const { rowCount } = await killer.query('select pg_terminate_backend(pid, 5000) from pg_stat_activity where query = $1', ['listen "numbers"'])
  if (rowCount !== 1) failures.push(`kill ${killed + 1} found ${rowCount} backends`)
  await until(() => gaps > killed)
}
stop.abort()
await notifying
await until(() => heard.at(-1) === sent)
if (gaps !== kills) failures.push(`${gaps} gaps were told`)
console.log(`${killed} kills, ${gaps} gaps told, ${sent} notifications sent, ${heard.length} received, the last one among them`)
for (const failure of failures) console.error(`FAILED: ${failure}`)
await Promise.all([client.end(), killer.end(), database.close()])
await postgres.stop()
process.exit(failures.length === 0 ? 0 : 1)
