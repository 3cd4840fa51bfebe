import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { createSelectSchema } from 'drizzle-typebox'
import { required, signedIn } from '../auth.js'
import { Refusal } from '../errors.js'
import { UserRepository } from './repository.js'
import { users } from './table.js'

const { username, email, bio, image } = createSelectSchema(users).properties
const filled = { minLength: 1 }
const name = Type.String({ ...username, ...filled })
const address = Type.String({ ...email, ...filled, format: 'email' })
const password = Type.String({ ...filled, maxLength: 1000 })

const newUser = Type.Object({ user: Type.Object({ username: name, email: address, password }) })
const credentials = Type.Object({ user: Type.Object({ email: address, password }) })
const changes = Type.Object({ user: Type.Partial(Type.Object({ username: name, email: address, password, bio, image }), { minProperties: 1 }) })
const reply = Type.Object({ user: Type.Object({ email, token: Type.String(), username, bio, image }) })

const tags = ['User and Authentication']

export const userRoutes: FastifyPluginAsyncTypebox = async (server) => {
  const withToken = ({ id, email, username, bio, image }: typeof users.$inferSelect) =>
    ({ user: { email, token: server.jwt.sign({ sub: String(id) }), username, bio, image } })

  server.post('/users', { schema: { tags, body: newUser, response: { 201: reply } } }, async (request, answer) => {
    const user = await request.repo(UserRepository).register(request.body.user)
    request.db.afterCommit(() => request.log.info({ id: user.id }, 'a user has registered: the time to send a welcome mail'))
    return answer.code(201).send(withToken(user))
  })

  server.post('/users/login', { schema: { tags, body: credentials, response: { 200: reply } } }, async (request) => {
    const { email, password } = request.body.user
    const user = await request.repo(UserRepository).login(email, password)
    if (user === undefined) throw new Refusal(401, 'email or password is invalid')
    return withToken(user)
  })

  server.get('/user', { ...signedIn, schema: { ...required, tags, response: { 200: reply } } }, async (request) => {
    const user = await request.repo(UserRepository).get(request.user.id)
    if (user === undefined) throw new Refusal(401, 'this account is gone')
    return withToken(user)
  })

  server.put('/user', { ...signedIn, schema: { ...required, tags, body: changes, response: { 200: reply } } }, async (request) =>
    withToken(await request.repo(UserRepository).change(request.user.id, request.body.user)))
}
