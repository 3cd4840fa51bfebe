import { emptySnapshot } from '../../snapshots/snapshot.js'
import type { Column, ForeignKey, Index, Named, SequenceOptions, Snapshot, Table } from '../../snapshots/snapshot.js'
import type { Entity, State } from './drizzle-kit.js'

/** A snapshot in format 9: the reverse of `snapshotOf()`. */
export function stateOf ({ id, tables, enums, schemas, sequences, roles, policies, views }: Snapshot): State {
  return {
    version: '9',
    dialect: 'postgres',
    id,
    prevIds: [emptySnapshot().id],
    ddl: [
      ...Object.keys(schemas).map((name) => ({ entityType: 'schemas', name })),
      ...Object.values(enums).map((part) => entity('enums', part)),
      ...Object.values(sequences).map(sequenceEntity),
      ...Object.values(roles).map((part) => entity('roles', part)),
      ...Object.values(tables).flatMap(tableEntities),
      ...Object.values(policies).map((part) => entity('policies', { using: null, withCheck: null, ...part })),
      ...Object.values(views).map(({ isExisting, ...part }) => entity('views', { definition: null, ...part }))
    ]
  }
}

function tableEntities (table: Table): Entity[] {
  const { columns, indexes, foreignKeys, compositePrimaryKeys, uniqueConstraints, policies, checkConstraints, isRLSEnabled, schema, name, ...rest } = table
  const place = { schema: schema === '' ? 'public' : schema, table: name }
  const parts = (type: string, group: Record<string, object>) => Object.values(group).map((part) => entity(type, { ...part, ...place }))
  return [
    entity('tables', { ...rest, schema: place.schema, name, isRlsEnabled: isRLSEnabled }),
    ...parts('columns', mapped(columns, columnEntity)),
    ...parts('indexes', mapped(indexes, indexEntity)),
    ...parts('fks', mapped(foreignKeys, foreignKeyEntity)),
    ...parts('pks', compositePrimaryKeys),
    ...parts('uniques', uniqueConstraints),
    ...parts('policies', mapped(policies, (policy) => ({ using: null, withCheck: null, ...policy }))),
    ...parts('checks', checkConstraints)
  ]
}

function columnEntity ({ type, primaryKey, identity, ...rest }: Column): object {
  const [bare, ...dimensions] = type.split(/(?=\[\])/)
  return {
    typeSchema: null,
    default: null,
    generated: null,
    ...rest,
    type: bare,
    dimensions: dimensions.length,
    identity: identity === undefined ? null : { ...identity, cache: Number(identity.cache) }
  }
}

function indexEntity ({ columns, ...rest }: Index): object {
  return { where: null, ...rest, columns: columns.map(({ expression, ...options }) => ({ value: expression, ...options })) }
}

function foreignKeyEntity ({ tableFrom, columnsFrom, ...rest }: ForeignKey): object {
  return { ...rest, columns: columnsFrom }
}

function sequenceEntity ({ increment, cache, ...rest }: Named & SequenceOptions): Entity {
  return entity('sequences', { ...rest, incrementBy: increment, cacheSize: Number(cache) })
}

function entity (entityType: string, part: object): Entity {
  return { ...part, entityType }
}

function mapped<Part> (group: Record<string, Part>, change: (part: Part) => object): Record<string, object> {
  return Object.fromEntries(Object.entries(group).map(([key, part]) => [key, change(part)]))
}
