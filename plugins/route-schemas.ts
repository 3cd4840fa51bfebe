/**
 * Servers may have compilers that take no JSON schemas: zod's, or TypeBox' own. A schema is tried
 * once, with an example. Where the compiler fails, the route goes without it: the plugin's own code checks and writes the same.
 */
import type { FastifyInstance, RouteOptions } from 'fastify'
import { isListSchema } from '../src/repository/list-query/list-query.js'

/** A compiler of Fastify's, of either kind: of a schema, and where it stands, a function of the value. */
type Compiler = (route: never) => (value: never) => unknown

/** Whether a compiler reads a JSON schema that an example fits; undefined is Fastify's own, which does. */
export function readsJsonSchema (compiler: Compiler | undefined, route: object, example: object): boolean {
  return compiler === undefined || answerTo(compiler, route, example) !== undefined
}

/** What the function of a schema answers to an example; undefined where it fails, or cannot be made. */
function answerTo (compiler: Compiler, route: object, example: object): { readonly answer: unknown } | undefined {
  try {
    // Validators and serializers take other routes and values; the caller knows which.
    return { answer: compiler(route as never)(example as never) }
  } catch {
    return undefined
  }
}

/** Whether a validator's answer is that the value is wrong: Ajv says so with `false`, others with an object that has an error. */
function isRefusal (answer: unknown): boolean {
  return answer === false || Boolean(Object(answer).error)
}

/**
 * Leaves the query string of a list to the list, which refuses by itself what was not declared, where the route's validator
 * cannot check it. A schema that the validator cannot read is taken away. One that it reads without making numbers
 * of texts (TypeBox 1, Ajv with `coerceTypes: false`) stays, for OpenAPI.
 */
export function leaveOutListSchema (this: FastifyInstance, route: RouteOptions): void {
  const { validatorCompiler = this.validatorCompiler, method, url, schema = {} } = route
  const { querystring, query, ...others } = schema as { querystring?: unknown, query?: unknown }
  const listSchema = querystring ?? query
  if (!isListSchema(listSchema) || validatorCompiler === undefined) return
  // A query string as it comes: every value of it is a text.
  const tried = answerTo(validatorCompiler, { schema: listSchema, method, url, httpPart: 'querystring' }, { limit: '1' })
  if (tried === undefined) route.schema = others
  else if (isRefusal(tried.answer)) route.validatorCompiler = (part) => isListSchema(part.schema) ? () => true : validatorCompiler(part)
}
