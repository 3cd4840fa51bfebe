import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Pool } from 'pg'
import t from 'tap'
import fc from 'fast-check'
import { extendConnection, parseConnectionString } from '../../../../src/settings/url/connection-string.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { caller, leads, openPool, run } from '../../../helpers/pool.js'
import { startTlsProxy } from '../../../helpers/tls-proxy.js'
import { until } from '../../../helpers/until.js'
import { toDatabaseError } from '../../../../src/errors/to-database-error.js'
import type { PoolConfig } from 'pg'
import type { Outcome } from '../../../../src/connection/outcome.js'
import type { Test } from '../../../helpers/test.js'
import type { Connection } from '../../../../src/connection/connection.js'
import type { Task } from '../../../../src/connection/batch.js'
import type { Statement } from '../../../../src/statement/statement.js'

/** Whether a cancel reaches the statement of a connection with this config; the URL leads to the same database. */
async function cancels (t: Test, connectionString: string, config: PoolConfig): Promise<boolean> {
  const pg = new Pool(config)
  t.teardown(() => pg.end())
  const pool = await openPool(t, { pg })
  const connection = await pool.connect(caller)
  const running = run(connection, 'select pg_sleep(60)')
  const observer = new Client(parseConnectionString(connectionString))
  await observer.connect()
  await until(async () =>
    (await observer.query("select from pg_stat_activity where datname = current_database() and state = 'active' and query = 'select pg_sleep(60)'")).rowCount ===
    1)
  await observer.end()
  await connection.cancel(5000)
  const { error, lost } = await running
  connection.release()
  return !lost && Object(error).code === '57014'
}

for (const direct of [false, true]) {
  t.test(`a cancel uses TLS like its connection, ${direct ? 'directly' : 'after a request for it'}`, async (t) => {
    const { connectionString } = await createTestDatabase(t)
    const proxy = await startTlsProxy(t, connectionString, { direct })
    const { host, port, ssl } = proxy
    const config = extendConnection(parseConnectionString(connectionString), { host, port, ssl, ...(direct && { sslnegotiation: 'direct' as const }) })

    t.equal(await cancels(t, connectionString, config), true)
    t.equal(proxy.secured, 2, 'the connection, and the cancel')
  })
}

t.test('a cancel goes over a Unix socket as the connection does', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const { hostname, port } = new URL(connectionString)
  const folder = await mkdtemp(join(tmpdir(), 'data-access-socket-'))
  const server = createServer((client) => {
    const postgres = connect(Number(port), hostname)
    for (const end of [client, postgres]) end.on('error', () => {}).on('close', () => { client.destroy(); postgres.destroy() })
    client.pipe(postgres).pipe(client)
  }).listen(join(folder, '.s.PGSQL.5432'))
  await once(server, 'listening')
  t.teardown(async () => {
    server.close()
    await rm(folder, { recursive: true })
  })

  t.equal(await cancels(t, connectionString, extendConnection(parseConnectionString(connectionString), { host: folder, port: 5432 })), true)
})

t.test('rows come as arrays if the statement wants them, also after a prelude', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)

  const { result } = await connection.run(
    { kind: 'read', text: 'select 1 as a, 2 as a', values: [], rowMode: 'array', context: { operation: 'test' } },
    leads(['begin'])
  )

  t.same(result?.rows, [[1, 2]])
  await run(connection, 'rollback')
  connection.release()
})

t.test('a value that runs a statement while it is written disturbs neither', async (t) => {
  const pool = await openPool(t)
  const connections = [await pool.connect(caller), await pool.connect(caller)]
  const [outer, inner] = connections
  let other: Promise<Outcome> | undefined
  const value = { toPostgres () { other = inner && run(inner, 'select $1::text as text', { values: ['inner'] }); return 'outer' } }

  const outcome = await outer?.run({
    kind: 'write', text: 'select $1::text as text, $2::text as next', values: [value, 'behind'], context: { operation: 'test' }
  })

  t.same(outcome?.result?.rows, [{ text: 'outer', next: 'behind' }])
  t.same((await other)?.result?.rows, [{ text: 'inner' }])
  for (const connection of connections) connection.release()
})

/** One statement of a group: its text, its value, and whether it is prepared. */
interface Step {
  readonly what: keyof typeof texts
  readonly value: number
  readonly isNamed: boolean
}

const texts = {
  insert: "insert into users (email) values ('user' || $1::int) returning email, balance",
  change: "update users set balance = balance + 1 where email = 'user' || $1::int",
  overdraw: "update users set balance = -1 where email = 'user' || $1::int",
  read: 'select email, balance from users where length(email) > $1::int % 7 order by email',
  none: 'select $1::int as none where false',
  divide: 'select 10 / ($1::int % 4) as quotient',
  word: 'select $1::int as number',
  wrong: 'select $1::int from nowhere'
} as const

function statementOf ({ what, value, isNamed }: Step): Statement {
  return {
    kind: 'write',
    text: texts[what],
    values: [what === 'word' && value % 3 === 0 ? 'no number' : value],
    context: { operation: what },
    ...(isNamed && { name: what })
  }
}

/** The outcome of a statement, in words that do not depend on how it was sent. */
function told ({ error, result }: Outcome): unknown {
  if (error !== undefined) return toDatabaseError(error).code
  const { rows, rowCount, command } = result ?? {}
  return { rows, rowCount, command }
}

async function together (connection: Connection, statements: readonly Statement[]): Promise<Outcome[]> {
  const outcomes = new Map<Statement, Outcome>()
  await new Promise<void>((resolve) => {
    const tasks = statements.map((statement): Task => ({
      statement, done: (outcome) => { if (outcomes.set(statement, outcome).size === statements.length) resolve() }
    }))
    connection.send(tasks, leads(['begin']))
  })
  return statements.map((statement) => outcomes.get(statement) as Outcome)
}

async function oneByOne (connection: Connection, statements: readonly Statement[]): Promise<Outcome[]> {
  await run(connection, 'begin')
  const outcomes: Outcome[] = []
  for (const { text, values, context } of statements) outcomes.push(await connection.run({ kind: 'write', text, values, context }))
  return outcomes
}

t.test('a group answers like its statements one by one in a transaction, and keeps their names', async (t) => {
  const pool = await openPool(t, { pool: { size: 2, maxOverflow: 0 } })
  const [fast, slow] = [await pool.connect(caller), await pool.connect(caller)]
  const what = fc.constantFrom(...Object.keys(texts) as Array<Step['what']>, 'read', 'change', 'insert', 'none')
  const step = fc.record({ what, value: fc.nat(12), isNamed: fc.boolean() })
  const seed = Math.trunc(Math.random() * 2 ** 31)
  t.comment(`seed ${seed}`)

  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
    const outcomes: Outcome[][] = []
    for (const [connection, send] of [[fast, together], [slow, oneByOne]] as const) {
      connection.enterTransaction()
      outcomes.push(await send(connection, steps.map(statementOf)))
      connection.leaveTransaction()
      t.match(await run(connection, 'rollback'), { error: undefined, missedTransaction: false })
    }
    t.strictSame(outcomes[0]?.map(told), outcomes[1]?.map(told))
    t.same(fast.refusal, undefined)
  }), { numRuns: 150, seed })

  const { result } = await run(fast, 'select name from pg_prepared_statements')
  t.ok(Number(result?.rowCount) > 1 && Number(result?.rowCount) <= 100)
  for (const connection of [fast, slow]) connection.release()
})
