import { MigrationError, UsageError } from '../../errors/errors.js'
import { lint } from '../folder/lint.js'
import { downName, readDown } from '../folder/migration-files.js'
import { isKnown } from './compare.js'
import { blockingProblems, refuse, appliedProblems, unfinishedProblems } from './problems.js'
import type { MigrationText } from '../folder/directives.js'
import type { MigrationFile } from '../folder/migration-files.js'
import type { Comparison, KnownMigration } from './compare.js'
import type { MigrationStep } from './step.js'

/**
 * The steps that apply what is pending, up to a tag.
 *
 * @throws {MigrationError} when one of them would skip or lose something
 * @throws {UsageError} for a tag that cannot be reached by applying
 */
export function planUp (comparison: Comparison, to: string | undefined): MigrationStep[] {
  const pending = to === undefined ? comparison.pending : pendingUpTo(comparison, to)
  refuse(blockingProblems({ ...comparison, pending }))
  const { progress } = comparison
  if (progress !== undefined && pending.length > 0 && pending[0]?.tag !== progress.tag) refuse(unfinishedProblems(progress))
  return pending.map(stepUp)
}

function pendingUpTo ({ files, applied, pending, folder }: Comparison, to: string): Comparison['pending'] {
  const file = files.find(({ tag }) => tag === to)
  if (file === undefined) throw unknownTag(to, folder)
  const index = pending.indexOf(file)
  if (index < 0 && applied.at(-1)?.file !== file) {
    throw new UsageError(`${to} is applied already, and others after it: rollbackMigrations({ to }) goes back to it`)
  }
  return pending.slice(0, index + 1)
}

/** How far to go back. */
export interface Target {
  /** How many, from the newest on. */
  readonly steps?: number | undefined
  /** The tag that stays, or `nothing`. */
  readonly to?: string | undefined
  readonly confirmIrreversible?: boolean | undefined
}

/**
 * The steps that undo what was applied last, newest first; all of them are known to be possible.
 *
 * @throws {MigrationError} when one of them has no way back
 * @throws {UsageError} for a tag that was not applied
 */
export async function planDown (comparison: Comparison, target: Target): Promise<MigrationStep[]> {
  const { folder, progress } = comparison
  const leaving = comparison.applied.slice(countOfKept(comparison, target)).reverse()
  if (progress !== undefined && leaving.length > 0 && progress.direction === 'up') refuse(unfinishedProblems(progress))
  refuse(leaving.flatMap((migration) => appliedProblems(migration, folder)))
  // Those without a file have just been refused.
  const steps = await Promise.all(leaving.filter(isKnown).map(async (migration) => {
    const { tag } = migration.file
    const text = await readDown(folder, tag)
    if (text === undefined) throw noDown(tag)
    return stepDown(migration, text)
  }))
  if (target.confirmIrreversible !== true) refuseIrreversible(steps)
  refuse(steps.flatMap(({ text, file }) => lint(text, file)).map((message) => ({ kind: 'unfit', message })))
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
  return new UsageError(`There is no migration ${tag} in ${folder}: to is the name of a file, without .sql`)
}

function noDown (tag: string): MigrationError {
  return new MigrationError(
    `${downName(tag)} is not there, so that ${tag} cannot be rolled back: write it (an empty one says that there is nothing to undo), or go forward with a new migration`,
    'DB_MIGRATION_NO_DOWN'
  )
}

function refuseIrreversible (steps: readonly MigrationStep[]): void {
  const losses = steps.flatMap(({ file, text: { irreversible } }) => irreversible.map((reason) => `${file} cannot restore ${reason}`))
  if (losses.length === 0) return
  throw new MigrationError(`${losses.join('; ')}: restore a backup instead, or say confirmIrreversible to go back all the same`, 'DB_MIGRATION_IRREVERSIBLE')
}

/** The step that applies a migration. */
export function stepUp (migration: MigrationFile): MigrationStep {
  return { direction: 'up', migration, text: migration.up, file: `${migration.tag}.sql`, ids: [] }
}

/** The step that undoes one. */
export function stepDown ({ file, row: { ids } }: KnownMigration, text: MigrationText): MigrationStep {
  return { direction: 'down', migration: file, text, file: downName(file.tag), ids }
}
