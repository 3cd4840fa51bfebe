// Read by test/house/types.test.ts: an editor's text for each of these names.
import { relations } from 'drizzle-orm'
import { boolean, integer, pgTable, text } from 'drizzle-orm/pg-core'
import type { Repositories } from '../../../src/repository/repository-factory.js'
import type { RepositorySession } from '../../../src/repository/repository.js'

const users = pgTable('users', { id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text().notNull(), email: text() })
const posts = pgTable('posts', { id: integer().primaryKey(), userId: integer().notNull(), open: boolean() })
export const usersRelations = relations(users, ({ many }) => ({ posts: many(posts) }))

declare module '../../../src/drizzle/types/registered-schema.js' {
  interface Register { schema: { users: typeof users, posts: typeof posts, usersRelations: typeof usersRelations } }
}

declare const repositories: Repositories
declare const session: RepositorySession
const repo = repositories.create(session, users)

export const get = await repo.get(1)
export const getSome = await repo.get(1, { columns: ['id', 'name'] })
export const getBy = await repo.getBy({ email: 'ada@example.com' })
export const filter = await repo.filter({ name: 'Ada' }, { limit: 10 })
export const first = await repo.first({ name: 'Ada' })
export const paginate = await repo.paginate({ name: 'Ada' }, { page: 2 })
export const cursor = await repo.cursor({ name: 'Ada' }, { limit: 10 })
export const create = await repo.create({ name: 'Ada' })
export const update = await repo.update(1, { name: 'Ada' })
export const upsert = await repo.upsert({ name: 'Ada', email: 'ada@example.com' }, { target: 'email' })
export const getOrCreate = await repo.getOrCreate({ email: 'ada@example.com' }, { name: 'Ada' })
export const related = await repo.with({ posts: { columns: { open: true } } }).get(1)

export const createNamed = repo.writable(['name']).create
export const updateNamed = repo.writable(['name']).update
