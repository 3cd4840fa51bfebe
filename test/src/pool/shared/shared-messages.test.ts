import t from 'tap'
import pg from 'pg'
import { caller } from '../../../helpers/pool.js'
import { lookup, openSharing } from '../../../helpers/sharing.js'
import { until } from '../../../helpers/until.js'
import { Lane } from '../../../../src/pool/shared/lane.js'
import { connectScripted, groupAnswer } from '../../../helpers/scripted-postgres.js'
import { bindComplete, commandComplete, dataRow, errorResponse, readyForQuery } from '../../../helpers/wire.js'
import type { OwnRequest } from '../../../../src/pool/shared/plain-read.js'
import type { Test } from '../../../helpers/test.js'

/** What programs that watch pg read of a query, and replace. */
interface Watched {
  readonly text?: string
  callback: (error: unknown, result: { command: string, rowCount: number }) => void
}

const one = lookup('select $1', 1)
const parts = [`Bind ${String(one.name)} 1`, 'Execute', 'Sync']

/** A lane over a connection to a scripted server, and the requests that have asked for a connection of their own. */
async function openLane (t: Test) {
  return over(await connectScripted(t))
}

function over ({ connection, peer, pool }: Awaited<ReturnType<typeof connectScripted>>) {
  const own: OwnRequest[] = []
  let hasEnded = false
  const lane = new Lane(connection, {
    caller,
    home: pool,
    askAgain: (request) => { own.push(request); return () => {} },
    stays: () => false,
    foreign: () => {},
    quick: () => {},
    ended: () => { hasEnded = true }
  })
  const read = (): Promise<unknown[] | undefined> => new Promise((resolve, reject) => {
    lane.send({ caller, lend: () => {}, refuse: reject, statement: one, answered: ({ result }) => resolve(result?.rows) })
  })
  return { lane, peer, pool, own, read, ended: () => hasEnded }
}

t.test('each read is sent at once with its own Sync, and a name is parsed and described once', async (t) => {
  const { lane, peer, own, read, ended } = await openLane(t)
  const reads = [read(), read(), read()]
  t.same(await peer.next(), [`Parse ${String(one.name)} select $1`, parts[0], 'Describe P', ...parts.slice(1)])
  t.same(await peer.next(), parts, 'before the first answer')
  t.same(await peer.next(), parts)
  t.equal(lane.size, 3)
  peer.send(...groupAnswer([], 'SELECT 1', { status: 'I', columns: ['one'], rows: [['1']] }))
  peer.send(bindComplete, dataRow('2'), commandComplete('SELECT 1'), readyForQuery('I'))
  peer.send(bindComplete, dataRow('3'), commandComplete('SELECT 1'), readyForQuery('I'))
  t.same(await Promise.all(reads), [[['1']], [['2']], [['3']]])
  t.same([own.length, ended()], [0, true])
})

t.test('a connection that ends between a failure and its end is lost, and its reads are repeated', async (t) => {
  const { peer, pool, own, read, ended } = await openLane(t)
  read().catch(() => {})
  read().catch(() => {})
  await peer.next()
  peer.send(errorResponse('22012'))
  await peer.read(pool.pool)
  t.equal(own.length, 0)
  peer.close()
  await until(() => own.length === 2)
  t.equal(ended(), true)
})

t.test('a connection that is lost while a read is being sent takes no messages of another one with it', async (t) => {
  const scripted = await connectScripted(t)
  const { lane, own, read, ended } = await openLane(t)
  lane.client.query('select 2').catch(() => {})
  read().catch(() => {})
  t.same([own.length, ended()], [1, true])
  const other = over(scripted)
  const answer = other.read()
  t.same(await other.peer.next(), [`Parse ${String(one.name)} select $1`, parts[0], 'Describe P', ...parts.slice(1)])
  other.peer.send(...groupAnswer([], 'SELECT 1', { status: 'I', columns: ['one'], rows: [['1']] }))
  t.same(await answer, [['1']])
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
