import { bodySchema } from './body.js'
import { rowSchema } from './crud-table.js'
import { errorSchemas } from './error-schemas.js'
import { keySchema } from './row-key.js'
import type { FastifySchema } from 'fastify'
import type { JsonSchema } from '../../src/repository/list-query/query-type.js'
import type { CrudTable } from './crud-table.js'
import type { ErrorForm } from './error-schemas.js'

/** What the schemas of a table's routes are made from. */
export interface SchemaContext {
  readonly described: CrudTable
  readonly form: ErrorForm
  readonly querystring: JsonSchema
  readonly pages: 'cursor' | 'numbered'
  readonly tags: readonly string[] | undefined
  /** The last part of the path: `users`. */
  readonly noun: string
}

const text = { type: 'string' } as const
const count = { type: 'integer' } as const
const cursor = { type: ['string', 'null'] } as const
const header = (description: string): JsonSchema => ({ ...text, description })
const tagHeader = { ETag: header('The version of the row, for If-Match') }
const pageParts = {
  cursor: { next: cursor, previous: cursor },
  numbered: { page: count, limit: count, total: count, pages: count }
} as const

/** The schemas of all routes, for validators and OpenAPI. */
export function crudSchemas ({ described, form, querystring, pages, tags, noun }: SchemaContext): Record<'list' | 'get' | 'create' | 'update' | 'remove', FastifySchema> {
  const { key, version, create, update } = described
  const hasVersion = version !== undefined
  const row = rowSchema(described)
  const params = keySchema(key)
  const withTag = (description: string, headers: JsonSchema = {}): JsonSchema => {
    const all = { ...headers, ...(hasVersion && tagHeader) }
    return { description, ...(Object.keys(all).length > 0 && { headers: all }), ...row }
  }
  const common = (summary: string): object => ({ summary, ...(tags !== undefined && { tags }) })
  const conditional = (name: string): object => hasVersion ? { headers: { type: 'object', properties: { [name]: header('Entity tags, or *') } } } : {}
  const stale = hasVersion ? [412, 428] : []
  return {
    list: {
      ...common(`List ${noun}`),
      querystring,
      response: {
        200: {
          description: 'A page of rows',
          headers: { Link: header('The pages next to this one, by RFC 8288') },
          type: 'object',
          properties: { items: { type: 'array', items: row }, ...pageParts[pages] },
          required: ['items', ...Object.keys(pageParts[pages])]
        },
        ...errorSchemas(form, [400])
      }
    },
    get: {
      ...common(`Get one of ${noun}`),
      params,
      ...conditional('if-none-match'),
      response: { 200: withTag('The row'), ...(hasVersion && { 304: { description: 'Not Modified', type: 'null' } }), ...errorSchemas(form, [400, 404]) }
    },
    create: {
      ...common(`Add to ${noun}`),
      body: bodySchema(create, { isWhole: true }),
      response: { 201: withTag('The new row', { Location: header('The path of the new row') }), ...errorSchemas(form, [400, 409, 422]) }
    },
    update: {
      ...common(`Change one of ${noun}`),
      params,
      body: bodySchema(update, { isWhole: false }),
      ...conditional('if-match'),
      response: { 200: withTag('The changed row'), ...errorSchemas(form, [400, 404, 409, ...stale, 422]) }
    },
    remove: {
      ...common(`Delete one of ${noun}`),
      params,
      ...conditional('if-match'),
      response: { 204: { description: 'The row is gone', type: 'null' }, ...errorSchemas(form, [400, 404, 409, ...stale]) }
    }
  }
}
