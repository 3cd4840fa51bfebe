import { relationalSchema } from '../drizzle/relations/relational-schema.js'
import { constraintNames } from '../drizzle/constraint-names.js'
import { catalogueQuestion, unknownConstraints } from '../errors/unknown-constraints.js'
import { askPool } from './ask-pool.js'
import type { ConstraintMap } from '../errors/constraint-words.js'
import type { CatalogueAnswer, UnknownConstraint } from '../errors/unknown-constraints.js'
import type { ConnectionPool } from '../pool/connection-pool.js'
import type { Settings } from '../settings/settings.js'
import type { Caller } from '../statement/caller.js'

/** Shorter than Fastify's limit for a hook of the start, 10 seconds. */
const answerMillis = 2000

/** What the check asks. */
export interface ConstraintSource {
  readonly pool: ConnectionPool
  readonly caller: Caller
  /** Why the database is not ready, for example pending migrations, which may create what is missing. */
  readonly obstacle: () => Promise<string | undefined>
}

/**
 * Warns of names in `errors.constraints` that no table of the schema, no constraint and no unique index of the database has. Without a schema nothing is
 * checked. It never rejects: a server does not fail to start for a warning.
 */
export async function warnOfUnknownConstraints (constraints: ConstraintMap, settings: Settings, { pool, caller, obstacle }: ConstraintSource): Promise<void> {
  const { schema, relations, casing, logger } = settings
  const names = Object.keys(constraints)
  if (names.length === 0 || (schema ?? relations) === undefined) return
  const ask = (asked: readonly string[]): Promise<CatalogueAnswer> =>
    askPool<CatalogueAnswer>(pool, { question: catalogueQuestion, values: [asked], caller, timeoutMillis: answerMillis })
  try {
    const unknown = await unknownConstraints(names, constraintNames(relationalSchema(settings).tables, casing), ask)
    if (unknown.length === 0 || await obstacle() !== undefined) return
    const missing = unknown.map(({ name }) => name)
    logger.warn({ constraints: missing }, `errors.constraints has names that no constraint has, so their replies are never sent: ${unknown.map(described).join(', ')}`)
  } catch (error) {
    logger.debug({ err: error }, 'the names in errors.constraints could not be compared with the database')
  }
}

function described ({ name, nearest }: UnknownConstraint): string {
  return nearest === undefined ? `"${name}"` : `"${name}" (is it "${nearest}"?)`
}
