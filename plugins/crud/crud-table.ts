import { describeTable } from '../../src/model/table.js'
import { toDict } from '../../src/model/row-functions.js'
import { SettingsError } from '../../src/errors/settings-error.js'
import { dataTypeOf } from '../../src/drizzle/column-types.js'
import { elementOf } from '../../src/drizzle/array-columns.js'
import { anyText, queryTypeOf } from '../../src/repository/list-query/value-types.js'
import { jsonTypeOf, nullable } from './json-types.js'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import type { JsonSchema, QueryType } from '../../src/repository/list-query/query-type.js'
import type { JsonType } from './json-types.js'
import type { GivenCrud, GivenList } from './crud-options.js'

/** A column, as its routes know it. */
export interface Field {
  readonly key: string
  readonly type: JsonType
  readonly isNullable: boolean
  /** Whether a new row needs a value: without one, PostgreSQL would have none, either. */
  readonly isRequired: boolean
}

/** A part of the primary key: a parameter of the path. */
export interface KeyPart {
  readonly key: string
  readonly parameter: string
  readonly type: QueryType
}

/** A table, as its routes know it. */
export interface CrudTable {
  readonly table: PgTable
  /** The columns of replies, in the order of the table. */
  readonly shown: readonly Field[]
  readonly create: readonly Field[]
  readonly update: readonly Field[]
  /** The names that no reply may have: those of hidden columns, here and in the database, unless a client writes the column by that name. */
  readonly secrets: ReadonlySet<string>
  readonly key: readonly KeyPart[]
  /** The column of the entity tag; undefined without `version()`, and if it is hidden. */
  readonly version: Field | undefined
}

/**
 * Looks the columns of the options up in the table.
 *
 * @throws {SettingsError} for a column that does not exist, for a hidden column of the key or of the list, and for an option that the table does not allow
 * @throws {UsageError} for a view, and for a table without a primary key
 */
export function describeCrud (table: PgTable, options: GivenCrud): CrudTable {
  const { columns, primaryKey, softDelete, version } = describeTable(table)
  const { create = [], update = [], hidden = [], list, remove, ifMatch } = options
  const fieldOf = (option: string) => (key: string): Field => {
    const column = columns[key]
    if (column === undefined) throw new SettingsError(`crud.${option}`, `names "${key}", which is no column of the table`)
    return describeField(key, column)
  }
  hidden.forEach(fieldOf('hidden'))
  const isHidden = (key: string): boolean => hidden.includes(key)
  refuseHiddenKey(primaryKey.find(isHidden))
  if (list !== undefined && list !== true) refuseHiddenInList(list, isHidden)
  if (remove === 'soft' && softDelete === undefined) throw new SettingsError('crud.remove', "cannot be 'soft': the table has no ...softDelete() among its columns")
  const shown = Object.entries(columns).filter(([key]) => !isHidden(key)).map(([key, column]) => describeField(key, column))
  const shownVersion = shown.find(({ key }) => key === version)
  if (ifMatch !== undefined && shownVersion === undefined) throw new SettingsError('crud.ifMatch', 'needs a table with ...version() among its columns, and not among the hidden ones')
  const fields = { create: create.map(fieldOf('create')), update: update.map(fieldOf('update')) }
  return {
    table,
    shown,
    ...fields,
    secrets: new Set(hidden.flatMap((key) => [key, (columns[key] as PgColumn).name]).filter((name) => ![...create, ...update].includes(name))),
    key: primaryKey.map((key, place) => keyPart(key, columns[key] as PgColumn, place)),
    version: shownVersion
  }
}

function describeField (key: string, column: PgColumn): Field {
  const { notNull, hasDefault, defaultFn, onUpdateFn } = column
  return { key, type: jsonTypeOf(column), isNullable: !notNull, isRequired: notNull && !hasDefault && defaultFn === undefined && onUpdateFn === undefined }
}

/** Its value is in each path, and in each cursor. */
function refuseHiddenKey (key: string | undefined): void {
  if (key !== undefined) throw new SettingsError('crud.hidden', `cannot have "${key}": the primary key is in the path of each row`)
}

/** Who may filter or sort by a column finds out its values. */
function refuseHiddenInList ({ filterable = [], sortable = [], searchable = [] }: GivenList, isHidden: (key: string) => boolean): void {
  const named = { filterable: Array.isArray(filterable) ? filterable : Object.keys(Object(filterable)), sortable: [sortable].flat(), searchable: [searchable].flat() }
  for (const [option, keys] of Object.entries(named)) {
    const key = keys.find(isHidden)
    if (key !== undefined) throw new SettingsError(`crud.list.${option}`, `cannot have "${key}": it is hidden, and a list by its values would tell them`)
  }
}

function keyPart (key: string, column: PgColumn, place: number): KeyPart {
  const isText = dataTypeOf(column) === 'string' && elementOf(column) === undefined
  const type = queryTypeOf(column) ?? (isText ? anyText : undefined)
  if (type === undefined) throw new SettingsError('crud', `cannot have a path for "${key}": values of its type cannot be in a path`)
  return { key, parameter: /^\w+$/.test(key) ? key : `key${place + 1}`, type }
}

/** The path of one row below that of the list. */
export function keyPath (key: readonly KeyPart[]): string {
  return key.map(({ parameter }) => `/:${parameter}`).join('')
}

/** A row as its client gets it: the shown columns alone. */
export function showRow ({ table, shown }: CrudTable, row: object): Record<string, unknown> {
  const given = row as Readonly<Record<string, unknown>>
  const json = toDict(table, Object.fromEntries(shown.map(({ key }) => [key, given[key]]))) as Readonly<Record<string, unknown>>
  return Object.fromEntries(shown.map(({ key, type }) => [key, json[key] === null ? null : type.write(json[key])]))
}

/** The schema of a row in replies. */
export function rowSchema ({ shown }: CrudTable): JsonSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(shown.map(({ key, type, isNullable }) => [key, isNullable ? nullable(type.replySchema) : type.replySchema])),
    required: shown.map(({ key }) => key)
  }
}
