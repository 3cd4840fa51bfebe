import fc from 'fast-check'
import t from 'tap'
import { openItems } from './open.js'
import { insertCases } from './insert-cases.js'
import { checkInserts } from './insert-check.js'

t.test('inserts and upserts do to a table what they would do to an array, with and without soft deletion', async (t) => {
  const database = await openItems(t)
  await fc.assert(fc.asyncProperty(insertCases, (insertCase) => checkInserts(database, insertCase)), { numRuns: 150 })
})
