/**
 * The kinds of columns in types, by the names of Drizzle 0.45. Types of 1.0 say less: a table does not tell its primary key, json
 * and jsonb are the same, and so are an enum and a text with `enum`.
 */
import type { Column } from 'drizzle-orm'

/** The types that a column carries. */
type Config<C extends Column> = C['_']

/** In 1.0 an array is a column of its elements, whose driver takes an array or its text. */
type IsArray<Carried> = Carried extends { driverParam: infer Param }
  ? string extends Param ? [Extract<Param, readonly unknown[]>] extends [never] ? false : true : false
  : false

/** The kinds of 1.0 whose columns are filtered, searched, incremented or summed, with the class that has most operators. */
interface ClassNames {
  string: 'PgText'
  'string enum': 'PgText'
  'string uuid': 'PgUUID'
  'string numeric': 'PgNumeric'
  'string int64': 'PgBigIntString'
  'string timestamp': 'PgTimestampString'
  'string date': 'PgDateString'
  'string time': 'PgTime'
  'string interval': 'PgInterval'
  number: 'PgNumericNumber'
  'number int16': 'PgSmallInt'
  'number int32': 'PgInteger'
  'number int53': 'PgBigInt53'
  'number float': 'PgReal'
  'number double': 'PgDoublePrecision'
  'bigint int64': 'PgBigInt64'
  boolean: 'PgBoolean'
  'object date': 'PgTimestamp'
  'object json': 'PgJsonb'
  'array point': 'PgPointTuple'
  'object point': 'PgPointObject'
  'array line': 'PgLine'
  'object line': 'PgLineABC'
  custom: 'PgCustomColumn'
}

/** The name of a column's class; `PgArray` for every array. */
export type ColumnTypeOf<C extends Column> = Config<C> extends { columnType: infer Name } ? Name
  : IsArray<Config<C>> extends true ? 'PgArray'
    : Config<C>['dataType'] extends keyof ClassNames ? ClassNames[Config<C>['dataType']] : 'PgColumn'

/** The kind of JavaScript value, without the detail of 1.0: `number` for `number int32`. */
export type DataTypeOf<C extends Column> = IsArray<Config<C>> extends true ? 'array'
  : Config<C>['dataType'] extends 'object json' ? 'json'
    : Config<C>['dataType'] extends `${infer Kind} ${string}` ? Kind : Config<C>['dataType']

/** The columns that cannot be NULL. */
type Required<Columns extends Record<string, Column>> = {
  [Key in keyof Columns]: Config<Columns[Key]>['notNull'] extends true ? Key : never
}[keyof Columns]

/** The column that is the primary key. In 1.0 it may be a column named `id`, or else any column that cannot be NULL. */
export type PrimaryKeyOf<Columns extends Record<string, Column>> = TellsPrimaryKey<Columns> extends true
  ? { [Key in keyof Columns]: Config<Columns[Key]>['isPrimaryKey'] extends true ? Key : never }[keyof Columns]
  : 'id' extends Required<Columns> ? 'id' : Required<Columns>

/** Whether the types of columns say which is the primary key: they do in 0.45. */
export type TellsPrimaryKey<Columns extends Record<string, Column>> = Config<Columns[keyof Columns]> extends { columnType: unknown } ? true : false
