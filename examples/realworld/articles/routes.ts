import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { createSelectSchema } from 'drizzle-typebox'
import { anyone, required, signedIn, viewerOf } from '../auth.js'
import { profile } from '../profiles/routes.js'
import { TagRepository } from '../tags/repository.js'
import { ArticleRepository, FavoriteRepository } from './repository.js'
import { articles } from './table.js'

// A Date in the program, a string in JSON.
export const time = Type.Unsafe<Date>({ type: 'string', format: 'date-time' })
export const params = Type.Object({ slug: Type.String() })

const { slug, title, description, body } = createSelectSchema(articles).properties
const filled = { minLength: 1 }
const name = Type.String({ ...title, ...filled })
const text = Type.String(filled)

const newArticle = Type.Object({
  article: Type.Object({
    title: name,
    description: text,
    body: text,
    tagList: Type.Optional(Type.Array(Type.String({ ...filled, maxLength: 100 }), { maxItems: 100 }))
  })
})
const changes = Type.Object({ article: Type.Partial(Type.Object({ title: name, description: text, body: text }), { minProperties: 1 }) })

const page = {
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 20 }),
  offset: Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1, default: 0 })
}
const filter = Type.Object({ ...page, tag: Type.Optional(Type.String()), author: Type.Optional(Type.String()), favorited: Type.Optional(Type.String()) })

const article = Type.Object({
  slug,
  title,
  description,
  body,
  tagList: Type.Array(Type.String()),
  createdAt: time,
  updatedAt: time,
  favorited: Type.Boolean(),
  favoritesCount: Type.Integer(),
  author: profile
})
const one = Type.Object({ article })
const many = Type.Object({ articles: Type.Array(article), articlesCount: Type.Integer() })

// The page and the total are two statements. They must see the same rows.
const snapshot = { config: { transaction: { isolationLevel: 'repeatable read', accessMode: 'read only' } } } as const

export const articleRoutes: FastifyPluginAsyncTypebox = async (server) => {
  const tags = ['Articles']

  server.get('/articles', { ...anyone, ...snapshot, schema: { tags, querystring: filter, response: { 200: many } } }, (request) => {
    const { limit, offset, ...filter } = request.query
    return request.repo(ArticleRepository).list(filter, viewerOf(request), { limit, offset })
  })

  server.get('/articles/feed', { ...signedIn, ...snapshot, schema: { ...required, tags, querystring: Type.Object(page), response: { 200: many } } }, (request) =>
    request.repo(ArticleRepository).list({ followedBy: request.user.id }, request.user.id, request.query))

  server.get('/articles/:slug', { ...anyone, schema: { tags, params, response: { 200: one } } }, async (request) =>
    ({ article: await request.repo(ArticleRepository).show(request.params.slug, viewerOf(request)) }))

  server.post('/articles', { ...signedIn, schema: { ...required, tags, body: newArticle, response: { 201: one } } }, async (request, reply) => {
    const { tagList = [], ...article } = request.body.article
    const { id, slug } = await request.repo(ArticleRepository).publish({ ...article, authorId: request.user.id })
    await request.repo(TagRepository).tie(id, tagList)
    request.db.afterCommit(() => request.log.info({ slug }, 'an article is out: the time to tell the followers'))
    return reply.code(201).send({ article: await request.repo(ArticleRepository).show(slug, request.user.id) })
  })

  server.put('/articles/:slug', { ...signedIn, schema: { ...required, tags, params, body: changes, response: { 200: one } } }, async (request) => {
    const { slug } = await request.repo(ArticleRepository).revise(request.params.slug, request.user.id, request.body.article)
    return { article: await request.repo(ArticleRepository).show(slug, request.user.id) }
  })

  server.delete('/articles/:slug', { ...signedIn, schema: { ...required, tags, params, response: { 204: Type.Null() } } }, async (request, reply) => {
    const { id } = await request.repo(ArticleRepository).ownOf(request.user.id, request.params.slug)
    await request.repo(ArticleRepository).delete(id)
    return reply.code(204).send(null)
  })
}

export const favoriteRoutes: FastifyPluginAsyncTypebox = async (server) => {
  const schema = { ...required, tags: ['Favorites'], params, response: { 200: one } }

  server.post('/articles/:slug/favorite', { ...signedIn, schema }, async (request) => {
    const { id, slug } = await request.repo(ArticleRepository).bySlug(request.params.slug)
    await request.repo(FavoriteRepository).add(request.user.id, id)
    return { article: await request.repo(ArticleRepository).show(slug, request.user.id) }
  })

  server.delete('/articles/:slug/favorite', { ...signedIn, schema }, async (request) => {
    const { id, slug } = await request.repo(ArticleRepository).bySlug(request.params.slug)
    await request.repo(FavoriteRepository).remove(request.user.id, id)
    return { article: await request.repo(ArticleRepository).show(slug, request.user.id) }
  })
}
