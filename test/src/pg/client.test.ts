/** All that is taken from pg's insides, piece by piece: a version of pg that has changed one fails here, and its title says what is gone. */
import { EventEmitter } from 'node:events'
import { Socket } from 'node:net'
import pg from 'pg'
import t from 'tap'
import { extendConnection, parseConnectionString } from '../../../src/settings/url/connection-string.js'
import { bytesReadBy, destroySocket, followConfirmations, holdProcess, isOrdinary, onceReady, requestCancel, sendGroup } from '../../../src/pg/client.js'
import { DatabaseClient } from '../../../src/pg/database-client.js'
import { prepareValue } from '../../../src/pg/values.js'
import { FrontendMessages } from '../../../src/connection/exchange/frontend-messages.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import type { ResponseReader } from '../../../src/pg/client.js'
import type { Test } from '../../helpers/test.js'

const { connectionString } = await createTestDatabase(t)

/** A client of another program, and one of this package, which reads answers itself. */
const kinds = { 'pg.Client': pg.Client, DatabaseClient }

async function connect (t: Test, Client = pg.Client): Promise<pg.Client> {
  const client = new Client(parseConnectionString(connectionString))
  await client.connect()
  t.teardown(() => client.end())
  return client
}

/** What a reader tells programs that watch pg; here there are none. */
const unwatched = { text: '', done: { command: '', rowCount: null } }

/** What a reader was told, in order. */
function send (client: pg.ClientBase, write: (messages: FrontendMessages) => void): Promise<unknown[]> {
  const messages = new FrontendMessages()
  write(messages)
  return new Promise((resolve) => {
    const told: unknown[] = []
    const reader: ResponseReader = {
      ...unwatched,
      described: (fields) => told.push(fields.map(({ name, dataTypeID }) => [name, dataTypeID])),
      row: (texts) => told.push(texts),
      completed: (tag) => told.push(tag),
      failed: (error) => { told.push(Object(error).code); onceReady(client, (status) => { told.push(status); resolve(told) }) },
      ready: () => { told.push('ready'); resolve(told) }
    }
    sendGroup(client, messages.take(), reader)
  })
}

const insides = (client: pg.ClientBase): Record<string, never> => client as unknown as Record<string, never>

t.test('pg gives away how it writes a value as text: utils.prepareValue', (t) => {
  t.strictSame([null, undefined, 1, true, 'text', { a: 1 }, [1, [null, 'b"']], 2n].map(prepareValue), [
    null, null, '1', 'true', 'text', '{"a":1}', '{"1",{NULL,"b\\""}}', '2'
  ])
  t.strictSame(prepareValue(Buffer.from('bytes')), Buffer.from('bytes'))
  t.strictSame(prepareValue({ toPostgres: () => 'its own' }), 'its own')
  t.type(prepareValue(new Date(0)), 'string')
  t.end()
})

for (const [name, Client] of Object.entries(kinds)) {
  t.test(`${name}: pg runs a given query object and passes it each message, from submit to handleReadyForQuery`, async (t) => {
    const client = await connect(t, Client)
    t.strictSame(
      await send(client, (messages) => messages.query('select 1 as one, null as none; insert into pg_temp.none select where false')),
      [[['one', 23], ['none', 25]], ['1', null], 'SELECT 1', '42P01', 'I']
    )
    t.strictSame(await send(client, (messages) => messages.query('')), [undefined, 'ready'])
    t.strictSame(await send(client, (messages) => {
      for (const text of ['begin', 'select $1::text as text']) {
        messages.parse('', text)
        messages.bind('', text === 'begin' ? [] : ['žofie'])
        messages.describe()
        messages.execute()
      }
      messages.sync()
    }), ['BEGIN', [['text', 25]], ['žofie'], 'SELECT 1', 'ready'])
    t.equal(client.getTransactionStatus(), 'T')
    t.strictSame(await send(client, (messages) => messages.query('rollback')), ['ROLLBACK', 'ready'])
  })

  t.test(`${name}: pg calls handleError of a query object before it emits readyForQuery with the status`, async (t) => {
    const client = await connect(t, Client)
    t.strictSame(await send(client, (messages) => messages.query('begin; select 1 / 0')), ['BEGIN', '22012', 'E'])
    t.equal(client.getTransactionStatus(), 'E')
    t.strictSame(await send(client, (messages) => messages.query('rollback')), ['ROLLBACK', 'ready'])
  })

  t.test(`${name}: pg accepts a query object chained to its Query, which has refused COPY FROM STDIN in time`, async (t) => {
    const client = await connect(t, Client)
    await client.query('create temp table lines (line text)')
    t.strictSame(await send(client, (messages) => messages.query('copy lines from stdin')), ['57014', 'I'])
    t.strictSame(await send(client, (messages) => messages.query('copy lines to stdout')), ['COPY 0', 'ready'])
    t.equal((await client.query('select 1 as one')).rows[0].one, 1)
  })

  t.test(`${name}: pg keeps no parsed text without a name, and emits parseComplete, bindComplete, closeComplete`, async (t) => {
    const client = await connect(t, Client)
    const told: string[] = []
    followConfirmations(client, { confirmed: () => { told.push('confirmed') }, bound: () => { told.push('bound') } })
    const { connection } = insides(client) as unknown as { connection: { parsedStatements: object } }
    await send(client, (messages) => {
      messages.parse('one', 'select $1::int')
      messages.bind('one', [1])
      messages.execute()
      messages.close('one')
      messages.close('never was')
      messages.sync()
    })
    t.strictSame(told, ['confirmed', 'bound', 'confirmed', 'confirmed'])
    t.strictSame(Object.keys(connection.parsedStatements), [])

    told.length = 0
    t.strictSame(await send(client, (messages) => {
      messages.parse('two', 'select $1::int')
      messages.bind('two', ['no number'])
      messages.execute()
      messages.close('two')
      messages.sync()
    }), ['22P02', 'I'])
    t.strictSame(told, ['confirmed'], 'behind a failure nothing')
  })
}

t.test('pg sends queries one after the other, and emits an error of its own for each that is cut off', async (t) => {
  const client = new pg.Client(parseConnectionString(connectionString))
  await client.connect()
  client.on('error', () => {})
  const ended = new Promise((resolve) => { client.once('end', resolve as () => void) })
  const first = new Promise((resolve) => sendGroup(client, queryBytes('select pg_sleep(0.1)'), failing(resolve)))
  const second = new Promise((resolve) => sendGroup(client, queryBytes('select 1'), failing(resolve)))
  destroySocket(client)
  t.match(await Promise.all([first, second]), [Error, Error])
  await ended
})

function queryBytes (text: string): Buffer {
  const messages = new FrontendMessages()
  messages.query(text)
  return messages.take()
}

function failing (failed: (error: Error) => void): ResponseReader {
  return { ...unwatched, described () {}, row () {}, completed () {}, ready () {}, failed }
}

t.test('pg exposes its connection\'s stream, processID, secretKey, host, port and ssl', async (t) => {
  const client = await connect(t)
  const { connection, ...shown } = insides(client) as unknown as { connection: EventEmitter & { stream: Socket } }
  t.ok(connection instanceof EventEmitter)
  t.ok(connection.stream instanceof Socket)
  t.match(shown, { processID: Number, secretKey: Number, host: String, port: Number, ssl: false })
  const before = bytesReadBy(client)
  await client.query('select 1')
  t.ok(bytesReadBy(client) > before)
  t.equal((await client.query('select pg_backend_pid() as pid')).rows[0].pid, Object(shown).processID)
})

t.test('pg lets the process end or not: ref, unref', async (t) => {
  const client = await connect(t)
  const { connection: { stream } } = insides(client) as unknown as { connection: { stream: { _handle: { hasRef (): boolean } } } }
  for (const holds of [false, true]) {
    holdProcess(client, holds)
    t.equal(stream._handle.hasRef(), holds)
  }
})

t.test('pg has a Connection that can cancel by itself, with the events connect and end', async (t) => {
  const client = await connect(t)
  const running = client.query('select pg_sleep(60)')
  const ended = running.then(() => false, ({ code }: { readonly code: string }) => code === '57014')
  let isCancelled: boolean | undefined
  // A request that arrives before the statement cancels nothing.
  while (isCancelled === undefined) isCancelled = await Promise.race([ended, requestCancel(client, 5000)]) ?? undefined
  t.equal(isCancelled, true)
})

t.test('pg recognizes its own clients by Client and Client.prototype.query', async (t) => {
  const client = await connect(t)
  t.equal(isOrdinary(client), true)
  class Other extends pg.Client { override query (...given: never): never { return super.query(...given as [never]) } }
  t.equal(isOrdinary(new Other()), false)
  t.equal(isOrdinary(Object.assign(new pg.Client(), { query () {} }) as never), false)
  t.equal(isOrdinary(new EventEmitter() as never), false)
})

t.test("pg's clients tell of notices by their SQLSTATE, and of the transaction: the events notice, error and end, getTransactionStatus", async (t) => {
  const client = await connect(t)
  const notice = new Promise((resolve) => { client.once('notice', resolve) })
  await client.query('commit')
  t.match(await notice, { code: '25P01' })
  t.equal(client.getTransactionStatus(), 'I')
})

t.test("pg's pool shows its clients and those who wait: _clients, _pendingQueue, _remove", async (t) => {
  const pool = new pg.Pool(extendConnection(parseConnectionString(connectionString), { max: 1 }))
  t.teardown(() => pool.end())
  const internals = pool as unknown as { _clients: unknown[], _pendingQueue: Array<{ callback: unknown }>, _remove (client: unknown): void }
  const client = await pool.connect()
  t.strictSame(internals._clients.length, 1)
  t.equal(internals._clients[0], client)
  const waiting = pool.connect()
  t.type(internals._pendingQueue[0]?.callback, 'function')
  internals._remove(client)
  t.equal(internals._clients.length, 0)
  client.release()
  ;(await pool.connect().catch(() => undefined))?.release()
  ;(await waiting.catch(() => undefined))?.release()
})
