import t from 'tap'
import { sql } from 'drizzle-orm'
import { queryOnce } from '../helpers/backend.js'
import { users } from '../helpers/schema.js'
import { until } from '../helpers/until.js'
import { count, isOnReplica, openReplicated, patient, read, serving, startReplicated, stuckBackends, stuckOnReplica, write } from '../helpers/replicas.js'
import { sandbox } from '../../src/testing/index.js'
import type { Session } from '../../src/index.js'

t.test('reads from a replica, and reads your writes', async (t) => {
  const pair = await startReplicated(t)
  const { primary, standby, proxy, add } = pair
  const database = await openReplicated(t, pair)
  const options = 'options=-c%20default_transaction_isolation=repeatable%5C%20read'
  const strict = await openReplicated(t, { ...pair, proxy: { ...proxy, connectionString: `${proxy.connectionString}?${options}` } })
  await add('ada@example.com')
  await queryOnce(primary.connectionString, 'create schema tenant; create table tenant.users (like users including all)')
  await standby.level()
  const seen = await write(database, 'grace@example.com')
  await standby.level()
  await standby.lag()
  const unseen = await write(database, 'joan@example.com')

  await t.test('the plain reads of a session before its first write go to the replica, later ones to the primary', async (t) => {
    await database.session(async (session) => {
      t.equal(await count(session), 2, 'the replica lacks the last row')
      t.equal(await session.repo(users).count(), 2)
      await session.repo(users).updateMany({ email: 'ada@example.com' }, { balance: 1 })
      t.equal(await count(session), 3)
    })
    t.equal(await read(database, count, { reads: 'primary' }), 3)
    t.equal(await database.repo(users).count(), 3, 'without a session the primary answers')
    t.equal(await read(strict, count), 3, 'the primary answers where statements on the replica would have no snapshots of their own')
    t.equal(await read(database, isOnReplica), false, 'other statements are for the primary')
    await database.session(async (session) => {
      await isOnReplica(session)
      t.equal(await count(session), 3)
    })
  })

  await t.test('a read that carries a token sees the commit, wherever it runs', async (t) => {
    t.match(String(seen), /^\d+-[0-9A-F]{8}-[0-9A-F]+-[0-9A-F]+$/)
    t.equal(await read(database, count, { after: seen }), 2, 'the replica has come so far')
    t.equal(await read(database, count, { after: unseen }), 3, 'the primary answers')
    t.equal(await read(database, count), 2, 'without a token the replica answers')
    t.equal(await read(database, (session) => Promise.all([count(session), count(session)]), { after: unseen }).then(String), '3,3')
  })

  await t.test('a token that is malformed, oversized or of another system or timeline means the primary', async (t) => {
    const [system, timeline, ...position] = String(seen).split('-')
    const odd = ['', 'primary', 5, null, String(seen) + 'X', '9'.repeat(10_000), `${system}-${timeline}-FFFFFFFF-FFFFFFFF`,
      ['1', timeline, ...position].join('-'), [system, '0000000A', ...position].join('-'), `${seen}; drop table users`]
    for (const after of odd) t.equal(await read(database, count, { after }), 3, String(after).slice(0, 70))
    t.equal(await read(database, count, { after: seen }), 2)
  })

  await t.test('a read-only transaction runs on a replica as a whole, if that is known to have the commit', async (t) => {
    const options = { accessMode: 'read only' } as const
    t.equal(await read(database, isOnReplica, options), true)
    t.equal(await read(database, count, { ...options, isolationLevel: 'repeatable read' }), 2)
    t.equal(await read(database, isOnReplica, { ...options, after: unseen }), false)
    t.equal(await read(database, isOnReplica, { ...options, isolationLevel: 'serializable' }), false, 'a standby knows no serializable transactions')
    await until(async () => await read(database, isOnReplica, { ...options, after: seen }) === true)
    await t.rejects(read(database, (session) => session.repo(users).create({ email: 'x@example.com' }), options), { code: 'DB_READ_ONLY' })
  })

  await t.test('a read has the context of its session wherever it runs, behind the guard of a token, too', async (t) => {
    const context = { searchPath: ['tenant'] }
    t.equal(await read(database, count, { context }), 0)
    t.equal(await read(database, count, { context, after: seen }), 0, 'on the replica')
    t.equal(await read(database, count, { context, after: unseen }), 0, 'on the primary')
    const whole = (session: Session): Promise<unknown[]> => Promise.all([isOnReplica(session), count(session).then((rows) => rows === 0)])
    t.strictSame(await read(database, whole, { context, accessMode: 'read only' }), [true, true])
    t.equal(await read(database, count), 2, 'without a context there is nothing left of it')
  })

  await t.test('a sandbox reads its own rows', async (t) => {
    const { rollback } = await sandbox(database)
    await write(database, 'sand@example.com').then((token) => t.equal(token, 'primary'))
    t.equal(await read(database, count), 4)
    await rollback()
    t.equal(await read(database, count), 2)
  })

  await t.test('a replica that has replayed the commit serves again', async (t) => {
    await standby.catchUp()
    await standby.level()
    t.equal(await read(database, isOnReplica, { accessMode: 'read only' }), true)
    await until(async () => await read(database, isOnReplica, { accessMode: 'read only', after: unseen }) === true)
    await standby.lag()
    await add('hedy@example.com')
    t.equal(await read(database, count, { after: unseen }), 3, 'the replica answers')
    await standby.catchUp()
  })

  const onReplica = async (): Promise<number> => {
    await until(async () => (await stuckBackends(standby)).length > 0)
    return Number((await stuckBackends(standby))[0]?.pid)
  }

  await t.test('a read that loses its connection is repeated on the primary', async (t) => {
    await serving(database)
    const reading = read(database, stuckOnReplica)
    await queryOnce(standby.connectionString, 'select pg_terminate_backend($1)', [await onReplica()])
    t.equal(await reading, 4)
    await serving(database)
  })

  await t.test('a read that conflicts with recovery is repeated on the primary', async (t) => {
    await queryOnce(standby.connectionString, "alter system set max_standby_streaming_delay = '1ms'")
    await queryOnce(standby.connectionString, 'select pg_reload_conf()')
    for (const options of [{}, { accessMode: 'read only' }] as const) {
      await serving(database)
      const reading = read(database, stuckOnReplica, options)
      await onReplica()
      await queryOnce(primary.connectionString, 'begin; lock table users in access exclusive mode; commit')
      t.equal(await reading, 4)
    }
  })

  await t.test('a read-only transaction that has answered something fails with an error that can be retried', async (t) => {
    await serving(database)
    const refused = t.rejects(read(database, async (session) => {
      t.equal(await count(session), 4)
      return await stuckOnReplica(session)
    }, { accessMode: 'read only' }), { code: 'DB_CONFLICT', retryable: true })
    await onReplica()
    await queryOnce(primary.connectionString, 'begin; lock table users in access exclusive mode; commit')
    await refused
  })

  await t.test('a read on a replica that was cancelled is not repeated', async (t) => {
    const refused = t.rejects(read(database, stuckOnReplica), { code: 'DB_TIMEOUT' })
    await queryOnce(standby.connectionString, 'select pg_cancel_backend($1)', [await onReplica()])
    await refused

    const session = database.createSession()
    const abandoned = t.rejects(session.repo(users).count(sql`pg_sleep(300) is not null`), { code: 'DB_TIMEOUT' })
    await onReplica()
    await session.rollback()
    await abandoned
  })

  await t.test('a statement that a replica refuses is for the primary to decide', async (t) => {
    const wrong = (session: Parameters<typeof count>[0]): Promise<unknown> => session.repo(users).count(sql`nobody.column`)
    await t.rejects(read(database, wrong), { code: 'DB_ERROR' })
    await t.rejects(read(database, (session) => session.transaction(wrong as never), { accessMode: 'read only' }), { code: 'DB_ERROR' })
  })

  await t.test('a nested scope whose first statement only a replica refuses begins anew on the primary', async (t) => {
    const onPrimary = sql`1 / case when pg_is_in_recovery() then 0 else 1 end = 1`
    t.same(await read(database, async (session) => [
      await session.transaction((scope) => scope.repo(users).count(onPrimary)),
      await count(session)
    ], { accessMode: 'read only' }), [4, 4])
  })

  await t.test('reads that find the pool of the replica full go to the primary', async (t) => {
    const pool = { size: 1, maxOverflow: 0, maxWaiting: 0 }
    const full = await openReplicated(t, pair, { replicas: { connectionStrings: [proxy.connectionString], maxLagMillis: patient, pool } })
    const reading = read(full, stuckOnReplica)
    const pid = await onReplica()
    t.equal(await read(full, count), 4)
    t.equal(await read(full, isOnReplica, { accessMode: 'read only' }), false)
    await queryOnce(standby.connectionString, 'select pg_terminate_backend($1)', [pid])
    t.equal(await reading, 4)
  })

  await t.test('closing waits for a read that moves from the replica to the primary', async (t) => {
    const closing = await openReplicated(t, pair)
    const slow = sql`(select case when pg_is_in_recovery() then pg_sleep(300) else pg_sleep(0.1) end) is not null`
    const reading = read(closing, (session) => session.repo(users).count(slow))
    const pid = await onReplica()
    const closed = closing.close()
    await queryOnce(standby.connectionString, 'select pg_terminate_backend($1)', [pid])
    t.equal(await reading, 4)
    t.equal(await closed, true, 'everything could finish')
  })

  await t.test('a session that ends while it waits for a replica refuses its reads', async (t) => {
    const waiting = await openReplicated(t, pair)
    proxy.blackHole()
    for (const accessMode of [undefined, 'read only'] as const) {
      const session = waiting.createSession({ accessMode })
      const refused = t.rejects(session.repo(users).count(), { code: 'DB_TRANSACTION_CLOSED' })
      await session.rollback()
      await refused
    }
    proxy.cut()
    await proxy.resume()
    await serving(database, false)
    await serving(database)
  })

  await t.test('reads go to the primary while no replica can be reached', async (t) => {
    await database.session(async (session) => {
      t.equal(await count(session), 4)
      await proxy.refuse()
      t.equal(await read(database, count), 4)
      await serving(database, false)
      t.equal(await count(session), 4, 'a session whose replica was left out goes on')
    })
    t.equal(await read(database, isOnReplica, { accessMode: 'read only' }), false)
    await serving(database, false)
    await proxy.resume()
    await serving(database)
    t.equal(await read(database, isOnReplica, { accessMode: 'read only' }), true)
  })

  await t.test('the primary answers where a new connection to the replica turns out to have one snapshot for all statements', async (t) => {
    const replicas = { connectionStrings: [proxy.connectionString], maxLagMillis: patient, pool: { size: 8, maxOverflow: 0 } }
    const turning = await openReplicated(t, pair, { replicas })
    const rows = await read(turning, count)
    const name = new URL(primary.connectionString).pathname.slice(1)
    await queryOnce(primary.connectionString, `alter database ${name} set default_transaction_isolation to 'repeatable read'`)
    await standby.level()
    await standby.lag()
    await add('katherine@example.com')

    // They hold each connection that is open.
    const stuck = Array.from({ length: Number(turning.replicas[0]?.pool.total) }, () => t.rejects(read(turning, stuckOnReplica), { code: 'DB_TIMEOUT' }))
    await until(async () => (await stuckBackends(standby)).length === stuck.length)

    t.equal(await read(turning, count), rows + 1)
    for (const { pid } of await stuckBackends(standby)) await queryOnce(standby.connectionString, 'select pg_cancel_backend($1)', [pid])
    await Promise.all(stuck)
    await queryOnce(primary.connectionString, `alter database ${name} reset default_transaction_isolation`)
    await standby.catchUp()
  })
})
