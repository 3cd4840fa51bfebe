import { getTableColumns } from 'drizzle-orm'
import { isDeepStrictEqual } from 'node:util'
import t, { type Test } from 'tap'
import { parseRowSchema } from '../../../../src/repository/json/row-schema.js'
import { describeColumn, rowReader } from '../../../../src/values/column-codec.js'
import { connectForTexts } from '../../../helpers/row-texts.js'
import { jsonParser } from '../../../../src/values/json/json-row.js'
import { fastifysCompiler, schemas } from '../../../values/json-schemas.js'
import { valueTable } from '../../../values/round-trip.js'
import { matrix, typesSql } from '../../../values/types.js'
import type { ColumnCodec } from '../../../../src/values/column-codec.js'
import type { RowParser } from '../../../../src/statement/statement.js'

type Texts = [text: string | null]
type Fields = ReadonlyArray<{ readonly dataTypeID: number }>

/** More rows than the loop writes. */
const many = 300

/** The parser of rows of these columns with a schema. */
function parserOf (codecs: readonly ColumnCodec[], schema: object | undefined, fields: Fields): RowParser {
  const forms = parseRowSchema(schema, new Map(codecs.map((codec) => [codec.key, codec])))
  return jsonParser(codecs.map((codec) => ({ ...codec, form: forms.get(codec.key)! })), fields)
}

/** Gives the error instead of throwing it. */
function attempt<Result> (fn: () => Result): Result | Error {
  try {
    return fn()
  } catch (error) {
    return error as Error
  }
}

/** Whether Fastify's serializer writes another text, and which value it must have then: a document is written as PostgreSQL has it. */
function documentIn (name: string, property: object, text: string | null): unknown {
  const isWhole = /^jsonb?$/.test(name) && (!('type' in property) || property.type === 'object')
  return isWhole && text !== null ? JSON.parse(text) : undefined
}

/** A type of the program's own may be declared as an object and be a text. Fastify's serializer makes an object of its letters. */
function isOddObject (property: object, row: unknown): boolean {
  return 'additionalProperties' in property && typeof (row as { c: unknown }).c !== 'object'
}

/** A time zone that is not UTC, and had no whole minutes once. */
function useZone (t: Test, zone: string): void {
  const { TZ: before } = process.env
  process.env['TZ'] = zone
  t.teardown(() => {
    if (before === undefined) delete process.env['TZ']
    else process.env['TZ'] = before
  })
}

t.test('every value of every type has the JSON that Fastify\'s serializer makes of it, in a first row and in a late one', async (t) => {
  useZone(t, 'America/New_York')
  const client = await connectForTexts(t)
  const compile = await fastifysCompiler(t)
  await client.query(typesSql)
  for (const { name, column, values } of matrix) {
    if (values.length === 0) continue
    const { rows, fields } = await client.query<Texts>({ text: values.map(([, expression]) => `select ${expression}`).join(' union all '), rowMode: 'array' })
    const codec = describeColumn('c', 0, getTableColumns(valueTable('t', column())).c)
    const read = rowReader([codec])(fields)
    const wrong: string[] = []
    const tried = schemas.filter((property) => {
      const schema = { type: 'object', properties: { c: property } }
      const write = attempt(() => parserOf([codec], schema, fields))
      if (write instanceof Error) return false
      const first = rows.map(write)
      for (let row = 0; row < many; row++) write([null])
      const late = rows.map(write)
      const serialize = compile(schema)
      for (const [place, texts] of rows.entries()) {
        const json = String(first[place])
        const wanted = attempt(() => serialize(read(texts)))
        const document = documentIn(name, property, texts[0])
        const isSame = document !== undefined
          ? isDeepStrictEqual(JSON.parse(json), { c: document })
          : wanted instanceof Error || isOddObject(property, read(texts)) ? 'c' in JSON.parse(json) : json === wanted
        if (!isSame || json !== late[place]) wrong.push(`${JSON.stringify(property)}: ${json}, late ${late[place]}, instead of ${wanted}`)
      }
      return true
    })
    t.strictSame(wrong, [], name)
    t.ok(tried.length > 0, `${name} has a form`)
  }
})
