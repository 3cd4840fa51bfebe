/** libpq's words for the session that a client wants: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-TARGET-SESSION-ATTRS */
export type TargetSession = 'any' | 'read-write' | 'read-only' | 'primary' | 'standby' | 'prefer-standby'

/** What a server reports of a session; undefined until it is known. PostgreSQL 14 and newer report it when a client connects. */
export interface SessionState {
  /** `in_hot_standby`. */
  standby?: boolean
  /** `default_transaction_read_only`. */
  readOnly?: boolean
}

/** The same from a server that does not report it: its recovery, and whether transactions are read-only. */
export const askState = "select pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only')"

/** Reads the row of {@link askState}. */
export function readState (state: SessionState, [standby, readOnly]: ReadonlyArray<string | null>): void {
  state.standby = standby === 't'
  state.readOnly = readOnly === 'on'
}

/** Takes over a setting that the server has reported. */
export function readReport (state: SessionState, name: string, value: string): void {
  if (name === 'in_hot_standby') state.standby = value === 'on'
  else if (name === 'default_transaction_read_only') state.readOnly = value === 'on'
}

/** Whether everything is known that {@link isFit} needs. */
export function isKnown ({ standby, readOnly }: SessionState): boolean {
  return standby !== undefined && readOnly !== undefined
}

/** Whether a session is the one that is wanted. A preference accepts any. */
export function isFit (target: TargetSession, { standby = false, readOnly = false }: SessionState): boolean {
  switch (target) {
    case 'read-write': return !standby && !readOnly
    case 'read-only': return standby || readOnly
    case 'primary': return !standby
    case 'standby': return standby
    default: return true
  }
}
