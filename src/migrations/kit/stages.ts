import { isDeepStrictEqual } from 'node:util'
import { findDifferences, tablePairs } from './differences.js'
import type { Column, Enum, Index, Snapshot, Table } from './snapshot.js'

// Snapshots that lie between two others. Each leaves out what stands in the way of the next step, or brings in what that step needs.

/** Whether foreign keys and keys have to go before anything else can. */
export function needsEarlyDrops (before: Snapshot, after: Snapshot): boolean {
  const pairs = tablePairs(before, after)
  const goneForeignKeys = pairs.some(([, a, b]) => missing(a.foreignKeys, b.foreignKeys))
  // drizzle-kit drops keys, and tables with CASCADE, before the foreign keys that refer to them; and what it writes for an altered foreign key refers to the wrong table.
  const goneTargets = Object.keys(before.tables).some((key) => after.tables[key] === undefined) || pairs.some(([, a, b]) => loses(a, b))
  const altered = pairs.some(([, a, b]) => missing(shared(a.foreignKeys, b.foreignKeys), b.foreignKeys))
  return altered || (goneForeignKeys && goneTargets) || pairs.some(([, a, b]) => losesPrimaryKey(a, b)) || enumsInTheWay(before, after) || pairs.some(([, a, b]) => gainsIdentity(b, a))
}

/** Whether what is new has to come before anything else: where drizzle-kit would ask, and for a primary key over columns that it adds after the key. */
export function needsEarlyAdditions (before: Snapshot, after: Snapshot): boolean {
  const keyColumns = (table: Table) => Object.values(table.compositePrimaryKeys).flatMap(({ columns }) => columns)
  return findDifferences(before, after).length > 0 || tablePairs(before, after).some(([, a, b]) => keyColumns(b).some((name) => a.columns[name] === undefined))
}

/**
 * Whether something has to come after everything else: foreign keys that refer to a key which is added, too, since drizzle-kit adds the foreign key first; and
 * identities, beside which drizzle-kit leaves out what it has to say about NOT NULL.
 */
export function needsLateAdditions (before: Snapshot, after: Snapshot): boolean {
  const pairs = tablePairs(before, after)
  const added = Object.entries(after.tables).some(([key, table]) => missing(table.foreignKeys, before.tables[key]?.foreignKeys ?? {}))
  return (added && pairs.some(([, a, b]) => loses(b, a))) || pairs.some(([, a, b]) => gainsIdentity(a, b))
}

/** Without the foreign keys that the later snapshot does not have. */
export function withoutForeignKeys (before: Snapshot, after: Snapshot): Snapshot {
  return eachTable(before, (table, key) => {
    table.foreignKeys = common(table.foreignKeys, after.tables[key]?.foreignKeys ?? {})
  })
}

/**
 * Without the tables, views, keys and identities that the later snapshot does not have,
 * and without what holds on to an enum that is made anew: defaults, and columns that go anyway.
 */
export function withoutKeys (before: Snapshot, after: Snapshot): Snapshot {
  const isRemadeColumn = remadeIn(before, after)
  const bare = { ...withoutForeignKeys(before, after), views: common(before.views, after.views) }
  return eachTable({ ...bare, tables: shared(bare.tables, after.tables) }, (table, key) => {
    const other = after.tables[key]!
    table.uniqueConstraints = common(table.uniqueConstraints, other.uniqueConstraints)
    table.indexes = common(table.indexes, other.indexes)
    table.columns = Object.fromEntries(Object.entries(table.columns).filter(([name, column]) => other.columns[name] !== undefined || !isRemadeColumn(column)))
    for (const column of Object.values(table.columns)) {
      if (isRemadeColumn(column)) delete column.default
      if (other.columns[column.name]?.identity === undefined) delete column.identity
    }
    if (!losesPrimaryKey(table, other)) return
    table.compositePrimaryKeys = {}
    for (const column of Object.values(table.columns)) column.primaryKey = false
  })
}

/** With the enums of the later snapshot, and nothing else of it: drizzle-kit would reach for columns that are not there yet. */
export function withEnums (before: Snapshot, after: Snapshot): Snapshot {
  return { ...before, enums: { ...before.enums, ...shared(after.enums, before.enums) } }
}

/** With all that is new, but without what the new needs: the step to it adds, and the next one drops, so that there is nothing to ask. */
export function withAdditions (before: Snapshot, after: Snapshot): Snapshot {
  const snapshot = structuredClone(before)
  for (const group of ['schemas', 'enums', 'sequences', 'roles'] as const) Object.assign(snapshot[group], { ...after[group], ...before[group] })
  // New columns may want new values.
  for (const [key, type] of Object.entries(after.enums)) if (!isRemade(before.enums[key], type)) snapshot.enums[key] = type
  // Views and policies hold no rows: they go first and come back last.
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

/** Without the foreign keys and identities that the earlier snapshot does not have. */
export function withoutLast (before: Snapshot, after: Snapshot): Snapshot {
  return eachTable(after, (table, key) => {
    const former = before.tables[key]
    table.foreignKeys = common(table.foreignKeys, former?.foreignKeys ?? {})
    for (const column of Object.values(table.columns)) {
      const other = former?.columns[column.name]
      if (other !== undefined && other.identity === undefined) delete column.identity
    }
  })
}

function eachTable (snapshot: Snapshot, change: (table: Table, key: string) => void): Snapshot {
  const copy = structuredClone(snapshot)
  for (const [key, table] of Object.entries(copy.tables)) change(table, key)
  return copy
}

/** Whether a table loses a key to which foreign keys may refer. */
function loses (table: Table, other: Table): boolean {
  const uniques = (indexes: Record<string, Index>) => Object.fromEntries(Object.entries(indexes).filter(([, index]) => index.isUnique))
  return missing(table.uniqueConstraints, other.uniqueConstraints) || missing(uniques(table.indexes), other.indexes) || !isDeepStrictEqual(primaryKey(table), primaryKey(other))
}

function gainsIdentity (table: Table, other: Table): boolean {
  return Object.values(other.columns).some(({ name, identity }) => identity !== undefined && table.columns[name] !== undefined && table.columns[name].identity === undefined)
}

function losesPrimaryKey (table: Table, other: Table): boolean {
  const before = primaryKey(table)
  return before.length > 0 && !isDeepStrictEqual(before, primaryKey(other))
}

function primaryKey (table: Table): string[] {
  const columns = Object.values(table.columns).filter((column) => column.primaryKey).map(({ name }) => name)
  return [...columns, ...Object.values(table.compositePrimaryKeys).flatMap((key) => key.columns)]
}

/** Whether an enum is made anew, and is used by other columns than before, or with other defaults. */
function enumsInTheWay (before: Snapshot, after: Snapshot): boolean {
  const isRemadeColumn = remadeIn(before, after)
  const users = (snapshot: Snapshot) => Object.entries(snapshot.tables).flatMap(([key, { columns }]) => Object.values(columns).filter(isRemadeColumn).map(({ name, default: value }) => [key, name, value]))
  return !isDeepStrictEqual(users(before), users(after))
}

/** Tells columns of an enum that has to be made anew. */
function remadeIn (before: Snapshot, after: Snapshot): (column: Column) => boolean {
  return ({ type, typeSchema = 'public' }) => {
    const key = `${typeSchema}.${type.replace(/\[.*/, '')}`
    return isRemade(before.enums[key], after.enums[key])
  }
}

/** PostgreSQL can add values anywhere; what it cannot do is take some away, or change their order. */
function isRemade (before?: Enum, after?: Enum): boolean {
  return before !== undefined && after !== undefined && !isDeepStrictEqual(before.values, after.values.filter((value) => before.values.includes(value)))
}

/** Whether the second lacks something of the first, or has something else under its name. */
function missing (group: Record<string, unknown>, others: Record<string, unknown>): boolean {
  return Object.entries(group).some(([key, value]) => !isDeepStrictEqual(value, others[key]))
}

/** What both have, and alike. */
function common<Value> (group: Record<string, Value>, others: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(group).filter(([key, value]) => isDeepStrictEqual(value, others[key])))
}

/** What both have a name for. */
function shared<Value> (group: Record<string, Value>, others: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(group).filter(([key]) => Object.hasOwn(others, key)))
}
