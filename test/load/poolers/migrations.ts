/**
 * Migrations through a real PgBouncer in transaction mode: `npm run test:pooler-migrations`, with `-- --rounds 50` for another number of rounds.
 *
 * In each round two processes' worth of runners start at once on an empty database, with files of both kinds that set what they should not leave. It needs
 * `pgbouncer` on the PATH, and exits with 1 if a file ran twice or not at all, or a lock, a role or a setting stayed on a connection of the pooler.
 */
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { checkMigrations, runMigrations } from '../../../src/migrations/index.js'
import { startPostgres } from '../../../src/testing/index.js'
import { until } from '../../helpers/until.js'
import { writeFolder } from '../../src/migrations/folder.js'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '50' } } })
const rounds = Number(values.rounds)
/** The pooler's connections to PostgreSQL. */
const servers = 4

const folder = mkdtempSync(join(tmpdir(), 'pooler-migrations-'))
chmodSync(folder, 0o755)
const migrations = writeFolder(join(folder, 'drizzle'), [
  { tag: '0000_a', when: 1, sql: "create table ran (file text); insert into ran values ('a'); set search_path = nowhere; set role pg_monitor; set statement_timeout = '1min'" },
  { tag: '0001_b', when: 2, sql: "-- data-access: no-transaction\ninsert into ran values ('b'); create index concurrently ran_file on ran (file)" },
  { tag: '0002_c', when: 3, sql: "insert into ran values ('c'); select set_config('app.tenant', '1', false); set work_mem = '1MB'" }
])

const postgres = await startPostgres({ folder: join(folder, 'postgres'), persistent: false })
const { username, password, port: postgresPort } = new URL(postgres.connectionString)
const port = await freePort()
writeFileSync(join(folder, 'users.txt'), `"${username}" "${password}"\n`)
writeFileSync(join(folder, 'pgbouncer.ini'), `[databases]
* = host=127.0.0.1 port=${postgresPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${join(folder, 'users.txt')}
pool_mode = transaction
default_pool_size = ${servers}
`)
const account = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
const pgbouncer = spawn('pgbouncer', ['-q', ...account, join(folder, 'pgbouncer.ini')], { stdio: ['ignore', 'ignore', 'pipe'] })
let said = ''
pgbouncer.stderr.on('data', (text) => { said += text })

const failures: string[] = []
try {
  await until(() => opens(port))
  for (let round = 0; round < rounds && failures.length === 0; round++) await playRound(`round_${round}`)
} finally {
  pgbouncer.kill()
  await postgres.stop()
}
for (const failure of failures) console.error(`FAILED: ${failure}`)
if (failures.length === 0) console.log(`${rounds} rounds of two runners through PgBouncer: each file ran once, and no lock, role or setting stayed on its connections`)
process.exit(failures.length === 0 ? 0 : 1)

async function playRound (name: string): Promise<void> {
  const direct = await open(postgres.connectionString)
  await direct.query(`create database ${name}`)
  const connectionString = `postgresql://${username}:${password}@127.0.0.1:${port}/${name}`
  const clients = await Promise.all(Array.from({ length: servers }, () => open(connectionString)))
  const before = await look(clients)
  const options = { connectionString, folder: migrations }
  const runs = await Promise.all([checkMigrations(options), runMigrations(options), runMigrations(options)])
  const [, ...applied] = runs.map((result) => 'applied' in result ? result.applied.length : 0)
  const after = await look(clients)
  const check = await checkMigrations(options)
  const { rows } = await clients[0]!.query('select file from ran order by file')
  const { rowCount: locks } = await direct.query("select from pg_locks where locktype = 'advisory'")
  const found = { applied: applied.sort(), ok: check.ok, ran: rows.map(({ file }) => file).join(), locks, after }
  const wanted = { applied: [0, 3], ok: true, ran: 'a,b,c', locks: 0, after: before }
  if (JSON.stringify(found) !== JSON.stringify(wanted)) failures.push(`${name}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`)
  await Promise.all([...clients, direct].map((client) => client.end()))
}

/** The backend, the role and the settings of each connection of the pooler, all of which are taken at the same time. */
async function look (clients: readonly Client[]): Promise<string[]> {
  await Promise.all(clients.map((client) => client.query('begin')))
  const found = await Promise.all(clients.map(async (client) => {
    const { rows: [row] } = await client.query(`select pg_backend_pid() as pid, current_user as user, (select json_object_agg(name, setting order by name) from pg_settings
      where source = 'session' and name not in ('transaction_isolation', 'transaction_read_only', 'transaction_deferrable', 'application_name')) as settings`)
    return JSON.stringify(row)
  }))
  await Promise.all(clients.map((client) => client.query('commit')))
  return found.sort()
}

async function open (connectionString: string): Promise<Client> {
  const client = new Client({ connectionString })
  await client.connect()
  return client
}

async function opens (port: number): Promise<boolean> {
  if (pgbouncer.exitCode !== null) throw new Error(`pgbouncer ended: ${said}`)
  return await open(`postgresql://${username}:${password}@127.0.0.1:${port}/postgres`).then(async (client) => { await client.end(); return true }, () => false)
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
