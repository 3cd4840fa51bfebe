import swagger from '@fastify/swagger'
import t from 'tap'
import { crud } from '../../../plugins/index.js'
import { complaintsAbout } from './openapi.js'
import { buildCrud, items, people, seats } from './tables.js'
import type { FastifyInstance } from 'fastify'
import type { BuildOptions } from '../../helpers/server.js'
import type { Test } from '../../helpers/test.js'

interface Operation { responses: Record<string, { content?: Record<string, { schema: object }> }> }
interface Document { paths: Record<string, Record<string, Operation>> }

async function buildDocumented (t: Test, openapi: string, options: BuildOptions = {}): Promise<{ server: FastifyInstance, document: Document }> {
  const before = async (server: FastifyInstance): Promise<void> => { await server.register(swagger, { openapi: { openapi, info: { title: 'People', version: '1' } } }) }
  const server = await buildCrud(t, { ...options, before })
  await server.register(crud(people, {
    prefix: '/people',
    tags: ['people'],
    list: { filterable: ['name', 'age', 'createdAt'], sortable: ['age'], searchable: ['name'] },
    get: true,
    create: ['name', 'email', 'age', 'passwordHash'],
    update: ['name'],
    remove: 'soft',
    hidden: ['passwordHash', 'deletedAt']
  }))
  await server.register(crud(seats, { prefix: '/seats', list: { pages: 'numbered' }, get: true, create: ['row', 'place'], update: ['guest'], remove: 'final' }))
  await server.register(crud(items, { prefix: '/items', list: true, get: true, create: ['id', 'price'], update: ['note'], remove: 'final' }))
  await server.ready()
  return { server, document: JSON.parse(JSON.stringify(server.swagger())) }
}

for (const version of ['3.0.3', '3.1.0']) {
  t.test(`the document of OpenAPI ${version} is valid, and has each route with its replies`, async (t) => {
    const { document } = await buildDocumented(t, version)
    t.same(complaintsAbout(document), [])
    const { paths } = document
    const operations = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods)
      .map(([method, { responses }]) => `${method} ${path} ${Object.keys(responses).join()}`))
    t.same(operations.filter((operation) => !operation.includes('/health')), [
      'get /people 200,400', 'post /people 201,400,409,422', 'get /people/{id} 200,304,400,404', 'patch /people/{id} 200,400,404,409,412,422,428',
      'delete /people/{id} 204,400,404,409,412,428', 'get /seats 200,400', 'post /seats 201,400,409,422', 'get /seats/{row}/{place} 200,400,404',
      'patch /seats/{row}/{place} 200,400,404,409,422', 'delete /seats/{row}/{place} 204,400,404,409', 'get /items 200,400', 'post /items 201,400,409,422',
      'get /items/{id} 200,400,404', 'patch /items/{id} 200,400,404,409,422', 'delete /items/{id} 204,400,404,409'
    ])
    t.match(paths['/people']?.['post'], {
      tags: ['people'],
      requestBody: { content: { 'application/json': { schema: { required: ['name', 'email'], properties: { name: { type: 'string', maxLength: 20 }, passwordHash: { type: 'string' } } } } } },
      responses: { 201: { headers: { Location: {}, ETag: {} }, content: { 'application/json': { schema: { properties: { id: { type: 'integer' }, createdAt: { format: 'date-time' } } } } } } }
    })
    const reply = JSON.stringify(Object.values(paths).flatMap((methods) => Object.values(methods).map(({ responses }) => responses)))
    t.notMatch(reply, /passwordHash|deletedAt/)
  })
}

t.test('the replies of errors are documented as they are sent', async (t) => {
  const forms = { fastify: 'statusCode', envelope: 'success', problem: 'title' } as const
  for (const [format, property] of Object.entries(forms) as Array<[keyof typeof forms, string]>) {
    const { server, document } = await buildDocumented(t, '3.0.3', { errors: { format } })
    const missing = await server.inject('/people/7')
    t.equal(missing.statusCode, 404)
    const content = document.paths['/people/{id}']?.['get']?.responses['404']?.content ?? {}
    const [mediaType] = Object.keys(content)
    t.equal(mediaType, missing.headers['content-type'])
    const { properties } = content[mediaType as string]?.schema as { properties: object }
    t.ok(Object.hasOwn(properties, property), format)
    for (const key of Object.keys(missing.json())) t.ok(Object.hasOwn(properties, key), `${format} ${key}`)
    t.equal((await server.inject({ method: 'PATCH', url: '/people/7', payload: { name: 'x' } })).statusCode, 428)
  }
})

for (const format of ['fastify', 'envelope'] as const) {
  t.test(`an error handler of the program's own sends what it likes, also after errors.format '${format}'`, async (t) => {
    const server = await buildCrud(t, { errors: { format }, before: async (server) => { await server.register(swagger, { openapi: {} }) } })
    server.setErrorHandler((error, _request, reply) => reply.code(Object(error).statusCode).send({ oops: Object(error).code, more: { deep: true } }))
    await server.register(crud(people, { prefix: '/people', get: true }))
    t.same((await server.inject('/people/7')).json(), { oops: 'DB_NOT_FOUND', more: { deep: true } })
    t.match(server.swagger().paths?.['/people/{id}']?.get?.responses?.['404'], { content: { 'application/json; charset=utf-8': { schema: { type: 'object', properties: undefined } } } })
  })
}
