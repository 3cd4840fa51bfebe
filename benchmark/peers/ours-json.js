import { read } from '../server/schemas.js'
import { accounts, open as openOurs } from './ours.js'

const { 200: account } = read.response

/** fastify-data-access, whose reads and lists are JSON straight from PostgreSQL's texts. */
export async function open (fastify, options) {
  return {
    ...await openOurs(fastify, options),
    read: ({ id }, request) => request.repo(accounts).json(account).get(id),
    list: ({ limit }, request) => request.repo(accounts).json(account).getAll({ limit, orderBy: { createdAt: 'desc', id: 'desc' } })
  }
}
