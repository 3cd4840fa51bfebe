import { alterInPlace } from './alter-in-place.js'
import { findRenameCandidates } from '../snapshots/rename-candidates.js'
import { findColumnChanges } from './column-changes.js'
import { equalEntries, lacksAny, losesKey, mapTables, primaryKey, sharedEntries, tablePairs } from '../snapshots/snapshot-parts.js'
import { dropDependents } from './drop-dependents.js'
import type { Snapshot } from '../snapshots/snapshot.js'

/** A snapshot on the way, and the statements that lead to it, where drizzle-kit does not write them. */
export interface IntermediateSnapshot {
  readonly snapshot: Snapshot
  readonly statements?: readonly string[]
}

/**
 * The stops on the way from one snapshot to another. Each leaves out what stands in the way of the next step, or brings in what that step needs, so that each
 * step is one that drizzle-kit does well: first all goes that others hold on to, then columns, enums and sequences change, and then comes what is new.
 */
export function intermediateSnapshots (before: Snapshot, after: Snapshot): IntermediateSnapshot[] {
  const columnChanges = findColumnChanges(before, after)
  const lifted = dropDependents(before, after, columnChanges).map((snapshot): IntermediateSnapshot => ({ snapshot }))
  const bare = lifted.at(-1)!.snapshot
  if (alterInPlace({ start: before, before: bare, after, columnChanges }).statements.length > 0) lifted.push({ snapshot: withTypes(bare, after) })
  const altered = alterInPlace({ start: before, before: lifted.at(-1)!.snapshot, after, columnChanges })
  const diffs: IntermediateSnapshot[] = [...lifted, altered]
  const here = altered.snapshot
  if (needsEarlyAdditions(here, after)) {
    const additions = withAdditions(here, after)
    diffs.push({ snapshot: withoutGenerated(here, additions) }, { snapshot: additions })
  }
  if (needsLateAdditions(here, after)) diffs.push({ snapshot: withoutForeignKeys(here, after) })
  return [...diffs, { snapshot: after }]
}

/** Whether what is new has to come before anything else: where drizzle-kit would ask, and for what is made of columns that it adds only later. */
function needsEarlyAdditions (before: Snapshot, after: Snapshot): boolean {
  return findRenameCandidates(before, after).length > 0 || tablePairs(before, after).some(([, a, b]) => {
    const added = Object.values(b.columns).filter(({ name }) => a.columns[name] === undefined)
    return added.some(({ name, generated }) => generated !== undefined || (primaryKey(b).includes(name) && !b.columns[name]!.primaryKey))
  })
}

/** Whether foreign keys have to come after everything else: drizzle-kit adds them before the keys to which they refer. */
function needsLateAdditions (before: Snapshot, after: Snapshot): boolean {
  const added = Object.entries(after.tables).some(([key, table]) => lacksAny(table.foreignKeys, before.tables[key]?.foreignKeys ?? {}))
  return added && tablePairs(before, after).some(([, a, b]) => losesKey(b, a))
}

/** With the types and sequences that columns may need. */
function withTypes (before: Snapshot, after: Snapshot): Snapshot {
  const snapshot = { ...before }
  for (const group of ['schemas', 'enums', 'sequences'] as const) Object.assign(snapshot, { [group]: { ...after[group], ...before[group] } })
  return snapshot
}

/** With all that is new, but without what the new needs: the step to it adds, and the next one drops, so that there is nothing to ask. */
function withAdditions (before: Snapshot, after: Snapshot): Snapshot {
  const snapshot = structuredClone(withTypes(before, after))
  Object.assign(snapshot.roles, { ...after.roles, ...before.roles })
  // Views and policies hold no rows: they went first and come back last.
  snapshot.views = sharedEntries(before.views, after.views)
  snapshot.policies = sharedEntries(before.policies, after.policies)
  for (const [key, table] of Object.entries(after.tables)) {
    const former = snapshot.tables[key]
    snapshot.tables[key] = former === undefined
      ? { ...table, foreignKeys: {}, indexes: {}, policies: {} }
      : { ...former, columns: { ...table.columns, ...former.columns }, policies: sharedEntries(former.policies, table.policies) }
  }
  return snapshot
}

/** Without the new columns that are made of others, which have to be there first. */
function withoutGenerated (before: Snapshot, after: Snapshot): Snapshot {
  return mapTables(after, (table, key) => {
    const former = before.tables[key]
    if (former === undefined) return
    table.columns = Object.fromEntries(Object.entries(table.columns).filter(([name, { generated }]) => generated === undefined || former.columns[name] !== undefined))
  })
}

/** Without the foreign keys that the earlier snapshot does not have. */
function withoutForeignKeys (before: Snapshot, after: Snapshot): Snapshot {
  return mapTables(after, (table, key) => {
    table.foreignKeys = equalEntries(table.foreignKeys, before.tables[key]?.foreignKeys ?? {})
  })
}
