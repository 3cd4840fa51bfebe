import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { describe, expect, test } from 'tstyche'
import dataAccess, { Repository } from '../../plugins/index.js'
import type { Database, DataAccessOptions, Scope, Session } from '../../plugins/index.js'
import { posts, schema, users } from '../helpers/schema.js'

class UserRepository extends Repository.of(users) {
  findByEmail (email: string) { return this.getBy({ email }) }
}

declare const server: FastifyInstance
declare const request: FastifyRequest

type User = typeof users.$inferSelect

describe('decorators', () => {
  test('of the server and of requests have their types', () => {
    expect(server.db).type.toBe<Database>()
    expect(server.databaseConfig.DATABASE_POOL_SIZE).type.toBe<number>()
    expect(request.db).type.toBe<Session>()
    expect(request.db.outcome).type.toBe<'none' | 'open' | 'committed' | 'rolledBack' | 'unknown'>()
  })

  test('request.db cannot be replaced', () => {
    // @ts-expect-error! read-only
    request.db = server.db.createSession()
  })

  test('request.transaction() passes a scope, and on what its function makes', () => {
    expect(request.transaction(async (scope) => { expect(scope).type.toBe<Scope>(); return 7 })).type.toBe<Promise<number>>()
    // @ts-expect-error! a scope is ended by its function, not by hand
    request.transaction(async (scope) => scope.commit())
  })
})

describe('request.repo()', () => {
  test('knows the rows of its table', () => {
    expect(request.repo(users).get(1)).type.toBe<Promise<User | undefined>>()
    expect(request.repo(users).getOrThrow(1)).type.toBe<Promise<User>>()
    expect(request.repo(UserRepository).findByEmail('ada@example.com')).type.toBe<Promise<User | undefined>>()
  })

  test('refuses columns that the table does not have', () => {
    // @ts-expect-error! 'emial' does not exist
    request.repo(users).getBy({ emial: 'x' })
    // @ts-expect-error! 'emial' does not exist
    request.repo(users).create({ email: 'x', emial: 'x' })
  })

  test('refuses values that do not fit their columns', () => {
    // @ts-expect-error! the id is a number, and generated always
    request.repo(users).create({ id: 'x' })
    // @ts-expect-error! the id is a number
    request.repo(users).get('x')
    // @ts-expect-error! a post needs its title
    request.repo(posts).create({ userId: 1 })
  })
})

describe('options', () => {
  test('of a route are typed', () => {
    server.get('/', { config: { transaction: { begin: 'onRequest', commit: 'onResponse', isolationLevel: 'serializable', commitOn: (reply, payload) => { expect(reply).type.toBe<FastifyReply>(); expect(payload).type.toBe<unknown>(); return true } } } }, async () => {})
    server.get('/', { config: { transaction: false } }, async () => {})
    // @ts-expect-error! there is no such point
    server.get('/', { config: { transaction: { begin: 'never' } } }, async () => {})
    server.get('/', { config: { transaction: { contextRequired: true, context: (request) => { expect(request).type.toBe<FastifyRequest>(); return { settings: { 'app.tenant_id': 42 }, role: 'app_user' } } } } }, async () => {})
    server.get('/', { config: { transaction: { context: { searchPath: ['tenant_42'] } } } }, async () => {})
    // @ts-expect-error! a context is no promise
    server.get('/', { config: { transaction: { context: async () => ({ role: 'app_user' }) } } }, async () => {})
    // @ts-expect-error! a tenant that may be missing is no value of a setting
    server.get('/', { config: { transaction: { context: (request) => ({ settings: { 'app.tenant_id': request.headers['tenant'] } }) } } }, async () => {})
    // @ts-expect-error! a context has no tenant
    server.db.withContext({ tenant: '42' })
    // @ts-expect-error! a promise is always true
    server.get('/', { config: { transaction: { commitOn: async () => false } } }, async () => {})
  })

  test('of the plugin are typed', () => {
    server.register(dataAccess, { schema, pool: { size: 5 }, transaction: { commit: 'onResponse' }, errors: { format: 'problem' }, health: false })
    expect<DataAccessOptions>().type.toBeAssignableFrom({ connectionString: 'postgresql://localhost/shop', casing: 'snake_case' as const })
    // @ts-expect-error! misspelt
    server.register(dataAccess, { poolSize: 5 })
    // @ts-expect-error! a number
    server.register(dataAccess, { pool: { size: '5' } })
    // @ts-expect-error! only a route can do without
    server.register(dataAccess, { transaction: false })
  })
})
