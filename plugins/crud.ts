import { SettingsError } from '../src/errors/settings-error.js'
import { listQuery } from '../src/repository/list-query/list-query.js'
import { tableOf } from '../src/repository/repository-class.js'
import { readBody } from './crud/body.js'
import { checkCrudOptions } from './crud/crud-options.js'
import { describeCrud, keyPath } from './crud/crud-table.js'
import { crudHandlers } from './crud/handlers.js'
import { crudSchemas } from './crud/route-schemas.js'
import { errorFormOf } from './errors.js'
import { readsJsonSchema, refusesTexts } from './route-schemas.js'
import { serverDatabases } from './server-databases.js'
import type { ServerDatabase } from './server-databases.js'
import type { FastifyInstance, FastifyPluginAsync, FastifySchema, RouteOptions } from 'fastify'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { RepositorySource } from '../src/repository/repository.js'
import type { ColumnKey } from '../src/repository/types/filters.js'
import type { CrudOptions, GivenCrud, GivenList, TableOf, WritableOf } from './crud/crud-options.js'
import type { CrudRepository } from './crud/handlers.js'

export type { CrudList, CrudOptions, TableOf, WritableOf } from './crud/crud-options.js'

/**
 * The routes of a table, as a plugin: a list, one row, and its creation, change and removal, each only if it is named. Their schemas
 * come from the table. Nothing that is not named can be written, filtered or sorted by, and nothing hidden is shown.
 *
 * Registering it rejects with a `SettingsError` or a `UsageError` for an unknown or invalid option, and for one that does not fit the table.
 *
 * @example
 * ```ts
 * await server.register(crud(users, {
 *   prefix: '/users',
 *   list: { filterable: ['name'], sortable: ['createdAt'] },
 *   get: true,
 *   create: ['name', 'email'],
 *   update: ['name'],
 *   hidden: ['passwordHash']
 * }))
 * ```
 */
export function crud<Source extends RepositorySource, const Hidden extends ColumnKey<TableOf<Source>> = never> (
  source: Source, options: CrudOptions<TableOf<Source>, WritableOf<Source>, Hidden>
): FastifyPluginAsync {
  return async (fastify) => addRoutes(fastify, source, options)
}

function addRoutes (fastify: FastifyInstance, source: RepositorySource, options: unknown): void {
  checkCrudOptions(options)
  if (!fastify.hasRequestDecorator('repo')) throw new SettingsError('crud', 'needs fastify-data-access: register it before, in the same scope or in one around it')
  const { onRequest, preHandler, config, prefix, list = {}, tags, remove } = options
  const described = describeCrud(tableOf(source) as PgTable, options) // describeCrud refuses anything else
  const { database, limits } = fastify[serverDatabases].owner(source)
  refuseUnwritable(database.repo(source), options)
  const listed = list === true ? {} : list
  const { pages = 'cursor' } = listed
  const query = listQuery(described.table, { ...listed, ...limitsOf(listed, limits), pages } as object) // listQuery looks the columns up in the table
  const handlers = crudHandlers({
    described,
    repoOf: (request) => request.repo(source) as unknown as CrudRepository, // the same methods without the types of the table
    query,
    pages,
    remove,
    requiresIfMatch: options.ifMatch !== 'optional'
  })
  const schemas = crudSchemas({ described, form: errorFormOf(fastify), querystring: query.schema, pages, tags, noun: prefix.slice(prefix.lastIndexOf('/') + 1) })
  const common = { ...(onRequest !== undefined && { onRequest }), ...(preHandler !== undefined && { preHandler }), ...(config !== undefined && { config }) }
  const row = `${prefix}${keyPath(described.key)}`
  const validator = validatorOfTexts(fastify)
  const readable = readableBy(fastify)
  const add = (name: keyof typeof handlers, method: string, url: string): void => {
    const fields = name === 'create' ? described.create : name === 'update' ? described.update : undefined
    fastify.route({
      ...common,
      method,
      url,
      schema: readable(schemas[name]),
      ...validator,
      // Before the validator, which would drop unknown properties and make other values of null.
      ...(fields !== undefined && { preValidation: async (request) => { readBody(request.body, fields) } }),
      handler: handlers[name]
    })
  }
  if (options.list !== undefined) add('list', 'GET', prefix)
  if (options.get !== undefined) add('get', 'GET', row)
  if (options.create !== undefined) add('create', 'POST', prefix)
  if (options.update !== undefined) add('update', 'PATCH', row)
  if (remove !== undefined) add('remove', 'DELETE', row)
}

/** The limits of a list, which its schema shows. @throws {SettingsError} for a larger limit than the database gives */
function limitsOf ({ maxLimit, defaultLimit }: GivenList, limits: ServerDatabase['limits']): Pick<GivenList, 'maxLimit' | 'defaultLimit'> {
  if (maxLimit !== undefined && maxLimit > limits.maxLimit) throw new SettingsError('crud.list.maxLimit', `must be at most ${limits.maxLimit}: repository.maxLimit allows no more`)
  const most = maxLimit ?? limits.maxLimit
  return { maxLimit: most, defaultLimit: defaultLimit ?? Math.min(most, limits.defaultLimit) }
}

/** @throws {UsageError} for a column that the repository does not let its callers write */
function refuseUnwritable (repo: unknown, { create = [], update = [] }: GivenCrud): void {
  (repo as CrudRepository).writable([...create, ...update])
}

const place = { method: 'GET', url: '/' }

/** If the validator of the server cannot check the path, the handlers check it alone. */
function validatorOfTexts ({ validatorCompiler }: FastifyInstance): Pick<RouteOptions, 'validatorCompiler'> {
  if (validatorCompiler === undefined || !refusesTexts(validatorCompiler, place)) return {}
  return { validatorCompiler: (part) => part.httpPart === 'params' ? () => true : validatorCompiler(part) }
}

/** Leaves out of a schema what the compilers of the server cannot read: the handlers check the same themselves. */
function readableBy ({ validatorCompiler, serializerCompiler }: FastifyInstance): (schema: FastifySchema) => FastifySchema {
  const schema = { type: 'object', properties: { name: { type: 'string' } } }
  const example = { name: 'x' }
  const isReadable = readsJsonSchema(validatorCompiler, { ...place, schema, httpPart: 'body' }, example)
  const isWritable = readsJsonSchema(serializerCompiler, { ...place, schema, httpStatus: '200' }, example)
  const unreadable = new Set([...isReadable ? [] : ['params', 'body', 'headers'], ...isWritable ? [] : ['response']])
  return (given) => Object.fromEntries(Object.entries(given).filter(([part]) => !unreadable.has(part)))
}
