import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { id, newPost, newUser, page, post, posts, user, userChanges, users } from './schema.js'

/** Users and their posts. Each request is one transaction, committed before its reply leaves; an error rolls all of it back. */
export const routes: FastifyPluginAsyncTypebox = async (server) => {
  server.get('/users', { schema: { querystring: page, response: { 200: Type.Array(user) } } },
    (request) => request.repo(users).getAll({ ...request.query, orderBy: { createdAt: 'desc' } }))

  server.get('/users/:id', { schema: { params: id, response: { 200: user } } },
    (request) => request.repo(users).getOrThrow(request.params.id))

  server.post('/users', { schema: { body: newUser, response: { 201: user } } }, async (request, reply) => {
    const created = await request.repo(users).create(request.body)
    request.db.afterCommit(() => request.log.info({ id: created.id }, 'a user was created: the time to send a welcome mail'))
    return reply.code(201).send(created)
  })

  server.patch('/users/:id', { schema: { params: id, body: userChanges, response: { 200: user } } },
    (request) => request.repo(users).updateOrThrow(request.params.id, request.body))

  server.delete('/users/:id', { schema: { params: id, response: { 204: Type.Null() } } }, async (request, reply) => {
    await request.repo(users).deleteOrThrow(request.params.id)
    return reply.code(204).send(null)
  })

  server.get('/users/:id/posts', { schema: { params: id, querystring: page, response: { 200: Type.Array(post) } } }, async (request) => {
    const author = await request.repo(users).getOrThrow(request.params.id)
    return request.repo(posts).filter({ authorId: author.id }, { ...request.query, orderBy: { createdAt: 'desc' } })
  })

  server.post('/users/:id/posts', { schema: { params: id, body: newPost, response: { 201: post } } }, async (request, reply) => {
    const author = await request.repo(users).getOrThrow(request.params.id)
    return reply.code(201).send(await request.repo(posts).create({ ...request.body, authorId: author.id }))
  })
}
