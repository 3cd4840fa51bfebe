import t from 'tap'
import { sql } from 'drizzle-orm'
import { open } from '../../../helpers/database.js'
import { again, beginParts, begun, commit, first, firstAnswer, named, one, openKnowing, openNaming, withoutName } from '../../../helpers/prepared.js'
import { answer, groupAnswer } from '../../../helpers/scripted-postgres.js'
import { bindComplete, commandComplete, errorResponse, noData, parseComplete, readyForQuery } from '../../../helpers/wire.js'
import type { Statement } from '../../../../src/statement/statement.js'

t.test('a statement that failed after Parse is known, and its columns are described again', async (t) => {
  const { database, peer } = await openNaming(t)
  const failed = database.run(one)
  await peer.next()
  peer.send(parseComplete, errorResponse('22P02'), readyForQuery('I'))
  await t.rejects(failed, { code: 'DB_VALIDATION' })

  const done = database.run(one)
  t.same(await peer.next(), ['Bind one 1', 'Describe P', 'Execute', 'Sync'])
  peer.send(bindComplete, noData, ...answer('SELECT 0', { status: 'I' }))
  await done
})

t.test('one whose text was refused is not known', async (t) => {
  const { database, peer } = await openNaming(t)
  const failed = database.run(one)
  await peer.next()
  peer.send(errorResponse('42P01'), readyForQuery('I'))
  await t.rejects(failed, { code: 'DB_ERROR' })

  const done = database.run(one)
  t.same(await peer.next(), first)
  peer.send(...firstAnswer)
  await done
})

t.test('in a group, names before the failing statement are known, and those after it are not', async (t) => {
  const { database, peer } = await openNaming(t)
  const run = (...names: string[]) => database.session((session) => Promise.allSettled(names.map((name) => session.run(named(name, name, 1)))))
  const failed = run('a', 'b', 'c')
  await peer.next()
  peer.send(...begun, ...groupAnswer([], 'SELECT 0').slice(0, -1), parseComplete, errorResponse('22P02'), readyForQuery('E'))
  t.match(await peer.next(), [/^Parse data_access_rollback/])
  peer.send(...groupAnswer([], 'ROLLBACK', { status: 'I' }))
  await t.rejects(failed)

  const next = run('a', 'b', 'c')
  t.same((await peer.next()).filter((message) => /^(Parse|Close|Describe)/.test(message)), ['Describe P', 'Parse c c', 'Describe P'])
  peer.send(
    bindComplete,
    commandComplete('BEGIN'),
    bindComplete,
    commandComplete('SELECT 0'),
    bindComplete,
    noData,
    commandComplete('SELECT 0'),
    ...groupAnswer([], 'SELECT 0')
  )
  await peer.next()
  peer.send(...groupAnswer([], 'COMMIT', { status: 'I' }))
  await next
})

t.test('0A000 from a statement that was parsed just now does not concern its name', async (t) => {
  const { database, peer } = await openNaming(t)
  const failed = database.run(one)
  await peer.next()
  peer.send(parseComplete, errorResponse('0A000'), readyForQuery('I'))
  await t.rejects(failed, { code: 'DB_ERROR', statusCode: 500 })
})

t.test('a prepared BEGIN that PostgreSQL has lost is sent again, with its statement', async (t) => {
  const { database, peer } = await openNaming(t)
  const done = database.session((session) => session.run(one))
  await peer.next()
  peer.send(errorResponse('26000'), readyForQuery('I'))

  t.same(await peer.next(), ['Parse begin', 'Bind', 'Execute', ...withoutName])
  peer.send(...groupAnswer(['BEGIN'], 'SELECT 0'))
  t.same(await peer.next(), [`Parse ${commit} commit`, `Bind ${commit}`, 'Describe P', 'Execute', 'Sync'])
  peer.send(...groupAnswer([], 'COMMIT', { status: 'I' }))
  await done
})

t.test('BEGIN that took effect is not sent once more, although the transaction is gone', async (t) => {
  const { database, peer } = await openKnowing(t)
  const done = database.session((session) => session.run(one))
  await peer.next()
  peer.send(...begun, errorResponse('26000'), readyForQuery('I'))
  await t.rejects(done, { code: 'DB_CONNECTION', retryable: true, cause: { code: '26000' } })
  t.same(await peer.rest(), [])
})

t.test('a repeat whose values cannot be encoded again is reported; the connection stays usable', async (t) => {
  const { database, peer } = await openKnowing(t)
  let times = 0
  const value = { toPostgres () { if (++times === 2) throw new Error('only once'); return '1' } }
  const done = database.run(named('one', 'select $1', value))
  t.same(await peer.next(), again)
  peer.send(errorResponse('26000'), readyForQuery('I'))
  await t.rejects(done, { code: 'DB_VALIDATION' })

  const next = database.run(named('two', 'select 2', 2))
  t.match(await peer.next(), ['Parse two select 2'])
  peer.send(...firstAnswer)
  await next
})

t.test('statements behind a repeat that cannot be encoded are sent', async (t) => {
  const { database, peer } = await openKnowing(t)
  let times = 0
  const value = { toPostgres () { if (++times === 2) throw new Error('only once'); return '1' } }
  const session = database.createSession({ begin: 'firstQuery' })
  const failed = session.run(named('one', 'select $1', value))
  t.same(await peer.next(), [...beginParts, ...again])
  const waiting = session.run(named('two', 'select 2', 2))
  peer.send(errorResponse('26000'), readyForQuery('I'))
  await t.rejects(failed, { code: 'DB_VALIDATION' })

  t.match(await peer.next(), [...beginParts, 'Parse two select 2'])
  peer.send(...begun, ...groupAnswer([], 'SELECT 0'))
  await waiting
  const ended = session.rollback()
  await peer.next()
  peer.send(...groupAnswer([], 'ROLLBACK', { status: 'I' }))
  await ended
})

for (const prepared of [true, false]) {
  t.test(`0A000 from the statement itself is its own error, ${prepared ? 'with' : 'without'} a name`, async (t) => {
    const database = await open(t, { pool: { size: 1, maxOverflow: 0 } })
    // The first fails when the statement is planned with its values, the second when it runs.
    await database.execute(sql.raw(`
      create function refuse() returns int immutable language plpgsql as $$ begin raise exception 'no' using errcode = '0A000'; end $$;
      create function lose() returns int volatile language plpgsql as $$ begin raise exception 'no' using errcode = '26000'; end $$`))
    const { rows: [before] } = await database.execute(sql`select pg_backend_pid() as pid`)
    for (const call of ['refuse()', 'lose()']) {
      const text = `select $1::int + ${call}`
      const statement: Statement = { kind: 'write', text, values: [1], context: { operation: 'test' }, ...(prepared && { name: call }) }
      const expected = { code: 'DB_ERROR', statusCode: 500, retryable: false, cause: { code: call === 'lose()' ? '26000' : '0A000' } }
      for (let round = 0; round < 3; round++) await t.rejects(database.run(statement), expected, call)
      await t.rejects(database.session((session) => session.run(statement)), expected, `${call} in a transaction`)
    }
    t.same((await database.execute(sql`select pg_backend_pid() as pid`)).rows, [before])
  })
}
