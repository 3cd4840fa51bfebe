/**
 * Splits a change into steps that drizzle-kit writes correctly. In one step, both of its versions write statements that PostgreSQL refuses, or that lose
 * rows.
 */
import { alterInPlace } from './alter-in-place.js'
import { findRenameCandidates } from '../snapshots/rename-candidates.js'
import { findColumnChanges } from './column-changes.js'
import { equalEntries, lacksAny, losesKey, mapTables, primaryKey, sharedEntries, tablePairs } from '../snapshots/snapshot-parts.js'
import { dropDependents } from './drop-dependents.js'
import type { Snapshot } from '../snapshots/snapshot.js'

/** A snapshot between two others, and the statements that lead to it if drizzle-kit does not write them. */
export interface IntermediateSnapshot {
  readonly snapshot: Snapshot
  readonly statements?: readonly string[]
}

/**
 * The snapshots between two others, in order. Each removes an obstacle of the next step, or adds something that the next step needs. First the dependents are
 * dropped, then columns, enums and sequences are altered, and then new objects are created.
 */
export function intermediateSnapshots (before: Snapshot, after: Snapshot): IntermediateSnapshot[] {
  const columnChanges = findColumnChanges(before, after)
  const reduced = dropDependents(before, after, columnChanges).map((snapshot): IntermediateSnapshot => ({ snapshot }))
  const bare = reduced.at(-1)!.snapshot
  if (alterInPlace({ start: before, before: bare, after, columnChanges }).statements.length > 0) reduced.push({ snapshot: withTypes(bare, after) })
  const altered = alterInPlace({ start: before, before: reduced.at(-1)!.snapshot, after, columnChanges })
  const diffs: IntermediateSnapshot[] = [...reduced, altered]
  const here = altered.snapshot
  if (needsEarlyAdditions(here, after)) {
    const additions = withAdditions(here, after)
    diffs.push({ snapshot: withoutGenerated(here, additions) }, { snapshot: additions })
  }
  if (needsLateAdditions(here, after)) diffs.push({ snapshot: withoutForeignKeys(here, after) })
  return [...diffs, { snapshot: after }]
}

/** Whether new objects must be created before others are dropped: if drizzle-kit would ask about renames, or adds a column after the objects that use it. */
function needsEarlyAdditions (before: Snapshot, after: Snapshot): boolean {
  return findRenameCandidates(before, after).length > 0 || tablePairs(before, after).some(([, a, b]) => {
    const added = Object.values(b.columns).filter(({ name }) => a.columns[name] === undefined)
    return added.some(({ name, generated }) => generated !== undefined || (primaryKey(b).includes(name) && !b.columns[name]!.primaryKey))
  })
}

/** Whether foreign keys must be added last: drizzle-kit adds them before the keys to which they refer. */
function needsLateAdditions (before: Snapshot, after: Snapshot): boolean {
  const added = Object.entries(after.tables).some(([key, table]) => lacksAny(table.foreignKeys, before.tables[key]?.foreignKeys ?? {}))
  return added && tablePairs(before, after).some(([, a, b]) => losesKey(b, a))
}

/** The first snapshot with the schemas, types and sequences of the second, which columns may need. */
function withTypes (before: Snapshot, after: Snapshot): Snapshot {
  const snapshot = { ...before }
  for (const group of ['schemas', 'enums', 'sequences'] as const) Object.assign(snapshot, { [group]: { ...after[group], ...before[group] } })
  return snapshot
}

/** The first snapshot with all new objects of the second. The step to it only adds and the next step only drops, so drizzle-kit asks nothing. */
function withAdditions (before: Snapshot, after: Snapshot): Snapshot {
  const snapshot = structuredClone(withTypes(before, after))
  Object.assign(snapshot.roles, { ...after.roles, ...before.roles })
  // Views and policies hold no rows. They were dropped first and are created last.
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

/** A snapshot without its new generated columns: the columns in their expressions must exist first. */
function withoutGenerated (before: Snapshot, after: Snapshot): Snapshot {
  return mapTables(after, (table, key) => {
    const former = before.tables[key]
    if (former === undefined) return
    table.columns = Object.fromEntries(Object.entries(table.columns).filter(([name, { generated }]) => generated === undefined || former.columns[name] !== undefined))
  })
}

/** The second snapshot without its new foreign keys. */
function withoutForeignKeys (before: Snapshot, after: Snapshot): Snapshot {
  return mapTables(after, (table, key) => {
    table.foreignKeys = equalEntries(table.foreignKeys, before.tables[key]?.foreignKeys ?? {})
  })
}
