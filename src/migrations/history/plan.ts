import { MigrationError, UsageError } from '../../errors/errors.js'
import { unfitStatements } from '../folder/unfit-statements.js'
import { readDown } from '../folder/migration-files.js'
import { isKnown } from './compare.js'
import { blockingProblems, refuse, appliedProblems, unfinishedProblems } from './problems.js'
import type { MigrationText } from '../folder/directives.js'
import type { Layout } from '../folder/layout.js'
import type { MigrationFile } from '../folder/migration-files.js'
import type { Comparison, KnownMigration } from './compare.js'
import type { MigrationStep } from './step.js'

/**
 * Plans the steps that apply the pending migrations, up to a tag.
 *
 * @throws {MigrationError} if a step would skip or lose something
 * @throws {UsageError} for a tag that cannot be reached by applying
 */
export function planUp (comparison: Comparison, to: string | undefined): MigrationStep[] {
  const pending = to === undefined ? comparison.pending : pendingUpTo(comparison, to)
  refuse(blockingProblems({ ...comparison, pending }))
  const { progress } = comparison
  if (progress !== undefined && pending.length > 0 && pending[0]?.tag !== progress.tag) refuse(unfinishedProblems(progress, comparison.layout))
  return pending.map((file) => stepUp(file, comparison.layout))
}

function pendingUpTo ({ files, applied, pending, folder }: Comparison, to: string): Comparison['pending'] {
  const file = files.find(({ tag }) => tag === to)
  if (file === undefined) throw unknownTag(to, folder)
  const index = pending.indexOf(file)
  if (index < 0 && applied.at(-1)?.file !== file) {
    throw new UsageError(`${to} is already applied, and so are others after it: rollbackMigrations({ to }) goes back to it`)
  }
  return pending.slice(0, index + 1)
}

/** The target of a rollback. */
export interface Target {
  /** The number of migrations, from the newest on. */
  readonly steps?: number | undefined
  /** The newest tag that stays, or `nothing`. */
  readonly to?: string | undefined
}

/**
 * Plans the steps that undo the newest migrations, newest first. It checks every step before the first one runs.
 *
 * @throws {MigrationError} if a step has no way back
 * @throws {UsageError} for a tag that was not applied
 */
export async function planDown (comparison: Comparison, target: Target): Promise<MigrationStep[]> {
  const { folder, layout, progress } = comparison
  const undone = comparison.applied.slice(countOfKept(comparison, target)).reverse()
  if (progress !== undefined && undone.length > 0 && progress.direction === 'up') refuse(unfinishedProblems(progress, layout))
  refuse(undone.flatMap((migration) => appliedProblems(migration, comparison)))
  // Migrations without a file have just been refused.
  const steps = await Promise.all(undone.filter(isKnown).map(async (migration) => {
    const { tag } = migration.file
    const file = layout.downFile(tag)
    const text = await readDown(folder, file)
    if (text === undefined) throw noDown(tag, file)
    return stepDown(migration, { text, file })
  }))
  refuse(steps.flatMap(({ text, file }) => unfitStatements(text, file)).map((message) => ({ kind: 'unfit', message })))
  return steps
}

function countOfKept ({ applied, files, folder }: Comparison, { steps = 1, to }: Target): number {
  if (to === undefined) return Math.max(0, applied.length - steps)
  if (to === 'nothing') return 0
  const index = applied.findIndex(({ file }) => file?.tag === to)
  if (index >= 0) return index + 1
  if (!files.some(({ tag }) => tag === to)) throw unknownTag(to, folder)
  throw new UsageError(`${to} is not applied: runMigrations({ to }) goes forward to it`)
}

function unknownTag (tag: string, folder: string): UsageError {
  return new UsageError(`There is no migration ${tag} in ${folder}: to takes the name of a file without .sql, or of a migration's folder`)
}

function noDown (tag: string, file: string): MigrationError {
  return new MigrationError(
    `${file} is not there, so ${tag} cannot be rolled back: write it (an empty file means that there is nothing to undo), or go forward with a new migration`,
    'DB_MIGRATION_NO_DOWN'
  )
}

/** The step that applies a migration. */
export function stepUp (migration: MigrationFile, layout: Layout): MigrationStep {
  return { direction: 'up', migration, text: migration.up, file: layout.upFile(migration.tag), ids: [] }
}

/** The step that undoes a migration. */
export function stepDown ({ file: migration, row: { ids } }: KnownMigration, down: { readonly text: MigrationText, readonly file: string }): MigrationStep {
  return { direction: 'down', migration, ...down, ids }
}
