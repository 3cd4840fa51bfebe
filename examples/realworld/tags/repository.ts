import { asc, count, desc } from 'drizzle-orm'
import { Repository } from '../../../plugins/index.js'
import { query } from '../query.js'
import { articleTags, tags } from './table.js'

export class TagRepository extends Repository.of(tags) {
  /** Links tags to an article, and creates new ones. */
  async tie (articleId: number, names: readonly string[]): Promise<void> {
    if (names.length === 0) return
    // Sorted: two articles that share new tags would otherwise wait for each other.
    const sorted = [...new Set(names)].sort()
    await this.execute(query.insert(tags).values(sorted.map((name) => ({ name }))).onConflictDoNothing())
    await this.execute(query.insert(articleTags).values(sorted.map((tag) => ({ articleId, tag }))))
  }

  /** The tags in use, the most popular first. */
  async popular (): Promise<string[]> {
    const rows = await this.execute(query.select({ tag: articleTags.tag }).from(articleTags)
      .groupBy(articleTags.tag).orderBy(desc(count()), asc(articleTags.tag)).limit(1000))
    return rows.map(({ tag }) => tag)
  }
}
