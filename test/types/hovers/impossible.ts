// Read by test/house/types.test.ts: the compiler's error for each of these calls.
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { listQuery } from '../../../src/repository/list-query/list-query.js'
import type { Repositories } from '../../../src/repository/repository-factory.js'
import type { RepositorySession } from '../../../src/repository/repository.js'

const users = pgTable('accounts', { id: integer().primaryKey(), name: text().notNull() })

declare const repositories: Repositories
declare const session: RepositorySession
const repo = repositories.create(session, users)

export const calls = [
  repo.softDelete(1),
  repo.restore(1),
  repo.purge({ olderThan: 30 }),
  repo.writable(['name']).softDelete(1),
  repo.with({ posts: true }),
  repo.create({ id: 1 }),
  listQuery(users, { sortable: ['nope'] }),
  listQuery(users, { searchable: ['nope'] })
]
