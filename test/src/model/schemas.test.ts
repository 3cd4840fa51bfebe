import { Value } from '@sinclair/typebox/value'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
// In tests with 1.0, this is drizzle-orm/typebox-legacy.
import { createInsertSchema, createSelectSchema, createUpdateSchema } from 'drizzle-typebox'
import t from 'tap'
import { softDelete, timestamps, version } from '../../../src/model/columns.js'
import { describeTable } from '../../../src/model/table.js'
import type { TSchema } from '@sinclair/typebox'

const notes = pgTable('notes', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  title: text().notNull(),
  ...timestamps(),
  ...softDelete(),
  ...version()
})

/** The static types of a schema are too deep for the compiler here. */
const isValid = (schema: object, value: unknown) => Value.Check(schema as TSchema, value)

t.test('schemas that Drizzle makes of a table have the columns of this package with their types', async (t) => {
  const selected = createSelectSchema(notes)
  const row = { id: 1, title: 'first', createdAt: new Date(), updatedAt: new Date(), deletedAt: null, version: 1 }
  t.strictSame(Object.keys(selected.properties), Object.keys(row))
  t.equal(isValid(selected, row), true)
  for (const wrong of [{ createdAt: null }, { updatedAt: '2026-01-01' }, { deletedAt: 'now' }, { version: 'one' }, { version: null }]) {
    t.equal(isValid(selected, { ...row, ...wrong }), false, JSON.stringify(wrong))
  }

  const inserted = createInsertSchema(notes)
  t.strictSame(inserted.required, ['title'], 'the others have a default')
  t.equal(isValid(inserted, { title: 'first', deletedAt: new Date() }), true)
  t.equal(isValid(createUpdateSchema(notes), { version: 2 }), true)
})

t.test('making schemas of a table leaves its marks', async (t) => {
  t.ok([createSelectSchema(notes), createInsertSchema(notes), createUpdateSchema(notes)])
  t.match(describeTable(notes), { softDelete: { key: 'deletedAt', filter: true }, version: 'version' })
})
