import { Column, Name, SQL, StringChunk, Subquery, is, isSQLWrapper, type SQLChunk } from 'drizzle-orm'
import { MigrationError } from '../../../../../errors/errors.js'
import { expressionText, type Context } from '../../texts/expression-text.js'
import { cased } from '../../../../../drizzle/casing.js'
import { mentions } from '../../../snapshots/names.js'

/** A table or view that a view may select from, with its columns and named expressions. */
export interface Source {
  readonly name: string
  readonly fields: readonly unknown[]
}

/**
 * Writes the query of a view with cased names. For a select from one table, Drizzle writes the names while the model is loaded, before it knows the casing.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` for a name that may or may not be a column's, and for a value that has no text in SQL
 */
export function viewText (query: SQL, sources: readonly Source[], context: Context): string {
  const plain = new SQL(copy(query.queryChunks, ({ value }) => value))
  const written = expressionText(plain, context)
  const fields = sources.filter(({ name }) => mentions(written, name)).flatMap((source) => source.fields)
  const columns = fields.filter((field) => is(field, Column))
  const converted = new Set(columns.filter(({ name, keyAsName }) => keyAsName && cased(name, context.casing) !== name).map(({ name }) => name))
  const others = new Set([
    ...columns.filter(({ keyAsName }) => !keyAsName).map(({ name }) => name),
    ...fields.filter((field) => is(field, SQL.Aliased)).map(({ fieldAlias }) => fieldAlias),
    ...aliases(plain.queryChunks)
  ])
  const convert = ({ value }: Name): string => {
    if (!converted.has(value)) return value
    if (others.has(value)) throw new MigrationError(`${context.place} names ${value}, which casing makes ${cased(value, context.casing)} in one place and leaves as it is in another: give one of them another name`, 'DB_MIGRATION_FAILED')
    return cased(value, context.casing)
  }
  return converted.size === 0 ? written : expressionText(new SQL(copy(plain.queryChunks, convert)), context)
}

/** Copies chunks with converted names. The copies have no encoders of their own for values. */
function copy (chunks: readonly SQLChunk[], convert: (name: Name) => string): SQLChunk[] {
  return chunks.map((chunk, index) => {
    if (Array.isArray(chunk)) return copy(chunk, convert)
    if (is(chunk, Name)) return isAlias(chunks, index) ? chunk : new Name(convert(chunk))
    if (is(chunk, SQL)) return new SQL(copy(chunk.queryChunks, convert))
    if (is(chunk, Subquery)) return chunk._.isWith ? chunk : parenthesized(chunk._.sql, convert, new StringChunk(' '), new Name(chunk._.alias))
    return isQuery(chunk) ? parenthesized(chunk.getSQL(), convert) : chunk
  })
}

function parenthesized (query: SQL, convert: (name: Name) => string, ...behind: SQLChunk[]): SQL {
  return new SQL([new StringChunk('('), new SQL(copy(query.queryChunks, convert)), new StringChunk(')'), ...behind])
}

/** Whether a chunk is a nested select. Every other wrapper of SQL has a class of its own. */
function isQuery (chunk: SQLChunk): chunk is Extract<SQLChunk, { getSQL: unknown }> {
  return isSQLWrapper(chunk) && 'getSelectedFields' in chunk
}

/** The aliases in a query. */
function aliases (chunks: readonly SQLChunk[]): string[] {
  return chunks.flatMap((chunk, index) => {
    if (Array.isArray(chunk)) return aliases(chunk)
    if (is(chunk, Name)) return isAlias(chunks, index) ? [chunk.value] : []
    return is(chunk, SQL) ? aliases(chunk.queryChunks) : []
  })
}

function isAlias (chunks: readonly SQLChunk[], index: number): boolean {
  const before = chunks[index - 1]
  return is(before, StringChunk) && /\bas\s+$/i.test(before.value.join(''))
}
