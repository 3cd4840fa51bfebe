import { and, count, desc, eq, exists, sql, type SQL } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { NotFoundError, Repository, UniqueViolationError } from '../../../plugins/index.js'
import { Refusal } from '../errors.js'
import { profileFor } from '../profiles/repository.js'
import { follows } from '../profiles/table.js'
import { query } from '../query.js'
import { articleTags } from '../tags/table.js'
import { users } from '../users/table.js'
import { longerSlug, slugOf } from './slug.js'
import { articles, favorites } from './table.js'

/** The articles of a list: all conditions must hold. */
export interface ArticleFilter {
  readonly tag?: string
  readonly author?: string
  readonly favorited?: string
  /** Only articles by authors that this user follows. */
  readonly followedBy?: number
}

export interface ArticlePage {
  readonly limit: number
  readonly offset: number
}

type ArticleChanges = Partial<Pick<typeof articles.$inferInsert, 'title' | 'description' | 'body'>>

/** An article as the viewer sees it, with everything that a reply needs, in one row. */
const articleFor = (viewer: number) => ({
  slug: articles.slug,
  title: articles.title,
  description: articles.description,
  body: articles.body,
  tagList: sql<string[]>`array(select ${articleTags.tag} from ${articleTags} where ${eq(articleTags.articleId, articles.id)} order by ${articleTags.tag})`,
  createdAt: articles.createdAt,
  updatedAt: articles.updatedAt,
  favorited: sql<boolean>`exists (select from ${favorites} where ${and(eq(favorites.articleId, articles.id), eq(favorites.userId, viewer))})`,
  favoritesCount: sql<number>`(select count(*)::int from ${favorites} where ${eq(favorites.articleId, articles.id)})`,
  author: profileFor(viewer)
})

const fans = alias(users, 'fans')

export class ArticleRepository extends Repository.of(articles) {
  /** One article for a reply. */
  async show (slug: string, viewer: number) {
    const [article] = await this.execute(query.select(articleFor(viewer)).from(articles)
      .innerJoin(users, eq(users.id, articles.authorId)).where(eq(articles.slug, slug)))
    if (article === undefined) throw new NotFoundError('article not found')
    return article
  }

  /** A page of articles for a reply, newest first, and their total: two statements for any number of articles. */
  async list (filter: ArticleFilter, viewer: number, { limit, offset }: ArticlePage) {
    const matching = conditionOf(filter)
    // Awaited together, they travel in one round trip.
    const [page, [total]] = await Promise.all([
      this.execute(query.select(articleFor(viewer)).from(articles)
        .innerJoin(users, eq(users.id, articles.authorId)).where(matching)
        .orderBy(desc(articles.createdAt), desc(articles.id)).limit(limit).offset(offset)),
      this.execute(query.select({ count: count() }).from(articles)
        .innerJoin(users, eq(users.id, articles.authorId)).where(matching))
    ])
    return { articles: page, articlesCount: total!.count }
  }

  async publish (article: Omit<typeof articles.$inferInsert, 'slug'>) {
    return this.#underSlugOf(article.title, (slug) => this.create({ ...article, slug }))
  }

  /** Changes an article of the author. A new title gives it a new slug. */
  async revise (slug: string, authorId: number, changes: ArticleChanges) {
    const { id, title } = await this.ownOf(authorId, slug)
    if (changes.title === undefined || changes.title === title) return this.updateOrThrow(id, changes)
    return this.#underSlugOf(changes.title, (slug) => this.updateOrThrow(id, { ...changes, slug }))
  }

  /** The article, locked until the request ends. */
  async ownOf (authorId: number, slug: string) {
    const article = await this.bySlug(slug, { lock: 'update' })
    if (article.authorId !== authorId) throw new Refusal(403, 'this article belongs to another user')
    return article
  }

  async bySlug (slug: string, options?: { lock: 'update' }) {
    const article = await this.getBy({ slug }, { columns: ['id', 'slug', 'title', 'authorId'], ...options })
    if (article === undefined) throw new NotFoundError('article not found')
    return article
  }

  /** Writes with the slug of a title. If the slug is taken, the savepoint undoes the attempt, and a longer one is used. */
  async #underSlugOf<Result> (title: string, write: (slug: string) => Promise<Result>): Promise<Result> {
    const slug = slugOf(title)
    try {
      return await this.session.transaction(() => write(slug))
    } catch (error) {
      if (!(error instanceof UniqueViolationError)) throw error
      return write(longerSlug(slug))
    }
  }
}

export class FavoriteRepository extends Repository.of(favorites) {
  /** Makes an article a favourite. Doing so twice changes nothing. */
  async add (userId: number, articleId: number): Promise<void> {
    await this.execute(query.insert(favorites).values({ userId, articleId }).onConflictDoNothing())
  }

  async remove (userId: number, articleId: number): Promise<void> {
    await this.delete({ userId, articleId })
  }
}

function conditionOf ({ tag, author, favorited, followedBy }: ArticleFilter): SQL | undefined {
  const conditions: SQL[] = []
  if (author !== undefined) conditions.push(eq(users.username, author))
  if (tag !== undefined) {
    conditions.push(exists(query.select().from(articleTags).where(and(eq(articleTags.articleId, articles.id), eq(articleTags.tag, tag)))))
  }
  if (favorited !== undefined) {
    conditions.push(exists(query.select().from(favorites).innerJoin(fans, eq(fans.id, favorites.userId))
      .where(and(eq(favorites.articleId, articles.id), eq(fans.username, favorited)))))
  }
  if (followedBy !== undefined) {
    conditions.push(exists(query.select().from(follows).where(and(eq(follows.followedId, articles.authorId), eq(follows.followerId, followedBy)))))
  }
  return and(...conditions)
}
