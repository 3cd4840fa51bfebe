import { emptySnapshot } from '../../snapshots/snapshot.js'
import type { Check, Column, Enum, ForeignKey, Index, Key, Named, Policy, SequenceOptions, Snapshot, Table, View } from '../../snapshots/snapshot.js'
import type { Entity, State } from './drizzle-kit.js'

/**
 * A state of format 9 as a snapshot. Properties that only format 9 has are kept as they are.
 *
 * A primary key of one column is among the composite keys, because it has a name in format 9.
 */
export function snapshotOf ({ id, ddl }: State): Snapshot {
  const of = (type: string) => ddl.filter(({ entityType }) => entityType === type)
  const tables = of('tables').map(({ entityType, schema, name, isRlsEnabled, ...rest }) => {
    const parts = (type: string) => of(type).filter((entity) => entity['schema'] === schema && entity['table'] === name)
    const table = {
      ...rest,
      name,
      schema: schema === 'public' ? '' : schema,
      columns: byName(parts('columns').map(columnOf)),
      indexes: byName(parts('indexes').map(indexOf)),
      foreignKeys: byName(parts('fks').map(foreignKeyOf)),
      compositePrimaryKeys: byName(parts('pks').map((entity) => partOf<Key>(entity))),
      uniqueConstraints: byName(parts('uniques').map((entity) => partOf<Key>(entity))),
      policies: byName(parts('policies').map(policyOf)),
      checkConstraints: byName(parts('checks').map((entity) => partOf<Check>(entity))),
      isRLSEnabled: isRlsEnabled
    }
    return [`${String(schema)}.${String(name)}`, table as unknown as Table] as const
  })
  const ofModel = new Set(tables.map(([key]) => key))
  return {
    ...emptySnapshot(),
    id,
    tables: Object.fromEntries(tables),
    enums: byKey(of('enums').map((entity) => bare<Enum>(entity))),
    schemas: Object.fromEntries(of('schemas').map(({ name }) => [String(name), String(name)])),
    sequences: byKey(of('sequences').map(sequenceOf)),
    roles: byName(of('roles').map((entity) => bare<Named>(entity))),
    // The policies on tables outside the model.
    policies: Object.fromEntries(of('policies').filter(({ schema, table }) => !ofModel.has(`${String(schema)}.${String(table)}`))
      .map((entity) => [`${String(entity['schema'])}.${String(entity['table'])}.${String(entity['name'])}`, withoutNulls(bare<Policy>(entity), ['using', 'withCheck'])])),
    views: byKey(of('views').map((entity) => ({ ...withoutNulls(bare<View>(entity), ['definition']), isExisting: false })))
  }
}

function columnOf (entity: Entity): Column {
  const { type, dimensions, identity, ...rest } = partOf<Omit<Column, 'identity'> & { dimensions: number, identity: NonNullable<Column['identity']> | null }>(entity)
  return {
    ...withoutNulls(rest, ['typeSchema', 'default', 'generated']),
    type: `${type}${'[]'.repeat(dimensions)}`,
    primaryKey: false,
    ...identity !== null && { identity: { ...identity, cache: String(identity.cache) } }
  }
}

function indexOf (entity: Entity): Index {
  const { columns, ...rest } = partOf<Omit<Index, 'columns'> & { columns: Array<{ value: string, isExpression: boolean }> }>(entity)
  return { ...withoutNulls(rest, ['where']), columns: columns.map(({ value, ...options }) => ({ expression: value, ...options })) }
}

function foreignKeyOf (entity: Entity): ForeignKey {
  const { columns, ...rest } = partOf<ForeignKey & { columns: string[] }>(entity)
  return { ...rest, tableFrom: String(entity['table']), columnsFrom: columns }
}

function policyOf (entity: Entity): Policy {
  return withoutNulls(partOf<Policy>(entity), ['using', 'withCheck'])
}

function sequenceOf (entity: Entity): Named & SequenceOptions {
  const { incrementBy, cacheSize, ...rest } = bare<Named & SequenceOptions & { incrementBy: string, cacheSize: number }>(entity)
  return { ...rest, increment: incrementBy, cache: String(cacheSize) }
}

/** An entity without its type. */
function bare<Part> ({ entityType, ...rest }: Entity): Part {
  return rest as Part
}

/** A part of a table, without the names of the table. */
function partOf<Part> ({ entityType, schema, table, ...rest }: Entity): Part {
  return rest as Part
}

/** Removes properties that are null, where a snapshot leaves them out. */
function withoutNulls<Part extends object> (part: Part, keys: readonly string[]): Part {
  return Object.fromEntries(Object.entries(part).filter(([key, value]) => value !== null || !keys.includes(key))) as Part
}

function byName<Part extends Named> (parts: readonly Part[]): Record<string, Part> {
  return Object.fromEntries(parts.map((part) => [part.name, part]))
}

function byKey<Part extends Named> (parts: readonly Part[]): Record<string, Part> {
  return Object.fromEntries(parts.map((part) => [`${part.schema}.${part.name}`, part]))
}
