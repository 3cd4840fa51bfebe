import t from 'tap'
import { TransactionBrokenError } from '../../../src/errors/errors.js'
import { caller, connectInTransaction, countUsers, openPool, run } from '../../helpers/pool.js'

const insert = "insert into users (email) values ('ada@example.com')"

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
  const { connection } = await connectInTransaction(t, pool)

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

t.test('rows of the prelude are not the statement\'s', async (t) => {
  const pool = await openPool(t)
  const { connection } = await connectInTransaction(t, pool)

  const { result } = await run(connection, 'select $1::int as two', { prelude: ['begin', "select set_config('a.b', 'one', true)"], values: [2] })

  t.same(result?.rows, [{ two: 2 }])
})

t.test('after a BEGIN that fails neither its statement nor any waiting one runs', async (t) => {
  const pool = await openPool(t)
  const { connection } = await connectInTransaction(t, pool)

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
  const { connection } = await connectInTransaction(t, pool)

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
  const { connection } = await connectInTransaction(t, pool)
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
      const { connection } = await connectInTransaction(t, pool)
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
      const { connection } = await connectInTransaction(t, pool)
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
