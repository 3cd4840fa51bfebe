import { relationalSchema } from '../drizzle/relations/relational-schema.js'
import { constraintNames } from '../drizzle/constraint-names.js'
import { catalogueQuestion, unknownConstraints } from '../errors/unknown-constraints.js'
import { asDatabaseError } from './history/as-database-error.js'
import { withClient } from './history/migration-client.js'
import type { Casing } from '../drizzle/casing.js'
import type { CatalogueAnswer } from '../errors/unknown-constraints.js'
import type { MigrationFile } from './folder/migration-files.js'
import type { MigrationOptions } from './history/migration-options.js'
import type { MigrationProblem } from './history/problems.js'

/** Names to look for, and the tables that may declare them. */
interface ConstraintOptions extends MigrationOptions {
  readonly constraints?: readonly string[] | undefined
  readonly schema?: Record<string, unknown> | undefined
  readonly casing?: Casing | undefined
}

/** The names that no table of the model, no pending file and no schema of the database has, one by one. */
export async function constraintProblems (options: ConstraintOptions, pending: readonly MigrationFile[]): Promise<MigrationProblem[]> {
  const { constraints = [], schema = {}, casing } = options
  const texts = pending.flatMap(({ up }) => up.statements)
  const names = constraints.filter((name) => !texts.some((text) => text.includes(name)))
  const ask = (asked: readonly string[]): Promise<CatalogueAnswer> => withClient(options, async (client) => {
    const { rows } = await asDatabaseError(client.query<CatalogueAnswer>(catalogueQuestion, [asked]))
    return rows[0]!
  })
  const unknown = await unknownConstraints(names, constraintNames(relationalSchema({ schema }).tables, casing), ask)
  return unknown.map(({ name, nearest }) => {
    const wayOut = nearest === undefined ? 'write the name that the database has' : `write "${nearest}", if it is meant`
    return { kind: 'constraint', message: `No table and no pending migration has a constraint with the name "${name}", so its reply is never sent: ${wayOut}` }
  })
}
