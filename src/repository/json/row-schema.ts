import { UsageError } from '../../errors/errors.js'
import { isPlainObject } from '../../runtime/option-checks.js'
import { anyForm } from '../../values/json/json-form.js'
import { fits, typeWords } from '../../values/json/json-writer.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import type { JsonForm, JsonType } from '../../values/json/json-form.js'

/** The columns of a JSON row, by their keys and in their order, and the form of each. */
export type RowForms = ReadonlyMap<string, JsonForm>

type Schema = Readonly<Record<string, unknown>>

const ownMethods = 'or read rows, and let the schema of the route write them'
const oneRow = 'json() takes the JSON schema of one row, as { type: \'object\', properties: { id: { type: \'integer\' } } }'

/**
 * Reads the JSON schema of a row as fast-json-stringify does: required properties come first, and other columns only with
 * `additionalProperties: true`. Without a schema, all columns are written as JSON.stringify writes them.
 *
 * @throws UsageError for a property that is no column, and for a form that its column cannot have.
 */
export function parseRowSchema (schema: unknown, columns: ReadonlyMap<string, ColumnCodec>): RowForms {
  const forms = schema === undefined ? [] : namedForms(schema)
  const isOpen = schema === undefined || (schema as Schema)['additionalProperties'] === true
  const named = new Set(forms.map(([key]) => key))
  const others = isOpen ? [...columns.keys()].filter((key) => !named.has(key)).map((key) => [key, anyForm] as const) : []
  const all = [...forms, ...others]
  if (all.length === 0) throw new UsageError(`${oneRow}: this one names no column`)
  for (const [key, form] of all) checkColumn(key, form, columns)
  return new Map(all)
}

function namedForms (schema: unknown): Array<readonly [string, JsonForm]> {
  if (!isPlainObject(schema)) throw new UsageError(oneRow)
  if (schema['type'] === 'array') throw new UsageError(`${oneRow}: pass the "items" of this schema of an array`)
  const { properties, required, additionalProperties = false } = schema
  if (!isPlainObject(properties) || typeof additionalProperties !== 'boolean') {
    throw new UsageError(`${oneRow}, with "properties" of its own, without $ref and allOf, and with "additionalProperties" of true, false or none`)
  }
  const first = new Set<unknown>(Array.isArray(required) ? required : [])
  const keys = Object.keys(properties).sort((one, other) => Number(first.has(other)) - Number(first.has(one)))
  return keys.map((key) => [key, formOf(properties[key], key)])
}

function checkColumn (key: string, form: JsonForm, columns: ReadonlyMap<string, ColumnCodec>): void {
  const codec = columns.get(key)
  if (codec === undefined) throw new UsageError(`The schema of json() has the property "${key}", which is no column: leave it out, ${ownMethods}`)
  if (fits(codec.column, form)) return
  const reason = form.type === 'any' ? 'JSON has no bigint' : `it cannot be of type "${form.type}"`
  throw new UsageError(`Column "${key}" needs another type in the schema of json(), since ${reason}: give it the type ${typeWords(codec.column)}, ${ownMethods}`)
}

function formOf (schema: unknown, key: string): JsonForm {
  if (schema === true) return anyForm
  if (!isPlainObject(schema) || refused.some((keyword) => schema[keyword] !== undefined)) throw unwritten(key)
  const choices = schema['anyOf'] ?? schema['oneOf']
  if (choices !== undefined) return formOfChoices(choices, key)
  const types = [schema['type'] ?? impliedType(schema)].flat()
  const [type, ...others] = types.length === 1 ? types : types.filter((name) => name !== 'null')
  if (others.length > 0) throw unwritten(key)
  const isNullable = type === undefined || schema['nullable'] === true || types.includes('null')
  return { ...typeForm(type, schema, key), isNullable }
}

/** Keywords that fast-json-stringify follows, and texts of PostgreSQL cannot. */
const refused = ['$ref', 'allOf', 'if', 'patternProperties']

function impliedType (schema: Schema): string | undefined {
  if (schema['properties'] !== undefined || schema['additionalProperties'] !== undefined) return 'object'
  return schema['items'] === undefined ? undefined : 'array'
}

function typeForm (type: unknown, schema: Schema, key: string): Omit<JsonForm, 'isNullable'> {
  switch (type) {
    case undefined: return anyForm
    case 'string': return { type: formats.get(schema['format']) ?? 'string' }
    case 'integer':
    case 'number':
    case 'boolean': return { type }
    case 'array': return { type, items: schema['items'] === undefined ? anyForm : formOf(schema['items'], key) }
    case 'object': return documentForm(schema, key)
    default: throw unwritten(key)
  }
}

const formats: ReadonlyMap<unknown, JsonType> = new Map([['date', 'date'], ['time', 'time']])

/** fast-json-stringify sends nothing of an object but its named properties. A document is sent whole or not at all. */
function documentForm ({ properties, additionalProperties }: Schema, key: string): Omit<JsonForm, 'isNullable'> {
  if (additionalProperties !== true || Object.keys(Object(properties)).length > 0) throw unwritten(key)
  return { type: 'document' }
}

/** Choices have one form: literals of one type, or a type and null. */
function formOfChoices (choices: unknown, key: string): JsonForm {
  const schemas = Array.isArray(choices) ? choices : []
  const forms = schemas.filter((choice) => Object(choice)['type'] !== 'null').map((choice) => formOf(choice, key))
  const [form] = forms
  if (form === undefined || new Set(forms.map((one) => JSON.stringify(one))).size > 1) throw unwritten(key)
  return { ...form, isNullable: form.isNullable || forms.length < schemas.length }
}

function unwritten (key: string): UsageError {
  return new UsageError(`json() cannot write the property "${key}" by this schema. It takes one type, and null beside it. An object is written whole, ` +
    `as { type: 'object', additionalProperties: true }: json() picks no properties of it. Change the schema, ${ownMethods}`)
}
