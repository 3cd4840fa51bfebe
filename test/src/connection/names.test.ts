import t from 'tap'
import { mostNames } from '../../../src/connection/prepared-statements.js'
import { borrower, openPool } from '../../helpers/pool.js'
import { answer, groupAnswer, openScripted } from '../../helpers/scripted-postgres.js'
import { bindComplete, commandComplete, errorResponse, noData, parseComplete, readyForQuery } from '../../helpers/wire.js'
import type { Connection } from '../../../src/connection/connection.js'
import type { Outcome } from '../../../src/connection/outcome.js'
import type { Statement } from '../../../src/session/statement.js'

const named = (name: string, text: string, ...values: unknown[]): Statement =>
  ({ kind: 'write', name, text, values, context: { operation: 'test' } })

const first = ['Parse one select $1', 'Bind one 1', 'Describe P', 'Execute', 'Sync']
const again = ['Bind one 1', 'Execute', 'Sync']

t.test('a statement with a name is parsed and described once for a connection', async (t) => {
  const { database, peer } = await openScripted(t, { preparedStatements: true })
  const ask = (): Promise<unknown> => database.run(named('one', 'select $1', 1))
  for (const expected of [first, again, again]) {
    const done = ask()
    t.same(await peer.next(), expected)
    peer.send(...(expected === first ? [parseComplete] : []), bindComplete, ...(expected === first ? [noData] : []), ...answer('SELECT 0', { status: 'I' }))
    await done
  }
})

t.test('one that failed behind its text is closed and parsed anew, since nobody knows whether PostgreSQL has it', async (t) => {
  const { database, peer } = await openScripted(t, { preparedStatements: true })
  const failed = database.run(named('one', 'select $1', 1))
  await peer.next()
  peer.send(parseComplete, errorResponse('22P02'), readyForQuery('I'))
  await t.rejects(failed, { code: 'DB_VALIDATION' })

  const done = database.run(named('one', 'select $1', 1))
  t.same(await peer.next(), ['Close S one', ...first])
  peer.send(...groupAnswer([], 'SELECT 0', { status: 'I' }))
  await done
})

for (const state of ['26000', '0A000', '42P05']) {
  t.test(`a name that PostgreSQL refuses with ${state} is dropped, and the statement sent once more without it`, async (t) => {
    const { database, peer } = await openScripted(t, { preparedStatements: true })
    const done = database.run(named('one', 'select $1', 1))
    await peer.next()
    peer.send(errorResponse(state), readyForQuery('I'))

    t.same(await peer.next(), ['Parse select $1', 'Bind 1', 'Describe P', 'Execute', 'Sync'])
    peer.send(...groupAnswer([], 'SELECT 0', { status: 'I' }))
    await done
  })

  t.test(`inside a transaction ${state} fails it, to be tried again over another connection`, async (t) => {
    const { database, peer } = await openScripted(t, { preparedStatements: true })
    const done = database.session((session) => session.run(named('one', 'select $1', 1)))
    t.same(await peer.next(), ['Parse data_access_begin begin', 'Bind data_access_begin', 'Execute', ...first])
    peer.send(parseComplete, bindComplete, commandComplete('BEGIN'), parseComplete, errorResponse(state), readyForQuery('E'))

    await t.rejects(done, { code: 'DB_CONNECTION', retryable: true, cause: { code: state } })
    t.same(await peer.rest(), [])
  })
}

t.test('BEGIN by a name that PostgreSQL has forgotten is sent once more, with what it leads', async (t) => {
  const { database, peer } = await openScripted(t, { preparedStatements: true })
  const done = database.session((session) => session.run(named('one', 'select $1', 1)))
  await peer.next()
  peer.send(errorResponse('26000'), readyForQuery('I'))

  t.same(await peer.next(), ['Parse begin', 'Bind', 'Execute', 'Parse select $1', 'Bind 1', 'Describe P', 'Execute', 'Sync'])
  peer.send(...groupAnswer(['BEGIN'], 'SELECT 0'))
  t.same(await peer.next(), ['Parse data_access_commit commit', 'Bind data_access_commit', 'Describe P', 'Execute', 'Sync'])
  peer.send(...groupAnswer([], 'COMMIT', { status: 'I' }))
  await done
})

/** How many names PostgreSQL keeps for a connection. */
async function namesOf (connection: Connection): Promise<string[]> {
  const { result } = await connection.run({ kind: 'raw', text: 'select name from pg_prepared_statements order by name', values: [], context: { operation: 'test' } })
  return result?.rows.map(({ name }: { name: string }) => name) ?? []
}

t.test('a connection has at most a hundred names: the one that was not used for longest is closed', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(borrower)
  const run = (number: number, value: unknown = 1): Promise<Outcome> => connection.run(named(`name ${number}`, `select $1::int + ${number}`, value))
  for (let number = 0; number < mostNames; number++) await run(number)
  t.equal((await namesOf(connection)).length, mostNames)

  await run(0)
  await run(mostNames)
  const names = await namesOf(connection)
  t.equal(names.length, mostNames)
  t.ok(names.includes('name 0'), 'used last')
  t.notOk(names.includes('name 1'))

  // A group that fails has closed nothing: what it was to close is known as such.
  t.match(await run(mostNames + 1, 'no number'), { error: { code: '22P02' } })
  t.match(await run(2), { error: undefined })
  t.match(await run(1), { error: undefined })
  t.ok((await namesOf(connection)).length <= mostNames + 1)
  connection.release()
})

t.test('43: after DISCARD ALL the names start anew', async (t) => {
  const pool = await openPool(t, { pool: { size: 1, maxOverflow: 0, resetOnRelease: true } })
  for (let round = 0; round < 2; round++) {
    const connection = await pool.connect(borrower)
    t.match(await connection.run(named('one', 'select $1::int', 1)), { error: undefined })
    t.same(await namesOf(connection), ['one'])
    connection.release()
  }
  t.match(pool.info, { total: 1 })
})
