import fc from 'fast-check'
import t from 'tap'
import { readCases } from './cases.js'
import { openItems } from './open.js'
import { checkReads } from './read-check.js'

t.test('every read method returns the same as an array, for random rows, filters, orders and pages', async (t) => {
  const database = await openItems(t)
  await fc.assert(fc.asyncProperty(readCases, (readCase) => checkReads(database, readCase)), { numRuns: 150 })
})
