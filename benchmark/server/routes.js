import * as schemas from './schemas.js'

/**
 * The same routes for every peer. Only `accounts` differs.
 *
 * @param {import('fastify').FastifyInstance} fastify
 * @param {{ accounts: import('../peers/index.js').Accounts }} options
 */
export async function routes (fastify, { accounts }) {
  fastify.get('/none', { schema: schemas.none }, async () => ({ ok: true }))

  fastify.get('/accounts/:id', { schema: schemas.read }, async (request, reply) => {
    const account = await accounts.read(request.params, request)
    return account ?? reply.code(404).send({ message: 'no such account' })
  })

  fastify.get('/accounts', { schema: schemas.list }, (request) => accounts.list(request.query, request))

  fastify.post('/accounts', { schema: schemas.create }, async (request, reply) => {
    const account = await accounts.create(request.body, request)
    reply.code(201)
    return account
  })

  fastify.post('/accounts/many', { schema: schemas.createMany }, async (request, reply) => {
    const created = await accounts.createMany(request.body, request)
    reply.code(201)
    return created
  })

  fastify.patch('/accounts/:id', { schema: schemas.update }, async (request, reply) => {
    const account = await accounts.update({ id: request.params.id, note: request.body.note }, request)
    if (account === undefined) return reply.code(404).send({ message: 'no such account' })
    if (account === 'inactive') return reply.code(409).send({ message: 'the account is not active' })
    return account
  })

  fastify.post('/transfers', { schema: schemas.transfer }, async (request, reply) => {
    const balances = await accounts.transfer(request.body, request)
    return balances ?? reply.code(409).send({ message: 'the account has too little' })
  })
}
