import { eq, sql } from 'drizzle-orm'
import { boolean, integer, pgSchema, pgTable, pgView, primaryKey, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { UsageError } from '../../src/errors/errors.js'
import { Repositories } from '../../src/repository/repository-factory.js'
import { related as declare } from '../helpers/drizzle.js'
import { openRepositories } from '../helpers/runner.js'
import type { PgTable } from 'drizzle-orm/pg-core'

const people = pgTable('people', { id: integer().primaryKey(), name: text().notNull(), isStaff: boolean('is_staff').notNull() })
const posts = pgTable('posts', {
  id: integer().primaryKey(),
  authorId: integer('author_id'),
  title: text().notNull(),
  isPublic: boolean('is_public').notNull()
})
const tags = pgSchema('shop').table('tags', { id: integer().primaryKey(), word: text().notNull() })
const postTags = pgTable(
  'post_tags',
  { postId: integer('post_id').notNull(), tagId: integer('tag_id').notNull() },
  (table) => [primaryKey({ columns: [table.postId, table.tagId] })]
)
const titles = pgView('titles').as((query) => query.select({ id: posts.id, title: posts.title }).from(posts))

const tables = `
  create table people (id integer primary key, name text not null, is_staff boolean not null);
  create table posts (id integer primary key, author_id integer, title text not null, is_public boolean not null);
  create schema shop;
  create table shop.tags (id integer primary key, word text not null);
  create table post_tags (post_id integer, tag_id integer, primary key (post_id, tag_id));
  create table strangers (id integer primary key);
  insert into strangers values (1);
  create view titles as select id, title from posts;
  insert into people values (1, 'Ada', true), (2, 'Bob', false);
  insert into posts values (10, 1, 'A', true), (11, 1, 'B', false), (12, 2, 'C', true), (13, null, 'D', true);
  insert into shop.tags values (1, 'sql'), (2, 'node'), (3, 'rust');
  insert into post_tags values (10, 1), (10, 2), (11, 2);`

/** A column of `defineRelations()`. */
interface Described {
  through (column: unknown): unknown
}

const relations = declare({ people, posts, tags, postTags, titles }, ({ one, many, people, posts, tags, postTags, titles }) => ({
  people: {
    posts: many['posts']?.({ from: people?.['id'], to: posts?.['authorId'] }),
    publicPosts: many['posts']?.({ from: people?.['id'], to: posts?.['authorId'], where: { isPublic: true }, alias: 'public' }),
    staffPosts: many['posts']?.({ alias: 'staff' })
  },
  posts: {
    author: one['people']?.({ from: posts?.['authorId'], to: people?.['id'] }),
    publicAuthor: one['people']?.({ alias: 'public' }),
    staffAuthor: one['people']?.({ from: posts?.['authorId'], to: people?.['id'], where: { isStaff: true }, alias: 'staff' }),
    tags: many['tags']?.({ from: (posts?.['id'] as Described).through(postTags?.['postId']), to: (tags?.['id'] as Described).through(postTags?.['tagId']) }),
    links: many['postTags']?.({ from: posts?.['id'], to: postTags?.['postId'] }),
    titled: one['titles']?.({ from: posts?.['id'], to: titles?.['id'] })
  },
  tags: { posts: many['posts']?.({}) }
}))

const { runner } = await openRepositories(t, tables)
const repositories = new Repositories({ relations, defaultLimit: 100, maxLimit: 1000 })

type Rows = Array<Record<string, unknown>>

async function related (table: PgTable, wanted: unknown): Promise<Rows> {
  const repo = repositories.create(runner, table) as unknown as { with (wanted: unknown): { getAll (): Promise<Rows> } }
  return await repo.with(wanted).getAll()
}

const names = (rows: unknown, key: string): unknown[] => (rows as Rows).map((row) => row[key])

t.test('reads relations of defineRelations(), to one and to many, at any depth', async (t) => {
  const [ada, bob] = await related(people, { posts: { columns: { id: true }, with: { author: { columns: { name: true } } } } })
  t.strictSame(ada, { id: 1, name: 'Ada', isStaff: true, posts: [{ id: 10, author: { name: 'Ada' } }, { id: 11, author: { name: 'Ada' } }] })
  t.strictSame(bob?.['posts'], [{ id: 12, author: { name: 'Bob' } }])
  const rows = await related(posts, { author: { extras: { shout: (fields: typeof people) => sql`upper(${fields.name})` } } })
  t.strictSame(rows.map(({ author }) => author && Object(author).shout), ['ADA', 'ADA', 'BOB', null])
})

t.test('reads a relation through a junction table, in both directions', async (t) => {
  const rows = await related(posts, { tags: { columns: { word: true } } })
  t.strictSame(rows.map(({ tags }) => names(tags, 'word')), [['sql', 'node'], ['node'], [], []])
  const back = await related(tags, { posts: { columns: { title: true }, with: { tags: { columns: { id: true } } } } })
  t.strictSame(back.map(({ posts }) => posts), [
    [{ title: 'A', tags: [{ id: 1 }, { id: 2 }] }], [{ title: 'A', tags: [{ id: 1 }, { id: 2 }] }, { title: 'B', tags: [{ id: 2 }] }], []
  ])
})

t.test('keeps the condition of a relation, also where the other side declares it', async (t) => {
  const [ada, bob] = await related(people, { publicPosts: { columns: { id: true } }, staffPosts: { columns: { id: true } } })
  t.strictSame([ada?.['publicPosts'], ada?.['staffPosts']], [[{ id: 10 }], [{ id: 10 }, { id: 11 }]])
  t.strictSame([bob?.['publicPosts'], bob?.['staffPosts']], [[{ id: 12 }], []])
  const rows = await related(posts, { staffAuthor: { columns: { name: true } }, publicAuthor: { columns: { name: true } } })
  t.strictSame(rows.map(({ staffAuthor }) => staffAuthor), [{ name: 'Ada' }, { name: 'Ada' }, null, null])
  t.strictSame(rows.map(({ publicAuthor }) => publicAuthor), [{ name: 'Ada' }, null, { name: 'Bob' }, null])
  const [nested] = await related(people, { posts: { columns: { id: true }, with: { publicAuthor: { columns: { id: true } } } } })
  t.strictSame(nested?.['posts'], [{ id: 10, publicAuthor: { id: 1 } }, { id: 11, publicAuthor: null }], 'on a row that is itself related')
})

const lastTitle = (fields: typeof posts, { desc }: { desc: (column: unknown) => unknown }): unknown => desc(fields.title)

t.test('takes conditions and orders as Drizzle 1.0 writes them', async (t) => {
  const wanted = { posts: { where: { OR: [{ title: { gt: 'A' } }, { tags: { word: 'rust' } }] }, orderBy: { id: 'desc' }, limit: 5 } }
  t.strictSame((await related(people, wanted)).map(({ posts }) => names(posts, 'id')), [[11], [12]])
  const byTag = { posts: { where: { tags: { word: 'node' } }, orderBy: lastTitle } }
  t.strictSame((await related(people, byTag)).map(({ posts }) => names(posts, 'title')), [['B', 'A'], []])
  const links = { links: { columns: { tagId: true }, orderBy: { tagId: 'desc' } } }
  t.strictSame((await related(posts, links)).map(({ links }) => names(links, 'tagId')), [[2, 1], [2], [], []], 'over a key of two columns')
  const raw = { posts: { where: { RAW: (table: typeof posts) => eq(table.title, 'B') }, orderBy: {} } }
  t.strictSame((await related(people, raw)).map(({ posts }) => names(posts, 'title')), [['B'], []])
  t.strictSame((await related(people, { posts: { where: {} } })).map(({ posts }) => names(posts, 'id')), [[10, 11], [12]])
})

t.test('says what is wrong with the options of a relation', async (t) => {
  const refused = async (wanted: unknown, message: RegExp): Promise<void> => {
    await t.rejects(related(people, wanted), { constructor: UsageError, message })
  }
  await refused({ posts: { where: { titel: 'A' } } }, /"where" of relation "posts": Unknown relational filter field: "titel"/)
  await refused({ posts: { where: { title: undefined } } }, /"where" of relation "posts": .*undefined/)
  await refused({ posts: { where: 'title' } }, /"where" of relation "posts": Drizzle 1.0 takes an object/)
  await refused({ posts: { orderBy: { titel: 'asc' } } }, /"orderBy" of relation "posts"/)
  await refused({ posts: { orderBy: 7 } }, /"orderBy" of relation "posts": Drizzle 1.0 takes an object or a function/)
  await refused({ friends: true }, /Table "people" has no relation "friends" in the schema/)
  await t.rejects(related(posts, { titled: true }), { constructor: UsageError, message: /has no relation "titled"/ }, 'a view has no key')
  await t.rejects(related(pgTable('strangers', { id: integer().primaryKey() }), {}), { constructor: UsageError, message: /is not in the schema/ })
})

t.test('a schema without relations has tables, and no relation', async (t) => {
  const bare = new Repositories({ schema: { people, posts }, defaultLimit: 100, maxLimit: 1000 })
  const repo = bare.create(runner, people) as unknown as { with (wanted: unknown): { getAll (): Promise<Rows> } }
  t.strictSame((await repo.with({}).getAll()).map(({ id }) => id), [1, 2])
  await t.rejects(repo.with({ posts: true }).getAll(), { message: /has no relation "posts"/ })
  const none = new Repositories({ defaultLimit: 100, maxLimit: 1000 }).create(runner, people) as unknown as typeof repo
  await t.rejects(none.with({ posts: true }).getAll(), { message: /is not in the schema/ })
})
