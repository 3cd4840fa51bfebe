import { usingExpression } from './using-expression.js'
import type { ColumnChanges } from './column-changes.js'
import { renameIdentitySequences } from './identity-names.js'
import { primaryKey, sharedEntries, tablePairs } from '../snapshots/snapshot-parts.js'
import { alterColumnSequence, alterSequence, addColumnSequence, dropColumnSequence, type TableColumn } from './column-sequences.js'
import type { Column, Enum, Snapshot } from '../snapshots/snapshot.js'
import { catalogueType, enumOf, sequenceKindOf, quotedIdentifier, quotedText, typeText, quotedName } from '../snapshots/names.js'

/** Statements that alter enums, sequences and columns in place, and the snapshot to which they lead. */
export interface AlteredSnapshot {
  readonly statements: readonly string[]
  readonly snapshot: Snapshot
}

/** Two snapshots, the snapshot at the start of the whole change, and the changes of its columns. */
export interface AlterInput {
  readonly start: Snapshot
  readonly before: Snapshot
  readonly after: Snapshot
  readonly columnChanges: ColumnChanges
}

/**
 * Alters the enums, sequences and columns that two snapshots share into those of the second. drizzle-kit writes some of these changes in a form that
 * PostgreSQL refuses, and omits others.
 */
export function alterInPlace ({ start, before, after, columnChanges: { recreated } }: AlterInput): AlteredSnapshot {
  const snapshot = structuredClone({ ...before, enums: { ...before.enums, ...sharedEntries(after.enums, before.enums) }, sequences: { ...before.sequences, ...sharedEntries(after.sequences, before.sequences) } })
  const places: Array<[from: TableColumn, to: TableColumn]> = []
  for (const [key, table, other] of tablePairs(before, after)) {
    for (const column of Object.values(table.columns)) {
      const wanted = other.columns[column.name]
      if (wanted === undefined) continue
      places.push([{ table: start.tables[key]!, column }, { table: other, column: wanted }])
      snapshot.tables[key]!.columns[column.name] = { ...structuredClone(wanted), primaryKey: column.primaryKey }
    }
  }
  const enums = [...recreated].map((key) => [before.enums[key]!, after.enums[key]!] as const)
  const statements = [
    ...places.filter(([{ column }, { column: wanted }]) => column.generated !== undefined && wanted.generated === undefined).map(([, place]) => `${alter(place)} DROP EXPRESSION;`),
    ...Object.entries(before.enums).flatMap(([key, type]) => after.enums[key] === undefined || recreated.has(key) ? [] : addValues(type, after.enums[key])),
    ...enums.flatMap(([type, other]) => [`ALTER TYPE ${quotedName(type)} RENAME TO ${quotedIdentifier(formerName(type.name))};`, `CREATE TYPE ${quotedName(other)} AS ENUM(${other.values.map(quotedText).join(', ')});`]),
    ...Object.entries(before.sequences).flatMap(([key, sequence]) => after.sequences[key] === undefined ? [] : alterSequence(sequence, after.sequences[key])),
    ...renameIdentitySequences(before, after),
    ...places.flatMap(([from, to]) => alterColumn(from, to, recreated)),
    ...enums.map(([type]) => `DROP TYPE ${quotedName({ ...type, name: formerName(type.name) })};`)
  ]
  return { statements, snapshot }
}

/** The interim name of an enum while the new one replaces it. */
function formerName (name: string): string {
  return `${Buffer.from(name).subarray(0, 54).toString()}__former`
}

function addValues (type: Enum, other: Enum): string[] {
  const has = new Set(type.values)
  return other.values.flatMap((value, index) => {
    if (has.has(value)) return []
    has.add(value)
    const next = other.values.slice(index).find((later) => type.values.includes(later))
    return [`ALTER TYPE ${quotedName(type)} ADD VALUE ${quotedText(value)}${next === undefined ? '' : ` BEFORE ${quotedText(next)}`};`]
  })
}

function alterColumn (from: TableColumn, to: TableColumn, recreated: ColumnChanges['recreated']): string[] {
  const [a, b] = [from.column, to.column]
  const here: TableColumn = { ...from, table: to.table }
  const [hadSequence, hasSequence] = [sequenceKindOf(a), sequenceKindOf(b)]
  const isRetyped = catalogueType(a) !== catalogueType(b) || a.typeSchema !== b.typeSchema || recreated.has(enumOf(a))
  const [had, has] = [a.default === undefined ? undefined : String(a.default), b.default === undefined ? undefined : String(b.default)]
  const drops = had !== undefined && (isRetyped || has === undefined)
  return [
    ...hadSequence !== undefined && hasSequence === undefined ? dropColumnSequence(here) : [],
    ...drops ? [`${alter(to)} DROP DEFAULT;`] : [],
    ...isRetyped ? [retype(a, to)] : [],
    ...has !== undefined && (has !== had || isRetyped) ? [`${alter(to)} SET DEFAULT ${has};`] : [],
    ...notNull(from, to),
    ...hadSequence === undefined && hasSequence !== undefined ? addColumnSequence(to) : [],
    ...hadSequence !== undefined && hasSequence !== undefined ? alterColumnSequence(here, to) : []
  ]
}

function retype (column: Column, to: TableColumn): string {
  const type = typeText(to.column)
  const name = quotedIdentifier(to.column.name)
  const using = usingExpression(typeText(column), type, name)
  return `${alter(to)} SET DATA TYPE ${type}${using === undefined ? '' : ` USING ${using}`};`
}

/** Identity, serial and primary key columns are NOT NULL by themselves. A primary key column stays NOT NULL after its key is dropped. */
function notNull (from: TableColumn, to: TableColumn): string[] {
  const is = ({ column }: TableColumn) => column.notNull || sequenceKindOf(column) !== undefined
  const isKey = ({ table, column }: TableColumn) => primaryKey(table).includes(column.name)
  if (is(to)) return is(from) ? [] : [`${alter(to)} SET NOT NULL;`]
  return (is(from) || isKey(from)) && !isKey(to) ? [`${alter(to)} DROP NOT NULL;`] : []
}

function alter ({ table, column }: TableColumn): string {
  return `ALTER TABLE ${quotedName(table)} ALTER COLUMN ${quotedIdentifier(column.name)}`
}
