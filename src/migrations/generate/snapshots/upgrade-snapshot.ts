import { MigrationError } from '../../../errors/errors.js'
import type { Snapshot } from './snapshot.js'

// Snapshots of older versions of drizzle-kit, in the shape of version 7: what `npx drizzle-kit up` makes of them, and the defaults that drizzle-kit fills in
// where a snapshot of version 7 was written before it knew more. Nothing of it is written back.

/** The versions whose snapshots can be read: 0.20 wrote 5, 0.21 wrote 6, and from 0.22 on it is 7. */
const versions: readonly unknown[] = ['3', '4', '5', '6', '7']

type Thing = Record<string, unknown>

/**
 * A snapshot as it was read from a file, with all that version 7 has.
 *
 * @param path the file, for errors
 * @param empty what a snapshot has that says nothing
 * @throws {MigrationError} `DB_MIGRATION_MISSING` for what is no snapshot; it names the file and the table
 */
export function upgradeSnapshot (read: unknown, path: string, empty: Snapshot): Snapshot {
  const found = thing(read, path, 'is no snapshot of drizzle-kit')
  if (!versions.includes(found['version'])) {
    throw new MigrationError(`${path} has the version ${String(found['version'])}, and those up to 7 can be read: it was written by a drizzle-kit that is newer than this package, or is no snapshot`, 'DB_MIGRATION_MISSING')
  }
  const enums = group(found['enums'], path, 'its enums')
  const tables = thing(found['tables'], path, 'has no tables')
  const typed = Object.values(enums).map((value) => enumOf(value, path))
  const snapshot = {
    ...empty,
    // What it has of its own: ids, schemas, and these.
    ...present(found),
    ...Object.fromEntries(['sequences', 'roles', 'policies', 'views'].map((name) => [name, mapped(group(found[name], path, `its ${name}`), (value, called) => thing(value, path, `has something else in place of ${called}, one of its ${name},`))])),
    version: '7',
    dialect: 'postgresql',
    enums: Object.fromEntries(typed.map((value) => [`${value.schema}.${value.name}`, value])),
    tables: Object.fromEntries(Object.entries(tables).map(([key, value]) => {
      const table = tableOf(value, { key, path, enums: typed })
      return [`${table.schema === '' ? 'public' : table.schema}.${table.name}`, table]
    }))
  }
  // What was not looked at here is drizzle-kit's own, and is read by its parser.
  return snapshot as unknown as Snapshot
}

interface OldEnum { name: string, schema: string, values: unknown[] }

function enumOf (value: unknown, path: string): OldEnum {
  const { name, schema, values } = thing(value, path, 'has an enum that is none')
  // Up to version 5 the values are an object, and there is no schema.
  return { name: String(name), schema: textOr(schema, 'public'), values: Object.values(values ?? {}) }
}

interface Place { readonly key: string, readonly path: string, readonly enums: readonly OldEnum[] }

function tableOf (value: unknown, place: Place): Thing & { name: string, schema: string } {
  const { key, path } = place
  const what = `has a table, ${key}, that`
  const table = thing(value, path, `${what} is none`)
  const columns = thing(table['columns'], path, `${what} has no columns`)
  const parts = (name: string) => mapped(group(table[name], path, `the ${name} of its table ${key}`), (part, called) => thing(part, path, `${what} has something else in place of ${called}, one of its ${name},`))
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

function columnOf (value: unknown, name: string, { key, path, enums }: Place): Thing {
  const column = thing(value, path, `has a column, ${name} of ${key}, that is none`)
  const { type } = column
  if (typeof type !== 'string') throw new MigrationError(`${path} has a column, ${name} of ${key}, without a type: bring the file back from version control`, 'DB_MIGRATION_MISSING')
  const bare = type.replace(/\[.*/, '')
  const owner = enums.find((other) => other.name === bare && other.schema === 'public') ?? enums.find((other) => other.name === bare)
  return filled(column, { name, primaryKey: false, notNull: false, ...owner !== undefined && { typeSchema: owner.schema } })
}

/** One that stays in `public` names no schema, as in the snapshots of today. */
function foreignKeyOf (value: Thing): Thing {
  const { schemaTo, ...key } = filled(value, { onDelete: 'no action', onUpdate: 'no action' })
  return schemaTo === undefined || schemaTo === 'public' || schemaTo === '' ? key : { ...key, schemaTo }
}

function indexOf (index: Thing, path: string, what: string): Thing {
  const columns = list(index['columns'], path, what).map((column: unknown) => typeof column === 'string'
    ? { expression: column, isExpression: false, asc: true, nulls: 'last' }
    : column)
  return filled({ ...index, columns }, { concurrently: false, method: 'btree', with: {} })
}

/** With defaults for what is missing, behind what is there. */
function filled (value: Thing, defaults: Thing): Thing {
  const found = present(value)
  return { ...found, ...Object.fromEntries(Object.entries(defaults).filter(([name]) => !Object.hasOwn(found, name))) }
}

/** Without what is null or missing. */
function present (value: Thing): Thing {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== null && part !== undefined))
}

function mapped<Value> (parts: Record<string, Value>, change: (value: Value, name: string) => Thing): Record<string, Thing> {
  return Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, change(value, name)]))
}

function group (value: unknown, path: string, what: string): Thing {
  return value === undefined || value === null ? {} : thing(value, path, `has something else in place of ${what}`)
}

function thing (value: unknown, path: string, what: string): Thing {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Thing
  throw new MigrationError(`${path} ${what}: bring the file back from version control`, 'DB_MIGRATION_MISSING')
}

function list (value: unknown, path: string, what: string): unknown[] {
  if (Array.isArray(value)) return value
  throw new MigrationError(`${path} has no columns for ${what}: bring the file back from version control`, 'DB_MIGRATION_MISSING')
}

function textOr (value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise
}
