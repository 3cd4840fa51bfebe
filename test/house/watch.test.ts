import { Pool } from 'pg'
import t from 'tap'
import { parseConnectionString } from '../../src/settings/url/connection-string.js'
import { PipelinedExchange } from '../../src/connection/exchange/pipelined-exchange.js'
import { PreparedStatements } from '../../src/connection/exchange/prepared-statements.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { watchPool } from '../helpers/watch.js'
import { leads } from '../helpers/pool.js'
import type { PoolClient } from 'pg'

const { connectionString } = await createTestDatabase(t)

/** The complaint of `watchPool` at the end of a test that does this with a connection; `undefined` if there is none. */
async function verdict (work: (client: PoolClient) => Promise<unknown>): Promise<string | undefined> {
  const pool = new Pool(parseConnectionString(connectionString))
  const ends: Array<() => Promise<unknown>> = []
  watchPool({ teardown: (end) => ends.push(end) }, pool, { graceMillis: 0 })
  const client = await pool.connect()
  await work(client)
  const verdicts = await Promise.allSettled(ends.map((end) => end()))
  if (pool.idleCount === 0) client.release(true)
  await pool.end()
  return verdicts.map((verdict) => verdict.status === 'rejected' ? String(verdict.reason.message) : undefined)[0]
}

/** Runs texts one after the other, and releases the connection. */
const running = (...texts: string[]) => async (client: PoolClient): Promise<void> => {
  for (const text of texts) await client.query(text)
  client.release()
}

t.test('watchPool reports an unreleased connection, an open transaction, and one ended twice', async (t) => {
  t.match(await verdict(async () => {}), /^1 connections were acquired and not released/)
  t.match(await verdict(running('begin')), /^The test leaks: 1 transactions are open/)
  for (const end of ['commit', 'rollback', 'end', 'ABORT', 'commit; begin; commit']) {
    t.match(await verdict(running('begin', 'commit', end)), /^A connection was sent \d commits and rollbacks, for \d transactions$/, end)
  }
  t.match(await verdict(async (client) => {
    await client.query({ name: 'end', text: 'commit' })
    client.release()
  }), /sent 1 commits and rollbacks, for 0/, 'also a named statement')
  t.match(await verdict(async (client) => {
    const prepared = new PreparedStatements()
    for (let round = 0; round < 2; round++) {
      const group = new PipelinedExchange(client, { prelude: leads(['begin', 'rollback']), prepared, mostNames: 100, isAlone: false })
      group.add({ kind: 'write', name: 'end', text: 'commit', values: [], context: { operation: 'test' } })
      await new Promise((resolve) => group.send(resolve))
    }
    client.release()
  }), /sent 4 commits and rollbacks, for 2/, 'and what our own query object sends, the second time without its text')
})

t.test('watchPool reports nothing of transactions that end once', async (t) => {
  const fine = [
    'begin; commit',
    'start transaction; rollback',
    'begin; savepoint s; rollback to savepoint s; release savepoint s; commit',
    'begin; commit and chain; rollback',
    'do $$ begin perform 1; end $$'
  ]
  for (const text of fine) t.equal(await verdict(running(text)), undefined, text)
})
