/**
 * `npm run test:overload -- [--seconds 3] [--rounds 3]`: 256 keep-alive connections over a pool of 20.
 *
 * 1. Reads by key, as many as the server can answer, in turns with the same server over pg alone. No request may be refused.
 * 2. Work that holds a connection for 50 ms: as much as 40 clients get done, then three times as many requests a second, then as many
 *    as 256 clients send that repeat a refused request at once.
 *
 * Exits with 1 if a read was refused, or if nothing was refused of three times the load. The times are for a quiet machine to judge.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { createTestDatabase } from '../../../src/testing/index.js'
import { withTables } from '../../helpers/schema.js'
import { percentile, send } from './clients.js'
import type { Load, Replies } from './clients.js'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '3' }, rounds: { type: 'string', default: '3' } } })
const seconds = Number(values.seconds)
const connections = 256

const ends: Array<() => unknown> = []
const { connectionString, database } = await createTestDatabase({ after: (fn: () => unknown) => { ends.push(fn) } }, withTables)

/** Sends a load, after two seconds of it that are not counted. */
async function measure (port: number, load: Omit<Load, 'seconds'>): Promise<Replies> {
  await send(port, { ...load, seconds: 2 })
  return await send(port, { ...load, seconds })
}

/** Starts a server in a process of its own, and ends it when the function has returned. */
async function withServer (args: readonly string[], work: (port: number) => Promise<void>): Promise<void> {
  const server = spawn(process.execPath, ['--import=./test/loader/register.js', 'test/load/overload/server.ts', ...args], {
    env: { ...process.env, DATABASE_URL: connectionString }, stdio: ['ignore', 'pipe', 'inherit']
  })
  try {
    const [line] = await once(server.stdout, 'data')
    await work(Number(String(line)))
  } finally {
    server.kill('SIGKILL')
    await once(server, 'exit')
  }
}

const each = (times: readonly number[] = []): string => `${Math.round(times.length / seconds)} a second`
const took = (times: readonly number[] | undefined): string => `half within ${percentile(times, 0.5).toFixed(1)} ms, 99 of 100 within ${percentile(times, 0.99).toFixed(1)} ms`

try {
  await database.query("insert into users (email) values ('ada@example.com')")
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const library of ['package', 'pg']) {
      await withServer([library], async (port) => {
        const replies = await measure(port, { path: '/read', connections })
        console.log(`reads over ${library}: ${each(replies.get(200))}, ${took(replies.get(200))}`)
        assert.deepEqual([...replies.keys()], [200], 'no read is refused')
      })
    }
  }
  await withServer(['package', '0.4'], async (port) => {
    const most = (await measure(port, { path: '/work', connections: 40 })).get(200) ?? []
    console.log(`work of 40 clients: ${each(most)}, ${took(most)}`)
    for (const [name, load] of [['three times as much', { rate: 3 * most.length / seconds }], ['256 clients without a pause', {}]] as const) {
      const replies = await measure(port, { path: '/work', connections, ...load })
      const [done = [], refused = []] = [replies.get(200), replies.get(503)]
      console.log(`${name}: ${(done.length / most.length).toFixed(2)} of it done, ${took(done)}`)
      console.log(`  refused: ${each(refused)}, ${took(refused)}`)
      assert.ok(refused.length > 0, 'more than can be served in time is refused')
    }
  })
} finally {
  for (const end of ends.reverse()) await end()
}
