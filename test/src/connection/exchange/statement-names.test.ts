import { sql } from 'drizzle-orm'
import t from 'tap'
import { statementName } from '../../../../src/statement/statement-name.js'
import { open } from '../../../helpers/database.js'
import { caller, openPool } from '../../../helpers/pool.js'
import { again, againAnswer, beginParts, begun, commit, first, firstAnswer, named, one, openKnowing, openNaming, withoutName } from '../../../helpers/prepared.js'
import { users } from '../../../helpers/schema.js'
import { answer, groupAnswer } from '../../../helpers/scripted-postgres.js'
import { bindComplete, closeComplete, errorResponse, parseComplete, readyForQuery } from '../../../helpers/wire.js'
import type { Connection } from '../../../../src/connection/connection.js'
import type { Outcome } from '../../../../src/connection/outcome.js'
import type { Statement } from '../../../../src/statement/statement.js'

t.test('a statement with a name is parsed and described once for a connection', async (t) => {
  const { database, peer } = await openNaming(t)
  for (const expected of [first, again, again]) {
    const done = database.run(one)
    t.same(await peer.next(), expected)
    peer.send(...expected === first ? firstAnswer : againAnswer)
    await done
  }
})

/** PostgreSQL's refusals of a name, and whether the connection had the name before. */
const refusals = [
  { code: '26000', knew: true },
  { code: '42P05', knew: false },
  { code: '0A000', knew: true },
  { code: '0A000', knew: true, routine: 'RevalidateCachedQuery' }
]

for (const { code, knew, routine } of refusals) {
  const title = routine === undefined ? code : `${code} of ${routine}`
  const asked = knew ? again : first
  const openKnew = knew ? openKnowing : openNaming

  t.test(`a name that PostgreSQL refuses with ${title} is dropped, and the statement sent without it`, async (t) => {
    const { database, peer } = await openKnew(t)
    const done = database.run(one)
    t.same(await peer.next(), asked)
    peer.send(errorResponse(code, 'ERROR', routine), readyForQuery('I'))
    t.same(await peer.next(), withoutName)
    peer.send(...firstAnswer)
    await done

    const later = database.run(one)
    t.same(await peer.next(), ['Close S one', ...first])
    peer.send(closeComplete, ...firstAnswer)
    await later
  })

  t.test(`44a: with BEGIN in its group, ${title} fails the transaction as retryable elsewhere`, async (t) => {
    const { database, peer } = await openKnew(t)
    const done = database.session((session) => session.run(one))
    t.same(await peer.next(), [...beginParts, ...asked])
    peer.send(...begun, errorResponse(code, 'ERROR', routine), readyForQuery('E'))

    await t.rejects(done, { code: 'DB_CONNECTION', retryable: true, cause: { code } })
    t.same(await peer.rest(), [])
  })

  // A pooler may have switched to another server, which has no transaction: further statements would be committed.
  for (const status of ['E', 'I'] as const) {
    t.test(`44a: in an open transaction, ${title} with status ${status} fails it, and nothing is resent`, async (t) => {
      const { database, peer } = await openKnew(t)
      const done = database.session(async (session) => {
        await session.run(named('two', 'select 2', 2))
        await session.run(one)
      })
      await peer.next()
      peer.send(...begun, ...groupAnswer([], 'SELECT 0'))
      t.same(await peer.next(), asked)
      peer.send(errorResponse(code, 'ERROR', routine), readyForQuery(status))

      await t.rejects(done, { code: 'DB_CONNECTION', retryable: true, cause: { code } })
      t.same(await peer.rest(), [])
    })
  }
}

for (const status of ['E', 'I'] as const) {
  t.test(`44a: a prepared COMMIT refused with status ${status} is not resent; its connection is replaced`, async (t) => {
    const { database, peer } = await openKnowing(t)
    const done = database.session((session) => session.run(one))
    await peer.next()
    peer.send(...begun, bindComplete, ...answer('SELECT 0'))
    t.match(await peer.next(), [`Parse ${commit} commit`])
    peer.send(errorResponse('42P05'), readyForQuery(status))

    await t.rejects(done, { code: 'DB_CONNECTION', retryable: true })
    t.same(await peer.rest(), [])
  })
}

/** How many names a connection keeps unless the settings say otherwise. */
const mostNames = 100

/** The names that PostgreSQL keeps for a connection. */
async function namesOf (connection: Connection): Promise<string[]> {
  const { result } = await connection.run({
    kind: 'raw', text: 'select name from pg_prepared_statements order by name', values: [], context: { operation: 'test' }
  })
  return result?.rows.map(({ name }: { name: string }) => name) ?? []
}

/** Runs statements in one round trip. */
function runTogether (connection: Connection, statements: readonly Statement[]): Promise<Outcome[]> {
  return new Promise((resolve) => {
    const outcomes: Outcome[] = []
    const done = (outcome: Outcome): void => { if (outcomes.push(outcome) === statements.length) resolve(outcomes) }
    connection.send(statements.map((statement) => ({ statement, done })))
  })
}

const numbered = (number: number, value: unknown = 1): Statement => named(`name ${number}`, `select $1::int + ${number} as sum`, value)

t.test('a connection has at most a hundred names: the one that was not used for longest is closed', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)
  for (let number = 0; number < mostNames; number++) await connection.run(numbered(number))
  t.equal((await namesOf(connection)).length, mostNames)

  await connection.run(numbered(0))
  await connection.run(numbered(mostNames))
  const names = await namesOf(connection)
  t.equal(names.length, mostNames)
  t.ok(names.includes('name 0'), 'used last')
  t.notOk(names.includes('name 1'))

  // A name that was closed to make room is also gone if the statement after it has failed.
  t.match(await connection.run(numbered(mostNames + 1, 'no number')), { error: { code: '22P02' } })
  for (const number of [2, 1, mostNames + 1]) t.match(await connection.run(numbered(number)), { error: undefined })
  t.equal((await namesOf(connection)).length, mostNames)
  connection.release()
})

t.test('with max: 200 a connection keeps two hundred names', async (t) => {
  const pool = await openPool(t, { preparedStatements: { max: 200 } })
  const connection = await pool.connect(caller)
  for (let number = 0; number < 200; number++) await connection.run(numbered(number))
  t.equal((await namesOf(connection)).length, 200, 'none was closed to make room')
  await connection.run(numbered(200))
  const names = await namesOf(connection)
  t.strictSame([names.length, names.includes('name 0'), names.includes('name 1')], [200, false, true])
  connection.release()
})

t.test('with max: 2 the third name closes the one that was not used for longest', async (t) => {
  const pool = await openPool(t, { preparedStatements: { max: 2 } })
  const connection = await pool.connect(caller)
  for (const number of [0, 1, 0, 2]) t.match(await connection.run(numbered(number)), { error: undefined, result: { rows: [{ sum: number + 1 }] } })
  t.strictSame(await namesOf(connection), ['name 0', 'name 2'])

  // A group with more names than there is room for.
  const group = [3, 4, 0, 5, 2, 3].map((number) => numbered(number))
  t.match(await runTogether(connection, group), [4, 5, 1, 6, 3, 4].map((sum) => ({ error: undefined, result: { rows: [{ sum }] } })))
  t.strictSame((await namesOf(connection)).length, 2)
  connection.release()
})

t.test('a statement without a name takes no room from those that have one', async (t) => {
  const pool = await openPool(t, { preparedStatements: { max: 2 } })
  const connection = await pool.connect(caller)
  await connection.run(numbered(0))
  const { name, ...unnamed } = numbered(1)
  await runTogether(connection, [unnamed, numbered(2)])
  t.strictSame(await namesOf(connection), ['name 0', 'name 2'], `not ${name}`)
  connection.release()
})

t.test('with max: 1 transactions work, whose BEGIN and COMMIT have names, too', async (t) => {
  const database = await open(t, { preparedStatements: { max: 1 }, pool: { size: 1, maxOverflow: 0 } })
  await database.repo(users).create({ email: 'before' })
  for (const email of ['a', 'b', 'c']) {
    await database.session(async (session) => {
      const [row, count] = await Promise.all([session.repo(users).create({ email }), session.repo(users).count()])
      t.strictSame([row.email, count], [email, row.id])
    })
  }
  await t.rejects(database.session((session) => Promise.all([session.repo(users).create({ email: 'd' }), session.execute(sql`select 1 / 0`)])))
  t.strictSame((await database.repo(users).getAll()).map(({ email }) => email), ['before', 'a', 'b', 'c'])
  const { rows } = await database.execute(sql`select name from pg_prepared_statements`)
  t.equal(rows.length, 1)
})

t.test('groups keep the names that they need, and do not trust skipped messages', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)
  for (let number = 0; number < mostNames; number++) await connection.run(numbered(number))

  // The last statements need the oldest names.
  const group = [...Array.from({ length: 40 }, (_, place) => numbered(mostNames + place)), numbered(0), numbered(1)]
  t.match(await runTogether(connection, group), group.map(() => ({ error: undefined, result: { rows: [{ sum: Number }] } })))
  const names = await namesOf(connection)
  t.equal(names.length, mostNames)
  t.ok(names.includes('name 0') && names.includes('name 1'))
  t.notOk(names.includes('name 2'))

  // The second closes a name and fails; the names that the third and fourth would have closed still exist.
  const failing = [numbered(200), numbered(201, 'no number'), numbered(202), numbered(203)]
  t.strictSame((await runTogether(connection, failing)).map(({ error }) => Object(error).code), [
    undefined,
    '22P02',
    'DB_TRANSACTION_ABORTED',
    'DB_TRANSACTION_ABORTED'
  ])
  for (let number = 0; number < 204; number++) t.match(await connection.run(numbered(number)), { error: undefined, result: { rows: [{ sum: number + 1 }] } })
  t.equal((await namesOf(connection)).length, mostNames)

  // More names than there is room for, one of them twice.
  const many = [...Array.from({ length: mostNames + 30 }, (_, place) => numbered(300 + place)), numbered(300)]
  t.match((await runTogether(connection, many)).filter(({ error }) => error !== undefined), [])
  t.equal((await namesOf(connection)).length, mostNames)
  connection.release()
})

t.test('the limit of names holds between messages, and a skipped Close has closed nothing', async (t) => {
  const { database, peer } = await openNaming(t)
  for (let number = 0; number < mostNames; number++) {
    const done = database.run(numbered(number))
    await peer.next()
    peer.send(...firstAnswer)
    await done
  }
  const about = async (kinds: RegExp): Promise<string[]> =>
    (await peer.next()).map((message) => message.replace(/ select.*/, '')).filter((message) => kinds.test(message))

  // The group itself needs the least recently used name.
  const failed = database.session((session) => Promise.all([session.run(numbered(mostNames)), session.run(numbered(101)), session.run(numbered(0))]))
  t.same(await about(/^(Close|Parse|Bind name 0)/), [
    'Close S name 1', beginParts[0], 'Close S name 2', 'Parse name 100', 'Close S name 3', 'Parse name 101', 'Bind name 0 1'
  ])
  peer.send(closeComplete, ...begun, closeComplete, parseComplete, errorResponse('22P02'), readyForQuery('E'))
  t.match(await about(/^(Close|Parse)/), ['Close S name 3', /^Parse data_access_rollback/], 'still there, and the oldest')
  peer.send(closeComplete, ...groupAnswer([], 'ROLLBACK', { status: 'I' }))
  await t.rejects(failed)
})

t.test('43: after DISCARD ALL the names start anew', async (t) => {
  const pool = await openPool(t, { pool: { size: 1, maxOverflow: 0, resetOnRelease: true } })
  for (let round = 0; round < 2; round++) {
    const connection = await pool.connect(caller)
    t.match(await connection.run(named('one', 'select $1::int', 1)), { error: undefined })
    t.same(await namesOf(connection), ['one'])
    connection.release()
  }
  t.match(pool.info, { total: 1 })
})

t.test("43: after somebody's own DISCARD ALL one statement is sent twice, and not each of a hundred", async (t) => {
  const { database, peer } = await openNaming(t)
  const ask = async (number: number, expected: string[], reply: Buffer[]): Promise<Promise<unknown>> => {
    const done = database.run(numbered(number))
    t.same(
      (await peer.next()).filter((message) =>
        /^(Parse|Close|Bind)/.test(message)).map((message) => message.replace(/select.*|(?<=^Bind \w+ \d+).*/, '').trim()),
      expected
    )
    peer.send(...reply)
    return done
  }
  for (const number of [1, 2, 3]) await ask(number, [`Parse name ${number}`, `Bind name ${number}`], firstAnswer)

  const refused = ask(1, ['Bind name 1'], [errorResponse('26000'), readyForQuery('I')])
  await peer.next()
  peer.send(...firstAnswer)
  await refused
  for (const number of [2, 3, 1]) await ask(number, [`Close S name ${number}`, `Parse name ${number}`, `Bind name ${number}`], [closeComplete, ...firstAnswer])
})

t.test('a name prepared by hand on a pooled connection is not taken for ours', async (t) => {
  const pool = await openPool(t, { pool: { size: 1, maxOverflow: 0 } })
  const connection = await pool.connect(caller)
  const early = named('early', 'select $1::int as number from later', 1)
  t.match(await connection.run(early), { error: { code: '42P01' } })
  connection.release()
  const client = await pool.pool.connect()
  await client.query({ name: 'by hand', text: 'select $1::int', values: [1] })
  await client.query('create table later ()')
  client.release()

  const next = await pool.connect(caller)
  t.match(await next.run(early), { error: undefined, result: { rowCount: 0 } })
  t.same(await namesOf(next), ['by hand', 'early'])
  next.release()
})

t.test('a name is derived from its text, within PostgreSQL\'s limit, and equal for equal texts', (t) => {
  t.match(statementName(7, 'select 1'), /^data_access_7_[0-9a-f]{16}$/)
  t.equal(statementName(7, 'select 1'), statementName(7, 'select 1'))
  t.not(statementName(7, 'select 1'), statementName(7, 'select 2'))
  t.ok(Buffer.byteLength(statementName(Number.MAX_SAFE_INTEGER, 'é'.repeat(10_000))) <= 63)
  t.end()
})
