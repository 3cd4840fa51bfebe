import type { Snapshot } from '../snapshots/snapshot.js'
import { quotedName } from '../snapshots/names.js'

const statementPattern = /^ALTER TABLE (.+) (?:EN|DIS)ABLE ROW LEVEL SECURITY;$/

/**
 * Removes changes of row level security for the tables of a snapshot. Intermediate steps drop and create policies; row level security changes only at the end,
 * so that no rows are exposed meanwhile.
 */
export function withoutRowLevelSecurity (statements: readonly string[], { tables }: Snapshot): string[] {
  const names = new Set(Object.values(tables).map(quotedName))
  return statements.filter((statement) => {
    const [, secured = ''] = statementPattern.exec(statement) ?? []
    return !names.has(secured)
  })
}

/** Turns row level security on and off, for the tables that both snapshots have. */
export function alterRowLevelSecurity (before: Snapshot, after: Snapshot): string[] {
  const isOn = ({ tables }: Snapshot, key: string) => tables[key]!.isRLSEnabled === true || Object.keys(tables[key]!.policies).length > 0
  return Object.entries(after.tables).flatMap(([key, table]) => {
    if (before.tables[key] === undefined || isOn(before, key) === isOn(after, key)) return []
    return [`ALTER TABLE ${quotedName(table)} ${isOn(after, key) ? 'ENABLE' : 'DISABLE'} ROW LEVEL SECURITY;`]
  })
}
