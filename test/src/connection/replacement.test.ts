import t from 'tap'
import { createTestDatabase } from '../../../src/testing/index.js'
import { Connection } from '../../../src/connection/connection.js'
import { destroySocket } from '../../../src/pg/client.js'
import { deferred } from '../../helpers/deferred.js'
import { caller, openPool } from '../../helpers/pool.js'
import { startProxy } from '../../helpers/proxy.js'
import { tables } from '../../helpers/schema.js'
import { group, groupAnswer, openScriptedPool } from '../../helpers/scripted-postgres.js'
import { until } from '../../helpers/until.js'
import { errorResponse } from '../../helpers/wire.js'
import type { ClientState } from '../../../src/connection/client-state.js'
import type { Peer } from '../../helpers/scripted-postgres.js'
import type { Test } from '../../helpers/test.js'

const write = { kind: 'write', text: 'insert into users values ($1)', values: ['ada'], context: { operation: 'create', table: 'users' } } as const
const written = group([], write.text, 'ada')

/** Ends a connection as `idle_session_timeout` does. */
function endIdle (peer: Peer): void {
  peer.send(errorResponse('57P05', 'FATAL', 'ProcessInterrupts'))
  peer.close()
}

/** A connection that ended after its checkout. */
async function connectEnded (t: Test) {
  const { pool, postgres } = await openScriptedPool(t)
  const connection = await pool.connect(caller) as Connection
  endIdle(await postgres.accept())
  await until(() => connection.pooled.lost !== undefined)
  return { pool, postgres, connection }
}

t.test('107: a connection that ended after its checkout is replaced before its first statement', async (t) => {
  const { pool, connection, postgres } = await connectEnded(t)
  const answers = Promise.all([connection.run(write), connection.run(write)])
  const next = await postgres.accept()
  for (let sent = 0; sent < 2; sent++) {
    t.same(await next.next(), written)
    next.send(...groupAnswer([], 'INSERT 0 1', { status: 'I' }))
  }
  t.match(await answers, [{ error: undefined }, { error: undefined }])
  connection.release()
  t.match(pool.info, { total: 1, idle: 1 })
})

t.test('107: a connection that ended after its checkout, and cannot be replaced, refuses its statements as retryable', async (t) => {
  const { pool, connection, postgres } = await connectEnded(t)
  const answers = Promise.all([connection.run(write), connection.run(write)])
  const next = await postgres.accept()
  next.close()

  const refused = { error: { code: 'DB_CONNECTION', retryable: true, context: { operation: 'create', table: 'users' } }, sent: false, lost: false }
  t.match(await answers, [refused, refused])
  connection.release()
  t.match(pool.info, { total: 0 })
})

for (const comes of [true, false]) {
  t.test(`107: who gives up while another connection is awaited is answered at once, and it goes back ${comes
    ? 'when it comes'
    : 'also when none comes'}`, async (t) => {
    const { pool, postgres } = await openScriptedPool(t)
    const lent = await pool.connect(caller)
    const peer = await postgres.accept()
    const other = deferred<ClientState | undefined>()
    const returned: Array<[pooled: ClientState, destroyed: boolean]> = []
    const connection = new Connection(lent.pooled, caller, {
      pooler: pool.pooler,
      observe: () => {},
      prove: async (pooled) => pooled,
      takeBack: ({ pooled }, destroyed) => { returned.push([pooled, destroyed]) },
      replace: async () => {
        const pooled = await other.promise
        if (pooled === undefined) throw new Error('none')
        return pooled
      }
    })
    const answers = Promise.all([connection.run(write), connection.run(write)])
    await peer.next()
    endIdle(peer)
    await peer.read(pool.pool).catch(() => {})
    await until(() => lent.pooled.lost !== undefined)
    lent.destroy()

    connection.destroy()

    t.match(await answers, [{ error: { code: 'DB_CONNECTION' }, lost: false, sent: true }, { error: { code: 'DB_CONNECTION' }, sent: false }])
    t.equal(connection.isIdle, true)
    t.same(returned, [])
    const next = await pool.connect(caller)
    other.resolve(comes ? next.pooled : undefined)
    await until(() => returned.length > 0)
    t.equal(returned.length, 1)
    t.equal(returned[0]?.[0], comes ? next.pooled : lent.pooled)
    t.equal(returned[0]?.[1], !comes)
    next.release()
  })
}

t.test('107: a lost client is not replaced by one left in a transaction, or lost as well', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const pool = await openPool(t, { connectionString, pool: { size: 3, maxOverflow: 0 } })
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => pool.connect(caller))) as [Connection, Connection, Connection]
  const strangers = [first, second, third].map(({ pooled: { client } }) => client)
  second.release()
  third.release()
  const left = await pool.pool.connect()
  await left.query('begin')
  left.release()
  for (const client of strangers) if (client !== left) destroySocket(client)

  const pooled = await pool.replace(first.pooled)

  t.notOk(strangers.includes(pooled.client))
  t.equal(pool.info.total, 1)
  pooled.release(false)
  first.destroy()
})

t.test('107: a new client that does not prove to be alive is no replacement', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString, pool: { size: 1, maxOverflow: 0 } })
  const connection = await pool.connect(caller)
  const lost = proxy.loseRequest('default_transaction_isolation')

  await t.rejects(pool.replace(connection.pooled))

  await lost
  t.equal(pool.info.total, 0)
  connection.destroy()
  t.match(pool.info, { total: 0, inUse: 0 })
})
