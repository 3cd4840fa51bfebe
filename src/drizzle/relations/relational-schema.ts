import { relational045 } from './relational-045.js'
import { relational1 } from './relational-1.js'
import { isDrizzle1 } from '../version.js'
import type { RelationalSchema } from './relational-table.js'
import type { WriterSettings } from '../sql-writer.js'

/** The schema of a database; no tables if none was given. */
export function relationalSchema (settings: WriterSettings): RelationalSchema {
  return isDrizzle1 ? relational1(settings) : relational045(settings)
}
