import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { TagRepository } from './repository.js'

const response = { 200: Type.Object({ tags: Type.Array(Type.String()) }) }

export const tagRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get('/tags', { schema: { tags: ['Tags'], response } }, async (request) =>
    ({ tags: await request.repo(TagRepository).popular() }))
}
