/** What `pg_stat_activity` tells of a session. */
export interface Session {
  readonly pid: number
  readonly name: string
  readonly state: string
  readonly seconds: number | null
}

/** How a {@link Session} is selected from it. */
export const sessionColumns = 'pid, application_name as name, coalesce(state, \'state unknown\') as state, extract(epoch from clock_timestamp() - state_change)::int as seconds'

const idle = 'idle in transaction'

/** A session in words, without its SQL. */
export function describeSession ({ pid, name, state, seconds }: Session): string {
  const since = state.startsWith(idle) ? ` for ${seconds} s` : ''
  return `process ${pid} (${[name, `${state}${since}`].filter((word) => word !== '').join(', ')})`
}
