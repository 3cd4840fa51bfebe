import fastify from 'fastify'
import type { Test } from '../helpers/test.js'

/** JSON schemas of a property, each of another form. A column has those that fit it. */
export const schemas: readonly object[] = [
  {},
  { type: 'string' },
  { type: ['string', 'null'] },
  { type: 'string', format: 'date-time' },
  { type: 'string', format: 'date' },
  { type: 'string', format: 'time', nullable: true },
  { type: 'integer' },
  { type: 'integer', nullable: true },
  { type: 'number' },
  { type: 'boolean' },
  { type: 'object', additionalProperties: true },
  { type: 'array' },
  { type: 'array', nullable: true, items: { type: 'string' } },
  { type: 'array', items: { type: 'integer' } },
  { type: 'array', items: { type: 'number', nullable: true } },
  { type: 'array', items: { type: 'array', items: { type: 'string', nullable: true } } },
  { type: 'array', items: { type: 'array', items: { type: 'integer' } } }
]

/** Fastify's serializer of values with a schema. */
export type Compile = (schema: object) => (value: unknown) => string

/** What Fastify makes serializers with. */
export async function fastifysCompiler (t: Test): Promise<Compile> {
  const server = fastify()
  t.teardown(() => server.close())
  const compiled = new Promise<Compile>((resolve) => {
    server.get('/', async (_request, reply) => { resolve((schema) => reply.compileSerializationSchema(schema as never) as never) })
  })
  await server.inject('/')
  return await compiled
}
