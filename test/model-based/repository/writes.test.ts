import fc from 'fast-check'
import t from 'tap'
import { openItems } from './open.js'
import { checkWrites } from './write-check.js'
import { writeCases } from './write-cases.js'

t.test('every write method does what a map would do, for random programs, with and without soft deletion', async (t) => {
  const database = await openItems(t)
  await fc.assert(fc.asyncProperty(writeCases, (writeCase) => checkWrites(database, writeCase)), { numRuns: 300 })
})
