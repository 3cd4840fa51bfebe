import { execFile } from 'node:child_process'
import { appendFileSync, chmodSync, chownSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startPostgres } from '../../src/testing/index.js'
import { queryOnce } from './backend.js'
import { until } from './until.js'
import type { PostgresServer } from '../../src/testing/index.js'

/** A standby that replays what its primary has written, until it is told not to. */
export interface Standby {
  readonly connectionString: string
  /** Lets the replay stand still, as it does behind a long query: what the primary writes from now on is received, and not seen. */
  lag (): Promise<void>
  /** Ends {@link Standby.lag}. */
  catchUp (): Promise<void>
  /** Receives nothing any more from its primary. */
  part (): Promise<void>
  /** Makes it a primary, on a timeline of its own. */
  promote (): Promise<void>
  /** Resolves when it has replayed all that its primary has written so far. */
  level (): Promise<void>
  stop (): Promise<void>
}

/** A primary, started again with a standby beside it. */
export interface Pair {
  readonly primary: PostgresServer
  readonly standby: Standby
}

/** Starts a PostgreSQL in an empty folder, and another one from a copy of its files that follows it. */
export async function startPair (folder: string): Promise<Pair> {
  // Root's PostgreSQL runs under another account.
  chmodSync(folder, 0o711)
  const copy = join(folder, 'standby')
  const first = await startPostgres({ folder: join(folder, 'primary') })
  await first.stop()
  await promisify(execFile)('cp', ['-a', first.folder, copy])
  const primary = await startPostgres({ folder: first.folder })
  const data = join(copy, 'data')
  const signal = join(data, 'standby.signal')
  writeFileSync(signal, '')
  const { uid, gid } = statSync(data)
  chownSync(signal, uid, gid)
  const { port: primaryPort, username, password } = new URL(primary.connectionString)
  appendFileSync(join(data, 'postgresql.auto.conf'), [
    `primary_conninfo = 'host=127.0.0.1 port=${primaryPort} user=${username} password=${password}'`,
    "wal_retrieve_retry_interval = '100ms'",
    ''
  ].join('\n'))
  return { primary, standby: standbyOf(await startPostgres({ folder: copy }), primary) }
}

function standbyOf (server: PostgresServer, primary: PostgresServer): Standby {
  const { connectionString } = server
  const ask = <Row extends object>(text: string, values?: unknown[]): Promise<Row[]> => queryOnce<Row>(connectionString, text, values)
  return {
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
    async promote () { await ask('select pg_promote()') },
    async level () {
      const [written] = await queryOnce<{ position: string }>(primary.connectionString, 'select pg_current_wal_flush_lsn() as position')
      await until(async () => (await ask('select from pg_last_wal_replay_lsn() as replayed where replayed >= $1::pg_lsn', [written?.position])).length === 1)
    },
    stop: () => server.stop()
  }
}
