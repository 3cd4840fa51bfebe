import { execFile } from 'node:child_process'
import { appendFileSync, chmodSync, chownSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { startPostgres } from '../../src/testing/index.js'
import { queryOnce } from './backend.js'
import { until } from './until.js'
import type { PostgresServer } from '../../src/testing/index.js'

/** A standby that replays the writes of its primary until it is paused. */
export interface Standby {
  readonly server: PostgresServer
  readonly connectionString: string
  /** Pauses the replay, as a long query does: later writes of the primary are received but not visible. */
  lag (): Promise<void>
  /** Ends {@link Standby.lag}. */
  catchUp (): Promise<void>
  /** Stops receiving from its primary. */
  part (): Promise<void>
  /** Ends {@link Standby.part}. */
  rejoin (): Promise<void>
  /** Makes it a primary, on a timeline of its own. */
  promote (): Promise<void>
  /** Resolves when it has replayed everything that its primary has written so far. */
  level (): Promise<void>
  stop (): Promise<void>
}

/** A primary, and a standby beside it. */
export interface Pair {
  readonly primary: PostgresServer
  readonly standby: Standby
}

/** Starts a PostgreSQL in an empty folder, and a standby that follows it. */
export async function startPair (folder: string): Promise<Pair> {
  // If root starts PostgreSQL, it runs under another account.
  chmodSync(folder, 0o711)
  const primary = await startPostgres({ folder: join(folder, 'primary') })
  return { primary, standby: await startStandby(primary, join(folder, 'standby')) }
}

/** Starts a standby from a copy of the files of a running primary. */
export async function startStandby (primary: PostgresServer, folder: string): Promise<Standby> {
  const data = join(folder, 'data')
  const { uid, gid } = statSync(join(primary.folder, 'data'))
  const write = (name: string, text: string): void => {
    writeFileSync(join(data, name), text)
    chownSync(join(data, name), uid, gid)
  }
  write('backup_label', await copyAtWork(primary, folder))
  write('standby.signal', '')
  for (const name of ['postmaster.pid', 'postmaster.opts']) rmSync(join(data, name), { force: true })
  appendFileSync(join(data, 'postgresql.auto.conf'), [
    `primary_conninfo = '${placeOf(primary)}'`,
    "wal_retrieve_retry_interval = '100ms'",
    ''
  ].join('\n'))
  return standbyOf(await startPostgres({ folder }), primary)
}

/** How a standby names its primary. */
function placeOf ({ connectionString }: PostgresServer): string {
  const { port, username, password } = new URL(connectionString)
  return `host=127.0.0.1 port=${port} user=${username} password=${password}`
}

/**
 * Copies the files of a running PostgreSQL, and resolves with the content of the backup label to put beside them.
 * https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP
 */
async function copyAtWork ({ connectionString, folder }: PostgresServer, copy: string): Promise<string> {
  const client = new Client(connectionString)
  await client.connect()
  try {
    await client.query("select pg_backup_start('standby', fast => true)")
    await promisify(execFile)('cp', ['-a', folder, copy], { env: { ...process.env, LC_ALL: 'C' } }).catch(exceptVanished)
    const { rows: [label] } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(wait_for_archive => false)')
    return String(label?.labelfile)
  } finally {
    await client.end()
  }
}

/** Ignores files that vanish during the copy, such as PostgreSQL's temporary files. */
function exceptVanished (error: Error & { readonly stderr?: string }): void {
  const lines = error.stderr?.trim().split('\n') ?? ['']
  if (!lines.every((line) => line.endsWith('No such file or directory'))) throw error
}

function standbyOf (server: PostgresServer, primary: PostgresServer): Standby {
  const { connectionString } = server
  const ask = <Row extends object>(text: string, values?: unknown[]): Promise<Row[]> => queryOnce<Row>(connectionString, text, values)
  return {
    server,
    connectionString,
    async lag () {
      await ask('select pg_wal_replay_pause()')
      await until(async () => (await ask<{ state: string }>('select pg_get_wal_replay_pause_state() as state'))[0]?.state === 'paused')
    },
    async catchUp () { await ask('select pg_wal_replay_resume()') },
    async part () {
      await ask("alter system set primary_conninfo = ''")
      await ask('select pg_reload_conf()')
      await until(async () => (await ask('select from pg_stat_wal_receiver')).length === 0)
    },
    async rejoin () {
      await ask(`alter system set primary_conninfo = '${placeOf(primary)}'`)
      await ask('select pg_reload_conf()')
    },
    async promote () { await ask('select pg_promote()') },
    async level () {
      const [written] = await queryOnce<{ position: string }>(primary.connectionString, 'select pg_current_wal_flush_lsn() as position')
      await until(async () => (await ask('select from pg_last_wal_replay_lsn() as replayed where replayed >= $1::pg_lsn', [written?.position])).length === 1)
    },
    stop: () => server.stop()
  }
}
