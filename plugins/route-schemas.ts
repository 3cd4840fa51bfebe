/**
 * Servers may have compilers that do not accept JSON schemas: zod's, or TypeBox' own. A schema is tried once, with an example. If
 * the compiler fails, the route has no schema: the plugin's own code checks and writes the same.
 */
import type { FastifyInstance, RouteOptions } from 'fastify'
import { isListSchema } from '../src/repository/list-query/list-query.js'

/** A compiler of Fastify's, for validators or serializers: it compiles a schema and its place to a function of the value. */
type Compiler = (route: never) => (value: never) => unknown

/** Whether a compiler accepts a JSON schema, tried with an example that fits. Fastify's own (undefined) does. */
export function readsJsonSchema (compiler: Compiler | undefined, route: object, example: object): boolean {
  return compiler === undefined || answerTo(compiler, route, example) !== undefined
}

/** The compiled schema's result for an example; undefined if it fails, or cannot be compiled. */
function answerTo (compiler: Compiler, route: object, example: object): { readonly answer: unknown } | undefined {
  try {
    // Validators and serializers take different routes and values; each call passes the matching ones.
    return { answer: compiler(route as never)(example as never) }
  } catch {
    return undefined
  }
}

/** Whether a validator refused the value: Ajv returns `false`, others an object with an error. */
function isRefusal (answer: unknown): boolean {
  return answer === false || Boolean(Object(answer).error)
}

const number = { type: 'object', properties: { number: { type: 'integer' } } }

/** Whether a compiler of validators refuses the text of a number, as each part of a path is, where a number is wanted: TypeBox 1 does, and Ajv with `coerceTypes: false`. */
export function refusesTexts (compiler: Compiler | undefined, route: object): boolean {
  return compiler !== undefined && isRefusal(answerTo(compiler, { ...route, schema: number, httpPart: 'params' }, { number: '1' })?.answer)
}

/**
 * If the route's validator cannot check the query string of a list, the list checks it alone: it refuses undeclared parameters
 * itself. A schema that the validator cannot compile is removed. A schema that it compiles but applies without converting texts
 * to numbers (TypeBox 1, Ajv with `coerceTypes: false`) stays, for OpenAPI.
 */
export function leaveOutListSchema (this: FastifyInstance, route: RouteOptions): void {
  const { validatorCompiler = this.validatorCompiler, method, url, schema = {} } = route
  const { querystring, query, ...others } = schema as { querystring?: unknown, query?: unknown }
  const listSchema = querystring ?? query
  if (!isListSchema(listSchema) || validatorCompiler === undefined) return
  // In a raw query string every value is a text.
  const tried = answerTo(validatorCompiler, { schema: listSchema, method, url, httpPart: 'querystring' }, { limit: '1' })
  if (tried === undefined) route.schema = others
  else if (isRefusal(tried.answer)) route.validatorCompiler = (part) => isListSchema(part.schema) ? () => true : validatorCompiler(part)
}
