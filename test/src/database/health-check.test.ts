import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { inspect } from 'node:util'
import { Client, type ClientConfig } from 'pg'
import t, { type Test } from 'tap'
import { ConnectionError } from '../../../src/errors/errors.js'
import { HealthCheck } from '../../../src/database/health-check.js'
import { startPostgres } from '../../../src/testing/index.js'
import { patient } from '../../helpers/info.js'

const info = { size: 1, max: 2, total: 1, idle: 1, inUse: 0, waiting: 0 }
const breathing = { info, breathes: async () => true }

// A server of its own: these tests freeze it.
const postgres = await startPostgres({ folder: mkdtempSync(join(tmpdir(), 'health-')), persistent: false })
t.teardown(() => postgres.stop())

const { hostname: host, port, username: user, password } = new URL(postgres.connectionString)
const address = { host, port: Number(port), user, password, database: 'postgres' }

// Each test finds its own connections by this name.
function named (name: string): ClientConfig {
  return { ...address, application_name: name }
}

function closing (t: Test, check: HealthCheck): HealthCheck {
  t.teardown(() => check.close())
  return check
}

async function connected (t: Test, name: string): Promise<Client> {
  const client = new Client(named(name))
  client.on('error', () => {})
  await client.connect()
  t.teardown(() => client.end())
  return client
}

async function pidsOf (observer: Client, name: string): Promise<number[]> {
  const { rows } = await observer.query<{ pid: number }>('select pid from pg_stat_activity where application_name = $1', [name])
  return rows.map(({ pid }) => pid)
}

async function until (condition: () => Promise<boolean>): Promise<void> {
  while (!await condition()) { /* checks again */ }
}

/** A TCP server that handles its clients with the given function. */
async function impostor (t: Test, treat: (socket: Socket) => void): Promise<ClientConfig> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => { sockets.add(socket); socket.on('error', () => {}); treat(socket) })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => { for (const socket of sockets) socket.destroy(); server.close() })
  return { ...address, port: (server.address() as AddressInfo).port }
}

t.test('is up, with its version, when PostgreSQL answers and the pool breathes', async (t) => {
  const check = closing(t, new HealthCheck({ connection: address, pool: breathing }))
  const before = Date.now()

  const health = await check.check(patient)

  t.match(health, { healthy: true, status: 'up', version: /^PostgreSQL \d+\.\d+$/, latencyMillis: Number })
  t.ok(health.latencyMillis > 0)
  t.ok(health.timestamp.getTime() >= before)
  t.notOk('error' in health)
})

t.test('opens no connection before the first check, and keeps it for the next', async (t) => {
  const observer = await connected(t, 'observer')
  const check = closing(t, new HealthCheck({ connection: named('keeps'), pool: breathing }))
  t.strictSame(await pidsOf(observer, 'keeps'), [])

  await check.check(patient)
  const first = await pidsOf(observer, 'keeps')
  await check.check(patient)

  t.equal(first.length, 1)
  t.strictSame(await pidsOf(observer, 'keeps'), first)
})

t.test('ends its connection after a while without checks', async (t) => {
  const observer = await connected(t, 'observer')
  const check = closing(t, new HealthCheck({ connection: named('idles'), pool: breathing }, { idleMillis: 1 }))

  t.equal((await check.check(patient)).status, 'up')
  await until(async () => (await pidsOf(observer, 'idles')).length === 0)

  t.equal((await check.check(patient)).status, 'up', 'and opens another when it is asked again')
})

t.test('callers at the same time share one check', async (t) => {
  const check = closing(t, new HealthCheck({ connection: address, pool: breathing }))

  const [first, second] = await Promise.all([check.check(patient), check.check(patient)])

  t.equal(first, second)
  t.not(await check.check(patient), first, 'the next caller gets a new one')
})

t.test('an answer that is young enough serves again', async (t) => {
  const check = closing(t, new HealthCheck({ connection: address, pool: breathing }))
  const first = await check.check(patient)

  t.equal(await check.check({ ...patient, maxAgeMillis: 60_000 }), first)
  t.not(await check.check({ ...patient, maxAgeMillis: 0 }), first)
})

t.test('44: is saturated when PostgreSQL answers and the pool passes nothing on', async (t) => {
  const asked: number[] = []
  const pool = { info, breathes: async (timeoutMillis: number) => { asked.push(timeoutMillis); return false } }
  const check = closing(t, new HealthCheck({ connection: address, pool }))

  const health = await check.check(patient)

  t.match(health, { healthy: false, status: 'saturated', version: /^PostgreSQL/, error: 'no connection of the pool came free within 60000 ms' })
  t.strictSame(asked, [60_000])
})

t.test('is saturated when PostgreSQL has no connection left for us', async (t) => {
  const observer = await connected(t, 'observer')
  await observer.query("create role crowd login connection limit 0 password 'crowd'")
  const check = closing(t, new HealthCheck({ connection: { ...address, user: 'crowd', password: 'crowd' }, pool: breathing }))

  t.match(await check.check(patient), { healthy: false, status: 'saturated', error: 'PostgreSQL answered 53300' })
})

t.test('is down, and says why without naming host, user or database', async (t) => {
  const hangsUp = await impostor(t, (socket) => socket.destroy())
  const refuses = await impostor(t, () => {})
  const wrong: Array<[connection: ClientConfig, error: string | RegExp]> = [
    [{ ...address, port: 1 }, 'connection refused (ECONNREFUSED)'],
    [{ ...address, host: join(tmpdir(), 'no-such-folder') }, 'connection failed (ENOENT)'],
    [{ ...address, host: 'nowhere.invalid' }, /^host not found \((ENOTFOUND|EAI_AGAIN)\)$/],
    [{ ...address, database: 'nowhere' }, 'PostgreSQL answered 3D000'],
    [{ ...address, password: 'guess' }, 'PostgreSQL answered 28P01'],
    [{ ...address, ssl: true }, 'connection lost'],
    [hangsUp, /^connection lost( \(ECONNRESET\))?$/],
    [{ ...refuses, connectionTimeoutMillis: 1 }, 'connection lost']
  ]
  for (const [connection, error] of wrong) {
    const check = new HealthCheck({ connection, pool: breathing })
    const health = await check.check(patient)
    t.match(health, { healthy: false, status: 'down', latencyMillis: Number, error }, String(error))
    t.notMatch(inspect(health), /nowhere|guess|127\.0\.0\.1|no-such-folder/)
    t.notOk('version' in health)
    await check.close()
  }
})

t.test('is down within its limit when a server accepts and says nothing', async (t) => {
  const connection = await impostor(t, () => {})
  const check = closing(t, new HealthCheck({ connection, pool: breathing }))
  const encrypted = closing(t, new HealthCheck({ connection: { ...connection, ssl: true }, pool: breathing }))

  t.match(await check.check({ timeoutMillis: 50 }), { status: 'down', error: 'no answer within 50 ms' })
  t.match(await encrypted.check({ timeoutMillis: 50 }), { status: 'down', error: 'no answer within 50 ms' })
})

t.test('44: is down while PostgreSQL is frozen, and up again when it thaws', async (t) => {
  const check = closing(t, new HealthCheck({ connection: address, pool: breathing }))
  t.teardown(() => process.kill(postgres.pid, 'SIGCONT'))
  process.kill(postgres.pid, 'SIGSTOP')

  t.match(await check.check({ timeoutMillis: 50 }), { status: 'down', error: 'no answer within 50 ms' })
  process.kill(postgres.pid, 'SIGCONT')

  t.match(await check.check(patient), { status: 'up' })
})

t.test('destroys a kept connection that hangs, and uses another one next time', async (t) => {
  const observer = await connected(t, 'observer')
  const check = closing(t, new HealthCheck({ connection: named('hangs'), pool: breathing }))
  await check.check(patient)
  const [pid = NaN] = await pidsOf(observer, 'hangs')
  t.teardown(() => process.kill(pid, 'SIGCONT'))
  process.kill(pid, 'SIGSTOP')

  t.match(await check.check({ timeoutMillis: 50 }), { status: 'down', error: 'no answer within 50 ms' })
  t.match(await check.check(patient), { status: 'up' })
})

t.test('survives the loss of its idle connection', async (t) => {
  const observer = await connected(t, 'observer')
  const check = closing(t, new HealthCheck({ connection: named('lost'), pool: breathing }))
  await check.check(patient)
  const before = await pidsOf(observer, 'lost')

  await observer.query('select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = $1', ['lost'])
  // The backend is gone, and has closed its socket: the event arrives in the next turn of the loop, and reaches the check two turns later.
  for (let turn = 0; turn < 3; turn++) await nextTurn()
  t.match(await check.check(patient), { status: 'up' })
  t.notSame(await pidsOf(observer, 'lost'), before)
})

t.test('checks again over a new connection if the kept one died unnoticed', async (t) => {
  const check = closing(t, new HealthCheck({ connection: named('unnoticed'), pool: breathing }))
  await check.check(patient)

  // Another process kills it while this one is blocked, so that no event arrives before the next check.
  const script = `
    const client = new (require('pg').Client)(${JSON.stringify(address)})
    client.connect()
      .then(() => client.query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'unnoticed'"))
      .then(() => client.end())`
  t.equal(spawnSync(process.execPath, ['-e', script], { env: { PATH: process.env['PATH'] } }).status, 0)

  t.match(await check.check(patient), { status: 'up' })
})

t.test('counts the connections to this database by state', async (t) => {
  const observer = await connected(t, 'observer')
  await observer.query('create database counted')
  const inCounted = async () => {
    const client = new Client({ ...address, database: 'counted' })
    await client.connect()
    t.teardown(() => client.end())
    return client
  }
  const [, holder, waiter] = [await inCounted(), await inCounted(), await inCounted()]
  await holder.query('begin')
  await holder.query('select pg_advisory_xact_lock(1)')
  const waiting = waiter.query('select pg_advisory_xact_lock(1)')
  await until(async () => (await observer.query("select from pg_stat_activity where datname = 'counted' and wait_event_type = 'Lock'")).rowCount === 1)
  const check = closing(t, new HealthCheck({ connection: { ...address, database: 'counted' }, pool: breathing }))

  t.match(await check.getInfo(patient), {
    version: /^PostgreSQL \d/,
    connections: { active: 1, idle: 1, idleInTransaction: 1, waitingForLock: 1, total: 3, max: 300 },
    pool: info
  })
  await holder.query('rollback')
  await waiting
})

t.test('keeps one connection of two simultaneous checks', async (t) => {
  const observer = await connected(t, 'observer')
  const check = closing(t, new HealthCheck({ connection: named('two'), pool: breathing }))

  await Promise.all([check.check(patient), check.getInfo(patient)])
  await until(async () => (await pidsOf(observer, 'two')).length === 1)

  t.match(await check.check(patient), { status: 'up' })
})

t.test('getInfo rejects with a ConnectionError when there is no answer in time', async (t) => {
  const check = closing(t, new HealthCheck({ connection: await impostor(t, () => {}), pool: breathing }))

  await t.rejects(check.getInfo({ timeoutMillis: 50 }), new ConnectionError())
})

t.test('close() ends its connection, and refuses later checks', async (t) => {
  const observer = await connected(t, 'observer')
  const check = new HealthCheck({ connection: named('closes'), pool: breathing })
  await check.check(patient)

  await check.close()

  await until(async () => (await pidsOf(observer, 'closes')).length === 0)
  t.match(await check.check({ maxAgeMillis: 60_000 }), { healthy: false, status: 'closing', error: 'the database is being closed' })
  await t.rejects(check.getInfo(), new ConnectionError())
  await t.resolves(check.close(), 'a second time too')
})

t.test('closing cuts a check that is under way', async (t) => {
  const check = new HealthCheck({ connection: await impostor(t, () => {}), pool: breathing })
  const pending = check.check({ timeoutMillis: 60_000 })

  await check.close()

  t.match(await pending, { healthy: false, status: 'closing' })
})

t.test('closing does not wait for a PostgreSQL that is frozen', async (t) => {
  const observer = await connected(t, 'observer')
  const check = new HealthCheck({ connection: named('frozen'), pool: breathing })
  await check.check(patient)
  const [pid = NaN] = await pidsOf(observer, 'frozen')
  t.teardown(() => process.kill(pid, 'SIGCONT'))
  process.kill(pid, 'SIGSTOP')

  await t.resolves(check.close())
})
