import { MigrationError } from '../../../../errors/errors.js'
import type { Snapshot } from '../../snapshots/snapshot.js'

// Converts snapshots of older versions of drizzle-kit to version 7, as `npx drizzle-kit up` does, and fills in the defaults that early snapshots of version 7
// lack. Nothing is written back.

/** The versions of snapshots that can be read. drizzle-kit 0.20 wrote version 5, 0.21 wrote 6, and later ones write 7. */
const versions: readonly unknown[] = ['3', '4', '5', '6', '7']

type JsonObject = Record<string, unknown>

/**
 * Completes a parsed snapshot to version 7.
 *
 * @param path the file, for errors
 * @param empty an empty snapshot of version 7
 * @throws {MigrationError} `DB_MIGRATION_MISSING` if it is not a snapshot; the message names the file and the table
 */
export function upgradeSnapshot (read: unknown, path: string, empty: Snapshot): Snapshot {
  const found = objectOf(read, path, 'is not a snapshot of drizzle-kit')
  if (!versions.includes(found['version'])) {
    throw new MigrationError(`${path} has the version ${String(found['version'])}, but only versions up to 7 can be read: a newer drizzle-kit wrote it, or it is not a snapshot`, 'DB_MIGRATION_MISSING')
  }
  const enums = group(found['enums'], path, 'its enums')
  const tables = objectOf(found['tables'], path, 'has no tables')
  const typed = Object.values(enums).map((value) => enumOf(value, path))
  const snapshot = {
    ...empty,
    // Its own ids, schemas and other parts.
    ...present(found),
    ...Object.fromEntries(['sequences', 'roles', 'policies', 'views'].map((name) => [name, mapped(group(found[name], path, `its ${name}`), (value, called) => objectOf(value, path, `has an invalid entry ${called} in its ${name}`))])),
    version: '7',
    dialect: 'postgresql',
    enums: Object.fromEntries(typed.map((value) => [`${value.schema}.${value.name}`, value])),
    tables: Object.fromEntries(Object.entries(tables).map(([key, value]) => {
      const table = tableOf(value, { key, path, enums: typed })
      return [`${table.schema === '' ? 'public' : table.schema}.${table.name}`, table]
    }))
  }
  // drizzle-kit's parser checks the parts that are not checked here.
  return snapshot as unknown as Snapshot
}

interface OldEnum { name: string, schema: string, values: unknown[] }

function enumOf (value: unknown, path: string): OldEnum {
  const { name, schema, values } = objectOf(value, path, 'has an invalid enum')
  // Up to version 5 the values are an object, and there is no schema.
  return { name: String(name), schema: textOr(schema, 'public'), values: Object.values(values ?? {}) }
}

interface Place { readonly key: string, readonly path: string, readonly enums: readonly OldEnum[] }

function tableOf (value: unknown, place: Place): JsonObject & { name: string, schema: string } {
  const { key, path } = place
  const what = `has a table, ${key}, that`
  const table = objectOf(value, path, `${what} is invalid`)
  const columns = objectOf(table['columns'], path, `${what} has no columns`)
  const parts = (name: string) => mapped(group(table[name], path, `the ${name} of its table ${key}`), (part, called) => objectOf(part, path, `has a table, ${key}, with an invalid entry ${called} in its ${name}`))
  const schema = textOr(table['schema'], '')
  return {
    name: textOr(table['name'], key.slice(key.indexOf('.') + 1)),
    // A table of `public` has the schema ''.
    schema: schema === 'public' ? '' : schema,
    columns: mapped(columns, (column, name) => columnOf(column, name, place)),
    indexes: mapped(parts('indexes'), (index, called) => indexOf(index, path, `${called} of its table ${key}`)),
    foreignKeys: mapped(parts('foreignKeys'), foreignKeyOf),
    compositePrimaryKeys: mapped(parts('compositePrimaryKeys'), (key, called) => ({ ...key, columns: list(key['columns'], path, `${called} of its table ${place.key}`) })),
    uniqueConstraints: mapped(parts('uniqueConstraints'), (key) => filled(key, { nullsNotDistinct: false })),
    policies: parts('policies'),
    checkConstraints: parts('checkConstraints'),
    isRLSEnabled: table['isRLSEnabled'] === true
  }
}

function columnOf (value: unknown, name: string, { key, path, enums }: Place): JsonObject {
  const column = objectOf(value, path, `has a column, ${name} of ${key}, that is invalid`)
  const { type } = column
  if (typeof type !== 'string') throw new MigrationError(`${path} has a column, ${name} of ${key}, without a type: restore the file from version control`, 'DB_MIGRATION_MISSING')
  const bare = type.replace(/\[.*/, '')
  const owner = enums.find((other) => other.name === bare && other.schema === 'public') ?? enums.find((other) => other.name === bare)
  return filled(column, { name, primaryKey: false, notNull: false, ...owner !== undefined && { typeSchema: owner.schema } })
}

/** A foreign key to a table of `public` names no schema, as in current snapshots. */
function foreignKeyOf (value: JsonObject): JsonObject {
  const { schemaTo, ...key } = filled(value, { onDelete: 'no action', onUpdate: 'no action' })
  return schemaTo === undefined || schemaTo === 'public' || schemaTo === '' ? key : { ...key, schemaTo }
}

function indexOf (index: JsonObject, path: string, what: string): JsonObject {
  const columns = list(index['columns'], path, what).map((column: unknown) => typeof column === 'string'
    ? { expression: column, isExpression: false, asc: true, nulls: 'last' }
    : column)
  return filled({ ...index, columns }, { concurrently: false, method: 'btree', with: {} })
}

/** Adds defaults for missing properties, after the existing ones. */
function filled (value: JsonObject, defaults: JsonObject): JsonObject {
  const found = present(value)
  return { ...found, ...Object.fromEntries(Object.entries(defaults).filter(([name]) => !Object.hasOwn(found, name))) }
}

/** Removes properties that are null or undefined. */
function present (value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== null && part !== undefined))
}

function mapped<Value> (parts: Record<string, Value>, change: (value: Value, name: string) => JsonObject): Record<string, JsonObject> {
  return Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, change(value, name)]))
}

function group (value: unknown, path: string, what: string): JsonObject {
  return value === undefined || value === null ? {} : objectOf(value, path, `has an invalid value for ${what}`)
}

function objectOf (value: unknown, path: string, what: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw new MigrationError(`${path} ${what}: restore the file from version control`, 'DB_MIGRATION_MISSING')
}

function list (value: unknown, path: string, what: string): unknown[] {
  if (Array.isArray(value)) return value
  throw new MigrationError(`${path} has no columns for ${what}: restore the file from version control`, 'DB_MIGRATION_MISSING')
}

function textOr (value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise
}
