import { GenerationCache } from '../../runtime/generation-cache.js'
import { oncePerTypes } from '../../values/column-codec.js'
import { jsonParser } from '../../values/json/json-row.js'
import { TableStatements } from '../table/table-statements.js'
import { parseRowSchema } from './row-schema.js'
import type { JsonForm } from '../../values/json/json-form.js'
import type { RowForm } from '../table/table-statements.js'
import type { RowForms } from './row-schema.js'

/** How many forms of rows a table remembers: more than an application has schemas. */
const rememberedForms = 100

/** The statements of one table for each form of JSON rows. */
interface Known {
  /** By the schema object that was given. */
  readonly bySchema: WeakMap<object, TableStatements>
  /** By what it says, for a program that writes the schema within its handler. */
  readonly byForms: GenerationCache<TableStatements>
}

const known = new WeakMap<TableStatements, Known>()

/** The key of a table's JSON without a schema. */
const noSchema = {}

/**
 * The statements of a table that read its rows as JSON: texts, where others read objects.
 *
 * @throws UsageError for a schema that is not one of rows of this table
 */
export function jsonStatements (table: TableStatements, schema: unknown = noSchema): TableStatements {
  let ofTable = known.get(table)
  if (ofTable === undefined) known.set(table, ofTable = { bySchema: new WeakMap(), byForms: new GenerationCache(rememberedForms) })
  const { bySchema, byForms } = ofTable
  const before = bySchema.get(schema as object) // a WeakMap has nothing else
  if (before !== undefined) return before
  const forms = parseRowSchema(schema === noSchema ? undefined : schema, table.columns)
  const key = JSON.stringify([...forms])
  const statements = byForms.get(key) ?? new TableStatements(table.table, table.builder, (codecs) => jsonRows(codecs, forms))
  byForms.set(key, statements)
  bySchema.set(schema as object, statements) // parseRowSchema takes nothing else
  return statements
}

function jsonRows (all: RowForm['codecs'], forms: RowForms): RowForm {
  const codecs = [...forms.keys()].flatMap((key) => all.filter((codec) => codec.key === key))
  return {
    codecs,
    rowReader: (columns) => oncePerTypes((fields) => jsonParser(columns.map((codec) => ({ ...codec, form: forms.get(codec.key) as JsonForm })), fields)) // one of `codecs`
  }
}
