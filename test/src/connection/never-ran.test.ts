import t from 'tap'
import { openDatabase } from '../../../src/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { Connection } from '../../../src/connection/connection.js'
import { caller } from '../../helpers/pool.js'
import { startProxy } from '../../helpers/proxy.js'
import { tables, users } from '../../helpers/schema.js'
import { answer, group, groupAnswer, openScripted } from '../../helpers/scripted-postgres.js'
import { until } from '../../helpers/until.js'
import { bindComplete, commandComplete, dataRow, errorResponse, parseComplete, rowDescription } from '../../helpers/wire.js'
import { leading } from '../../../src/statement/leading-statement.js'
import type { OpenOptions } from '../../../src/index.js'
import type { Peer } from '../../helpers/scripted-postgres.js'

const write = { kind: 'write', text: 'insert into users values ($1)', values: ['ada'], context: { operation: 'create', table: 'users' } } as const
const named = { ...write, name: 'create_users' } as const
const raw = { kind: 'raw', text: 'select 1; select 2', values: [], context: { operation: 'execute' } } as const
const written = group([], write.text, 'ada')
const limited = { preparedStatements: true, pool: { size: 2, maxOverflow: 0 } }

/** Ends a connection with an error, as PostgreSQL does. */
function end (peer: Peer, code: string, routine?: string): void {
  peer.send(errorResponse(code, 'FATAL', routine))
  peer.close()
}

for (const [way, routine] of [['with', 'ProcessInterrupts'], ['without', undefined]] as const) {
  t.test(`107: a statement that fails with 57P05 is sent again elsewhere, ${way} its routine`, async (t) => {
    const { database, postgres, peer } = await openScripted(t)
    const answered = database.run(write)
    t.same(await peer.next(), written)
    end(peer, '57P05', routine)

    const next = await postgres.accept()
    t.same(await next.next(), written)
    next.send(...groupAnswer([], 'INSERT 0 1', { status: 'I' }))

    t.match(await answered, { command: 'INSERT', rowCount: 1 })
    t.match(database.poolInfo, { total: 1, idle: 1 })
  })
}

t.test('107: a group is sent again with its BEGIN, and the transaction uses the new connection', async (t) => {
  const { database, postgres, peer } = await openScripted(t)
  const done = database.session(async (session) => {
    await Promise.all([session.run(write), session.run(write)])
    await session.run(write)
  })
  const sent = await peer.next()
  end(peer, '57P05')

  const next = await postgres.accept()
  t.same(await next.next(), sent)
  next.send(...groupAnswer(['BEGIN', 'INSERT 0 1'], 'INSERT 0 1'))
  t.same(await next.next(), written)
  next.send(...groupAnswer([], 'INSERT 0 1'))
  t.same(await next.next(), ['Query commit'])
  next.send(...answer('COMMIT', { status: 'I' }))
  await done
})

t.test('107: a statement is sent again once, and then refused as retryable', async (t) => {
  const { database, postgres, peer } = await openScripted(t)
  const answered = database.run(write)
  await peer.next()
  end(peer, '57P05')
  const next = await postgres.accept()
  await next.next()
  end(next, '57P05')

  await t.rejects(answered, { code: 'DB_CONNECTION', statusCode: 503, retryable: true, context: { operation: 'create', table: 'users', sqlState: '57P05' } })
  t.match(database.poolInfo, { total: 0 })
})

t.test('107: a later statement of a connection is refused as retryable', async (t) => {
  const { database, peer } = await openScripted(t)
  const connection = await database.host.pool.connect(caller)
  const first = connection.run(write)
  await peer.next()
  peer.send(...groupAnswer([], 'INSERT 0 1', { status: 'I' }))
  t.match(await first, { error: undefined })
  const second = connection.run(write)
  await peer.next()
  end(peer, '57P05')

  t.match(await second, { error: { code: 'DB_CONNECTION' }, sent: true, lost: false })
  connection.release()
  t.match(database.poolInfo, { total: 0 })
})

t.test('107: idle_in_transaction_session_timeout at COMMIT is a rollback with a known outcome', async (t) => {
  const { database, peer } = await openScripted(t)
  const session = database.createSession()
  const first = session.run(write)
  await peer.next()
  peer.send(...groupAnswer(['BEGIN'], 'INSERT 0 1'))
  await first
  const committed = session.commit()
  t.same(await peer.next(), ['Query commit'])
  end(peer, '25P03', 'ProcessInterrupts')

  await t.rejects(committed, { code: 'DB_TIMEOUT', statusCode: 503 })
  t.equal(session.outcome, 'rolledBack')
})

t.test('107: a statement is sent again if its connection was terminated before the values arrived', async (t) => {
  for (const code of ['57P01', '57P04']) {
    const { database, postgres, peer } = await openScripted(t, limited)
    const answered = database.run(named)
    const sent = await peer.next()
    peer.send(parseComplete)
    end(peer, code, 'ProcessInterrupts')
    const next = await postgres.accept()
    t.same(await next.next(), sent)
    next.send(...groupAnswer([], 'INSERT 0 1', { status: 'I' }))
    t.match(await answered, { rowCount: 1 })
  }
})

/** Failures after which the statement may have run, so that it is not sent again. */
const doubtful: Array<[what: string, send: (peer: Peer) => void, statement: typeof write | typeof named | typeof raw, options?: OpenOptions]> = [
  ['the end of a connection without a word', (peer) => peer.close(), write],
  ['57P05 that somebody else has raised', (peer) => end(peer, '57P05', 'exec_stmt_raise'), write],
  ['57P05 behind a statement that was answered', (peer) => { peer.send(commandComplete('SELECT 1')); end(peer, '57P05') }, raw],
  ['57P05 behind a row', (peer) => { peer.send(rowDescription('a'), dataRow('1')); end(peer, '57P05') }, raw],
  ['57P01 behind the values', (peer) => { peer.send(parseComplete, bindComplete); end(peer, '57P01', 'ProcessInterrupts') }, named, limited],
  ['57P01 that PostgreSQL has not raised', (peer) => end(peer, '57P01'), named, limited],
  ['57P01 where nothing tells of values', (peer) => end(peer, '57P01', 'ProcessInterrupts'), write],
  ['57P01 in answer to a text without values', (peer) => end(peer, '57P01', 'ProcessInterrupts'), raw, limited],
  ['another end', (peer) => end(peer, '57P02', 'ProcessInterrupts'), named, limited]
]
for (const [what, send, statement, options] of doubtful) {
  t.test(`107: ${what} leaves a write unknown, and the write is not sent again`, async (t) => {
    const { database, peer } = await openScripted(t, options)
    const answered = database.run(statement)
    await peer.next()
    send(peer)

    await t.rejects(answered, { code: 'DB_COMMIT_UNKNOWN' })
    t.match(database.poolInfo, { total: 0 })
  })
}

t.test('107: 57P05 after BEGIN is no proof', async (t) => {
  const { database, peer } = await openScripted(t)
  const answered = database.session((session) => session.run(write))
  await peer.next()
  peer.send(parseComplete, bindComplete, commandComplete('BEGIN'))
  end(peer, '57P05')

  await t.rejects(answered, { code: 'DB_TIMEOUT' })
  t.match(database.poolInfo, { total: 0 })
})

t.test('107: no other connection to be had is a 503 that may be tried again', async (t) => {
  const { database, peer, postgres } = await openScripted(t)
  const answered = database.run(write)
  await peer.next()
  end(peer, '57P05')
  const next = await postgres.accept()
  next.close()

  await t.rejects(answered, { code: 'DB_CONNECTION', retryable: true })
  t.match(database.poolInfo, { total: 0 })
})

t.test('107: nothing is sent again over a connection that was given up', async (t) => {
  const { database, peer } = await openScripted(t)
  const connection = await database.host.pool.connect(caller) as Connection
  const answered = connection.run(write)
  await peer.next()
  connection.distrust(new Error('given up'))
  end(peer, '57P05')

  t.match(await answered, { error: { code: 'DB_CONNECTION' }, lost: false })
  connection.release()
  t.match(database.poolInfo, { total: 0 })
})

t.test('107: settings that led the first time are not sent twice', async (t) => {
  const { database, postgres, peer } = await openScripted(t)
  const connection = await database.host.pool.connect(caller) as Connection
  connection.pooled.correction = leading('correct')
  const answered = connection.run(write)
  t.same(await peer.next(), group(['correct'], write.text, 'ada'))
  end(peer, '57P05')

  const next = await postgres.accept()
  t.same(await next.next(), written)
  next.send(...groupAnswer([], 'INSERT 0 1', { status: 'I' }))
  t.match(await answered, { error: undefined, preludeDone: 0 })
  connection.release()
})

t.test('107: with idle_session_timeout of the server no write fails, and none happens twice', async (t) => {
  const { connectionString, database: observer } = await createTestDatabase(t, { sql: tables })
  const proxy = await startProxy(t, connectionString)
  await observer.pool.query(`alter database ${new URL(connectionString).pathname.slice(1)} set idle_session_timeout = '100ms'`)
  const database = await openDatabase({ connectionString: proxy.connectionString, pool: { size: 3, maxOverflow: 0, prePing: false } })
  t.teardown(() => database.close())
  const backends = async (): Promise<number> => {
    const { rows } =
      await observer.pool.query("select pid from pg_stat_activity where backend_type = 'client backend' and datname = current_database() and pid <> pg_backend_pid()")
    return rows.length
  }

  for (let round = 0; round < 3; round++) {
    await Promise.all([1, 2, 3].map(() => database.repo(users).count()))
    // The server's message is still under way when the next statements are sent.
    proxy.silence()
    await until(async () => await backends() === 0)
    const writes = Promise.all([1, 2, 3].map((position) => database.repo(users).create({ email: `${round}-${position}@example.com` })))
    await proxy.resume()
    await writes
  }

  t.equal(await database.repo(users).count(), 9)
})
