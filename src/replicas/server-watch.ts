import { positionOf } from './commit-token.js'
import { answerInTime } from '../pg/answer-in-time.js'
import { DatabaseClient } from '../pg/database-client.js'
import { destroySocket, holdProcess } from '../pg/client.js'
import { ignore } from '../runtime/promises.js'
import type { Client, ClientConfig } from 'pg'

/** The state of a server, as it reports it. */
export interface ServerState {
  /** Whether it is in recovery. */
  readonly standby: boolean
  readonly system: string
  /** Eight hexadecimal digits. */
  readonly timeline: string
  /** How far its WAL was flushed, or, in recovery, replayed. */
  readonly position: bigint
}

interface Row {
  readonly standby: boolean
  readonly system: string
  readonly timeline: string
  readonly position: string
}

/**
 * A standby does not report the timeline that it replays. The control file has the one of its last restartpoint, and the receiver, for
 * users who may see it, the one that it receives. Each may be out of date; none is ahead. A standby that replayed more of an old
 * timeline than the new one shares with it cannot receive the new one.
 */
const question = `select standby, system_identifier::text as system,
  (case when standby then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end)::text as position,
  case when standby
    then upper(lpad(to_hex(greatest(timeline_id, min_recovery_end_timeline, (select received_tli from pg_stat_wal_receiver))), 8, '0'))
    else left(pg_walfile_name(pg_current_wal_flush_lsn()), 8) end as timeline
  from (select pg_is_in_recovery() as standby offset 0) as server, pg_control_system(), pg_control_checkpoint(), pg_control_recovery()`

/** How a server is watched. */
export interface WatchOptions {
  /** The pause between an answer and the next question. */
  readonly intervalMillis: number
  /** How long an answer may take. */
  readonly timeoutMillis: number
  /**
   * Called after each question: with the answer, or undefined, and the time before the question was sent. Returns whether it is the
   * right server: if not, the next question opens a connection anew, because the address may lead to another server then.
   */
  readonly told: (state: ServerState | undefined, askedAt: number) => boolean
}

/** Asks a server again and again how far it has come, over a connection of its own, so that an exhausted pool does not hide it. */
export class ServerWatch {
  readonly #config: ClientConfig
  readonly #options: WatchOptions
  #client: Client | undefined
  #timer: NodeJS.Timeout | undefined
  #isEnded = false

  constructor (config: ClientConfig, options: WatchOptions) {
    this.#config = config
    this.#options = options
  }

  /** Asks now, and from time to time. Never rejects. */
  async start (): Promise<void> {
    const askedAt = performance.now()
    const state = await this.#ask().catch(ignore)
    if (this.#isEnded) return
    if (!this.#options.told(state ?? undefined, askedAt)) this.#drop()
    this.#timer = setTimeout(() => this.start(), this.#options.intervalMillis).unref()
  }

  /** Stops asking. */
  end (): void {
    this.#isEnded = true
    clearTimeout(this.#timer)
    this.#drop()
  }

  async #ask (): Promise<ServerState> {
    const isNew = this.#client === undefined
    const client = this.#client ??= this.#newClient()
    const { rows: [row] } = await answerInTime(client, async () => {
      if (isNew) await open(client)
      return await client.query<Row>(question)
    }, { timeoutMillis: this.#options.timeoutMillis })
    const { standby, system, timeline, position } = row as Row
    return { standby, system, timeline, position: positionOf(position) }
  }

  #newClient (): Client {
    const client = new DatabaseClient(this.#config)
    // Without a listener a connection that is lost would end the process.
    client.on('error', ignore)
    return client
  }

  #drop (): void {
    const client = this.#client
    this.#client = undefined
    if (client !== undefined) destroySocket(client)
  }
}

/** Connects a client, which must not keep the process alive. */
async function open (client: Client): Promise<void> {
  await client.connect()
  holdProcess(client, false)
}
