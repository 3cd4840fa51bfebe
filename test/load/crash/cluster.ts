import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Client, Pool } from 'pg'
import { startPostgres } from '../../../src/testing/index.js'
import type { ClientConfig } from 'pg'
import type { PostgresServer } from '../../../src/testing/index.js'

/** The application name of the driver's own sessions, which are not counted as the subject's. */
const ownName = 'driver'

/** The longest time in which PostgreSQL must come back, in milliseconds. */
const patienceMillis = 60_000

/** A PostgreSQL that the run kills. Its rows are flushed to the disk, so that only a false acknowledgement can lose them. */
export class Cluster {
  server: PostgresServer
  readonly #folder: string

  protected constructor (server: PostgresServer, folder: string) {
    this.server = server
    this.#folder = folder
  }

  static async start (): Promise<Cluster> {
    const folder = newFolder()
    return new Cluster(await startPostgres({ folder }), folder)
  }

  get connectionString (): string { return this.server.connectionString }

  /** Runs SQL over a connection that faults do not affect; rejects while PostgreSQL is away. */
  async query<Row extends object> (text: string, values: unknown[] = []): Promise<Row[]> {
    const client = new Client(this.#connection)
    client.on('error', () => {})
    try {
      await client.connect()
      return (await client.query<Row>(text, values)).rows
    } finally {
      client.end().catch(() => {})
    }
  }

  /** A pool whose connections only faults of PostgreSQL itself affect. */
  pool (): Pool {
    return new Pool({ ...this.#connection, max: 4 }).on('error', () => {})
  }

  get #connection (): ClientConfig {
    return { connectionString: this.connectionString, application_name: ownName, connectionTimeoutMillis: 5000 }
  }

  /** The backends of the subject, the busy ones first. */
  async backends (): Promise<number[]> {
    const rows = await this.query<{ pid: number }>(
      "select pid from pg_stat_activity where backend_type = 'client backend' and application_name <> $1 order by state like '%idle%' and state <> 'idle in transaction', random()", [ownName])
    return rows.map(({ pid }) => pid)
  }

  /** Stops as `pg_ctl stop --mode fast` does, and starts again. */
  async restart (): Promise<void> {
    await this.server.stop()
    await this.#start()
  }

  /** Kills the postmaster; its children notice, and it is restarted as soon as they are gone. */
  async killPostmaster (): Promise<void> {
    process.kill(this.server.pid, 'SIGKILL')
    await this.server.ended
    await this.#start()
  }

  /** Resolves when PostgreSQL answers. */
  async back (): Promise<void> {
    const giveUpAt = Date.now() + patienceMillis
    for (;;) {
      try {
        await this.query('select 1')
        return
      } catch (error) {
        if (Date.now() > giveUpAt) throw error
        await wait(5)
      }
    }
  }

  async stop (): Promise<void> {
    await this.server.stop()
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }

  async #start (): Promise<void> {
    const port = Number(new URL(this.connectionString).port)
    const giveUpAt = Date.now() + patienceMillis
    for (;;) {
      try {
        this.server = await startPostgres({ folder: this.server.folder, port: () => port })
        return
      } catch (error) {
        // The children of a killed postmaster still hold its memory.
        if (Date.now() > giveUpAt) throw error
        await wait(20)
      }
    }
  }
}

/** A folder that is removed when this process ends. */
export function newFolder (): string {
  const folder = mkdtempSync(join(tmpdir(), 'data-access-crash-'))
  // If root starts PostgreSQL, it runs under another account.
  chmodSync(folder, 0o711)
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  return folder
}
