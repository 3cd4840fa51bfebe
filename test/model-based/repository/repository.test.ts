import fc from 'fast-check'
import t from 'tap'
import { readCases } from './cases.js'
import { insertCases } from './insert-cases.js'
import { checkInserts } from './insert-check.js'
import { openItems } from './open.js'
import { checkReads } from './read-check.js'
import { writeCases } from './write-cases.js'
import { checkWrites } from './write-check.js'

const database = await openItems(t)

t.test('every read method returns the same as an array, for random rows, filters, orders and pages', async () => {
  await fc.assert(fc.asyncProperty(readCases, (reads) => checkReads(database, reads)), { numRuns: 150 })
})

t.test('every write method does what a map would do, for random programs, with and without soft deletion', async () => {
  await fc.assert(fc.asyncProperty(writeCases, (writes) => checkWrites(database, writes)), { numRuns: 300 })
})

t.test('inserts and upserts do to a table what they would do to an array, with and without soft deletion', async () => {
  await fc.assert(fc.asyncProperty(insertCases, (inserts) => checkInserts(database, inserts)), { numRuns: 150 })
})
