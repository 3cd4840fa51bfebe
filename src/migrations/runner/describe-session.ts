/** A session, as `pg_stat_activity` shows it. */
export interface Session {
  readonly pid: number
  readonly name: string
  readonly state: string
  readonly seconds: number | null
}

/** The columns that select a {@link Session} from `pg_stat_activity`. */
export const sessionColumns = 'pid, application_name as name, coalesce(state, \'state unknown\') as state, extract(epoch from clock_timestamp() - state_change)::int as seconds'

const idle = 'idle in transaction'

/** Describes a session without its SQL: `process 4711 (psql, idle in transaction for 40 s)`. */
export function describeSession ({ pid, name, state, seconds }: Session): string {
  const since = state.startsWith(idle) ? ` for ${seconds} s` : ''
  return `process ${pid} (${[name, `${state}${since}`].filter((word) => word !== '').join(', ')})`
}
