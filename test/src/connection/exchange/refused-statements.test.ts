import t from 'tap'
import { DatabaseError, ValidationError } from '../../../../src/errors/errors.js'
import { backendOf, caller, connectInTransaction, openPool, run, scalar } from '../../../helpers/pool.js'
import type { Outcome } from '../../../../src/connection/outcome.js'
import type { Statement } from '../../../../src/statement/statement.js'

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

t.test('a column that cannot be read fails its statement; the connection stays usable', async (t) => {
  const pool = await openPool(t)
  const { connection, pid } = await connectInTransaction(t, pool)
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

t.test('columns without a parser fail their statement; the connection stays usable', async (t) => {
  const pool = await openPool(t)
  const { connection, pid } = await connectInTransaction(t, pool)
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

  // A parser that has failed once is looked up again.
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

t.test('112: a text that mentions COPY, or copies on the server, is not refused', async (t) => {
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

  // In 16 bits, 65,538 would be two.
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
