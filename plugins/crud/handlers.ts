import { StaleRowError } from '../../src/errors/errors.js'
import { isCount } from '../../src/runtime/option-checks.js'
import { readBody } from './body.js'
import { showRow } from './crud-table.js'
import { pageLinks } from './page-links.js'
import { anyVersion, entityTag, hasAlready, preconditionFailed, versionsOf } from './preconditions.js'
import { locationOf, readKey } from './row-key.js'
import { withoutSecrets } from './without-secrets.js'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { ListQuery } from '../../src/repository/list-query/list-query.js'
import type { CursorResult, Paginated } from '../../src/repository/types/read-options.js'
import type { CrudTable, Field } from './crud-table.js'

type AnyRow = Readonly<Record<string, unknown>>

/** The methods of a repository that routes call, without the types of its table. */
export interface CrudRepository {
  cursor (filter: unknown, page: object): Promise<CursorResult<AnyRow>>
  paginate (filter: unknown, page: object): Promise<Paginated<AnyRow>>
  getOrThrow (id: unknown, options: { columns: readonly string[], lock?: 'update' }): Promise<AnyRow>
  writable (keys: readonly string[]): CrudRepository
  create (values: object): Promise<AnyRow>
  updateOrThrow (id: unknown, values: object, options?: { expectedVersion: number }): Promise<AnyRow>
  deleteOrThrow (id: unknown): Promise<AnyRow>
  softDeleteOrThrow (id: unknown): Promise<AnyRow>
}

/** What the handlers of a table need. */
export interface CrudContext {
  readonly described: CrudTable
  readonly repoOf: (request: FastifyRequest) => CrudRepository
  readonly query: ListQuery<PgTable>
  readonly pages: 'cursor' | 'numbered'
  readonly remove: 'soft' | 'final' | undefined
  readonly requiresIfMatch: boolean
}

/** A handler returns its payload, so that a route may have `retries`. */
export type CrudHandler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** The handlers of all routes. */
export function crudHandlers (context: CrudContext): Record<'list' | 'get' | 'create' | 'update' | 'remove', CrudHandler> {
  const { described, repoOf, query, pages, remove, requiresIfMatch } = context
  const { key, shown, version, create, update, secrets } = described
  const columns = shown.map((field) => field.key)
  const keysOf = (fields: CrudTable['create']): string[] => fields.map((field) => field.key)
  const [creatable, updatable] = [keysOf(create), keysOf(update)]

  /** The row for its client, whose tag is in a header. */
  const show = (row: AnyRow, reply: FastifyReply): Record<string, unknown> => {
    if (version !== undefined) reply.header('etag', entityTag(row[version.key]))
    return showRow(described, row)
  }

  const versionsFor = (request: FastifyRequest): ReadonlySet<string> | typeof anyVersion =>
    version === undefined ? anyVersion : versionsOf(request, { isRequired: requiresIfMatch })

  const handlers = {
    async list (request: FastifyRequest, reply: FastifyReply) {
      const page = pages === 'numbered' ? await numbered(request) : await byCursor(request)
      const links = pageLinks(request.url, page)
      if (links !== undefined) reply.header('link', links)
      return { ...page, items: page.items.map((row) => showRow(described, row)) }
    },
    async get (request: FastifyRequest, reply: FastifyReply) {
      const row = await repoOf(request).getOrThrow(readKey(request.params, key), { columns })
      const shownRow = show(row, reply)
      if (version === undefined || !hasAlready(request, entityTag(row[version.key]))) return shownRow
      reply.code(304)
      return null
    },
    async create (request: FastifyRequest, reply: FastifyReply) {
      const row = show(await repoOf(request).writable(creatable).create(readBody(request.body, create)), reply)
      reply.code(201).header('location', locationOf(request.url, row, key))
      return row
    },
    async update (request: FastifyRequest, reply: FastifyReply) {
      const [versions, id, values] = [versionsFor(request), readKey(request.params, key), readBody(request.body, update)]
      const repo = repoOf(request).writable(updatable)
      if (versions === anyVersion) return show(await repo.updateOrThrow(id, values), reply)
      const expectedVersion = onlyVersion(versions) ?? await currentVersion(repo, id, { versions })
      return show(await repo.updateOrThrow(id, values, { expectedVersion }).catch(failedIfStale), reply)
    },
    async remove (request: FastifyRequest, reply: FastifyReply) {
      const [versions, id, repo] = [versionsFor(request), readKey(request.params, key), repoOf(request)]
      // The lock keeps the row as it is until it is gone.
      if (versions !== anyVersion) await currentVersion(repo, id, { versions, lock: 'update' })
      await (remove === 'soft' ? repo.softDeleteOrThrow(id) : repo.deleteOrThrow(id))
      reply.code(204)
      return null
    }
  }

  function numbered (request: FastifyRequest): Promise<Paginated<AnyRow>> {
    const [filter, page] = query.paginate(request.query)
    return repoOf(request).paginate(filter, { ...page, columns })
  }

  function byCursor (request: FastifyRequest): Promise<CursorResult<AnyRow>> {
    const [filter, page] = query.cursor(request.query)
    return repoOf(request).cursor(filter, { ...page, columns })
  }

  /** The version of a single tag, which no statement need look up. Undefined if the column cannot have it. */
  function onlyVersion (versions: ReadonlySet<string>): number | undefined {
    const [tag = ''] = versions
    const given = (version as Field).type.read(tag.slice(1, -1))
    return versions.size === 1 && isCount(given) && entityTag(given) === tag ? given : undefined
  }

  /** The version of the row, if `If-Match` allows it. @throws {StaleRowError} with 412 */
  async function currentVersion (
    repo: CrudRepository, id: unknown, { versions, ...options }: { versions: ReadonlySet<string>, lock?: 'update' }
  ): Promise<number> {
    const { key } = version as Field // there are versions, so there is one
    const { [key]: current } = await repo.getOrThrow(id, { columns: [key], ...options })
    if (!versions.has(entityTag(current))) throw preconditionFailed()
    return current as number
  }

  /** Fastify awaits a promise that is returned. */
  const guarded = (handler: CrudHandler): CrudHandler => (request, reply) =>
    handler(request, reply).catch((error: unknown) => { throw withoutSecrets(error, secrets) })
  const { list, get, create: make, update: change, remove: drop } = handlers
  return { list: guarded(list), get: guarded(get), create: guarded(make), update: guarded(change), remove: guarded(drop) }
}

function failedIfStale (error: unknown): never {
  throw error instanceof StaleRowError ? preconditionFailed(error) : error
}
