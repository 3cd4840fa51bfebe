import { quoted } from './names.js'
import type { CatalogColumn } from './catalog.js'

/** The words of a file that are imported, and the custom types that it declares. */
export interface Vocabulary {
  /** Notes a function of `drizzle-orm/pg-core`, and returns its name. */
  use (name: string): string
  /** Notes a template of SQL, and returns it. */
  sql (text: string): string
  /** The name of a function for a type that Drizzle does not have. */
  custom (type: string): string
  /** The constant of an enum. */
  enumOf (schema: string, name: string): string
}

/** Types without parameters, by their names in the catalog. */
const plainTypes: Readonly<Record<string, string>> = {
  int2: 'smallint',
  int4: 'integer',
  float4: 'real',
  float8: 'doublePrecision',
  bool: 'boolean',
  text: 'text',
  uuid: 'uuid',
  json: 'json',
  jsonb: 'jsonb',
  inet: 'inet',
  cidr: 'cidr',
  macaddr: 'macaddr',
  macaddr8: 'macaddr8'
}

const serials: Readonly<Record<string, string>> = { int2: 'smallserial', int4: 'serial' }

/** The numbers in the brackets of a type. */
const parametersOf = (type: string): string[] => /\(([\d,]+)\)/.exec(type)?.[1]?.split(',') ?? []

/** A column as the source text of Drizzle, without its key. */
export function columnSource (column: CatalogColumn, words: Vocabulary): string {
  return `${builderSource(column, words)}${column.isArray && builderOf(column, words) !== undefined ? '.array()' : ''}${modifiers(column, words)}`
}

function builderSource (column: CatalogColumn, words: Vocabulary): string {
  const name = quoted(column.name)
  if (column.isSerial) {
    return column.base === 'int8' ? `${words.use('bigserial')}(${name}, { mode: 'bigint' })` : `${words.use(serials[column.base] as string)}(${name})`
  }
  const builder = builderOf(column, words)
  if (builder === undefined) return `${words.custom(column.type)}(${name})`
  const [fn, config] = builder
  return `${fn}(${[name, ...config === undefined ? [] : [`{ ${config} }`]].join(', ')})`
}

/** The function of Drizzle for a type and its options; undefined for a type that Drizzle does not have, or would write in other words. */
function builderOf ({ base, type, enumSchema }: CatalogColumn, words: Vocabulary): readonly [name: string, config?: string] | undefined {
  if (enumSchema !== null) return [words.enumOf(enumSchema, base)]
  if (type.includes('.')) return undefined // a type of another schema: with an empty search path, PostgreSQL's own have none
  const parameters = parametersOf(type)
  const plain = plainTypes[base]
  if (plain !== undefined && parameters.length === 0) return [words.use(plain)]
  switch (base) {
    case 'int8': return [words.use('bigint'), "mode: 'bigint'"]
    case 'numeric': return parameters.length === 0 ? [words.use('numeric')] : [words.use('numeric'), `precision: ${parameters[0]}, scale: ${parameters[1]}`]
    case 'varchar': return parameters.length === 0 ? [words.use('varchar')] : [words.use('varchar'), `length: ${parameters[0]}`]
    case 'bpchar': return parameters.length === 0 ? undefined : [words.use('char'), `length: ${parameters[0]}`]
    case 'date': return [words.use('date'), "mode: 'string'"]
    case 'timestamp':
    case 'timestamptz': {
      const precision = parameters.length === 0 ? '' : `precision: ${parameters[0]}, `
      return [words.use('timestamp'), `${precision}${base === 'timestamptz' ? 'withTimezone: true, ' : ''}mode: 'string'`]
    }
    default: return undefined
  }
}

function modifiers ({ isRequired, expression, isGenerated, identity, sequence, isSerial }: CatalogColumn, words: Vocabulary): string {
  const required = isRequired && !isSerial && identity === null ? '.notNull()' : ''
  if (identity !== null) {
    const options = Object.entries(sequence).map(([key, value]) => `${key}: ${typeof value === 'string' ? quoted(value) : String(value)}`)
    const call = identity === 'always' ? 'generatedAlwaysAsIdentity' : 'generatedByDefaultAsIdentity'
    return `.${call}(${options.length === 0 ? '' : `{ ${options.join(', ')} }`})`
  }
  if (expression === null || isSerial) return required
  return isGenerated ? `${required}.generatedAlwaysAs(${words.sql(expression)})` : `${required}.default(${words.sql(expression)})`
}
