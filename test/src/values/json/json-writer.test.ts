import { getTableColumns } from 'drizzle-orm'
import { bigint, boolean, customType, date, doublePrecision, integer, json, jsonb, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import pg from 'pg'
import t from 'tap'
import { describeColumn } from '../../../../src/values/column-codec.js'
import { anyForm } from '../../../../src/values/json/json-form.js'
import { jsonParser } from '../../../../src/values/json/json-row.js'
import { jsonWriter } from '../../../../src/values/json/json-writer.js'
import { forbidCode } from '../../../helpers/row-texts.js'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { JsonType } from '../../../../src/values/json/json-form.js'

/** More rows than the loop writes. */
const many = 300
const types = {
  boolean: 16, bigint: 20, integer: 23, text: 25, json: 114, double: 701, date: 1082, timestamp: 1114, timestamptz: 1184, numeric: 1700, jsonb: 3802
}

const cents = customType<{ data: { cents: number } | null }>({
  dataType: () => 'numeric', fromDriver: (text) => text === '0' ? null : { cents: Number(text) * 100 }
})

const columns = getTableColumns(pgTable('things', {
  id: integer(),
  'a "name" of \\ \u2028 odd characters': text(),
  large: bigint({ mode: 'number' }),
  isOpen: boolean(),
  at: timestamp(),
  atZone: timestamp({ withTimezone: true }),
  day: date({ mode: 'date' }),
  ratio: doublePrecision(),
  document: jsonb(),
  source: json(),
  price: cents()
}))

/** The JSON of a text of PostgreSQL. */
function written (column: PgColumn, oid: number, text: string, type: JsonType = 'any'): string {
  const write = jsonWriter(column, oid, { type, isNullable: false })
  return write === undefined ? text : write(text)
}

/** A parser for rows of the first two columns. */
function thingParser () {
  const described = Object.entries(columns).slice(0, 2).map(([key, column], index) => ({ ...describeColumn(key, index, column), form: anyForm }))
  return jsonParser(described, [{ dataTypeID: types.integer }, { dataTypeID: types.text }])
}

t.test('rows have the same JSON in the loop and in the program, with any name', async (t) => {
  const parse = thingParser()
  const rows = Array.from({ length: many }, (_, index) => parse([`${index}`, index % 2 === 0 ? null : `text "${index}" of\n\ttwo lines \\ </script> ☃ 😀`]))
  t.strictSame(rows, Array.from({ length: many }, (_, index) => JSON.stringify({
    id: index, 'a "name" of \\ \u2028 odd characters': index % 2 === 0 ? null : `text "${index}" of\n\ttwo lines \\ </script> ☃ 😀`
  })))
})

t.test('an error names the column, also behind many rows', async (t) => {
  const fields = [{ dataTypeID: types.integer }, { dataTypeID: types.timestamp }]
  const parse = jsonParser(['id', 'at'].map((key, index) => ({ ...describeColumn(key, index, columns[key as 'id']), form: anyForm })), fields)
  const expected = { name: 'DatabaseError', message: /^Column "at" of a row cannot be read: its text is not in ISO style/, context: { columns: ['at'] } }
  t.throws(() => parse(['1', '26.11.2026 09:05:00']), expected)
  for (let row = 0; row < many; row++) parse(['1', '2026-11-26 09:05:00'])
  t.throws(() => parse(['1', '26.11.2026 09:05:00']), expected)
})

t.test('where code may not be made from text, the loop writes all rows', async (t) => {
  const code = forbidCode(t)
  const parse = thingParser()
  const rows = Array.from({ length: many }, (_, index) => parse([`${index}`, null]))
  t.equal(rows.at(-1), `{"id":${many - 1},"a \\"name\\" of \\\\ \u2028 odd characters":null}`)
  t.equal(code.attempts, 1)
})

t.test('a time has the JSON of its Date, in each form that PostgreSQL writes', async (t) => {
  const zoned = (text: string) => written(columns.atZone, types.timestamptz, text)
  t.equal(zoned('2026-11-26 09:05:00+00'), '"2026-11-26T09:05:00.000Z"')
  t.equal(zoned('2026-11-26 09:05:00.1+00'), '"2026-11-26T09:05:00.100Z"')
  t.equal(zoned('2026-11-26 09:05:00.123+00'), '"2026-11-26T09:05:00.123Z"')
  t.equal(zoned('2026-11-26 09:05:00.123999+00'), '"2026-11-26T09:05:00.123Z"')
  t.equal(zoned('2026-11-26 09:05:00.12+05:30'), '"2026-11-26T03:35:00.120Z"')
  t.equal(zoned('1850-01-01 00:00:00+00:19:32'), '"1849-12-31T23:40:28.000Z"')
  t.equal(zoned('0044-03-15 12:00:00+00'), '"0044-03-15T12:00:00.000Z"')
  t.equal(zoned('0144-03-15 12:00:00+00 BC'), '"-000143-03-15T12:00:00.000Z"')
  t.equal(zoned('12026-12-31 23:59:59.999+00'), '"+012026-12-31T23:59:59.999Z"')
  t.equal(zoned('-infinity'), '"-infinity"')
  const plain = (text: string) => written(columns.at, types.timestamp, text)
  t.equal(plain('2026-11-26 09:05:00'), '"2026-11-26T09:05:00.000Z"')
  t.equal(plain('2026-11-26 09:05:00.12'), '"2026-11-26T09:05:00.120Z"')
  t.equal(plain('0144-03-15 12:00:00.5 BC'), '"-000143-03-15T12:00:00.500Z"')
  t.equal(plain('0144-03-15 12:00:00 BC'), '"-000143-03-15T12:00:00.000Z"')
  t.throws(() => zoned('2026-11-26 09:05:00'), /not in ISO style/)
  t.equal(written(columns.day, types.date, '2026-02-01'), '"2026-02-01T00:00:00.000Z"')
})

t.test('"date" and "time" of a Date are those of the local time zone, as Fastify\'s serializer writes them, and an infinite one stays', async (t) => {
  const local = new Date(2026, 10, 26, 9, 5, 7)
  const moment = local.toISOString().replace('T', ' ').replace('Z', '+00')
  t.equal(written(columns.atZone, types.timestamptz, moment, 'date'), '"2026-11-26"')
  t.equal(written(columns.atZone, types.timestamptz, moment, 'time'), '"09:05:07"')
  for (const type of ['date', 'time'] as const) t.equal(written(columns.atZone, types.timestamptz, 'infinity', type), '"infinity"')
})

t.test('a number that JSON does not have is null, and one of 8 bytes has the digits of a number', async (t) => {
  for (const text of ['NaN', 'Infinity', '-Infinity']) {
    t.equal(written(columns.ratio, types.double, text), 'null')
    t.equal(written(columns.ratio, types.double, text, 'number'), 'null')
  }
  t.equal(written(columns.ratio, types.double, '1e-07', 'number'), '1e-7')
  t.equal(written(columns.large, types.bigint, '9007199254740993'), '9007199254740992')
  t.equal(written(columns.large, types.bigint, '-42'), '-42')
  t.equal(written(columns.id, types.integer, '7', 'string'), '"7"')
  t.equal(written(columns.id, types.text, '007'), '7', 'over a column of texts')
  t.equal(written(columns['a "name" of \\ \u2028 odd characters'], types.text, '1.50', 'number'), '1.5', 'a number in a text')
})

t.test('a document keeps the text of PostgreSQL, with all digits', async (t) => {
  const digits = '{"big": 12345678901234567890.10, "twice": 1, "twice": 2, "huge": 1e400}'
  t.equal(written(columns.source, types.json, digits), digits)
  t.equal(written(columns.document, types.jsonb, '[1, {"a": null}]', 'document'), '[1, {"a": null}]')
  t.equal(written(columns.document, types.jsonb, '["a", 1]', 'array'), '["a",1]')
  t.equal(written(columns.document, types.jsonb, '{"a": 1}', 'array'), '{"a":1}', 'what does not fit is written as it is')
  t.equal(written(columns.document, types.text, '{"a": 1}'), '{"a":1}', 'over a column of texts')
})

t.test('a value of a type of the program\'s own is read, and written as JSON', async (t) => {
  t.equal(written(columns.price, types.numeric, '1.5'), '{"cents":150}')
  t.equal(written(columns.price, types.numeric, '1.5', 'document'), '{"cents":150}')
  t.equal(written(columns.price, types.numeric, '0', 'document'), '{}', 'NULL as Fastify\'s serializer writes it')
  const { isOpen } = columns
  t.equal(written(isOpen, types.boolean, 'f'), 'false')
  t.equal(written(isOpen, types.boolean, 't', 'string'), '"true"')
})

t.test('a parser that the program gave to pg, and a method that it gave to a column, are used', async (t) => {
  const { getTypeParser } = pg.types
  t.intercept(pg.types, 'getTypeParser', {
    value: (oid: number) => {
      if (oid === types.integer) return (text: string) => `${text}${text}`
      return oid === types.boolean ? (text: string) => text === 't' ? 'yes' : 'no' : getTypeParser(oid, 'text')
    }
  })
  t.equal(written(columns.id, types.integer, '7'), '77')
  t.equal(written(columns.isOpen, types.boolean, 't'), '"yes"')
  const shown = getTableColumns(pgTable('shown', { id: integer(), at: timestamp() }))
  shown.id.mapFromDriverValue = (value) => Number(value) + 1
  t.equal(written(shown.id, types.integer, '8'), '89')
})
