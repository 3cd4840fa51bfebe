import { nearest } from '../runtime/nearest.js'

/** A name that no constraint has, and the name that may be meant. */
export interface UnknownConstraint {
  readonly name: string
  readonly nearest: string | undefined
}

/** What the catalogue of a database says about names. */
export interface CatalogueAnswer {
  /** Those of the names that it does not have. */
  readonly missing: readonly string[]
  /** The names that it has; empty if none is missing. */
  readonly known: readonly string[]
}

const owned = "not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"

/**
 * Asks in one row, a {@link CatalogueAnswer}, which of the names `$1` no constraint and no unique index has, in any schema. A function may raise an error with
 * the name of a constraint that does not exist, so a name in its body counts, too.
 * https://www.postgresql.org/docs/current/plpgsql-errors-and-messages.html
 */
export const catalogueQuestion = `select missing, case when missing = '{}' then '{}' else array(
    select conname::text from pg_constraint where connamespace ${owned}
    union select relname::text from pg_index join pg_class on pg_class.oid = indexrelid where indisunique and relnamespace ${owned}
    limit 10000) end as known
  from (select array(select name from unnest($1::text[]) as asked (name)
    where not exists (select from pg_constraint where conname = name)
      and not exists (select from pg_index join pg_class on pg_class.oid = indexrelid where indisunique and relname = name)
      and not exists (select from pg_proc where pronamespace ${owned} and strpos(prosrc, name) > 0)) as missing) as answer`

/** Those of the names that neither tables nor the catalogue of the database have. The database is asked only about names that the tables do not declare. */
export async function unknownConstraints (
  names: readonly string[], declared: ReadonlySet<string>, ask: (names: readonly string[]) => Promise<CatalogueAnswer>
): Promise<UnknownConstraint[]> {
  const undeclared = names.filter((name) => !declared.has(name))
  if (undeclared.length === 0) return []
  const { missing, known } = await ask(undeclared)
  const existing = new Set([...declared, ...known])
  return missing.map((name) => ({ name, nearest: nearest(name, existing) }))
}
