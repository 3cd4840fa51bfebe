/**
 * `npm run test:live -- [--pages 50] [--seconds 20]`: what open live pages cost a server under a steady load. They must take no
 * connection of the pool; the processor time is printed, and is for a quiet machine to judge.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { get } from 'node:http'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { setTimeout as wait } from 'node:timers/promises'
import { createTestDatabase } from '../../../src/testing/index.js'
import { withTables } from '../../helpers/schema.js'
import type { ClientRequest } from 'node:http'

const { values } = parseArgs({ options: { pages: { type: 'string', default: '50' }, seconds: { type: 'string', default: '20' } } })
const [pageCount, seconds] = [Number(values.pages), Number(values.seconds)]
/** The pause between two requests of the load, in milliseconds. */
const pauseMillis = 5

const ends: Array<() => unknown> = []
const { connectionString, database } = await createTestDatabase({ after: (fn: () => unknown) => { ends.push(fn) } }, withTables)
const server = spawn(process.execPath, ['--import=./test/loader/register.js', 'test/load/live/watched-server.ts'], { env: { ...process.env, DATABASE_URL: connectionString }, stdio: ['ignore', 'pipe', 'inherit'] })
const [line] = await once(server.stdout, 'data')
const origin = String(line).trim()

const ask = async <Answer>(path: string): Promise<Answer> => await (await fetch(origin + path)).json() as Answer
const pages: ClientRequest[] = []

async function openPage (): Promise<void> {
  await (await fetch(`${origin}/health/database/live`)).text()
  const page = get(`${origin}/health/database/live/events`, { agent: false })
  page.on('error', () => {})
  const [response] = await once(page, 'response')
  response.resume()
  pages.push(page)
}

/** The processor time of the server in a second of load, as a share of a core, in percent, and the most connections that its pool had in use. */
async function measure (): Promise<{ percent: number, connections: number }> {
  const { millis: before } = await ask<{ millis: number }>('/processor')
  const started = performance.now()
  let connections = 0
  let due = started
  while (performance.now() - started < seconds * 1000) {
    await ask('/load')
    due += pauseMillis
    await wait(Math.max(due - performance.now(), 0))
  }
  const { millis: after } = await ask<{ millis: number }>('/processor')
  const taken = performance.now() - started
  const { inUse } = await ask<{ inUse: number }>('/health/database/pool')
  connections = Math.max(connections, inUse)
  return { percent: (after - before) / taken * 100, connections }
}

const backends = async (): Promise<number> => {
  const { rows } = await database.query<{ count: number }>('select count(*)::int as count from pg_stat_activity where datname = current_database()')
  return rows[0]?.count ?? 0
}

try {
  await measure()
  const none = await measure()
  const withoutPages = await backends()
  await openPage()
  const one = await measure()
  while (pages.length < pageCount) await openPage()
  const many = await measure()
  const withPages = await backends()
  console.log(`processor time of the server, in percent of a core, over ${seconds} s with a request each ${pauseMillis} ms:`)
  console.log(`  without a page ${none.percent.toFixed(2)}, with one ${one.percent.toFixed(2)}, with ${pageCount} ${many.percent.toFixed(2)}`)
  console.log(`connections to the database: ${withoutPages} without a page, ${withPages} with ${pageCount}; of the pool in use after the load: ${none.connections} and ${many.connections}`)
  assert.ok(withPages <= withoutPages + 1, 'all pages share one connection beside the pool')
  assert.equal(many.connections, 0, 'no page holds a connection of the pool')
} finally {
  for (const page of pages) page.destroy()
  server.kill('SIGKILL')
  await once(server, 'exit')
  for (const end of ends.reverse()) await end()
}
