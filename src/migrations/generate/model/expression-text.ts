import { MigrationError } from '../../../errors/errors.js'
import { quotedIdentifier, quotedText } from '../snapshots/names.js'
import { Names } from '../../../drizzle/casing.js'
import { literal } from './literal.js'
import type { SQL } from 'drizzle-orm'
import type { Casing } from '../../../drizzle/casing.js'

/** Where an expression stands, and how names are written. */
export interface Context {
  /** `the default of users.name`: for errors. */
  readonly place: string
  readonly casing: Casing | undefined
  /** In an index a column has no table. */
  readonly isIndexed?: boolean
}

/**
 * An expression with the values that are in it. drizzle-kit leaves them out, and writes `$1`.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` for a value that has no text in SQL; it names the place
 */
export function expressionText (expression: SQL, { place, casing, isIndexed = false }: Context): string {
  return refuseUnwritable(place, () => expression.toQuery({
    casing: new Names(casing),
    escapeName: quotedIdentifier,
    escapeParam: (_number, value) => literal(value),
    escapeString: quotedText,
    ...isIndexed && { invokeSource: 'indexes' }
  }).sql)
}

/**
 * What `fn` makes of values.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` where one has no text; it names the place
 */
export function refuseUnwritable<Result> (place: string, fn: () => Result): Result {
  try {
    return fn()
  } catch (cause) {
    throw new MigrationError(`${place} holds a value that cannot be written into a migration, such as a placeholder: write it as sql\`…\``, 'DB_MIGRATION_FAILED', { cause })
  }
}
