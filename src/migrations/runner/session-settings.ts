import { escapeIdentifier, escapeLiteral } from 'pg'
import type { Client } from 'pg'

/** The settings that were changed in a session, by their names. */
export type SessionSettings = ReadonlyMap<string, string>

/** The settings of a session that no other client gets: nothing is restored in it. */
export const ownSession: SessionSettings = new Map()

/** The settings of a transaction, which end with it. */
const ofTransaction = "'transaction_isolation', 'transaction_read_only', 'transaction_deferrable'"

/** Reads the settings that were changed in a session, and for the current transaction. */
export async function readSettings (client: Client): Promise<SessionSettings> {
  const { rows } = await client.query<{ name: string, setting: string }>(`select name, setting from pg_settings where source = 'session' and name not in (${ofTransaction})`)
  return new Map(rows.map(({ name, setting }) => [name, setting]))
}

/** The statements that follow a COMMIT, so that the session has the settings again that it had before the transaction. */
export function restore (before: SessionSettings, after: SessionSettings): string {
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name))
  const statements = changed.map((name) => {
    const former = before.get(name)
    return former === undefined ? `reset ${escapeIdentifier(name)}` : `select set_config(${escapeLiteral(name)}, ${escapeLiteral(former)}, false)`
  })
  return ['', 'reset role', ...statements].join('; ')
}
