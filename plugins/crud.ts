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
  const described = describeCrud(tableOf(source) as PgTable, options) // anything else is refused there
  const limits = refuseUnwritable(fastify, source, options)
  const listed = list === true ? {} : list
  const { pages = 'cursor' } = listed
  const query = listQuery(described.table, { ...listed, ...limitsOf(listed, limits), pages } as object) // its own checks know the table
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
  const add = (name: keyof typeof handlers, method: string, url: string): void => {
    const fields = name === 'create' ? described.create : name === 'update' ? described.update : undefined
    fastify.route({
      ...common,
      method,
      url,
      schema: readable(fastify, schemas[name]),
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

/**
 * Checks what may be written by the rules of the repository; returns the limits of its lists.
 *
 * @throws {UsageError} for a column that the repository does not let its callers write
 */
function refuseUnwritable (fastify: FastifyInstance, source: RepositorySource, { create = [], update = [] }: GivenCrud) {
  const { [serverDatabases]: databases } = fastify
  const { database, limits } = databases.owner(source)
  const repo = database.repo(source) as unknown as CrudRepository
  repo.writable([...create, ...update])
  return limits
}

/** If the validator of the server cannot check the path, the handlers check it alone. */
function validatorOfTexts ({ validatorCompiler }: FastifyInstance): Pick<RouteOptions, 'validatorCompiler'> {
  if (validatorCompiler === undefined || !refusesTexts(validatorCompiler, { method: 'GET', url: '/' })) return {}
  return { validatorCompiler: (part) => part.httpPart === 'params' ? () => true : validatorCompiler(part) }
}

/** Without the parts that the compilers of the server cannot read: the handlers check the same themselves. */
function readable (fastify: FastifyInstance, schema: FastifySchema): FastifySchema {
  const { validatorCompiler, serializerCompiler } = fastify
  const { params, body, headers, response, ...others } = schema
  const route = { method: 'GET', url: '/' }
  const isReadable = readsJsonSchema(validatorCompiler, { ...route, schema: example, httpPart: 'body' }, { name: 'x' })
  const isWritable = readsJsonSchema(serializerCompiler, { ...route, schema: example, httpStatus: '200' }, { name: 'x' })
  return {
    ...others,
    ...(isReadable && { ...(params !== undefined && { params }), ...(body !== undefined && { body }), ...(headers !== undefined && { headers }) }),
    ...(isWritable && { response })
  }
}

const example = { type: 'object', properties: { name: { type: 'string' } } }
