import { ValidationError } from '../../src/errors/errors.js'
import { isPlainObject } from '../../src/runtime/option-checks.js'
import { nullable } from './json-types.js'
import type { JsonSchema } from '../../src/repository/list-query/query-type.js'
import type { Field } from './crud-table.js'

/**
 * Reads the values of columns from a body. It is read before Fastify's validator, too: that would drop unknown properties, and would
 * make an empty text, a zero or `false` of `null`.
 *
 * @throws {ValidationError} for a property that is not among the fields, and for a value that does not fit
 */
export function readBody (body: unknown, fields: readonly Field[]): Record<string, unknown> {
  if (!isPlainObject(body)) throw new ValidationError('The body must be an object')
  return Object.fromEntries(Object.entries(body).map(([key, given]) => {
    const field = fields.find((candidate) => candidate.key === key)
    if (field === undefined) throw new ValidationError(`The body has an unknown property "${key.slice(0, 63)}"`)
    if (given === null) {
      if (!field.isNullable) throw new ValidationError(`"${key}" cannot be null`)
      return [key, null]
    }
    const value = field.type.read(given)
    if (value === undefined) throw new ValidationError(`"${key}" does not fit the type of its column`)
    return [key, value]
  }))
}

/** The schema of a body with some of the fields; `isWhole` if it makes a new row. */
export function bodySchema (fields: readonly Field[], { isWhole }: { isWhole: boolean }): JsonSchema {
  const required = isWhole ? fields.filter(({ isRequired }) => isRequired).map(({ key }) => key) : []
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map(({ key, type, isNullable }) => [key, isNullable ? nullable(type.schema) : type.schema])),
    ...(required.length > 0 && { required }),
    additionalProperties: false
  }
}
