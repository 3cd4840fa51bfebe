import t from 'tap'
import pg from 'pg'
import { admit, ask, lookup, openSharing } from '../../../helpers/sharing.js'
import { groupAnswer, openScripted } from '../../../helpers/scripted-postgres.js'
import { bindComplete, commandComplete, dataRow, errorResponse, readyForQuery } from '../../../helpers/wire.js'
import type { ConnectionPool } from '../../../../src/pool/connection-pool.js'

/** What programs that watch pg read of a query, and replace. */
interface Watched {
  readonly text?: string
  callback: (error: unknown, result: { command: string, rowCount: number }) => void
}

const one = lookup('select $1', 1)
const parts = [`Bind ${String(one.name)} 1`, 'Execute', 'Sync']

t.test('each read is sent at once with its own Sync, and a name is parsed and described once', async (t) => {
  const { database, peer } = await openScripted(t, { preparedStatements: true, pool: { size: 1, maxOverflow: 0, sharedReads: true } })
  const pool = database.host.pool as unknown as ConnectionPool
  admit(pool, one)
  const reads = [ask(pool, one), ask(pool, one), ask(pool, one)]
  t.same(await peer.next(), [`Parse ${String(one.name)} select $1`, parts[0], 'Describe P', ...parts.slice(1)])
  t.same(await peer.next(), parts, 'before the first answer')
  t.same(await peer.next(), parts)
  peer.send(...groupAnswer([], 'SELECT 1', { status: 'I', columns: ['one'], rows: [['1']] }))
  peer.send(bindComplete, dataRow('2'), commandComplete('SELECT 1'), readyForQuery('I'))
  peer.send(bindComplete, dataRow('3'), commandComplete('SELECT 1'), readyForQuery('I'))
  t.same(await Promise.all(reads.map(async ({ answer }) => (await answer).rows)), [[['1']], [['2']], [['3']]])
})

t.test('a connection that ends between a failure and its end is lost', async (t) => {
  const { database, peer, postgres } = await openScripted(t, { preparedStatements: true, pool: { size: 1, maxOverflow: 0, sharedReads: true } })
  const pool = database.host.pool as unknown as ConnectionPool
  admit(pool, one)
  const { answer } = ask(pool, one)
  await peer.next()
  peer.send(errorResponse('22012'))
  await peer.read(database.pool)
  peer.close()
  const next = await postgres.accept()
  await next.next()
  next.send(...groupAnswer([], 'SELECT 1', { status: 'I', columns: ['one'], rows: [['1']] }))
  t.match(await answer, { rows: [['1']], isShared: false })
})

t.test('programs that watch pg see each read as a query', async (t) => {
  const { pool, readShared } = await openSharing(t)
  const statements = [1, 2, 3].map((value) => lookup('select $1::int', value))
  const seen: unknown[] = []
  const own = pg.Client.prototype.query as (this: pg.Client, ...args: unknown[]) => unknown
  t.teardown(() => { pg.Client.prototype.query = own as never })
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]): unknown {
    const [query] = args as [Watched]
    if (this.database === pool.channels.namespace && query.text?.startsWith('select $1') === true) {
      const { text, callback } = query
      query.callback = (error, result) => {
        seen.push([text, result.command, result.rowCount])
        callback(error, result)
      }
    }
    return own.apply(this, args)
  } as never
  t.same((await readShared(statements)).map(([row]) => Number((row as unknown[])[0])), [1, 2, 3])
  t.same(seen.slice(-3), Array(3).fill(['select $1::int', 'SELECT', 1]))
})
