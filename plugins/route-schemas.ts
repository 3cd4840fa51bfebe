/**
 * Servers may have compilers that take no JSON schemas: zod's, or TypeBox' own. A schema is tried
 * once, with an example. Where the compiler fails, the route goes without it: the plugin's own code checks and writes the same.
 */
import type { FastifyInstance, RouteOptions } from 'fastify'
import { isListSchema } from '../src/repository/list-query.js'

/** A compiler of Fastify's, of either kind: of a schema, and where it stands, a function of the value. */
type Compiler = (route: never) => (value: never) => unknown

/** Whether a compiler reads a JSON schema that an example fits; undefined is Fastify's own, which does. */
export function readsJsonSchema (compiler: Compiler | undefined, route: object, example: object): boolean {
  if (compiler === undefined) return true
  try {
    // Validators and serializers take other routes and values; the caller knows which.
    compiler(route as never)(example as never)
    return true
  } catch {
    return false
  }
}

/** Takes the schema of a list's query string from a route whose validator cannot read it; the list refuses by itself what was not declared. */
export function leaveOutListSchema (this: FastifyInstance, route: RouteOptions): void {
  const { validatorCompiler = this.validatorCompiler, method, url, schema = {} } = route
  const { querystring, query, ...others } = schema as { querystring?: unknown, query?: unknown }
  const listSchema = querystring ?? query
  if (!isListSchema(listSchema) || readsJsonSchema(validatorCompiler, { schema: listSchema, method, url, httpPart: 'querystring' }, {})) return
  route.schema = others
}
