import fc from 'fast-check'
import t from 'tap'
import { openItems } from './open.js'
import { insertCases } from './insert-cases.js'
import { checkInserts } from './insert-check.js'

t.test('inserts and upserts of every kind make of a table what they would make of an array, with soft deletion and without', async (t) => {
  const database = await openItems(t)
  await fc.assert(fc.asyncProperty(insertCases, (asked) => checkInserts(database, asked)), { numRuns: 150 })
})
