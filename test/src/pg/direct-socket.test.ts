import { once } from 'node:events'
import { createServer, Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { text } from 'node:stream/consumers'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import t from 'tap'
import { DatabaseClient } from '../../../src/pg/database-client.js'
import { DirectSocket } from '../../../src/pg/direct-socket.js'
import { parseConnectionString } from '../../../src/settings/url/connection-string.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { caller, openPool, run } from '../../helpers/pool.js'
import type { AddressInfo } from 'node:net'
import type { Test } from '../../helpers/test.js'

/** A socket, and its other end. */
async function connect (t: Test) {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = new DirectSocket()
  socket.connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [peer] = await once(server, 'connection') as [Socket]
  t.teardown(async () => {
    socket.destroy()
    server.close()
  })
  return { socket, peer }
}

t.test('a program that pauses the socket, adds a listener of its own or reads by itself gets every byte once, in order', async (t) => {
  const { socket, peer } = await connect(t)
  const got: string[] = []
  const buffers = new Set<Buffer>()
  const send = async (bytes: string): Promise<void> => {
    const before = socket.bytesRead
    peer.write(bytes)
    while (socket.bytesRead < before + bytes.length) await new Promise(setImmediate)
  }
  const note = (who: string) => (bytes: Buffer, length = bytes.length) => { got.push(`${who} ${bytes.toString('latin1', 0, length)}`) }
  const listener = note('data')
  const other = note('other')
  socket.on('data', listener)
  await send('without a reader')
  socket.readBy((bytes, length) => {
    buffers.add(bytes)
    note('direct')(bytes, length)
  }, listener)
  await send('one')
  socket.on('data', other)
  await send('two')
  socket.off('data', other)
  await send('three')

  // As pg-copy-streams does.
  socket.off('data', listener).pause()
  const readable = (): void => { for (let bytes; (bytes = socket.read()) !== null;) note('read')(bytes) }
  socket.on('readable', readable)
  await send('four')
  while (got.length < 6) await new Promise(setImmediate)
  socket.off('readable', readable).on('data', listener)
  await new Promise(setImmediate)
  socket.resume()
  await send('five')

  socket.pause()
  await send('six')
  socket.resume()
  await new Promise(setImmediate)
  await send('seven')
  socket.off('data', listener).on('data', other)
  await send('eight')
  socket.off('data', other).on('data', listener).resume()
  await send('nine')
  peer.end()
  await once(socket, 'end')
  t.strictSame(got, ['data without a reader', 'direct one', 'data two', 'other two', 'direct three', 'read four', 'direct five', 'data six', 'direct seven', 'other eight', 'direct nine'])
  t.equal(buffers.size, 1, 'no read makes a buffer')
})

t.test('no answer over a connection of the pool makes a buffer', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)
  const { connection: { stream } } = connection.pooled.client as unknown as { readonly connection: { readonly stream: Socket } }
  const pushed: unknown[] = []
  t.intercept(stream, 'push', { value: (chunk: unknown) => { pushed.push(chunk); return true } })
  t.match(await run(connection, 'select $1::text', { values: ['x'.repeat(100_000)] }), { error: undefined })
  t.match(await run(connection, 'select 1 / $1::int', { values: [0] }), { error: { code: '22012' } })
  t.strictSame(pushed, [])
  connection.release()
})

t.test('rows come and go by COPY over the client of a pool, between its own statements', async (t) => {
  const client = new DatabaseClient(parseConnectionString((await createTestDatabase(t)).connectionString))
  await client.connect()
  t.teardown(() => client.end())
  await client.query('create table lines (id int, line text)')
  const lines = Array.from({ length: 5000 }, (_, id) => `${id}\t${'x'.repeat(id % 500)}\n`)
  await pipeline(lines, client.query(copyFrom('copy lines from stdin')))
  t.match(await client.query('select count(*)::int as count from lines'), { rows: [{ count: 5000 }] })
  t.equal(await text(client.query(copyTo('copy (select * from lines order by id) to stdout'))), lines.join(''))
  t.match(await client.query('select count(*)::int as count from lines'), { rows: [{ count: 5000 }] })
})

t.test('a program may give a socket of its own', async (t) => {
  const own = new Socket()
  const config = parseConnectionString((await createTestDatabase(t)).connectionString)
  const client = new DatabaseClient(Object.assign(config, { stream: () => own }))
  await client.connect()
  t.teardown(() => client.end())
  t.match(await client.query('select 1 as one'), { rows: [{ one: 1 }] })
  t.ok(own.bytesRead > 0)
})
