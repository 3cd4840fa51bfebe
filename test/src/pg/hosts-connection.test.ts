import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectTo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { destroySocket, requestCancel } from '../../../src/pg/client.js'
import { DatabaseClient, isStillFit } from '../../../src/pg/database-client.js'
import { extendConnection, parseConnectionString } from '../../../src/settings/url/connection-string.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { queryOnce } from '../../helpers/backend.js'
import { createLimitedRole } from '../../helpers/limited-role.js'
import { startProxy } from '../../helpers/proxy.js'
import { startRewriter } from '../../helpers/rewriter.js'
import { startTlsProxy } from '../../helpers/tls-proxy.js'
import { until } from '../../helpers/until.js'
import { authenticationOk, backendKeyData, errorResponse, parameterStatus, readyForQuery } from '../../helpers/wire.js'
import type { AddressInfo } from 'node:net'
import type { DatabaseClientConfig } from '../../../src/pg/database-client.js'
import type { Test } from '../../helpers/test.js'

const { connectionString } = await createTestDatabase(t)

/** The URL of several servers with the same user and database. */
function over (urls: readonly string[], parameters = ''): string {
  const url = new URL(urls[0] ?? '')
  const hosts = urls.map((each) => new URL(each).host).join(',')
  return `postgresql://${url.username}:${url.password}@${hosts}${url.pathname}?${parameters}`
}

function clientOf (t: Test, config: DatabaseClientConfig): DatabaseClient {
  const client = new DatabaseClient(config)
  client.on('error', () => {})
  t.teardown(() => client.end())
  return client
}

async function connect (t: Test, urls: readonly string[], parameters = '', more: DatabaseClientConfig = {}): Promise<DatabaseClient> {
  const client = clientOf(t, extendConnection(parseConnectionString(over(urls, parameters)), more))
  await client.connect()
  return client
}

const portOf = (url: string): number => Number(new URL(url).port)

/** A server that says of itself that it is a standby, or read-only. */
const standbyOf = (t: Test): Promise<string> => startRewriter(t, connectionString, { from: 'in_hot_standby\0off\0', to: 'in_hot_standby\0on\0\0' })
const readOnlyOf = (t: Test): Promise<string> =>
  startRewriter(t, connectionString, { from: 'default_transaction_read_only\0off\0', to: 'default_transaction_read_only\0on\0\0' })
/** A server that does not say it, as those before PostgreSQL 14. */
const silentOf = (t: Test): Promise<string> => startRewriter(t, connectionString, { from: 'in_hot_standby', to: 'in_hot_standbX' })

t.test('tries the next host if nothing listens, the connection is cut, or nothing answers', async (t) => {
  const proxy = await startProxy(t, connectionString)
  await proxy.refuse()
  t.equal((await connect(t, [proxy.connectionString, connectionString])).port, portOf(connectionString))
  await t.rejects(connect(t, [proxy.connectionString, proxy.connectionString]), { name: 'HostsError', code: 'ECONNREFUSED', errors: { length: 2 } })

  await proxy.resume()
  proxy.loseRequest('client_encoding', 'cut')
  t.equal((await connect(t, [proxy.connectionString, connectionString])).port, portOf(connectionString))

  proxy.blackHole()
  for (const [limit, more] of [['connect_timeout=60', { connectionTimeoutMillis: 3000 }], ['connect_timeout=1', {}]] as const) {
    t.equal((await connect(t, [proxy.connectionString, connectionString], limit, more)).port, portOf(connectionString))
  }
  await t.rejects(connect(t, [proxy.connectionString], 'connect_timeout=1&target_session_attrs=primary'), { code: 'ETIMEDOUT' }, 'one host fails with its own error')
  await t.rejects(connect(t, [connectionString, proxy.connectionString].reverse(), 'target_session_attrs=standby&connect_timeout=1'), /host 1 failed \(ETIMEDOUT\), host 2 is a primary/)
})

t.test('takes the first host whose session fits, as it has reported itself', async (t) => {
  const [standby, readOnly] = [await standbyOf(t), await readOnlyOf(t)]
  const all = [standby, readOnly, connectionString]
  for (const [target, expected] of [['any', standby], ['read-write', connectionString], ['read-only', standby], ['primary', readOnly], ['standby', standby], ['prefer-standby', standby]] as const) {
    t.equal((await connect(t, all, `target_session_attrs=${target}`)).port, portOf(expected), target)
  }
  t.equal((await connect(t, [connectionString, readOnly], 'target_session_attrs=prefer-standby')).port, portOf(connectionString), 'none is a standby')
  await t.rejects(connect(t, [standby, readOnly], 'target_session_attrs=read-write'), /accepts writes: host 1 is a standby, host 2 is read-only/)
  await t.rejects(connect(t, [standby], 'target_session_attrs=primary'), { name: 'HostsError', code: 'NO_SUITABLE_HOST' })
})

t.test('asks a server that reports nothing of itself with one query', async (t) => {
  const silent = await silentOf(t)
  t.equal((await connect(t, [silent], 'target_session_attrs=read-write')).port, portOf(silent))
  t.equal((await connect(t, [silent, await standbyOf(t)], 'target_session_attrs=prefer-standby')).port !== portOf(silent), true)
  await t.rejects(connect(t, [silent], 'target_session_attrs=read-only&options=-c%20default_transaction_read_only%3Doff'), /host 1 is a primary/)
  t.equal((await connect(t, [silent], 'target_session_attrs=read-only&options=-c%20default_transaction_read_only%3Don')).port, portOf(silent))

  const limited = new URL((await createLimitedRole(t, 5)).connectionString)
  const admin = new URL(connectionString)
  admin.pathname = limited.pathname
  const client = await connect(t, [admin.href])
  await client.query('revoke execute on function pg_is_in_recovery() from public')
  limited.host = new URL(silent).host
  await t.rejects(connect(t, [limited.href, limited.href], 'target_session_attrs=primary'), { code: '42501' }, 'none may be asked')
})

t.test('ends with a refusal that each host would repeat, and goes on after one that it would not', async (t) => {
  const proxy = await startProxy(t, connectionString)
  const wrong = new URL(connectionString)
  wrong.password = 'wrong'
  await t.rejects(connect(t, [wrong.href, proxy.connectionString]), { code: '28P01' })
  t.equal(proxy.accepted, 0)

  const { connectionString: full } = await createLimitedRole(t, 0)
  const url = new URL(full)
  url.host = `127.0.0.1:${proxy.port}`
  await t.rejects(connect(t, [full, url.href]), { name: 'HostsError', code: '53300' })
  t.equal(proxy.accepted, 1)
})

t.test('a client that is destroyed, ended, or out of time tries no other host', async (t) => {
  const [silent, other] = [await startProxy(t, connectionString), await startProxy(t, connectionString)]
  silent.blackHole()
  for (const end of [destroySocket, (client: DatabaseClient) => { client.end() }]) {
    const client = clientOf(t, parseConnectionString(over([silent.connectionString, other.connectionString], 'connect_timeout=1')))
    const connecting = client.connect()
    end(client)
    await t.rejects(connecting, /Connection terminated|none of the 2 hosts/)
  }
  await t.rejects(connect(t, [silent.connectionString], 'target_session_attrs=primary', { connectionTimeoutMillis: 100 }), /timeout expired/)
  t.equal(other.accepted, 0)
})

t.test('an answer to the host before never reaches the next one', async (t) => {
  // It ends with its challenge, while the client still computes the proof.
  const server = createServer((client) => {
    const upstream = connectTo(portOf(connectionString), '127.0.0.1')
    client.on('error', () => {}).on('close', () => upstream.destroy()).pipe(upstream)
    upstream.on('data', (chunk) => { if (chunk.includes('r=')) client.end(chunk); else client.write(chunk) })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const url = new URL(connectionString)
  url.port = String((server.address() as AddressInfo).port)
  for (let attempt = 0; attempt < 5; attempt++) {
    t.equal((await connect(t, [url.href, connectionString])).port, portOf(connectionString))
  }
})

t.test('the farewell of a host that does not fit never reaches the next one', async (t) => {
  // It is stopped while it greets: its last message comes together with its first ReadyForQuery.
  const reports = [parameterStatus('in_hot_standby', 'on'), parameterStatus('default_transaction_read_only', 'off')]
  const greeting = Buffer.concat([authenticationOk, ...reports, backendKeyData(1, 2), readyForQuery('I'), errorResponse('57P01', 'FATAL'), readyForQuery('I').subarray(0, 3)])
  const server = createServer((client) => client.on('error', () => {}).once('data', () => client.end(greeting))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const url = new URL(connectionString)
  url.port = String((server.address() as AddressInfo).port)
  const client = await connect(t, [url.href, connectionString], 'target_session_attrs=primary')
  t.equal(client.port, portOf(connectionString))
  t.match(await client.query('select 1 as one'), { rows: [{ one: 1 }] })
})

t.test('without a password the search ends; an answer that fails for a host that is gone does not end it', async (t) => {
  const { user, database, ...config } = parseConnectionString(over([connectionString, connectionString]))
  await t.rejects(clientOf(t, { ...config, user, database, password: undefined }).connect(), /password must be a string/)

  const proxy = await startProxy(t, connectionString)
  let asked = 0
  const password = async (): Promise<string> => {
    if (++asked > 1) return new URL(connectionString).password
    proxy.cut()
    await until(() => proxy.open === 0)
    await new Promise(setImmediate)
    throw new Error('not known yet')
  }
  const client = clientOf(t, { ...parseConnectionString(over([proxy.connectionString, connectionString])), password })
  await client.connect()
  t.equal(client.port, portOf(connectionString))
})

t.test('uses TLS for each host, and none for a Unix socket between them', async (t) => {
  const tls = await startTlsProxy(t, connectionString, { direct: false })
  const folder = await mkdtemp(join(tmpdir(), 'hosts-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const server = createServer((client) => {
    const upstream = connectTo(portOf(connectionString), '127.0.0.1')
    client.pipe(upstream).pipe(client)
  }).listen(join(folder, '.s.PGSQL.5432'))
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const { hostname } = new URL(connectionString)
  const config = (...addresses: Array<{ host: string, port?: number }>): DatabaseClientConfig => extendConnection(parseConnectionString(connectionString), {
    ssl: tls.ssl,
    hosts: { addresses: addresses.map((address) => ({ port: undefined, ...address })), target: 'any' as const, isRandom: true, timeoutMillis: undefined }
  })

  const secured = clientOf(t, config({ host: tls.host, port: tls.port }))
  await secured.connect()
  const sleeping = secured.query('select pg_sleep(60)')
  sleeping.catch(() => {})
  const isRunning = "select from pg_stat_activity where datname = current_database() and query = 'select pg_sleep(60)' and state = 'active'"
  await until(async () => (await queryOnce(connectionString, isRunning)).length === 1)
  await requestCancel(secured, 5000)
  await t.rejects(sleeping, { code: '57014' }, 'a cancel request goes to the same host')
  t.equal(tls.secured, 2)

  await t.rejects(clientOf(t, config({ host: hostname, port: portOf(connectionString) })).connect(), /does not support SSL/)
  const local = clientOf(t, config({ host: folder }))
  await local.connect()
  t.match(local, { host: folder, port: 5432, ssl: false })
})

t.test('notices that a session is no longer the one that was wanted', async (t) => {
  const client = await connect(t, [connectionString], 'target_session_attrs=read-write')
  t.equal(isStillFit(client), true)
  await client.query('set default_transaction_read_only = on')
  t.equal(isStillFit(client), false)
  const plain = await connect(t, [connectionString])
  await plain.query('set default_transaction_read_only = on')
  t.equal(isStillFit(plain), true)
})
