import { stripVTControlCharacters } from 'node:util'
import { MigrationError } from '../../../../errors/errors.js'
import { loadApi, type GenerateError } from './drizzle-kit.js'
import { ExitError, withoutExit } from './without-exit.js'

/** The error of a refused model or folder, with drizzle-kit's own words. */
export async function refusal (error: GenerateError, values: readonly unknown[]): Promise<MigrationError> {
  const { code, message, details } = error
  if (details !== undefined) return conflict(details)
  const words = await wordsAbout(values) ?? message ?? code
  return new MigrationError(`drizzle-kit refuses the model: ${words}`, 'DB_MIGRATION_FAILED')
}

/** Two branches of a folder that were merged, and change the same thing. */
function conflict (details: NonNullable<GenerateError['details']>): MigrationError {
  const pairs = details.map(({ branches }) => branches.map(({ statementDescription }) => statementDescription).join(' and '))
  return new MigrationError(
    `Two branches of migrations change the same thing, and nothing says which one is right: ${pairs.join('; ')}. Remove the folder of one of them, and create it again after the other`,
    'DB_MIGRATION_FAILED'
  )
}

/** What drizzle-kit prints about a model that it refuses; undefined if it accepts the model. `generate` ends without a word. */
async function wordsAbout (values: readonly unknown[]): Promise<string | undefined> {
  const { generateDrizzleJson } = await loadApi()
  try {
    await withoutExit(async () => await generateDrizzleJson({ ...values }))
    return undefined
  } catch (error) {
    const words = error instanceof ExitError ? error.printed : (error as Error).message
    return stripVTControlCharacters(words).replace(/\s+/g, ' ').trim()
  }
}
