import { getTableColumns } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { describeColumn, rowReader } from '../../../src/values/column-codec.js'
import { connectForTexts, forbidCode } from '../../helpers/row-texts.js'
import { shown, valueTable } from '../../values/round-trip.js'
import { matrix, typesSql } from '../../values/types.js'

/** More rows than the loop reads. */
const many = 300
const integerType = 23
const fields = [{ dataTypeID: integerType }, { dataTypeID: 25 }, { dataTypeID: integerType }]

const things = pgTable('things', { id: integer().primaryKey(), 'a "name" of \\ \u2028 odd characters': text(), number: integer() })

/** A parser for rows of that table. */
function thingParser () {
  const columns = Object.entries(getTableColumns(things)).map(([key, column], index) => describeColumn(key, index, column))
  return rowReader(columns)(fields)
}

t.test('every value of every type is the same in the first row, which a loop reads, and in a late one, which a program reads', async (t) => {
  const client = await connectForTexts(t)
  await client.query(typesSql)
  for (const { name, column, values } of matrix) {
    if (values.length === 0) continue
    const result = await client.query({ text: values.map(([, expression]) => `select ${expression}`).join(' union all '), rowMode: 'array' })
    const parse = rowReader([describeColumn('c', 0, getTableColumns(valueTable('t', column())).c)])(result.fields)
    const first = result.rows.map((texts: string[]) => shown(parse(texts)))
    for (let row = 0; row < many; row++) parse([null])
    t.strictSame(result.rows.map((texts: string[]) => shown(parse(texts))), first, name)
  }
})

t.test('rows have the same properties in the same order, with any name', async (t) => {
  const parse = thingParser()
  const rows = Array.from({ length: many }, (_, index) => parse([`${index}`, index % 2 === 0 ? null : `text ${index}`, '7']) as object)
  t.strictSame(Object.entries(rows[1]!), [['id', 1], ['a "name" of \\ \u2028 odd characters', 'text 1'], ['number', 7]])
  t.strictSame(Object.entries(rows[many - 1]!), [['id', many - 1], ['a "name" of \\ \u2028 odd characters', `text ${many - 1}`], ['number', 7]])
  t.strictSame(rows.map((row) => Object.values(row)[0]), rows.map((_row, index) => index))
})

t.test('an error names the column, also behind many rows', async (t) => {
  const picky = pgTable('picky', { id: integer().primaryKey(), when: text() })
  const { id, when } = getTableColumns(picky)
  when.mapFromDriverValue = (value) => { if (value === 'bad') throw new Error(`no ${value}`); return value }
  const parse = rowReader([describeColumn('id', 0, id), describeColumn('when', 1, when)])([{ dataTypeID: integerType }, { dataTypeID: 25 }])
  const expected = { name: 'DatabaseError', message: 'Column "when" of a row cannot be read: its declared type cannot read the stored value', context: { columns: ['when'] } }
  t.throws(() => parse(['1', 'bad']), expected)
  for (let row = 0; row < many; row++) parse(['1', 'good'])
  t.throws(() => parse(['1', 'bad']), expected)
})

t.test('where code may not be made from text, the loop reads all rows', async (t) => {
  const code = forbidCode(t)
  const parse = thingParser()
  const rows = Array.from({ length: many }, (_, index) => parse([`${index}`, null, null]))
  t.strictSame(rows.at(-1), { id: many - 1, 'a "name" of \\ \u2028 odd characters': null, number: null })
  t.equal(code.attempts, 1)
})
