/** A column in drizzle-kit's snapshot. Properties that are not listed here are kept, too. */
export interface Column {
  name: string
  type: string
  /** The schema of its enum. */
  typeSchema?: string
  primaryKey: boolean
  notNull: boolean
  default?: unknown
  generated?: { as: string }
  identity?: SequenceOptions & { type: 'always' | 'byDefault', name: string }
}

/** The options of a sequence. drizzle-kit writes numbers as text. */
export interface SequenceOptions {
  increment: string
  minValue: string
  maxValue: string
  startWith: string
  cache: string
  cycle: boolean
}

/** An index. The expression of a plain column is its name. */
export interface Index {
  name: string
  columns: Array<{ expression: string, isExpression: boolean }>
  isUnique: boolean
  /** The condition of a partial index. */
  where?: string
}

/** A foreign key. */
export interface ForeignKey {
  name: string
  tableFrom: string
  columnsFrom: string[]
  tableTo: string
  schemaTo?: string
  columnsTo: string[]
}

/** A primary key over several columns, or a unique constraint. */
export interface Key {
  name: string
  columns: string[]
}

/** An object with a name, and possibly a schema. */
export interface Named {
  name: string
  /** `''` or undefined mean `public`. */
  schema?: string
}

/** An enum with its values, in order. */
export interface Enum extends Named {
  values: string[]
}

/** A check constraint. */
export interface Check extends Named {
  value: string
}

/** A policy for row level security. */
export interface Policy extends Named {
  using?: string
  withCheck?: string
  /** The table as SQL writes it, for a policy on a table outside the model. */
  on?: string
}

/** A view, plain or materialized. */
export interface View extends Named {
  /** Undefined for a view that is only declared, and created elsewhere. */
  definition?: string
  isExisting: boolean
  materialized: boolean
  columns?: unknown
}

/** A table in drizzle-kit's snapshot. */
export interface Table extends Named {
  schema: string
  columns: Record<string, Column>
  indexes: Record<string, Index>
  foreignKeys: Record<string, ForeignKey>
  compositePrimaryKeys: Record<string, Key>
  uniqueConstraints: Record<string, Key>
  policies: Record<string, Policy>
  checkConstraints: Record<string, Check>
  isRLSEnabled?: boolean
}

/** drizzle-kit's snapshot of a model, version 7: the content of `meta/NNNN_snapshot.json`. */
export interface Snapshot {
  id: string
  prevId: string
  version: string
  dialect: string
  tables: Record<string, Table>
  enums: Record<string, Enum>
  schemas: Record<string, string>
  sequences: Record<string, Named & SequenceOptions>
  roles: Record<string, Named>
  policies: Record<string, Policy>
  views: Record<string, View>
  _meta: unknown
}

/** The version of snapshots that drizzle-kit 0.31 writes. */
const version = '7'

/** The snapshot of an empty database. */
export function emptySnapshot (): Snapshot {
  return {
    id: '00000000-0000-0000-0000-000000000000',
    prevId: '',
    version,
    dialect: 'postgresql',
    tables: {},
    enums: {},
    schemas: {},
    sequences: {},
    roles: {},
    policies: {},
    views: {},
    _meta: { columns: {}, schemas: {}, tables: {} }
  }
}
