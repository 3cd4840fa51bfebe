import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { createSelectSchema } from 'drizzle-typebox'
import { anyone, required, signedIn, viewerOf } from '../auth.js'
import { UserRepository } from '../users/repository.js'
import { users } from '../users/table.js'
import { FollowRepository } from './repository.js'

const { username, bio, image } = createSelectSchema(users).properties
export const profile = Type.Object({ username, bio, image, following: Type.Boolean() })

const params = Type.Object({ username: Type.String() })
const response = { 200: Type.Object({ profile }) }
const tags = ['Profile']

export const profileRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get('/profiles/:username', { ...anyone, schema: { tags, params, response } }, async (request) => {
    const { id, ...user } = await request.repo(UserRepository).byName(request.params.username)
    const following = await request.repo(FollowRepository).exists({ followerId: viewerOf(request), followedId: id })
    return { profile: { ...user, following } }
  })

  server.post('/profiles/:username/follow', { ...signedIn, schema: { ...required, tags, params, response } }, async (request) => {
    const { id, ...user } = await request.repo(UserRepository).byName(request.params.username)
    await request.repo(FollowRepository).add(request.user.id, id)
    return { profile: { ...user, following: true } }
  })

  server.delete('/profiles/:username/follow', { ...signedIn, schema: { ...required, tags, params, response } }, async (request) => {
    const { id, ...user } = await request.repo(UserRepository).byName(request.params.username)
    await request.repo(FollowRepository).remove(request.user.id, id)
    return { profile: { ...user, following: false } }
  })
}
