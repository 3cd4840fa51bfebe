import t from 'tap'
import { run } from '../../../helpers/pool.js'
import { answer, connectScripted, group, groupAnswer } from '../../../helpers/scripted-postgres.js'
import { bindComplete, commandComplete, errorResponse, noData, parseComplete, readyForQuery } from '../../../helpers/wire.js'

t.test('prelude and statement share one Sync, in order, each executed before the next is parsed', async (t) => {
  const { connection, peer } = await connectScripted(t)

  const outcome = run(connection, 'insert into users values ($1, $2)', { prelude: ['begin', 'savepoint s1'], values: ['ada', null] })

  t.same(await peer.next(), [
    'Parse begin', 'Bind', 'Execute',
    'Parse savepoint s1', 'Bind', 'Execute',
    'Parse insert into users values ($1, $2)', 'Bind ada, null', 'Describe P', 'Execute',
    'Sync'
  ])
  peer.send(
    parseComplete, bindComplete, commandComplete('BEGIN'),
    parseComplete, bindComplete, commandComplete('SAVEPOINT'),
    parseComplete, bindComplete, noData, commandComplete('INSERT 0 1'),
    readyForQuery('T')
  )
  t.match(await outcome, { error: undefined, preludeDone: 2, result: { command: 'INSERT', rowCount: 1 } })
})

t.test('a statement without values or prelude is one simple Query', async (t) => {
  const { connection, peer } = await connectScripted(t)
  const outcome = run(connection, 'select 1; select 2')
  t.same(await peer.next(), ['Query select 1; select 2'])
  peer.send(...answer('SELECT 1'))
  await outcome
})

t.test('nothing is sent before ReadyForQuery, although the previous statement is answered', async (t) => {
  const { pool, connection, peer } = await connectScripted(t)
  const outcomes = Promise.all([run(connection, 'first', { prelude: ['begin'] }), run(connection, 'second')])
  t.same(await peer.next(), group(['begin'], 'first'))

  peer.send(...groupAnswer(['BEGIN'], 'INSERT 0 1').slice(0, -1))
  await peer.read(pool.pool)
  t.same(peer.unread, [])

  peer.send(readyForQuery('T'))
  t.same(await peer.next(), ['Query second'])
  peer.send(...answer('INSERT 0 1'))
  await outcomes
})

t.test('nothing is sent between an error and ReadyForQuery', async (t) => {
  const { pool, connection, peer } = await connectScripted(t)
  const outcomes = Promise.all([run(connection, 'first', { prelude: ['begin'] }), run(connection, 'second')])
  await peer.next()

  peer.send(...groupAnswer(['BEGIN'], '').slice(0, 3), errorResponse('23505'))
  await peer.read(pool.pool)
  t.same(peer.unread, [])

  peer.send(readyForQuery('E'))
  t.same(await peer.next(), ['Query second'])
  peer.send(errorResponse('25P02'), readyForQuery('E'))
  t.match(await outcomes, [{ error: { code: '23505' }, preludeDone: 1 }, { error: { code: '25P02' } }])
})

t.test('16c: nothing is sent after a BEGIN that failed', async (t) => {
  const { connection, peer } = await connectScripted(t)
  const outcomes = Promise.all([run(connection, 'first', { prelude: ['begin'] }), run(connection, 'second'), run(connection, 'third')])
  t.same(await peer.next(), group(['begin'], 'first'))

  peer.send(errorResponse('57014'), readyForQuery('I'))
  t.match(await outcomes, [{ preludeDone: 0, sent: true, error: { code: '57014' } }, { sent: false, error: { code: '57014' } }, { sent: false }])
  connection.release()

  t.same(await peer.rest(), [])
})

t.test('nothing is sent after a statement that ended the transaction', async (t) => {
  const { connection, peer } = await connectScripted(t)
  const outcomes = Promise.all([run(connection, 'first', { prelude: ['begin'] }), run(connection, 'second'), run(connection, 'third')])
  await peer.next()
  peer.send(...groupAnswer(['BEGIN'], 'CALL'))
  t.same(await peer.next(), ['Query second'])

  peer.send(...answer('CALL', { status: 'I' }))
  t.match(await outcomes, [{ error: undefined }, { error: undefined }, { sent: false, error: { code: 'DB_TRANSACTION_BROKEN' } }])
  connection.release()

  t.same(await peer.rest(), [])
})

t.test('a cancel names the backend and its key, alone on a second connection', async (t) => {
  const { postgres, connection, peer } = await connectScripted(t)
  const outcome = run(connection, 'select pg_sleep(60)')
  await peer.next()

  const cancelled = connection.cancel(5000)
  const second = await postgres.accept()
  t.same(await second.next(), [`CancelRequest ${peer.pid} ${peer.key}`])
  second.close()
  await cancelled
  t.same(await second.rest(), [])

  peer.send(errorResponse('57014'), readyForQuery('E'))
  t.match(await outcome, { error: { code: '57014' }, lost: false })
})
