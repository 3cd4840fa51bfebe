import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { Client } from 'pg'
import t, { type Test } from 'tap'
import { ended, running } from '../helpers/backend.js'
import { nodeOptions } from '../helpers/child.js'
import { holdCommits } from '../helpers/held-commit.js'
import { schema, tables, users } from '../helpers/schema.js'
import { withPassword } from '../helpers/secret.js'
import { until } from '../helpers/until.js'
import { openDatabase } from '../../src/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { loaderFor } from '../../src/testing/postgres/shared-server.js'

/** Selects the transactions whose handler hangs. */
const hanging = sql`select from pg_stat_activity where datname = current_database() and state = 'idle in transaction' and query like '%hangs from now on%'`

const program = new URL('../helpers/server-process.ts', import.meta.url)

interface Limits {
  readonly drainSeconds?: number
  readonly limitMillis?: number
}

/** Starts a server in a process of its own, over a database of the test. */
async function start (t: Test, { drainSeconds = 3600, limitMillis = 3_600_000 }: Limits = {}) {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const url = withPassword(connectionString)
  const database = await openDatabase({ connectionString: url, schema })
  t.teardown(() => database.close())
  const child = spawn('env', [`NODE_OPTIONS=${nodeOptions}`, process.execPath, ...loaderFor(program.href), fileURLToPath(program)], {
    env: { ...process.env, DATABASE_URL: url, DRAIN_SECONDS: `${drainSeconds}`, LIMIT_MILLIS: `${limitMillis}` },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  t.teardown(() => { child.kill('SIGKILL') })
  const exited = once(child, 'exit')
  const log: string[] = []
  let callSite = ''
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('http')) {
      callSite = line
      break
    }
  }
  child.stdout.on('data', (text) => log.push(String(text)))
  const post = (path: string) => fetch(`${callSite}${path}`, { method: 'POST' }).then(({ status }) => status, () => 'cut off')
  return {
    database,
    log,
    exited,
    post,
    end: () => { child.kill('SIGTERM') },
    /** Resolves when the server accepts no more connections. */
    closing: () => until(async () => await post('/refused') === 'cut off'),
    total: () => database.repo(users).count()
  }
}

/** Takes the lock that the route waits for. */
async function holdLock (t: Test, { pool }: { pool: { options: object } }): Promise<() => Promise<unknown>> {
  const client = new Client(pool.options)
  await client.connect()
  t.teardown(() => client.end())
  await client.query('select pg_advisory_lock(42)')
  return () => client.query('select pg_advisory_unlock(42)')
}

t.test('79: SIGTERM lets requests in flight finish, and the process ends with 0', async (t) => {
  const server = await start(t)
  const release = await holdLock(t, server.database)
  const answer = server.post('/waits')
  await running(server.database, 'pg_advisory_xact_lock(42)')

  server.end()
  await server.closing()
  await release()

  t.equal(await answer, 200)
  t.strictSame(await server.exited, [0, null])
  t.equal(await server.total(), 1)
  t.strictSame(server.log, [])
})

t.test('80: SIGTERM while a request hangs in the database: 503 after the limit, exit code 1', async (t) => {
  const server = await start(t, { drainSeconds: 0.1 })
  await holdLock(t, server.database)
  const answer = server.post('/waits')
  await running(server.database, 'pg_advisory_xact_lock(42)')

  server.end()

  t.equal(await answer, 503)
  t.strictSame(await server.exited, [1, null])
  t.match(server.log.join(''), /closing took too long.*/)
  t.match(server.log.join(''), /"holder":"POST \/waits"/)
  await ended(server.database, 'pg_advisory_xact_lock(42)')
  t.equal(await server.total(), 0)
})

t.test('80: SIGTERM while a handler hangs for ever: undone, its route logged, exit code 1', async (t) => {
  const server = await start(t, { drainSeconds: 0.1, limitMillis: 3000 })
  const answer = server.post('/hangs')
  await until(async () => (await server.database.execute(hanging)).rowCount === 1)

  server.end()

  t.equal(await answer, 'cut off')
  t.strictSame(await server.exited, [1, null])
  t.match(server.log.join(''), /"holder":"POST \/hangs"/)
  t.equal(await server.total(), 0)
})

t.test('81: SIGTERM during COMMIT waits for its answer, and the process ends with 0', async (t) => {
  const server = await start(t)
  const commits = await holdCommits(t, server.database)
  const answer = server.post('/creates')
  await commits.reached()

  server.end()
  await server.closing()
  await commits.release()

  t.equal(await answer, 200)
  t.strictSame(await server.exited, [0, null])
  t.equal(await server.total(), 1)
})

t.test('82: a second SIGTERM changes nothing: requests finish, and the exit code is 0', async (t) => {
  const server = await start(t)
  const release = await holdLock(t, server.database)
  const answer = server.post('/waits')
  await running(server.database, 'pg_advisory_xact_lock(42)')

  server.end()
  await server.closing()
  server.end()
  server.end()
  await release()

  t.equal(await answer, 200)
  t.strictSame(await server.exited, [0, null])
  t.strictSame(server.log, [])
})
