import { STATUS_CODES } from 'node:http'
import type { JsonSchema } from '../../src/repository/list-query/query-type.js'

/** The form of error replies: of the option `errors.format`, or one of the program's own. */
export type ErrorForm = 'fastify' | 'envelope' | 'problem' | 'own'

const text = { type: 'string' } as const
const details = {
  details: { type: 'array', items: { type: 'object', properties: { in: text, path: text, message: text } } }
} as const

function object (properties: JsonSchema): JsonSchema {
  return { type: 'object', properties }
}

const forms: Readonly<Record<ErrorForm, JsonSchema>> = {
  fastify: object({ statusCode: { type: 'integer' }, code: text, error: text, message: text }),
  envelope: object({ success: { type: 'boolean' }, error: object({ code: text, message: text, ...details }), requestId: text }),
  problem: object({ type: text, title: text, status: { type: 'integer' }, detail: text, instance: text, code: text, ...details, requestId: text }),
  own: { type: 'object' }
}

/**
 * The schemas of error replies, by their status, for OpenAPI alone. Fastify looks a serializer up by the media type without its
 * parameters, so that none of these is used: one would drop what an error handler of the program's own adds, and what `toJSON` of an error leaves out.
 */
export function errorSchemas (form: ErrorForm, statuses: readonly number[]): Record<string, JsonSchema> {
  const mediaType = `application/${form === 'problem' ? 'problem+json' : 'json'}; charset=utf-8`
  return Object.fromEntries(statuses.map((status) => [status, { description: STATUS_CODES[status], content: { [mediaType]: { schema: forms[form] } } }]))
}
