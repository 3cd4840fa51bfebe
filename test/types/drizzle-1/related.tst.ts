import { defineRelations, sql } from 'drizzle-orm'
import { boolean, integer, pgSchema, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { describe, expect, test } from 'tstyche'
import type { CursorResult, Paginated } from '../../../src/repository/types/read-options.js'
import type { RelatedRepository } from '../../../src/repository/related/related-repository.js'
import type { Repositories } from '../../../src/repository/repository-factory.js'
import type { RepositorySession } from '../../../src/repository/repository.js'
import type { Database, Session } from '../../../src/index.js'

const users = pgTable('users', { id: integer().primaryKey(), email: text().notNull() })
const posts = pgTable('posts', { id: integer().primaryKey(), userId: integer().notNull(), title: text(), isPublic: boolean().notNull() })
const tags = pgSchema('shop').table('tags', { id: integer().primaryKey(), word: text().notNull() })
const postTags = pgTable('post_tags', { postId: integer().notNull(), tagId: integer().notNull() }, (table) => [primaryKey({ columns: [table.postId, table.tagId] })])
const others = pgTable('others', { id: integer().primaryKey() })

export const relations = defineRelations({ users, posts, tags, postTags }, ({ one, many, users, posts, tags, postTags }) => ({
  users: {
    posts: many.posts({ from: users.id, to: posts.userId }),
    publicPosts: many.posts({ from: users.id, to: posts.userId, where: { isPublic: true }, alias: 'public' })
  },
  posts: {
    user: one.users({ from: posts.userId, to: users.id, optional: false }),
    publicUser: one.users({ alias: 'public' }),
    tags: many.tags({ from: posts.id.through(postTags.postId), to: tags.id.through(postTags.tagId) })
  }
}))

declare module '../../../src/drizzle/types/registered-schema.js' {
  interface Register { relations: typeof relations }
}

type User = typeof users.$inferSelect
type Post = typeof posts.$inferSelect
type Tag = typeof tags.$inferSelect

declare const repositories: Repositories
declare const runner: RepositorySession
declare const database: Database
declare const session: Session

const userRepo = repositories.create(runner, users)
const postRepo = repositories.create(runner, posts)
const withPosts = userRepo.with({ posts: true })

describe('with', () => {
  test('adds what is related to each row', async () => {
    expect(await withPosts.getOrThrow(1)).type.toBe<{ id: number, email: string, posts: Post[] }>()
    expect((await withPosts.getAll({ columns: ['id'] }))[0]).type.toBe<{ id: number, posts: Post[] } | undefined>()
    expect(await withPosts.paginate()).type.toBe<Paginated<{ id: number, email: string, posts: Post[] }>>()
    expect(await withPosts.cursor({}, { after: 'x' })).type.toBe<CursorResult<{ id: number, email: string, posts: Post[] }>>()
    expect(withPosts).type.toBe<RelatedRepository<typeof users, { readonly posts: true }>>()
  })
  test('knows one row, one row or none, rows under an alias and rows through a table', async () => {
    const post = await postRepo.with({ user: { columns: { email: true } }, publicUser: true, tags: { columns: { id: false } } }).getOrThrow(1)
    expect(post.user).type.toBe<{ email: string }>()
    expect(post.publicUser).type.toBe<User | null>()
    expect(post.tags).type.toBe<Array<{ word: string }>>()
    expect((await repositories.create(runner, tags).with({}).getOrThrow(1))).type.toBe<Tag>()
  })
  test('knows nested relations and expressions', async () => {
    const [row] = await userRepo.with({
      publicPosts: { columns: { title: true }, extras: { size: sql<number>`1` }, with: { tags: true } }
    }).getAll()
    expect(row?.publicPosts).type.toBe<Array<{ title: string | null, size: number, tags: Tag[] }> | undefined>()
  })
  test('takes conditions and orders as objects', () => {
    const wanted = userRepo.with({
      posts: {
        where: { RAW: (table, { eq }) => eq(table.id, 1) }, orderBy: (table, { desc }) => desc(table.id), extras: { size: (table, { sql }) => sql<number>`length(${table.title})` }
      }
    })
    expect(wanted.get(1)).type.toBe<Promise<{ id: number, email: string, posts: Array<{ id: number, userId: number, title: string | null, isPublic: boolean, size: number }> } | undefined>>()
    expect(userRepo.with).type.toBeCallableWith({ posts: { where: { title: { like: 'A%' }, OR: [{ isPublic: true }, { tags: { word: 'sql' } }] }, orderBy: { id: 'desc' }, limit: 5 } })
    expect(userRepo.with).type.toBeCallableWith({ posts: { where: { RAW: (table: typeof posts) => sql`${table.id} > 1` } } })
    expect(userRepo.with).type.not.toBeCallableWith({ posts: { where: { title: 5 } } })
    expect(userRepo.with).type.not.toBeCallableWith({ posts: { where: { titel: 'A' } } })
    expect(userRepo.with).type.not.toBeCallableWith({ posts: { where: { tags: { wort: 'sql' } } } })
    expect(userRepo.with).type.not.toBeCallableWith({ posts: { orderBy: { id: 'up' } } })
  })
  test('knows the registered relations, and no others', () => {
    expect(userRepo.with).type.not.toBeCallableWith({ post: true })
    expect(userRepo.with).type.not.toBeCallableWith({ posts: true, post: true })
    expect(userRepo.with).type.not.toBeCallableWith({ posts: { limit: '5' } })
    expect(userRepo.with).type.not.toBeCallableWith({ posts: { offset: 5 } })
    expect(userRepo.with).type.not.toBeCallableWith({ posts: { columns: { id: true, nope: true } } })
    expect(userRepo.with).type.not.toBeCallableWith({ posts: { with: { user: true, users: true } } })
    expect(userRepo.with).type.not.toBeCallableWith()
    expect(repositories.create(runner, tags).with).type.not.toBeCallableWith({ posts: true })
    expect(repositories.create(runner, others).with).type.not.toBeCallableWith({ posts: true })
    expect(repositories.create(runner, postTags).with).type.not.toBeCallableWith({ posts: true })
  })
})

describe('drizzle', () => {
  test('has the registered relations in its queries', () => {
    expect(session.drizzle.query.users.findFirst({ with: { posts: { where: { isPublic: true } } }, where: { email: { like: '%@b' } } }))
      .type.toBeAssignableTo<PromiseLike<(User & { posts: Post[] }) | undefined>>()
    expect(database.drizzle.query.posts.findMany({ columns: { id: true }, with: { publicUser: true } }))
      .type.toBeAssignableTo<PromiseLike<Array<{ id: number, publicUser: User | null }>>>()
    // @ts-expect-error! there is no such table
    database.drizzle.query.people.findFirst()
    // @ts-expect-error! there is no such column
    database.drizzle.query.users.findFirst({ where: { emial: 'x' } })
  })
  test('has the other doors of Drizzle', async () => {
    expect(await database.drizzle.$count(users)).type.toBe<number>()
    expect(await database.drizzle.select().from(users)).type.toBe<User[]>()
    expect(await database.drizzle.select().from(users).prepare('all').execute()).type.toBe<User[]>()
    expect(await database.drizzle.transaction(async (tx) => await tx.query.posts.findMany())).type.toBe<Post[]>()
    expect((await database.drizzle.execute<{ n: number }>(sql`select 1 as n`)).rows).type.toBe<Array<{ n: number }>>()
    expect((await database.execute(database.drizzle.query.users.findMany()))).type.toBe<User[]>()
  })
})
