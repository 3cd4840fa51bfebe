import { STATUS_CODES } from 'node:http'
import type { JsonSchema } from '../../src/repository/list-query/query-type.js'

/** The form of error replies: of the option `errors.format`, or one of the program's own. */
export type ErrorForm = 'fastify' | 'envelope' | 'problem' | 'own'

const text = { type: 'string' } as const
const details = {
  details: { type: 'array', items: { type: 'object', properties: { in: text, path: text, message: text } } }
} as const

/** Open objects without required properties: an error handler of the program's own may send others, which the serializer would drop. */
function open (properties: JsonSchema): JsonSchema {
  return { type: 'object', properties, additionalProperties: true }
}

const forms: Readonly<Record<ErrorForm, JsonSchema>> = {
  fastify: open({ statusCode: { type: 'integer' }, code: text, error: text, message: text }),
  envelope: open({ success: { type: 'boolean' }, error: open({ code: text, message: text, ...details }), requestId: text }),
  problem: open({ type: text, title: text, status: { type: 'integer' }, detail: text, instance: text, code: text, ...details, requestId: text }),
  own: open({})
}

/** The schemas of error replies, by their status. */
export function errorSchemas (form: ErrorForm, statuses: readonly number[]): Record<string, JsonSchema> {
  return Object.fromEntries(statuses.map((status) => {
    const description = STATUS_CODES[status]
    if (form !== 'problem') return [status, { description, ...forms[form] }]
    return [status, { description, content: { 'application/problem+json': { schema: forms.problem } } }]
  }))
}
