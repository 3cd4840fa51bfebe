import { alterations } from './alter-in-place.js'
import { findDifferences, tablePairs } from '../snapshots/rename-candidates.js'
import { columnChangesOf } from './column-changes.js'
import { common, eachTable, loses, missing, primaryKey, shared } from '../snapshots/snapshot-parts.js'
import { lift } from './drop-dependents.js'
import type { Snapshot } from '../snapshots/snapshot.js'

/** A snapshot on the way, and the statements that lead to it, where drizzle-kit does not write them. */
export interface Stop {
  readonly snapshot: Snapshot
  readonly statements?: readonly string[]
}

/**
 * The stops on the way from one snapshot to another. Each leaves out what stands in the way of the next step, or brings in what that step needs, so that each
 * step is one that drizzle-kit does well: first all goes that others hold on to, then columns, enums and sequences change, and then comes what is new.
 */
export function stops (before: Snapshot, after: Snapshot): Stop[] {
  const columnChanges = columnChangesOf(before, after)
  const lifted = lift(before, after, columnChanges).map((snapshot): Stop => ({ snapshot }))
  const bare = lifted.at(-1)!.snapshot
  if (alterations({ start: before, before: bare, after, columnChanges }).statements.length > 0) lifted.push({ snapshot: withTypes(bare, after) })
  const altered = alterations({ start: before, before: lifted.at(-1)!.snapshot, after, columnChanges })
  const ways: Stop[] = [...lifted, altered]
  const here = altered.snapshot
  if (needsEarlyAdditions(here, after)) {
    const additions = withAdditions(here, after)
    ways.push({ snapshot: withoutGenerated(here, additions) }, { snapshot: additions })
  }
  if (needsLateAdditions(here, after)) ways.push({ snapshot: withoutForeignKeys(here, after) })
  return [...ways, { snapshot: after }]
}

/** Whether what is new has to come before anything else: where drizzle-kit would ask, and for what is made of columns that it adds only later. */
function needsEarlyAdditions (before: Snapshot, after: Snapshot): boolean {
  return findDifferences(before, after).length > 0 || tablePairs(before, after).some(([, a, b]) => {
    const added = Object.values(b.columns).filter(({ name }) => a.columns[name] === undefined)
    return added.some(({ name, generated }) => generated !== undefined || (primaryKey(b).includes(name) && !b.columns[name]!.primaryKey))
  })
}

/** Whether foreign keys have to come after everything else: drizzle-kit adds them before the keys to which they refer. */
function needsLateAdditions (before: Snapshot, after: Snapshot): boolean {
  const added = Object.entries(after.tables).some(([key, table]) => missing(table.foreignKeys, before.tables[key]?.foreignKeys ?? {}))
  return added && tablePairs(before, after).some(([, a, b]) => loses(b, a))
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
  snapshot.views = shared(before.views, after.views)
  snapshot.policies = shared(before.policies, after.policies)
  for (const [key, table] of Object.entries(after.tables)) {
    const former = snapshot.tables[key]
    snapshot.tables[key] = former === undefined
      ? { ...table, foreignKeys: {}, indexes: {}, policies: {} }
      : { ...former, columns: { ...table.columns, ...former.columns }, policies: shared(former.policies, table.policies) }
  }
  return snapshot
}

/** Without the new columns that are made of others, which have to be there first. */
function withoutGenerated (before: Snapshot, after: Snapshot): Snapshot {
  return eachTable(after, (table, key) => {
    const former = before.tables[key]
    if (former === undefined) return
    table.columns = Object.fromEntries(Object.entries(table.columns).filter(([name, { generated }]) => generated === undefined || former.columns[name] !== undefined))
  })
}

/** Without the foreign keys that the earlier snapshot does not have. */
function withoutForeignKeys (before: Snapshot, after: Snapshot): Snapshot {
  return eachTable(after, (table, key) => {
    table.foreignKeys = common(table.foreignKeys, before.tables[key]?.foreignKeys ?? {})
  })
}
