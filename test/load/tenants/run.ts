/**
 * Interleaved requests of 50 tenants over a small pool, while clients leave, transactions time out, backends are killed and routes are retried:
 * `npm run test:tenants -- --requests 100000`.
 *
 * Exits with 1 if a tenant gets a row of another, if a row changes its text for another tenant, or if an idle connection has a tenant or another role than
 * the first. `--leak` sets the tenant for the session instead, to show that the check finds leaks.
 */
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { sql } from 'drizzle-orm'
import { expectNoLeaks } from '../../../src/testing/index.js'
import { buildTenantServer, createTenantDatabase, leftOnConnections, notes } from '../../helpers/tenant-server.js'
import { TenantClients, tenants } from './clients.js'
import type { AddressInfo } from 'node:net'

const { values } = parseArgs({ options: { requests: { type: 'string', default: '100000' }, leak: { type: 'boolean', default: false } } })
const poolSize = 6
const atOnce = 48

const endings: Array<() => unknown> = []
try {
  await storm()
} finally {
  for (const end of endings) await end()
}

async function storm (): Promise<void> {
  const { owner, ...options } = await createTenantDatabase({ teardown: (fn: () => unknown) => { endings.unshift(fn) } } as never)
  await owner.execute(sql`insert into notes (tenant_id, text) select 1 + n % ${tenants}, 'first' from generate_series(1, 2000) n`)
  const server = await buildTenantServer({ ...options, size: poolSize })
  endings.unshift(() => server.close())
  await server.listen({ port: 0, host: '127.0.0.1' })
  const clients = new TenantClients((server.server.address() as AddressInfo).port)

  const started = performance.now()
  const state = { over: false, killed: 0, looks: 0, left: [] as string[] }
  const user = new URL(options.connectionString).username
  if (values.leak) await owner.execute(sql.raw(`alter role ${user} set app.tenant_id = '1'; alter role ${user} set role = ${options.role}`))
  const kill = async (): Promise<void> => {
    while (!state.over) {
      await wait(250)
      const { rowCount } = await owner.execute(sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${user} order by random() limit 1`)
      state.killed += rowCount ?? 0
    }
  }
  const look = async (): Promise<void> => {
    while (!state.over) {
      await wait(50)
      const found = await leftOnConnections(server.db).catch(() => [])
      state.looks++
      state.left.push(...found)
    }
  }
  const others = [kill(), look()]
  await clients.send(Number(values.requests), atOnce)
  state.over = true
  await Promise.all(others)
  state.left.push(...await leftOnConnections(server.db))

  const { replies, foreign, ...tally } = clients.tally
  const { rows: [stored] } = await owner.execute<{ wrong: number, count: number }>(sql`select count(*)::int as count,
    count(*) filter (where text like 'of %' and text <> 'of ' || tenant_id or text like 'changed by %' and text <> 'changed by ' || tenant_id or text = 'undone' or text = 'foreign')::int as wrong from notes`)
  const statuses: Record<string, number> = {}
  for (const [name, count] of replies) { const status = name.split(' ')[1] as string; statuses[status] = (statuses[status] ?? 0) + count }
  console.log(JSON.stringify({
    requests: Number(values.requests),
    ...tally,
    foreign: foreign.length,
    statuses,
    byKind: Object.fromEntries([...replies].sort()),
    killed: state.killed,
    looks: state.looks,
    left: state.left.length,
    stored,
    seconds: Math.round((performance.now() - started) / 100) / 10
  }))
  assert.deepEqual(foreign.slice(0, 5), [], 'no tenant gets a row of another')
  assert.deepEqual(state.left.slice(0, 5), [], 'idle connections have no tenant, and the first role')
  assert.equal(stored?.wrong, 0, 'every row is its tenant\'s, and nothing of an undone scope is kept')
  assert.ok(tally.aborted > 0 && state.killed > 0 && state.looks > 0, 'clients left, and backends were killed')
  assert.equal(await owner.repo(notes).exists(), true)
  await expectNoLeaks(server.db)
}
