/** The dialect of Drizzle 1.0, whose queries read columns like a repository. The types are those of 1.0. */
import * as drizzle from 'drizzle-orm'
import { textOf } from '../../values/json-text.js'
import { newDialect } from '../sql-writer.js'
import { passOn, readExactly } from './exact-fields.js'
import { readInJson } from './exact-json.js'
import type * as Drizzle1 from 'drizzle-orm-1'
import type * as PgCore1 from 'drizzle-orm-1/pg-core'
import type { SQL as SQL1 } from 'drizzle-orm-1'
import type { PgColumn, PgDialect } from 'drizzle-orm/pg-core'
import type { ExactReading } from './exact-fields.js'
import type { DecodedField } from './exact-json.js'

const { makeDefaultQueryMapper, makeDefaultRqbMapper } = drizzle as unknown as typeof Drizzle1

type RowsMapper = Drizzle1.RowsMapper<unknown>
type Selection = Drizzle1.BuildRelationalQueryResult['selection']

/** The readers of rows, by the mapper that Drizzle gives to a session. */
const readings = new WeakMap<object, ExactReading<unknown>>()

/** The reader of the rows that a mapper takes. */
export function mapperReading (mapper: object): ExactReading<unknown> | undefined {
  return readings.get(mapper)
}

/** A dialect whose mappers read columns like a repository. */
export function exactDialect (): PgDialect {
  const dialect = newDialect(undefined) as unknown as PgCore1.PgDialect
  dialect.mapperGenerators.rows = ((fields: readonly object[], nullable: string[] | undefined): RowsMapper => {
    const exact = readExactly(fields)
    const mapper = makeDefaultQueryMapper((exact?.fields ?? fields) as Parameters<typeof makeDefaultQueryMapper>[0], nullable) as RowsMapper
    if (exact !== undefined) readings.set(mapper, exact)
    return mapper
  }) as typeof dialect.mapperGenerators.rows
  dialect.mapperGenerators.relationalRows = ((config) => {
    const exact = readExactly(config.selection)
    const mapper = makeDefaultRqbMapper({ ...config, selection: (exact?.fields ?? config.selection).map(exactJson) })
    if (exact !== undefined) readings.set(mapper, exact)
    return mapper
  }) as typeof dialect.mapperGenerators.relationalRows
  return Object.assign(dialect, { codecs: exactCodecs(dialect.codecs) }) as unknown as PgDialect // the parts that both versions have
}

/** The fields that read values inside JSON, by the codec that Drizzle puts into a selection. */
const fieldsInJson = new WeakMap<object, DecodedField>()

/** Inside JSON, selects the text of each column. A custom type may have its own way into JSON, and out of it. */
function exactCodecs (codecs: PgCore1.PgDialect['codecs']): PgCore1.PgDialect['codecs'] {
  const { codecsOf } = codecs as unknown as Codecs // internal
  const own: Codecs = {
    codecsOf (column, override) {
      const resolved = codecsOf.call(codecs, column, override)
      const { mapFromJsonValue, jsonSelectIdentifier } = column as unknown as Partial<PgCore1.PgCustomColumn<never>>
      if (mapFromJsonValue !== undefined || jsonSelectIdentifier !== undefined) return resolved
      return { ...resolved, castInJson: textOf, get normalizeInJson () { return codecInJson(column) } }
    }
  }
  return Object.assign(Object.create(codecs) as PgCore1.PgDialect['codecs'], own)
}

interface Codecs {
  codecsOf (column: PgColumn, override?: string): object
}

/** A codec that only stands for the field, because Drizzle would call the column's own method, too. */
function codecInJson (column: PgColumn): typeof passOn {
  const codec = passOn.bind(undefined)
  fieldsInJson.set(codec, readInJson(column) as DecodedField) // it is a column
  return codec
}

function exactJson (item: Selection[number]): Selection[number] {
  if (item.selection !== undefined) return { ...item, selection: item.selection.map(exactJson) }
  const field = item.codec && fieldsInJson.get(item.codec)
  return field === undefined ? item : { key: item.key, field: field as unknown as SQL1.Aliased, fieldType: 'SQL.Aliased' } // Drizzle only takes its decoder
}
