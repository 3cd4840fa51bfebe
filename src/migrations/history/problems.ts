import { MigrationError, type MigrationErrorCode } from '../../errors/errors.js'
import type { Comparison } from './compare.js'
import type { AppliedMigration } from './match-rows.js'
import { unfitStatements } from '../folder/unfit-statements.js'

/** A difference between a folder and a database, or between a folder and the model. */
export interface MigrationProblem {
  /**
   * `edited`: a file differs from the one that was applied. `missing`: the database has a migration that the folder lacks. `outOfOrder`: a file is older
   * than an applied one that comes after it. `unlisted`: a file belongs to no migration, so it never runs. `pending`: not applied yet.
   * `unfinished`: a non-transactional file stopped halfway. `unfit`: a run would refuse the file. `model`: the tables of the model differ from the newest
   * migration. `constraint`: a name in `constraints` that no constraint has.
   */
  readonly kind: 'edited' | 'missing' | 'outOfOrder' | 'unlisted' | 'pending' | 'unfinished' | 'unfit' | 'model' | 'constraint'
  /** The schema concerned, in a check of several. */
  readonly schema?: string
  /** The migration concerned, if there is one. */
  readonly tag?: string
  /** The difference, and its fix. */
  readonly message: string
}

const codes: Record<MigrationProblem['kind'], MigrationErrorCode> = {
  edited: 'DB_MIGRATION_EDITED',
  missing: 'DB_MIGRATION_MISSING',
  outOfOrder: 'DB_MIGRATION_OUT_OF_ORDER',
  unlisted: 'DB_MIGRATION_MISSING',
  pending: 'DB_MIGRATION_PENDING',
  unfinished: 'DB_MIGRATION_FAILED',
  unfit: 'DB_MIGRATION_FAILED',
  model: 'DB_MIGRATION_PENDING',
  constraint: 'DB_MIGRATION_MISSING'
}

/** Throws if there is a problem: an error with the first problem and all others of its kind. */
export function refuse (problems: readonly MigrationProblem[]): void {
  const [first] = problems
  if (first === undefined) return
  const alike = problems.filter(({ kind }) => kind === first.kind)
  throw new MigrationError(alike.map(({ message }) => message).join('\n'), codes[first.kind])
}

/** The problems because of which a run would skip or lose something, or refuse a file. */
export function blockingProblems (comparison: Comparison): MigrationProblem[] {
  const { layout, applied, pending, progress } = comparison
  return [
    ...applied.flatMap((migration) => appliedProblems(migration, comparison)),
    ...outOfOrderProblems(comparison),
    ...pending.flatMap(({ tag, up }) => unfitStatements(up, layout.upFile(tag)).map((message) => ({ kind: 'unfit', tag, message } as const))),
    ...(progress?.direction === 'down' ? unfinishedProblems(progress, layout) : [])
  ]
}

/** The problems of an applied migration; usually none. */
export function appliedProblems ({ row, file }: AppliedMigration, { folder, layout }: Comparison): MigrationProblem[] {
  if (file === undefined) {
    const name = row.name === undefined ? '' : `${row.name}, `
    const message = `The database has a migration that ${folder} does not have, ${name}generated ${new Date(row.when).toISOString()}: the database is newer than this code, or the file was removed`
    return [{ kind: 'missing', message }]
  }
  if (file.hashes.includes(row.hash)) return []
  const message = `${layout.upFile(file.tag)} was edited after it had been applied: restore its former text, and put the change into a new migration`
  return [{ kind: 'edited', tag: file.tag, message }]
}

/**
 * The pending files that drizzle-kit would skip for ever. It applies only files newer than the newest applied one, so it skips an older file from a branch
 * merged later. A file listed after all applied ones is never out of order, however old it is: an empty database gets the files in the same order.
 * The migrator of drizzle-orm 1.0 skips no file.
 */
function outOfOrderProblems ({ layout, files, applied, pending }: Comparison): MigrationProblem[] {
  if (layout.isByName) return []
  return pending.flatMap((file) => {
    const { tag, when } = file
    const isPassed = applied.some(({ row, file: other }) => row.when >= when && (other === undefined || files.indexOf(other) > files.indexOf(file)))
    const message = `${tag}.sql is older than an applied migration that comes after it, as after a merge: remove it with npx drizzle-kit drop and write it again with npx data-access migrate create`
    return isPassed ? [{ kind: 'outOfOrder', tag, message } as const] : []
  })
}

/** The problem of a non-transactional file that stopped halfway. */
export function unfinishedProblems ({ tag, direction, done }: NonNullable<Comparison['progress']>, layout: Comparison['layout']): MigrationProblem[] {
  const [file, command] = direction === 'up' ? [layout.upFile(tag), 'apply'] : [layout.downFile(tag), 'roll back']
  return [{ kind: 'unfinished', tag, message: `${file} stopped after ${done} of its statements, which have taken effect: ${command} again to finish it` }]
}
