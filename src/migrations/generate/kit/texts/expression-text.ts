import { sql } from 'drizzle-orm'
import { MigrationError } from '../../../../errors/errors.js'
import { quotedIdentifier, quotedText } from '../../snapshots/names.js'
import { columnNames } from '../../../../drizzle/casing.js'
import { literal } from './literal.js'
import type { Query, SQL } from 'drizzle-orm'
import type { Casing } from '../../../../drizzle/casing.js'

/** The place of an expression, and the casing of names. */
export interface Context {
  /** The place for errors: `The default of users.name`. */
  readonly place: string
  readonly casing: Casing | undefined
  /** Whether the expression is in an index, where columns are written without their table. */
  readonly isIndexed?: boolean
}

/**
 * Writes an expression with its values. drizzle-kit writes `$1` in their place.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` for a value that has no text in SQL; the message names the place
 */
export function expressionText (expression: SQL, context: Context): string {
  return query(expression, context).sql
}

/**
 * The expression with its values as literals; the expression itself if it has no values.
 *
 * @throws {MigrationError} as {@link expressionText}
 */
export function withLiterals (expression: SQL, context: Context): SQL {
  const { sql: text, params } = query(expression, context)
  return params.length === 0 ? expression : sql.raw(text)
}

function query (expression: SQL, { place, casing, isIndexed = false }: Context): Query {
  return refuseUnwritable(place, () => expression.toQuery({
    casing: columnNames(casing),
    escapeName: quotedIdentifier,
    escapeParam: (_number, value) => literal(value),
    escapeString: quotedText,
    ...isIndexed && { invokeSource: 'indexes' }
  }))
}

/**
 * Runs `fn`, which writes values as text.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` if a value has no text; the message names the place
 */
export function refuseUnwritable<Result> (place: string, fn: () => Result): Result {
  try {
    return fn()
  } catch (cause) {
    throw new MigrationError(`${place} holds a value that cannot be written into a migration, such as a placeholder: write it as sql\`…\``, 'DB_MIGRATION_FAILED', { cause })
  }
}
