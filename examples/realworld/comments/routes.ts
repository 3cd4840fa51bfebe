import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { ArticleRepository } from '../articles/repository.js'
import { params, time } from '../articles/routes.js'
import { anyone, required, signedIn, viewerOf } from '../auth.js'
import { profile } from '../profiles/routes.js'
import { CommentRepository } from './repository.js'

const newComment = Type.Object({ comment: Type.Object({ body: Type.String({ minLength: 1 }) }) })
const comment = Type.Object({ id: Type.Integer(), createdAt: time, updatedAt: time, body: Type.String(), author: profile })
const one = Type.Object({ comment })
const many = Type.Object({ comments: Type.Array(comment) })
const oneOf = Type.Object({ ...params.properties, id: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }) })

export const commentRoutes: FastifyPluginAsyncTypebox = async (server) => {
  const tags = ['Comments']

  server.get('/articles/:slug/comments', { ...anyone, schema: { tags, params, response: { 200: many } } }, async (request) => {
    const article = await request.repo(ArticleRepository).bySlug(request.params.slug)
    return { comments: await request.repo(CommentRepository).listOf(article.id, viewerOf(request)) }
  })

  server.post('/articles/:slug/comments', { ...signedIn, schema: { ...required, tags, params, body: newComment, response: { 200: one } } }, async (request) => {
    const article = await request.repo(ArticleRepository).bySlug(request.params.slug)
    const comment = await request.repo(CommentRepository).write({ ...request.body.comment, articleId: article.id, authorId: request.user.id })
    request.db.afterCommit(() => request.log.info({ slug: article.slug, id: comment.id }, 'a comment was written: the time to tell the author'))
    return { comment }
  })

  server.delete('/articles/:slug/comments/:id', { ...signedIn, schema: { ...required, tags, params: oneOf, response: { 204: Type.Null() } } }, async (request, reply) => {
    const article = await request.repo(ArticleRepository).bySlug(request.params.slug)
    await request.repo(CommentRepository).withdraw(request.params.id, { articleId: article.id, authorId: request.user.id })
    return reply.code(204).send(null)
  })
}
