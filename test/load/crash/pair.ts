import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { startPostgres } from '../../../src/testing/index.js'
import { queryOnce } from '../../helpers/backend.js'
import { startStandby } from '../../helpers/standby.js'
import { Cluster, newFolder } from './cluster.js'
import type { PostgresServer } from '../../../src/testing/index.js'
import type { Standby } from '../../helpers/standby.js'

/** A primary with a standby that takes over, again and again: each new primary gets a standby of its own. */
export class Pair extends Cluster {
  standby: Standby
  readonly #place: string
  /** The number of standbys so far. */
  #standbys = 1

  private constructor (primary: PostgresServer, standby: Standby, place: string) {
    super(primary, place)
    this.standby = standby
    this.#place = place
  }

  /** A synchronous pair answers a COMMIT when the standby has it; while the standby is away, COMMIT waits. */
  static override async start ({ isSynchronous = true } = {}): Promise<Pair> {
    const place = newFolder()
    const primary = await startPostgres({ folder: join(place, 'primary') })
    await queryOnce(primary.connectionString, "alter system set wal_keep_size = '256MB'")
    // The setting is copied to each standby, so that it waits for its own standby after it has taken over.
    if (isSynchronous) await queryOnce(primary.connectionString, "alter system set synchronous_standby_names = '*'")
    await queryOnce(primary.connectionString, 'select pg_reload_conf()')
    return new Pair(primary, await startStandby(primary, join(place, 'standby-1')), place)
  }

  /** Ends the sessions whose COMMIT waits for the standby: their writes are kept here, but were not acknowledged. */
  async terminateWaiting (): Promise<void> {
    await this.query("select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'")
  }

  /** Kills the primary with all of its sessions. */
  async kill (): Promise<void> {
    process.kill(this.server.pid, 'SIGKILL')
    await this.server.ended
  }

  /** Stops the primary in good order. */
  async stopPrimary (): Promise<void> {
    await this.server.stop()
  }

  /** Promotes the standby of a primary that has ended; `lead` receives its URL before it has a standby of its own. */
  async takeOver (lead: (connectionString: string) => unknown): Promise<void> {
    const gone = this.server
    await this.standby.promote()
    this.server = this.standby.server
    await lead(this.connectionString)
    rmSync(gone.folder, { recursive: true, force: true, maxRetries: 3 })
    this.standby = await startStandby(this.server, join(this.#place, `standby-${++this.#standbys}`))
  }

  override async stop (): Promise<void> {
    await this.standby.stop()
    await super.stop()
  }
}
