import fp from 'fastify-plugin'
import { leaveOutListSchema } from './route-schemas.js'
import { serverDatabases } from './server-databases.js'
import { sessionIn } from './transaction.js'
import { sendsWritten, sendWritten } from './written-json.js'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { RepositoryOf, RepositorySource } from '../src/repository/repository.js'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * A repository for a table, or an instance of a repository class, inside the request's transaction. Of several databases, it is
     * the one whose schema has the table.
     *
     * @throws {UsageError} for a view, a table without a primary key, and anything that is neither a table nor a repository class
     * @example
     * ```ts
     * server.get('/users/:id', (request) => request.repo(users).getOrThrow(request.params.id))
     * ```
     */
    repo<Source extends RepositorySource> (source: Source): RepositoryOf<Source>
  }
}

/** Decorates requests with `repo`, sends JSON that is written already as it is, and makes `listQuery` work under every validator. */
async function plugin (fastify: FastifyInstance): Promise<void> {
  const { [serverDatabases]: databases } = fastify
  fastify.decorateRequest('repo', function (this: FastifyRequest, source) {
    if (!databases.areSeveral) return this.db.repo(source)
    return this[sessionIn](this.server[serverDatabases].ownerOf(source)).repo(source)
  })
  fastify.addHook('onRoute', leaveOutListSchema)
  fastify.decorateReply(sendsWritten, false)
  fastify.addHook('preSerialization', sendWritten)
}

/** {@inheritDoc plugin} */
export const repositoryPlugin = fp(plugin, { fastify: '5.x', name: 'data-access/repository', dependencies: ['data-access/transaction'] })
