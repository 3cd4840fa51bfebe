import { openDatabase } from '../../../src/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { entriesSql } from './entries.js'
import { itemsSql } from './items.js'
import { shelvesSql } from './shelf.js'
import type { Database } from '../../../src/index.js'
import type { Test } from '../../helpers/test.js'

/** A database with the tables of the models in it. */
export async function openItems (t: Test): Promise<Database> {
  const { connectionString } = await createTestDatabase(t, { sql: itemsSql + entriesSql + shelvesSql })
  const database = await openDatabase({ connectionString })
  t.teardown(() => database.close())
  return database
}
