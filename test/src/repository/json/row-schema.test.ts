import { Type } from '@sinclair/typebox'
import { getTableColumns } from 'drizzle-orm'
import { bigint, integer, jsonb, numeric, pgTable, text, timestamp, boolean } from 'drizzle-orm/pg-core'
import t from 'tap'
import { UsageError } from '../../../../src/errors/errors.js'
import { parseRowSchema } from '../../../../src/repository/json/row-schema.js'
import { describeColumn } from '../../../../src/values/column-codec.js'
import { anyForm } from '../../../../src/values/json/json-form.js'
import { arrayOfArrays } from '../../../helpers/drizzle.js'
import type { JsonForm } from '../../../../src/values/json/json-form.js'

const things = pgTable('things', {
  id: integer().primaryKey(),
  name: text(),
  price: numeric(),
  isOpen: boolean(),
  tags: text().array(),
  grid: arrayOfArrays(integer()),
  settings: jsonb(),
  at: timestamp()
})

const codecs = Object.entries(getTableColumns(things)).map(([key, column], index) => describeColumn(key, index, column))
const columns = new Map(codecs.map((codec) => [codec.key, codec]))
const parse = (schema: unknown) => [...parseRowSchema(schema, columns)]
/** The form of a property. */
const formOf = (key: string, schema: unknown): JsonForm | undefined => parseRowSchema({ properties: { [key]: schema } }, columns).get(key)
const plainText = { type: 'string', isNullable: false } as const

t.test('without a schema it is every column, in the order of the table', async (t) => {
  t.strictSame(parse(undefined), codecs.map(({ key }) => [key, anyForm]))
})

t.test('the properties are in the order of Fastify\'s serializer, required ones first', async (t) => {
  const properties = { name: { type: 'string' }, id: { type: 'integer' }, price: { type: 'number' } }
  t.strictSame(parse({ type: 'object', properties }).map(([key]) => key), ['name', 'id', 'price'])
  t.strictSame(parse({ type: 'object', properties, required: ['price', 'id', 'other'] }).map(([key]) => key), ['id', 'price', 'name'])
})

t.test('further columns follow with additionalProperties: true alone', async (t) => {
  const properties = { at: { type: 'string' } }
  t.strictSame(parse({ properties, additionalProperties: true }).map(([key]) => key), ['at', 'id', 'name', 'price', 'isOpen', 'tags', 'grid', 'settings'])
  t.strictSame(parse({ properties, additionalProperties: false }).map(([key]) => key), ['at'])
})

t.test('a property has the form of its schema', async (t) => {
  t.strictSame(formOf('name', { type: 'string', minLength: 1, enum: ['a'], title: 'The name' }), plainText)
  t.strictSame(formOf('at', { type: 'string', format: 'date-time' }), plainText)
  t.strictSame(formOf('at', { type: 'string', format: 'date' }), { type: 'date', isNullable: false })
  t.strictSame(formOf('at', { type: 'string', format: 'time', nullable: true }), { type: 'time', isNullable: true })
  t.strictSame(formOf('id', { type: 'integer' }), { type: 'integer', isNullable: false })
  t.strictSame(formOf('price', { type: ['number', 'null'] }), { type: 'number', isNullable: true })
  t.strictSame(formOf('isOpen', { type: ['boolean'] }), { type: 'boolean', isNullable: false })
  t.strictSame(formOf('settings', { type: 'object', additionalProperties: true }), { type: 'document', isNullable: false })
  t.strictSame(formOf('settings', { additionalProperties: true, properties: {} }), { type: 'document', isNullable: false })
  t.strictSame(formOf('tags', { type: 'array' }), { type: 'array', items: anyForm, isNullable: false })
  t.strictSame(formOf('grid', { items: { items: { type: 'number' } } })?.items, { type: 'array', items: { type: 'number', isNullable: false }, isNullable: false })
  for (const schema of [{}, true, { title: 'Anything' }]) t.strictSame(formOf('settings', schema), anyForm)
})

t.test('takes the schemas of TypeBox', async (t) => {
  t.strictSame(parse(Type.Object({
    id: Type.Integer(),
    name: Type.Union([Type.Literal('a'), Type.Literal('b'), Type.Null()]),
    price: Type.Optional(Type.Number()),
    at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
    tags: Type.Array(Type.String()),
    settings: Type.Object({}, { additionalProperties: true })
  })), [
    ['id', { type: 'integer', isNullable: false }],
    ['name', { type: 'string', isNullable: true }],
    ['at', { type: 'string', isNullable: true }],
    ['tags', { type: 'array', items: plainText, isNullable: false }],
    ['settings', { type: 'document', isNullable: false }],
    ['price', { type: 'number', isNullable: false }]
  ])
})

const refused: Record<string, readonly [schema: unknown, message: RegExp]> = {
  'no schema of an object': ['users', /takes the JSON schema of one row, as \{ type: 'object'/],
  'the schema of a list': [{ type: 'array', items: { properties: {} } }, /pass the "items" of this schema of an array/],
  'a schema without properties': [{ type: 'object' }, /with "properties" of its own/],
  'a reference': [{ $ref: 'user#' }, /without \$ref and allOf/],
  'a schema of further properties': [{ properties: {}, additionalProperties: { type: 'string' } }, /"additionalProperties" of true, false or none/],
  'no column': [{ properties: {} }, /this one names no column/],
  'a property that is no column': [{ properties: { posts: {} } }, /has the property "posts", which is no column: leave it out, or read rows/],
  'an integer of a text': [{ properties: { name: { type: 'integer' } } }, /Column "name" needs another type in the schema of json\(\), since it cannot be of type "integer": give it the type "string", or read rows/],
  'an integer of a numeric': [{ properties: { price: { type: 'integer' } } }, /give it the type "number" or "string"/],
  'a number of a boolean': [{ properties: { isOpen: { type: 'number' } } }, /give it the type "boolean" or "string"/],
  'a number of a time': [{ properties: { at: { type: 'number' } } }, /give it the type "string"/],
  'a text of an array': [{ properties: { tags: { type: 'string' } } }, /give it the type "array", with items of "string"/],
  'numbers of an array of texts': [{ properties: { tags: { items: { type: 'number' } } } }, /give it the type "array", with items of "string"/],
  'properties of a document': [{ properties: { settings: { type: 'object', properties: { theme: {} } } } }, /An object is written whole, as \{ type: 'object', additionalProperties: true \}/],
  'a document that Fastify would send empty': [{ properties: { settings: { type: 'object' } } }, /cannot write the property "settings"/],
  'two types': [{ properties: { name: { type: ['string', 'number'] } } }, /takes one type, and null beside it/],
  'null alone': [{ properties: { name: { type: 'null' } } }, /takes one type/],
  'a type that JSON does not have': [{ properties: { at: { type: 'Date' } } }, /takes one type/],
  'choices of two types': [{ properties: { name: { anyOf: [{ type: 'string' }, { type: 'number' }] } } }, /takes one type/],
  'no choices': [{ properties: { name: { oneOf: {} } } }, /takes one type/],
  'a reference in a property': [{ properties: { name: { $ref: 'name#' } } }, /takes one type/],
  'a property of false': [{ properties: { name: false } }, /takes one type/]
}

for (const [title, [schema, message]] of Object.entries(refused)) {
  t.test(`refuses ${title}, with the way out`, async (t) => {
    t.throws(() => parseRowSchema(schema, columns), { constructor: UsageError, message })
  })
}

t.test('a bigint needs a type, also in an array', async (t) => {
  const large = getTableColumns(pgTable('large', { id: bigint({ mode: 'bigint' }), ids: bigint({ mode: 'bigint' }).array() }))
  const ofLarge = new Map(Object.entries(large).map(([key, column], index) => [key, describeColumn(key, index, column)]))
  t.throws(() => parseRowSchema(undefined, ofLarge), {
    constructor: UsageError,
    message: 'Column "id" needs another type in the schema of json(), since JSON has no bigint: give it the type "integer" or "number" or "string", ' +
      'or read rows, and let the schema of the route write them'
  })
  t.throws(() => parseRowSchema({ properties: { ids: {} } }, ofLarge), { message: /^Column "ids" .* "array", with items of "integer" or/ })
  t.ok(parseRowSchema({ properties: { id: { type: 'integer' }, ids: { items: { type: 'string' } } } }, ofLarge).size === 2)
})
