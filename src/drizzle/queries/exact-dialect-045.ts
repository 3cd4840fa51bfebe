/** The dialect of Drizzle 0.45, whose relational queries read columns like a repository. */
import { is, sql, SQL, StringChunk } from 'drizzle-orm'
import { textOf } from '../../values/json-text.js'
import { readExactly } from './exact-fields.js'
import { readInJson } from './exact-json.js'
import type { Query } from 'drizzle-orm'
import type { PgDialect } from 'drizzle-orm/pg-core'
import type { ExactReading } from './exact-fields.js'

type BuiltQuery = ReturnType<PgDialect['buildRelationalQueryWithoutPK']>
type Selection = BuiltQuery['selection']

/** The readers of the rows of relational queries: by the SQL, then by the text that is written from it. */
const readings = new WeakMap<object, ExactReading<Selection>>()

/** The reader of the rows of a relational query. */
export function relationalReading (query: Query): ExactReading<Selection> | undefined {
  return readings.get(query)
}

/** The same dialect with exact relational queries. */
export function exactDialect (dialect: PgDialect): PgDialect {
  const own: Pick<PgDialect, 'buildRelationalQueryWithoutPK' | 'sqlToQuery'> = {
    buildRelationalQueryWithoutPK (config) {
      // It calls itself for each nested relation, so `this` is the exact dialect.
      const built = dialect.buildRelationalQueryWithoutPK.call(this, config)
      return config.nestedQueryRelation === undefined ? exactRows(built) : exactJson(built)
    },
    sqlToQuery (own, source) {
      const query = dialect.sqlToQuery(own, source)
      const reading = readings.get(own)
      if (reading !== undefined) readings.set(query, reading)
      return query
    }
  }
  return Object.assign(Object.create(dialect) as PgDialect, own)
}

function exactRows (built: BuiltQuery): BuiltQuery {
  const exact = readExactly(built.selection)
  if (exact === undefined) return built
  readings.set(built.sql, exact)
  return { ...built, selection: exact.fields }
}

/** Selects texts in place of columns, in the list that Drizzle has made of the selection. */
function exactJson (built: BuiltQuery): BuiltQuery {
  const { queryChunks } = jsonList(built.sql as SQL) // a nested relation is always a SELECT
  const selection = built.selection.map((item, place) => {
    const field = item.isJson ? undefined : readInJson(item.field)
    if (field === undefined) return item
    const chunk = place * 2 // a comma is between two items
    queryChunks[chunk] = textOf(sql`${queryChunks[chunk]}`)
    return { ...item, field: field as unknown as Selection[number]['field'] } // Drizzle only takes its decoder
  })
  return { ...built, selection }
}

/** The arguments of `json_build_array()` in a SELECT: its list of columns is the first SQL in it, and this call the first in the list. */
function jsonList ({ queryChunks }: SQL): SQL {
  const place = queryChunks.findIndex((chunk) => is(chunk, StringChunk) && chunk.value[0] === 'json_build_array(')
  return place >= 0 ? queryChunks[place + 1] as SQL : jsonList(queryChunks.find((chunk) => is(chunk, SQL)) as SQL)
}
