import { desc, relations, sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { describe, expect, test } from 'tstyche'
import type { CursorResult, Paginated } from '../../../src/repository/types/read-options.js'
import type { RelatedRepository } from '../../../src/repository/related/related-repository.js'
import type { Repositories } from '../../../src/repository/repository-factory.js'
import type { RepositorySession } from '../../../src/repository/repository.js'
import type { Database, Session } from '../../../src/index.js'

const users = pgTable('users', { id: integer().primaryKey(), email: text().notNull() })
const posts = pgTable('posts', { id: integer().primaryKey(), userId: integer().notNull(), title: text() })
const notes = pgTable('notes', { id: integer().primaryKey() })
const others = pgTable('others', { id: integer().primaryKey() })
export const usersRelations = relations(users, ({ many }) => ({ posts: many(posts) }))
export const postsRelations = relations(posts, ({ one }) => ({ user: one(users, { fields: [posts.userId], references: [users.id] }) }))

declare module '../../../src/drizzle/types/registered-schema.js' {
  interface Register { schema: { users: typeof users, posts: typeof posts, notes: typeof notes, usersRelations: typeof usersRelations, postsRelations: typeof postsRelations } }
}

type Post = typeof posts.$inferSelect

declare const repositories: Repositories
declare const runner: RepositorySession
declare const database: Database
declare const session: Session

const userRepo = repositories.create(runner, users)
const withPosts = userRepo.with({ posts: true })

describe('with', () => {
  test('adds what is related to each row', async () => {
    expect(await withPosts.getOrThrow(1)).type.toBeAssignableTo<{ id: number, email: string, posts: Post[] }>()
    expect((await withPosts.getOrThrow(1)).posts).type.toBe<Post[]>()
    expect((await withPosts.getAll({ columns: ['id'] }))[0]?.posts).type.toBe<Post[] | undefined>()
    expect((await withPosts.get(1))?.email).type.toBe<string | undefined>()
    expect((await withPosts.getMany([1])).map(({ posts }) => posts)).type.toBe<Post[][]>()
    expect(await withPosts.paginate()).type.toBeAssignableTo<Paginated<{ posts: Post[] }>>()
    expect(await withPosts.cursor({}, { after: 'x' })).type.toBeAssignableTo<CursorResult<{ posts: Post[] }>>()
    expect((await repositories.create(runner, posts).with({ user: { columns: { email: true } } }).first({}))?.user.email).type.toBe<string | undefined>()
  })
  test('narrows the columns, and knows no others', async () => {
    expect(await withPosts.getOrThrow(1, { columns: ['id'] })).type.not.toHaveProperty('email')
    expect(withPosts.getAll).type.not.toBeCallableWith({ columns: ['nope'] })
    expect(withPosts.filter).type.not.toBeCallableWith({ emial: 'x' })
    expect(withPosts.get).type.not.toBeCallableWith('1')
    expect(withPosts.cursor).type.not.toBeCallableWith({}, { page: 1 })
  })
  test('takes conditions, orders and expressions of the columns', () => {
    const wanted = userRepo.with({
      posts: {
        where: (fields, { eq }) => eq(fields.id, 1), orderBy: (fields) => desc(fields.id), extras: (fields) => ({ size: sql<number>`length(${fields.title})`.as('size') })
      }
    })
    expect(wanted.get(1)).type.toBe<Promise<{ id: number, email: string, posts: Array<{ id: number, userId: number, title: string | null, size: number }> } | undefined>>()
  })
  test('knows the relations of the registered schema, and no others', () => {
    expect(userRepo.with).type.toBeCallableWith({ posts: { limit: 5, columns: { title: true }, with: { user: true } } })
    expect(userRepo.with).type.not.toBeCallableWith({ post: true })
    expect(userRepo.with).type.not.toBeCallableWith({ posts: true, post: true })
    expect(userRepo.with).type.not.toBeCallableWith({ posts: { limit: 5, offset: 5 } })
    expect(userRepo.with).type.not.toBeCallableWith({ posts: { columns: { id: true, nope: true } } })
    expect(userRepo.with).type.not.toBeCallableWith({ posts: { with: { user: true, users: true } } })
    expect(userRepo.with).type.not.toBeCallableWith({ posts: { limit: '5' } })
    expect(userRepo.with).type.not.toBeCallableWith({ posts: { with: { users: true } } })
    expect(userRepo.with).type.not.toBeCallableWith()
    expect(repositories.create(runner, others).with).type.not.toBeCallableWith({ posts: true })
    expect(repositories.create(runner, notes).with).type.not.toBeCallableWith({ posts: true })
    expect(withPosts).type.toBe<RelatedRepository<typeof users, { readonly posts: true }>>()
  })
})

describe('Register', () => {
  test('tells drizzle.query its tables and relations', () => {
    expect(session.drizzle.query.users.findFirst({ with: { posts: true } })).type.toBeAssignableTo<PromiseLike<(typeof users.$inferSelect & { posts: Post[] }) | undefined>>()
    expect(database.drizzle.query.posts.findMany()).type.toBeAssignableTo<PromiseLike<Post[]>>()
    // @ts-expect-error! there is no such table
    database.drizzle.query.people.findFirst()
  })
})
