import { HealthConnection } from '../database/health-connection.js'
import type { ClientConfig } from 'pg'
import type { Blocking, Process } from './activity.js'

/** How long an answer may take, and how long the connection is kept for the next question, in milliseconds. */
const timeoutMillis = 2000
const idleMillis = 10_000

/**
 * Only processes that wait for a lock are asked for their blockers: `pg_blocking_pids` stops the lock manager for a moment. Process 0 is a prepared transaction.
 * `wait_event_type` is that of this moment, and `state` a little older: without `active` a process that has just begun to wait would be shown as idle.
 * A blocker may have ended meanwhile; of other users only the names of their programs are known.
 */
const question = `with waiting as materialized (
  select pid, array(select distinct unnest(pg_blocking_pids(pid))) as blockers from pg_stat_activity
  where wait_event_type = 'Lock' and state = 'active' and datname = current_database() order by query_start limit 50
), processes as (
  select pid, case pid when 0 then 'a prepared transaction' else coalesce(application_name, '') end as application, coalesce(state, '') as state,
    coalesce(extract(epoch from clock_timestamp() - case when waiting.pid is null then xact_start else query_start end) * 1000, 0) as millis
  from (select pid from waiting union select unnest(blockers) from waiting) involved left join waiting using (pid) left join pg_stat_activity activity using (pid)
)
select (select coalesce(json_agg(waiting), '[]') from waiting)::text as waiting, (select coalesce(json_agg(processes), '[]') from processes)::text as processes`

/** What this process knows of a process of PostgreSQL. */
export interface OwnProcess {
  readonly route: string
  readonly text: string
}

interface Waiting { readonly pid: number, readonly blockers: number[] }
interface Found { readonly pid: number, readonly application: string, readonly state: string, readonly millis: number }

/** Asks PostgreSQL who waits for whose lock, over a connection beside the pool, which is opened for the first question. */
export class Blockings {
  readonly #connection: HealthConnection
  readonly #find: (processId: number) => OwnProcess | undefined

  /** `find` tells of a process that it is a connection of the program. */
  constructor (config: ClientConfig, find: (processId: number) => OwnProcess | undefined) {
    this.#connection = new HealthConnection(config, idleMillis)
    this.#find = find
  }

  /** Resolves with null if PostgreSQL did not answer. */
  async ask (): Promise<Blocking[] | null> {
    try {
      const { waiting, processes } = await this.#connection.ask<{ waiting: string, processes: string }>(question, timeoutMillis)
      const found = new Map((JSON.parse(processes) as Found[]).map((process) => [process.pid, process]))
      return (JSON.parse(waiting) as Waiting[]).map(({ pid, blockers }) => ({
        waiting: this.#processOf(pid, found),
        blockers: blockers.map((blocker) => this.#processOf(blocker, found))
      }))
    } catch {
      return null
    }
  }

  close (): Promise<void> {
    return this.#connection.close()
  }

  #processOf (processId: number, found: ReadonlyMap<number, Found>): Process {
    const { application, state, millis } = found.get(processId) as Found // the answer has all of them
    const { route, text = '' } = this.#find(processId) ?? {}
    return { processId, route, application, state, text, millis }
  }
}
