import { desc, eq, type SQL } from 'drizzle-orm'
import { NotFoundError, Repository } from '../../../plugins/index.js'
import { Refusal } from '../errors.js'
import { profileFor } from '../profiles/repository.js'
import { query } from '../query.js'
import { users } from '../users/table.js'
import { comments } from './table.js'

export class CommentRepository extends Repository.of(comments) {
  /** The comments on an article for a reply, newest first: one statement. */
  listOf (articleId: number, viewer: number) {
    return this.#show(eq(comments.articleId, articleId), viewer)
  }

  async write (values: typeof comments.$inferInsert) {
    const { id } = await this.create(values)
    const [comment] = await this.#show(eq(comments.id, id), values.authorId)
    return comment!
  }

  async withdraw (id: number, { articleId, authorId }: { articleId: number, authorId: number }): Promise<void> {
    const comment = await this.getBy({ id, articleId }, { lock: 'update' })
    if (comment === undefined) throw new NotFoundError('comment not found')
    if (comment.authorId !== authorId) throw new Refusal(403, 'this comment belongs to another user')
    await this.delete(id)
  }

  async #show (which: SQL, viewer: number) {
    const { id, createdAt, updatedAt, body } = comments
    return this.execute(query.select({ id, createdAt, updatedAt, body, author: profileFor(viewer) }).from(comments)
      .innerJoin(users, eq(users.id, comments.authorId)).where(which).orderBy(desc(comments.id)).limit(1000))
  }
}
