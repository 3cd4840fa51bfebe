import { ValidationError } from '../../src/errors/errors.js'
import type { JsonSchema } from '../../src/repository/list-query/query-type.js'
import type { KeyPart } from './crud-table.js'

/**
 * Reads the primary key of the path.
 *
 * @throws {ValidationError} for a value that the key cannot have
 */
export function readKey (params: unknown, key: readonly KeyPart[]): unknown {
  const values = key.map(({ key, parameter, type }) => {
    const value = type.read(Object(params)[parameter])
    if (value === undefined) throw new ValidationError(`"${parameter}" in the path does not fit its type`)
    return [key, value] as const
  })
  return Object.fromEntries(values)
}

/** The schema of the parameters of the path. */
export function keySchema (key: readonly KeyPart[]): JsonSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(key.map(({ parameter, type }) => [parameter, type.schema])),
    required: key.map(({ parameter }) => parameter)
  }
}

/** The path of a row below the path of its list. */
export function locationOf (listUrl: string, row: Readonly<Record<string, unknown>>, key: readonly KeyPart[]): string {
  const path = listUrl.replace(/\?.*/s, '').replace(/\/$/, '')
  return `${path}/${key.map(({ key }) => encodeURIComponent(String(row[key]))).join('/')}`
}
