import t from 'tap'
import { answer, group, groupAnswer, openScripted } from '../../../helpers/scripted-postgres.js'
import { bindComplete, commandComplete, dataRow, errorResponse, noticeResponse, parseComplete, readyForQuery } from '../../../helpers/wire.js'
import type { Database, OpenOptions, Session } from '../../../../src/index.js'
import type { Peer, ScriptedPostgres } from '../../../helpers/scripted-postgres.js'
import type { Test } from '../../../helpers/test.js'

const insert = { kind: 'write', text: 'insert into users values ($1)', values: ['ada'], context: { operation: 'create' } } as const

/** The context of the errors of a commit. */
const context = { operation: 'commit' }

interface Written {
  readonly database: Database
  readonly postgres: ScriptedPostgres
  readonly peer: Peer
  readonly session: Session
  /** The callbacks that ran. */
  readonly called: string[]
}

/** A session that has written one row. */
async function write (t: Test, options?: OpenOptions): Promise<Written> {
  const { database, postgres, peer } = await openScripted(t, options)
  const session = database.createSession()
  const called: string[] = []
  session.afterCommit(() => called.push('afterCommit'))
  session.afterRollback(() => called.push('afterRollback'))
  const written = session.run(insert)
  await peer.next()
  peer.send(...groupAnswer(['BEGIN'], 'INSERT 0 1'))
  await written
  return { database, postgres, peer, session, called }
}

t.test('an answer ROLLBACK to COMMIT is no commit, and the connection is as good as before', async (t) => {
  const { database, peer, session, called } = await write(t)
  const committed = session.commit()
  t.same(await peer.next(), ['Query commit'])
  peer.send(...answer('ROLLBACK', { status: 'I' }))

  await t.rejects(committed, { code: 'DB_TRANSACTION_ABORTED', context })
  t.equal(session.outcome, 'rolledBack')
  t.same(called, ['afterRollback'])
  t.match(database.poolInfo, { total: 1, idle: 1 })
})

t.test('19: a connection that ends instead of answering COMMIT leaves the outcome unknown', async (t) => {
  const { database, peer, session, called } = await write(t)
  const committed = session.commit()
  await peer.next()
  peer.close()

  await t.rejects(committed, { code: 'DB_COMMIT_UNKNOWN' })
  t.equal(session.outcome, 'unknown')
  t.same(called, [])
  t.match(database.poolInfo, { total: 0 })
})

t.test('25: a FATAL answer to COMMIT leaves the outcome unknown', async (t) => {
  const { peer, session } = await write(t)
  const committed = session.commit()
  await peer.next()
  peer.send(errorResponse('57P01', 'FATAL'))
  peer.close()

  await t.rejects(committed, { code: 'DB_COMMIT_UNKNOWN', cause: { code: '57P01' }, context: { ...context, sqlState: '57P01' } })
  t.equal(session.outcome, 'unknown')
})

t.test('17: an error in answer to COMMIT is its error if ReadyForQuery follows', async (t) => {
  const { database, peer, session } = await write(t)
  const committed = session.commit()
  await peer.next()
  peer.send(errorResponse('40001'), readyForQuery('I'))

  await t.rejects(committed, { code: 'DB_CONFLICT', context })
  t.equal(session.outcome, 'rolledBack')
  t.match(database.poolInfo, { total: 1, idle: 1 })
})

t.test('an error in answer to COMMIT followed by the end leaves the outcome unknown', async (t) => {
  const { database, peer, session } = await write(t)
  const committed = session.commit()
  await peer.next()
  peer.send(errorResponse('40001'))
  await peer.read(database.pool)
  peer.close()

  await t.rejects(committed, { code: 'DB_COMMIT_UNKNOWN' })
})

t.test('22: COMMIT without an answer in time leaves the outcome unknown; nothing is sent after it', async (t) => {
  const { database, peer, session } = await write(t, { transaction: { settleTimeoutMillis: 20 } })
  await t.rejects(session.commit(), { code: 'DB_COMMIT_UNKNOWN' })
  t.match(database.poolInfo, { total: 0 })
  t.same(await peer.rest(), ['Query commit'])
})

t.test('a notice in the answer to COMMIT changes nothing', async (t) => {
  const { database, peer, session } = await write(t)
  const committed = session.commit()
  await peer.next()
  peer.send(noticeResponse('01000'), ...answer('COMMIT', { status: 'I' }))

  await committed
  t.equal(session.outcome, 'committed')
  t.match(database.poolInfo, { total: 1, idle: 1 })
})

t.test('COMMIT that says that there was no transaction (25P01) has committed nothing', async (t) => {
  const { database, peer, session, called } = await write(t)
  const committed = session.commit()
  await peer.next()
  peer.send(noticeResponse('25P01'), ...answer('COMMIT', { status: 'I' }))

  await t.rejects(committed, { code: 'DB_TRANSACTION_BROKEN', context })
  t.equal(session.outcome, 'rolledBack')
  t.same(called, ['afterRollback'])
  t.match(database.poolInfo, { total: 0 })
})

t.test('COMMIT that leaves a transaction open has committed, and its connection is destroyed', async (t) => {
  const { database, peer, session } = await write(t)
  const committed = session.commit()
  await peer.next()
  peer.send(...answer('COMMIT', { status: 'T' }))

  await committed
  t.equal(session.outcome, 'committed')
  t.match(database.poolInfo, { total: 0 })
  t.same(await peer.rest(), [])
})

t.test('a waiting statement is refused at once by an abort, before the running one is answered', async (t) => {
  const { database, peer, session } = await write(t, { transaction: { settleTimeoutMillis: 20 } })
  const running = session.run(insert)
  await peer.next()
  const waiting = session.run(insert)
  const order: string[] = []
  await new Promise(setImmediate)
  session.abort(new Error('over'))

  await Promise.all([
    t.rejects(running, { code: 'DB_CONNECTION' }).then(() => order.push('running')),
    t.rejects(waiting, { message: 'over' }).then(() => order.push('waiting'))
  ])
  t.same(order, ['waiting', 'running'])
  await session.rollback()
  t.match(database.poolInfo, { total: 0 })
})

t.test('3: a transaction that failed behind a success is rolled back without a COMMIT', async (t) => {
  const { peer, session } = await write(t)
  const second = session.run(insert)
  await peer.next()
  peer.send(...groupAnswer([], 'INSERT 0 1', { status: 'E' }))
  await second

  const committed = session.commit()
  t.same(await peer.next(), ['Query rollback'])
  peer.send(...answer('ROLLBACK', { status: 'I' }))
  await t.rejects(committed, { code: 'DB_TRANSACTION_ABORTED' })
})

t.test('5: after a statement that ended the transaction neither COMMIT nor ROLLBACK is sent', async (t) => {
  const { database, peer, session } = await write(t)
  const second = session.run(insert)
  await peer.next()
  peer.send(...groupAnswer([], 'INSERT 0 1', { status: 'I' }))
  await second

  await t.rejects(session.commit(), { code: 'DB_TRANSACTION_BROKEN' })
  t.match(database.poolInfo, { total: 0 })
  t.same(await peer.rest(), [])
})

t.test('81: statements after a commit wait for ReadyForQuery, not only for the tag', async (t) => {
  const { database, peer, session, called } = await write(t)
  const committed = session.commit()
  await peer.next()
  peer.send(commandComplete('COMMIT'))
  await peer.read(database.pool)
  t.same([session.outcome, called], ['open', []])

  peer.send(readyForQuery('I'))
  await committed
  t.same([session.outcome, called], ['committed', ['afterCommit']])
})

t.test('ROLLBACK without an answer in time destroys the connection, and so rolls back', async (t) => {
  const { database, peer, session, called } = await write(t, { transaction: { settleTimeoutMillis: 20 } })
  await session.rollback()
  t.equal(session.outcome, 'rolledBack')
  t.same(called, ['afterRollback'])
  t.match(database.poolInfo, { total: 0 })
  t.same(await peer.rest(), ['Query rollback'])
})

t.test('ROLLBACK that fails ends the connection', async (t) => {
  const { database, peer, session } = await write(t)
  const rolledBack = session.rollback()
  await peer.next()
  peer.send(errorResponse('XX000'), readyForQuery('E'))

  await rolledBack
  t.match(database.poolInfo, { total: 0 })
  t.same(await peer.rest(), [])
})

for (const [number, status, outcome] of [[20, 'committed', 'committed'], [21, 'aborted', 'rolledBack']] as const) {
  t.test(`${number}: resolveCommits reads the id after BEGIN, and its status after a lost COMMIT: ${status}`, async (t) => {
    const { postgres, peer, database } = await openScripted(t, { transaction: { resolveCommits: true } })
    const session = database.createSession()
    const written = session.run(insert)
    const sent = await peer.next()
    t.match(sent[3], /^Parse select .*pg_current_xact_id\(\)/)
    t.same(sent, group(['begin', `${sent[3]}`.replace('Parse ', '')], insert.text, 'ada'))
    peer.send(
      parseComplete, bindComplete, commandComplete('BEGIN'),
      parseComplete, bindComplete, dataRow('742 4711 00000001 0/1 life'), commandComplete('SELECT 1'),
      ...groupAnswer([], 'INSERT 0 1')
    )
    await written
    const second = session.run(insert)
    await peer.next()
    peer.send(...groupAnswer([], 'INSERT 0 1'))
    await second

    const committed = session.commit()
    t.same(await peer.next(), ['Query commit'])
    peer.close()
    const other = await postgres.accept()
    t.match(await other.next(), [
      /^Parse select .*case status when 'committed' then pg_logical_emit_message\(true, .*pg_xact_status\(\$1::xid8\)/s,
      'Bind 742, 0/1',
      'Describe P',
      'Execute',
      'Sync'
    ])
    other.send(...groupAnswer([], 'SELECT 1', {
      status: 'I', columns: ['status', 'system', 'timeline', 'reached', 'life'], rows: [[status, '4711', '00000001', 't', 'life']]
    }))

    if (status === 'committed') await committed
    else await t.rejects(committed, { code: 'DB_CONNECTION', cause: Error, context: { ...context, transactionId: '742' } })
    t.equal(session.outcome, outcome)
  })
}

t.test('a message that never comes after the refusal of a write that commits by itself leaves nothing unknown', async (t) => {
  const { database, peer } = await openScripted(t)
  const session = database.createSession({ single: true })
  const writing = session.run(insert)
  t.match(await peer.next(), [/^Parse/, /^Bind/, /^Describe/, 'Execute', 'Sync'])
  peer.send(errorResponse('23505'), readyForQuery('I'))
  await t.rejects(writing, { code: 'DB_UNIQUE_VIOLATION' })
  t.equal(session.outcome, 'none')
  await session.close()
})
