import { SchemaMigrationError, type SchemaRun } from '../schema-migration-error.js'
import { failureOf, textOf } from './failure.js'
import { lines, type Report } from './report.js'
import type { MigrationCheck } from '../check-migrations.js'
import type { Migration } from '../folder/migration-files.js'

/** The report of a run over several schemas, also if it has failed in some. */
export async function schemaReport (run: () => Promise<{ schemas: readonly SchemaRun[] }>, { headline, pattern }: { headline: string, pattern: string }): Promise<Report> {
  const { schemas } = await run().catch((error: unknown) => {
    if (error instanceof SchemaMigrationError) return error
    throw error
  })
  const failed = schemas.filter(({ error }) => error !== undefined).length
  const count = schemas.reduce((sum, { migrations }) => sum + migrations.length, 0)
  return {
    document: { schemas: schemas.map(({ schema, migrations, error }) => ({ schema, migrations, ...error !== undefined && { error: failureOf(error) } })) },
    text: lines(
      schemas.length === 0 ? `No schema matches ${pattern}` : `${count} ${headline} in ${schemas.length} schema${schemas.length === 1 ? '' : 's'}${failed === 0 ? '' : `, ${failed} of them not finished`}`,
      schemas.flatMap(linesOf)
    ),
    isFailed: failed > 0
  }
}

function linesOf ({ schema, migrations, error }: SchemaRun): string[] {
  const done = migrations.map(({ tag }) => `  ${schema}  ${tag}`)
  return error === undefined ? done : [...done, `  ${schema}  ${textOf(failureOf(error)).replaceAll('\n', '\n    ')}`]
}

/** The status of several schemas. Those with nothing pending and no difference are counted, the others listed. */
export function schemaStatus (schemas: ReadonlyArray<MigrationCheck & { readonly schema: string, readonly applied: readonly Migration[] }>): Report {
  const due = schemas.filter(({ ok }) => !ok)
  return {
    document: {
      schemas: schemas.map(({ schema, applied, problems }) => ({
        schema, applied, pending: problems.filter(({ kind }) => kind === 'pending').map(({ tag }) => tag), problems: problems.filter(({ kind }) => kind !== 'pending')
      }))
    },
    text: lines(
      `${schemas.length - due.length} of ${schemas.length} schemas have everything applied`,
      due.flatMap(({ schema, problems }) => problems.map(({ kind, tag, message }) => `  ${schema}  ${kind === 'pending' ? `pending  ${tag}` : message}`))
    ),
    isDue: due.length > 0
  }
}
