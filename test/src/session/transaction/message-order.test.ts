import t from 'tap'
import { answer, group, groupAnswer, openScripted } from '../../../helpers/scripted-postgres.js'
import { bindComplete, copyInResponse, emptyQueryResponse, errorResponse, noData, parseComplete, readyForQuery } from '../../../helpers/wire.js'
import type { Peer } from '../../../helpers/scripted-postgres.js'
import type { Statement } from '../../../../src/statement/statement.js'

const write = (text: string, ...values: unknown[]): Statement => ({ kind: 'write', text, values, context: { operation: 'test' } })
const raw = (text: string): Statement => ({ ...write(text), kind: 'raw' })
const read = (text: string, ...values: unknown[]): Statement => ({ ...write(text, ...values), kind: 'read' })

/** Cannot be written as text for PostgreSQL. */
const unwritable = { toPostgres () { throw new TypeError('no text') } }

/** Reads the next group, and answers it as PostgreSQL does on success. */
async function answerGroup (peer: Peer, prelude: readonly string[] = []): Promise<string[]> {
  const sent = await peer.next()
  peer.send(...groupAnswer(prelude, 'INSERT 0 1'))
  return sent
}

/** Reads a simple Query, and answers it. */
async function answerQuery (peer: Peer, tag: string): Promise<string[]> {
  const sent = await peer.next()
  peer.send(...answer(tag, { status: /^(COMMIT|ROLLBACK)$/.test(tag) ? 'I' : 'T' }))
  return sent
}

t.test('a session sends nothing before its first statement, and BEGIN with it', async (t) => {
  const { database, peer } = await openScripted(t)
  const done = database.session(async (session) => {
    await session.transaction(() => {})
    await session.run(write('first'))
    await session.run(write('second'))
  })
  t.same(await answerGroup(peer, ['BEGIN']), group(['begin'], 'first'))
  t.same(await answerQuery(peer, 'INSERT 0 1'), ['Query second'])
  t.same(await answerQuery(peer, 'COMMIT'), ['Query commit'])
  await done
  t.same(peer.unread, [])
})

t.test('BEGIN is not sent again after its statement has failed', async (t) => {
  const { database, peer } = await openScripted(t)
  const done = database.session(async (session) => {
    await t.rejects(session.run(write('first')), { code: 'DB_UNIQUE_VIOLATION' })
    await session.run(raw('rollback to savepoint a'))
  })
  t.same(await peer.next(), group(['begin'], 'first'))
  peer.send(...groupAnswer(['BEGIN'], '').slice(0, 3), errorResponse('23505'), readyForQuery('E'))
  t.same(await answerQuery(peer, 'SAVEPOINT'), ['Query rollback to savepoint a'])
  t.same(await answerQuery(peer, 'COMMIT'), ['Query commit'])
  await done
})

t.test('16c: after a BEGIN that failed a session sends nothing, not even ROLLBACK', async (t) => {
  const { database, peer } = await openScripted(t)
  const done = database.session(async (session) => {
    await t.rejects(session.run(write('first')), { code: 'DB_TIMEOUT' })
    await t.rejects(session.run(write('second')), { code: 'DB_TIMEOUT' })
  })
  t.same(await peer.next(), group(['begin'], 'first'))
  peer.send(errorResponse('57014'), readyForQuery('I'))

  await t.rejects(done, { code: 'DB_TIMEOUT' })
  t.same(await peer.rest(), [])
})

for (const end of ['commit', 'rollback'] as const) {
  t.test(`a session whose BEGIN was never sent ends without ${end.toUpperCase()}`, async (t) => {
    const { database, peer } = await openScripted(t)
    const session = database.createSession({ begin: 'firstQuery' })
    await t.rejects(session.run(read('first', unwritable)), { code: 'DB_VALIDATION' })
    await session[end]()
    t.match(database.poolInfo, { total: 1, idle: 1 })
    t.same(peer.unread, [])
  })
}

t.test('several statements in one text are sent alone, after a group that begins', async (t) => {
  const { database, peer } = await openScripted(t)
  const done = database.session((session) => session.run(raw('select 1; select 2')))

  t.same(await peer.next(), group(['begin'], ''))
  peer.send(...groupAnswer(['BEGIN'], '').slice(0, 3), parseComplete, bindComplete, noData, emptyQueryResponse, readyForQuery('T'))
  t.same(await answerQuery(peer, 'SELECT 1'), ['Query select 1; select 2'])
  t.same(await answerQuery(peer, 'COMMIT'), ['Query commit'])
  await done
})

t.test('112: COPY FROM STDIN travels alone and is refused before anything else is sent', async (t) => {
  const { database, peer } = await openScripted(t)
  const done = database.session(async (session) => {
    await session.run(write('first'))
    const [copied] = await Promise.allSettled([session.run(raw('copy users from stdin')), session.run(raw('rollback to savepoint a'))])
    t.match(copied, { status: 'rejected', reason: { code: 'DB_USAGE', cause: { code: '57014' } } })
  })
  await answerGroup(peer, ['BEGIN'])

  t.same(await peer.next(), ['Query copy users from stdin'])
  peer.send(copyInResponse)
  t.same(await peer.next(), ['CopyFail'])
  await peer.read(database.pool)
  t.same(peer.unread, [])
  peer.send(errorResponse('57014'), readyForQuery('E'))

  t.same(await answerQuery(peer, 'SAVEPOINT'), ['Query rollback to savepoint a'])
  t.same(await answerQuery(peer, 'COMMIT'), ['Query commit'])
  await done
})

t.test('a savepoint is sent with the first statement of its scope, after a due BEGIN', async (t) => {
  const { database, peer } = await openScripted(t)
  const done = database.session((session) => session.transaction(async (scope) => {
    await scope.run(write('first'))
    await scope.run(write('second'))
  }))
  t.same(await answerGroup(peer, ['BEGIN', 'SAVEPOINT']), group(['begin', 'savepoint s1'], 'first'))
  t.same(await answerQuery(peer, 'INSERT 0 1'), ['Query second'])
  t.same(await answerQuery(peer, 'COMMIT'), ['Query commit'])
  await done
})

t.test('savepoints of empty scopes are sent together, and released with the next statement', async (t) => {
  const { database, peer } = await openScripted(t)
  const done = database.session(async (session) => {
    await session.run(write('first'))
    await session.transaction(async (outer) => {
      await outer.transaction((inner) => inner.run(write('second')))
      await outer.run(write('third'))
      await outer.transaction((inner) => inner.run(write('fourth')))
    })
    await session.run(write('fifth'))
  })
  await answerGroup(peer, ['BEGIN'])
  t.same(await answerGroup(peer, ['SAVEPOINT', 'SAVEPOINT']), group(['savepoint s1', 'savepoint s2'], 'second'))
  t.same(await answerGroup(peer, ['RELEASE']), group(['release savepoint s2'], 'third'))
  t.same(await answerGroup(peer, ['SAVEPOINT']), group(['savepoint s3'], 'fourth'))
  t.same(await answerGroup(peer, ['RELEASE']), group(['release savepoint s1'], 'fifth'), 'which releases the one inside it')
  t.same(await answerQuery(peer, 'COMMIT'), ['Query commit'])
  await done
})

t.test('9: a scope that throws rolls back and releases its savepoint in one round trip', async (t) => {
  const { database, peer } = await openScripted(t)
  const done = database.session((session) => session.transaction(async (outer) => {
    await t.rejects(outer.transaction(async (inner) => {
      await inner.run(write('first'))
      throw new Error('a slip')
    }), { message: 'a slip' })
    await outer.run(write('second'))
  }))
  await answerGroup(peer, ['BEGIN', 'SAVEPOINT', 'SAVEPOINT'])
  t.same(await peer.next(), group(['rollback to savepoint s2'], 'release savepoint s2'))
  peer.send(...groupAnswer(['ROLLBACK'], 'RELEASE'))
  t.same(await answerQuery(peer, 'INSERT 0 1'), ['Query second'])
  t.same(await answerQuery(peer, 'COMMIT'), ['Query commit'])
  await done
})

t.test('a savepoint that was never set is neither rolled back to nor released', async (t) => {
  const { database, peer } = await openScripted(t)
  const done = database.session(async (session) => {
    await session.run(write('first'))
    await session.transaction((outer) => outer.transaction((inner) => inner.run(write('second')))).catch(() => {})
  })
  await answerGroup(peer, ['BEGIN'])
  t.same(await peer.next(), group(['savepoint s1', 'savepoint s2'], 'second'))
  peer.send(...groupAnswer(['SAVEPOINT'], '').slice(0, 3), errorResponse('54001'), readyForQuery('E'))
  t.same(await peer.next(), group(['rollback to savepoint s1'], 'release savepoint s1'))
  peer.send(...groupAnswer(['ROLLBACK'], 'RELEASE'))
  t.same(await answerQuery(peer, 'COMMIT'), ['Query commit'])
  await done
})

t.test('10: statements of the session and of siblings wait for the open scope, in call order', async (t) => {
  const { database, peer } = await openScripted(t)
  const done = database.session(async (session) => {
    await Promise.all([
      session.transaction((scope) => scope.run(write('first'))),
      session.run(write('second')),
      session.transaction((scope) => scope.run(write('third'))),
      session.run(write('fourth'))
    ])
  })
  t.same(await answerGroup(peer, ['BEGIN', 'SAVEPOINT']), group(['begin', 'savepoint s1'], 'first'))
  t.same(await answerGroup(peer, ['RELEASE']), group(['release savepoint s1'], 'second'))
  t.same(await answerGroup(peer, ['SAVEPOINT']), group(['savepoint s2'], 'third'))
  t.same(await answerGroup(peer, ['RELEASE']), group(['release savepoint s2'], 'fourth'))
  t.same(await answerQuery(peer, 'COMMIT'), ['Query commit'])
  await done
})

t.test('33: ROLLBACK waits until the cancel\'s own connection has ended', async (t) => {
  const { database, postgres, peer } = await openScripted(t)
  const session = database.createSession()
  const running = session.run(write('first'))
  await peer.next()

  const rolledBack = session.rollback()
  const cancel = await postgres.accept()
  t.same(await cancel.next(), [`CancelRequest ${peer.pid} ${peer.key}`])
  peer.send(...groupAnswer(['BEGIN'], '').slice(0, 3), errorResponse('57014'), readyForQuery('E'))
  await t.rejects(running, { code: 'DB_TIMEOUT' })
  await peer.read(database.pool)
  t.same(peer.unread, [], 'the cancel is still under way')

  cancel.close()
  t.same(await answerQuery(peer, 'ROLLBACK'), ['Query rollback'])
  await rolledBack
  t.match(database.poolInfo, { total: 1, idle: 1 })
})

t.test('a cancelled read outside the transaction is released after the cancel\'s connection ended', async (t) => {
  const { database, postgres, peer } = await openScripted(t)
  const session = database.createSession()
  const reading = session.run(read('first'))
  await peer.next()

  const rolledBack = session.rollback()
  const cancel = await postgres.accept()
  await cancel.next()
  peer.send(errorResponse('57014'), readyForQuery('I'))
  const next = database.run(write('second'))
  await peer.read(database.pool)
  t.same(peer.unread, [])

  cancel.close()
  t.same(await peer.next(), ['Query second'])
  peer.send(...answer('INSERT 0 1', { status: 'I' }))
  await Promise.all([t.rejects(reading), rolledBack, next])
})
