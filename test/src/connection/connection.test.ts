import t from 'tap'
import { ConnectionError, DatabaseError, TransactionBrokenError, TransactionClosedError, ValidationError } from '../../../src/errors/errors.js'
import { backendOf, caller, openPool, run, scalar } from '../../helpers/pool.js'
import { startProxy } from '../../helpers/proxy.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { tables } from '../../helpers/schema.js'
import { until } from '../../helpers/until.js'
import type { Connection } from '../../../src/connection/connection.js'
import type { Outcome } from '../../../src/connection/outcome.js'
import type { ConnectionPool } from '../../../src/pool/connection-pool.js'
import type { Statement } from '../../../src/statement/statement.js'
import type { Test } from '../../helpers/test.js'

const insert = "insert into users (email) values ('ada@example.com')"

async function countUsers (pool: ConnectionPool): Promise<number> {
  const { rows } = await pool.pool.query<{ total: number }>('select count(*)::int as total from users')
  return Number(rows[0]?.total)
}

async function kill (pool: ConnectionPool, pid: number): Promise<void> {
  await pool.pool.query('select pg_terminate_backend($1)', [pid])
}

interface Begun {
  readonly connection: Connection
  readonly pid: number
}

/** A connection that is told that it is inside a transaction, whose BEGIN the test sends. */
async function begin (t: Test, pool: ConnectionPool): Promise<Begun> {
  const connection = await pool.connect(caller)
  const pid = await backendOf(connection)
  connection.enterTransaction()
  t.teardown(async () => connection.destroy())
  return { connection, pid }
}

t.test('statements that are given together run one after the other, in call order', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)
  const order: number[] = []

  await Promise.all([3, 1, 2].map(async (seconds, position) => {
    await run(connection, `select pg_sleep(${seconds / 100})`)
    order.push(position)
  }))

  t.same(order, [0, 1, 2])
  connection.release()
  t.match(pool.info, { inUse: 0 })
})

t.test('BEGIN travels with the first statement in one message group, and both take effect', async (t) => {
  const pool = await openPool(t)
  const { connection } = await begin(t, pool)

  const outcome = await run(connection, 'insert into users (email) values ($1) returning id', {
    prelude: ['begin', 'savepoint s1'], values: ['ada@example.com']
  })

  t.match(outcome, { error: undefined, preludeDone: 2, sent: true, lost: false, result: { command: 'INSERT', rowCount: 1 } })
  t.equal(connection.status, 'T')
  t.equal(await countUsers(pool), 0, 'not committed')
  connection.leaveTransaction()
  t.match(await run(connection, 'commit'), { result: { command: 'COMMIT' } })
  t.equal(await countUsers(pool), 1)
  connection.release()
})

t.test('what leads may answer with rows of its own: they are not the statement\'s', async (t) => {
  const pool = await openPool(t)
  const { connection } = await begin(t, pool)

  const { result } = await run(connection, 'select $1::int as two', { prelude: ['begin', "select set_config('a.b', 'one', true)"], values: [2] })

  t.same(result?.rows, [{ two: 2 }])
})

t.test('a BEGIN that fails lets neither the statement behind it run nor any that waits', async (t) => {
  const pool = await openPool(t)
  const { connection } = await begin(t, pool)

  const outcomes = await Promise.all([
    run(connection, insert, { prelude: ['begin isolation level nonsense'], kind: 'write' }),
    run(connection, insert),
    run(connection, insert)
  ])

  t.match(outcomes, [
    { error: { code: '42601' }, sent: true, lost: false, preludeDone: 0 },
    { error: { code: '42601' }, sent: false, lost: false },
    { error: { code: '42601' }, sent: false, lost: false }
  ])
  t.equal(connection.refusal, outcomes[0]?.error)
  t.equal(await countUsers(pool), 0)
  connection.release()
  t.match(pool.info, { total: 1, idle: 1 }, 'only the connection that counted is left')
})

t.test('a savepoint that fails leaves a transaction that can be rolled back', async (t) => {
  const pool = await openPool(t)
  const { connection } = await begin(t, pool)

  t.match(await run(connection, insert, { prelude: ['begin', 'savepoint "'], kind: 'write' }), { error: { code: '42601' }, preludeDone: 1 })
  t.equal(connection.status, 'E')
  t.equal(connection.refusal, undefined)
  connection.leaveTransaction()
  await run(connection, 'rollback')
  connection.release()
  t.match(pool.info, { total: 1, idle: 1 })
})

t.test('the status after an error is never stale', async (t) => {
  const pool = await openPool(t)
  const { connection } = await begin(t, pool)
  await run(connection, 'select 1', { prelude: ['begin'] })

  for (let round = 0; round < 20; round++) {
    await run(connection, 'savepoint s')
    await run(connection, 'select 1 / 0')
    t.equal(connection.status, 'E')
    await run(connection, 'rollback to savepoint s')
    t.equal(connection.status, 'T')
  }
})

t.test('user SQL that ends the transaction is found out, and nothing more is sent', async (t) => {
  const cases: Array<[title: string, text: string, operation: string]> = [
    ['COMMIT', 'commit', 'COMMIT'],
    ['END', 'end', 'COMMIT'],
    ['ROLLBACK', 'rollback', 'ROLLBACK'],
    ['COMMIT among others', 'select 1; commit; select 2', 'COMMIT'],
    ['COMMIT, and a new transaction', 'commit; begin', 'COMMIT'],
    ['ROLLBACK, and a new transaction', 'rollback; start transaction', 'ROLLBACK'],
    ['ROLLBACK, a write that commits by itself, and a new transaction', `rollback; ${insert}; begin`, 'ROLLBACK'],
    ['COMMIT AND CHAIN', 'commit and chain', 'COMMIT'],
    ['ROLLBACK AND CHAIN', 'rollback and chain', 'ROLLBACK'],
    ['ROLLBACK AND CHAIN behind a comment', 'rollback and /* no */ chain', 'ROLLBACK'],
    ['ABORT AND CHAIN over several lines', 'ABORT WORK AND\nCHAIN', 'ROLLBACK'],
    ['COMMIT, and a statement that fails', 'commit; select 1 / 0', 'COMMIT'],
    ['COMMIT, a new transaction, and a statement that fails in it', 'commit; begin; select 1 / 0', 'COMMIT'],
    ['ROLLBACK, a new transaction, and a statement that fails in it', 'rollback; begin; select 1 / 0', 'ROLLBACK']
  ]
  const pool = await openPool(t)
  for (const [title, text, operation] of cases) {
    await t.test(title, async (t) => {
      const { connection } = await begin(t, pool)
      await run(connection, insert, { prelude: ['begin'] })

      const [, late] = await Promise.all([run(connection, text), run(connection, insert)])

      t.ok(late.error instanceof TransactionBrokenError)
      t.match(late, { sent: false, error: { context: { operation } } })
      t.equal(connection.refusal, late.error)
      connection.release()
      t.equal(pool.info.inUse, 0)
      await pool.pool.query('truncate users cascade')
    })
  }
  t.equal(await countUsers(pool), 0)
})

t.test('user SQL that does not end the transaction is left alone', async (t) => {
  const cases: Array<[title: string, text: string]> = [
    ['ROLLBACK TO SAVEPOINT', 'savepoint a; select 1; rollback to savepoint a; release savepoint a'],
    ['BEGIN, which is only a warning', 'begin'],
    ['PREPARE of a statement', 'prepare one as select 1; execute one; deallocate one'],
    ['a COMMIT in a DO block, which PostgreSQL refuses', 'savepoint a; do $$ begin begin commit; exception when others then null; end; end $$'],
    ['nothing at all', '']
  ]
  const pool = await openPool(t)
  for (const [title, text] of cases) {
    await t.test(title, async (t) => {
      const { connection } = await begin(t, pool)
      await run(connection, insert, { prelude: ['begin'] })

      t.equal((await run(connection, text)).error, undefined)

      t.equal(connection.refusal, undefined)
      t.equal(connection.status, 'T')
      connection.leaveTransaction()
      await run(connection, 'rollback')
      connection.release()
    })
  }
  t.match(pool.info, { total: 1, idle: 1 })
  t.equal(await countUsers(pool), 0)
})

t.test('a value that cannot be written is refused, and the connection can be used again', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)
  const circular: Record<string, unknown> = {}
  circular['itself'] = circular
  const strange = { toPostgres () { throw new Error('ada@example.com is not welcome') } }

  for (const value of [circular, strange, { toPostgres: () => circular }]) {
    const { error, sent, lost } = await run(connection, 'select $1', { values: [value] })
    t.ok(error instanceof ValidationError)
    t.notMatch(error?.message, /ada/)
    t.match({ sent, lost }, { sent: false, lost: false })
  }

  t.equal(await scalar(connection, 'select 1'), 1)
  connection.release()
  t.match(pool.info, { total: 1, idle: 1 })
})

t.test('a column that cannot be read is an error of the statement, and the connection can be used again', async (t) => {
  const pool = await openPool(t)
  const { connection, pid } = await begin(t, pool)
  const errors = [new Error('cannot read ada@example.com'), new TypeError('ada@example.com'), new SyntaxError('ada@example.com')]

  await run(connection, 'select 1', { prelude: ['begin'] })
  for (const thrown of errors) {
    const types = { getTypeParser: () => () => { throw thrown } }
    const { error, sent, lost } = await connection.run({
      kind: 'read', text: "select 'ada' as name from generate_series(1, 3)", values: [], types, context: { operation: 'get', table: 'users' }
    })
    t.ok(error instanceof DatabaseError)
    t.match(error, { code: 'DB_ERROR', statusCode: 500, context: { operation: 'get', table: 'users' } })
    t.match({ sent, lost }, { sent: true, lost: false })
    t.equal(connection.status, 'T')
  }

  t.equal(await scalar(connection, 'select pg_backend_pid()'), pid)
  connection.leaveTransaction()
  await run(connection, 'rollback')
  connection.release()
  t.match(pool.info, { total: 1, idle: 1 })
})

t.test('columns for which no parser can be had are an error of the statement, and the connection can be used again', async (t) => {
  const pool = await openPool(t)
  const { connection, pid } = await begin(t, pool)
  await run(connection, 'select 1', { prelude: ['begin'] })
  const thrown = new Error('no parser for ada@example.com')
  const failing: Array<Partial<Statement>> = [
    { types: { getTypeParser: () => { throw thrown } } },
    { types: { getTypeParser: () => { throw thrown } }, values: [1], text: 'select $1::int as one' },
    { reader: () => { throw thrown } },
    { reader: () => { throw thrown }, text: 'select 1 as one where false' }
  ]

  for (const given of failing) {
    const { error, lost } = await connection.run({ kind: 'read', text: 'select 1 as one', values: [], context: { operation: 'get' }, ...given })
    t.match(error, { code: 'DB_ERROR', statusCode: 500, cause: { message: thrown.message } })
    t.ok(error instanceof DatabaseError)
    t.notMatch(error?.message, /ada/)
    t.equal(lost, false)
    t.equal(connection.status, 'T')
  }

  // A parser that fails once is asked for again.
  let times = 0
  const named: Statement = {
    kind: 'read',
    name: 'one',
    text: 'select $1::int as one',
    values: [1],
    context: { operation: 'get' },
    reader: () => { if (++times === 1) throw thrown; return ([text]) => text }
  }
  const outcomes = await new Promise<Outcome[]>((resolve) => {
    const done: Outcome[] = []
    connection.send([named, named].map((statement) => ({ statement, done: (outcome) => { if (done.push(outcome) === 2) resolve(done) } })))
  })
  t.match(outcomes, [{ error: { code: 'DB_ERROR' } }, { error: { code: 'DB_ERROR' } }], 'also for who shares its name in the group')
  t.match(await connection.run(named), { error: undefined, result: { rows: ['1'] } })

  t.equal(await scalar(connection, 'select pg_backend_pid()'), pid)
  connection.leaveTransaction()
  await run(connection, 'rollback')
  connection.release()
  t.match(pool.info, { total: 1, idle: 1 })
})

t.test("a client's own getTypeParser that throws is an error of the statement", async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)
  const client = connection.pooled.client as unknown as { getTypeParser (oid: number): unknown }
  client.getTypeParser = () => { throw new TypeError('no such type') }
  t.match(await run(connection, 'select 1'), { error: { code: 'DB_ERROR' }, lost: false })
  Reflect.deleteProperty(client, 'getTypeParser')
  t.equal(await scalar(connection, 'select 1'), 1)
  connection.release()
  t.match(pool.info, { total: 1, idle: 1 })
})

for (const text of [
  'copy users from stdin', 'COPY users (email) FROM STDIN WITH (format csv)', 'copy users to stdout', 'copy users from stdout',
  "copy (select 1 as id, ';' as mark) to /* a file */ stdout", 'copy users to -- all of them\n stdout (header)', 'select 1; copy users to stdout; select 2'
]) {
  t.test(`112: ${JSON.stringify(text)} is refused with the way out, and without harm`, async (t) => {
    const pool = await openPool(t)
    const connection = await pool.connect(caller)
    const pid = await backendOf(connection)

    t.match(await run(connection, text), {
      error: { code: 'DB_USAGE', statusCode: 500, message: /pg-copy-streams/, context: { operation: 'test' } }, result: undefined, lost: false
    })

    t.equal(await backendOf(connection), pid)
    connection.release()
    t.match(pool.info, { total: 1, idle: 1 })
  })
}

t.test('112: what speaks of COPY only, or copies on the server, is no COPY through the connection', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)

  t.equal(await scalar(connection, "select 'copy users from stdin'"), 'copy users from stdin')
  t.match(await run(connection, "copy (select 1) to program 'cat > /dev/null'"), { error: undefined, result: { command: 'COPY', rowCount: 1 } })
  await run(connection, "set statement_timeout = '10ms'")
  t.match(await run(connection, 'select pg_sleep(10)'), { error: { code: '57014' } })
  t.match(await run(connection, "select 'copy users from stdin', $1::int, pg_sleep(10)", { values: [1], kind: 'write' }), { error: { code: '57014' } })
  connection.destroy()
})

t.test('more values than a message can count are refused before anything is sent, with the way out', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)
  const select = (length: number): Promise<Outcome> =>
    run(
      connection,
      `select 1 where 1 in (${Array.from({ length }, (_, position) => `$${position + 1}::int`).join(', ')})`,
      { values: Array.from({ length }, (_, position) => position) }
    )

  // Counted in 16 bits 65,538 would be two.
  for (const length of [65_536, 65_538, 70_000]) {
    const { error, sent } = await select(length)
    t.ok(error instanceof ValidationError)
    t.match(error?.message, /= any\(\$1\)/)
    t.match({ error, sent }, { sent: false, error: { context: { operation: 'test' } } })
  }

  t.match(await select(65_535), { error: undefined, result: { rowCount: 1 } })
  connection.release()
  t.match(pool.info, { total: 1, idle: 1 })
})

t.test('a backend that is killed while a statement runs takes the statement and all that wait with it', async (t) => {
  const pool = await openPool(t)
  const { connection, pid } = await begin(t, pool)
  const outcomes = Promise.all([
    run(connection, 'select pg_sleep(30)', { prelude: ['begin'] }),
    run(connection, insert),
    run(connection, insert)
  ])
  const idle = connection.idle()

  await kill(pool, pid)

  t.match(await outcomes, [
    { error: { code: '57P01' }, sent: true, lost: true },
    { error: { code: '57P01' }, sent: false, lost: false },
    { error: { code: '57P01' }, sent: false, lost: false }
  ])
  await idle
  t.ok(connection.refusal)
  await connection.cancel(1000)
  connection.release()
  t.match(pool.info, { inUse: 0, total: 1 })
  t.equal(await countUsers(pool), 0)
})

t.test('a backend that is killed between two statements is noticed before the second is sent', async (t) => {
  const pool = await openPool(t)
  const { connection, pid } = await begin(t, pool)
  await run(connection, insert, { prelude: ['begin'] })

  await kill(pool, pid)
  await until(() => connection.refusal !== undefined)

  t.match(await run(connection, insert), { sent: false, lost: false, error: { code: '57P01' } })
  connection.release()
  t.match(pool.info, { inUse: 0 })
})

t.test('52: a reset in the middle of an answer is told as a loss', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString })
  const connection = await pool.connect(caller)

  const lost = proxy.loseAnswer('generate_series', 'reset')
  const outcome = await run(connection, 'select * from generate_series(1, 100000)')
  await lost

  t.match(outcome, { sent: true, lost: true, error: { message: String } })
  connection.release()
  t.match(pool.info, { total: 0 })
})

t.test('a connection that ends between PostgreSQL\'s error and its word on the transaction is told as a loss', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString })
  const { connection } = await begin(t, pool)

  const lost = proxy.loseReady('1 / 0')
  const outcome = await run(connection, 'select 1 / 0', { prelude: ['begin'] })
  await lost

  t.match(outcome, { sent: true, lost: true, error: { code: '22012' } })
  connection.release()
  t.match(pool.info, { inUse: 0, total: 0 })
})

t.test('a connection that is destroyed answers what runs and refuses what waits', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)
  const outcomes = Promise.all([run(connection, 'select pg_sleep(30)'), run(connection, insert)])

  connection.destroy()
  connection.destroy()

  t.match(await outcomes, [{ sent: true, lost: true }, { sent: false, lost: false, error: ConnectionError }])
  t.match(pool.info, { total: 0, inUse: 0 })
  t.equal(await countUsers(pool), 0)
})

t.test('goes back once, and runs nothing after that', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)

  connection.release()
  connection.release()
  connection.destroy()

  t.match(pool.info, { total: 1, idle: 1, inUse: 0 })
  const { error, sent } = await run(connection, insert)
  t.ok(error instanceof TransactionClosedError)
  t.equal(sent, false)
  t.equal(await countUsers(pool), 0)
})

t.test('a connection that is given back in use, or in a transaction, is destroyed', async (t) => {
  const pool = await openPool(t)

  const inUse = await pool.connect(caller)
  const running = run(inUse, 'select pg_sleep(30)')
  inUse.release()
  t.match(await running, { lost: true })
  t.match(pool.info, { total: 0 })

  const open = await pool.connect(caller)
  await run(open, insert, { prelude: ['begin'] })
  open.release()
  t.match(pool.info, { total: 0 })
  t.equal(await countUsers(pool), 0)
})

t.test('twenty thousand statements that wait on a lost connection are all refused', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)
  const pid = await backendOf(connection)
  const first = run(connection, 'select pg_sleep(30)')
  const waiting = Array.from({ length: 20_000 }, () => run(connection, insert))

  await kill(pool, pid)

  t.match(await first, { lost: true })
  t.ok((await Promise.all(waiting)).every(({ error, sent }) => error !== undefined && !sent))
  connection.release()
  t.equal(await countUsers(pool), 0)
})

t.test('cancels the running statement, and nothing else', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)

  await connection.cancel(5000)
  t.equal(await scalar(connection, 'select 1'), 1, 'nothing ran')
  const running = run(connection, 'select pg_sleep(30)')
  await connection.cancel(5000)

  t.match(await running, { error: { code: '57014' }, lost: false })
  for (let round = 0; round < 20; round++) t.equal(await scalar(connection, 'select 1'), 1)
  connection.release()
  t.match(pool.info, { total: 1, idle: 1 })
})

t.test('a cancel that cannot be delivered is given up', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString })
  const connection = await pool.connect(caller)
  const running = run(connection, 'select pg_sleep(30)')

  proxy.blackHole()
  await connection.cancel(50)
  connection.destroy()
  t.match(await running, { lost: true })

  await proxy.resume()
  const other = await pool.connect(caller)
  const again = run(other, 'select pg_sleep(30)')
  const stopped = proxy.refuse()
  await other.cancel(5000)
  t.match(await again, { lost: true })
  await stopped
  other.release()
  t.match(pool.info, { total: 0 })
})

t.test('is idle at once when nothing runs, and else when the last answer is there', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)
  await connection.idle()
  let answered = 0
  for (const text of ['select 1', 'select 1 / 0', 'select 2']) run(connection, text).then(() => { answered++ })
  await connection.idle()
  t.equal(answered, 3)
  connection.release()
})
