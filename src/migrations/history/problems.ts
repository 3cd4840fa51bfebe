import { MigrationError, type MigrationErrorCode } from '../../errors/errors.js'
import type { AppliedMigration, Comparison } from './compare.js'
import { downName } from '../folder/migration-files.js'
import { lint } from '../folder/lint.js'

/** What does not fit between a folder and a database, or between a folder and the model. */
export interface MigrationProblem {
  /**
   * `edited`: a file differs from what was applied. `missing`: the database has one that the folder does not have. `outOfOrder`: a file is older
   * than one that is applied and comes after it. `unlisted`: the journal does not name a file, so that nobody runs it. `pending`: not applied yet. `unfinished`: stopped half-way, outside of a transaction. `unfit`: would be refused when run.
   * `model`: the tables of the model are not those of the newest migration.
   */
  readonly kind: 'edited' | 'missing' | 'outOfOrder' | 'unlisted' | 'pending' | 'unfinished' | 'unfit' | 'model'
  /** The migration that it is about, where there is one. */
  readonly tag?: string
  /** What is wrong, and the way out. */
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
  model: 'DB_MIGRATION_PENDING'
}

/** Throws when there is a problem: the first one, and those of its kind with it. */
export function refuse (problems: readonly MigrationProblem[]): void {
  const [first] = problems
  if (first === undefined) return
  const alike = problems.filter(({ kind }) => kind === first.kind)
  throw new MigrationError(alike.map(({ message }) => message).join('\n'), codes[first.kind])
}

/** Everything for which a run would skip or lose something, or that it would not carry out. */
export function blockingProblems (comparison: Comparison): MigrationProblem[] {
  const { folder, applied, pending, progress } = comparison
  return [
    ...applied.flatMap((migration) => appliedProblems(migration, folder)),
    ...outOfOrderProblems(comparison),
    ...pending.flatMap(({ tag, up }) => lint(up, `${tag}.sql`).map((message) => ({ kind: 'unfit', tag, message } as const))),
    ...(progress?.direction === 'down' ? unfinishedProblems(progress) : [])
  ]
}

/** What is wrong with one that was applied; as a rule nothing. */
export function appliedProblems ({ row, file }: AppliedMigration, folder: string): MigrationProblem[] {
  if (file === undefined) {
    const message = `The database has a migration that ${folder} does not have, generated ${new Date(row.when).toISOString()}: the database is newer than this code, or the file was removed`
    return [{ kind: 'missing', message }]
  }
  if (file.hashes.includes(row.hash)) return []
  const message = `${file.tag}.sql was edited after it had been applied: bring back its former text, and put the change into a new migration`
  return [{ kind: 'edited', tag: file.tag, message }]
}

/**
 * drizzle-kit applies only what is newer than the newest applied one, so that an older file from a branch merged later would be skipped for ever. One that comes
 * behind all that is applied is next, however old it is: an empty database has them in the same order.
 */
function outOfOrderProblems ({ files, applied, pending }: Comparison): MigrationProblem[] {
  return pending.flatMap((file) => {
    const { tag, when } = file
    const isPassed = applied.some(({ row, file: other }) => row.when >= when && (other === undefined || files.indexOf(other) > files.indexOf(file)))
    const message = `${tag}.sql is older than a migration that is applied already and comes after it, as after a merge: remove it with npx drizzle-kit drop and generate it again`
    return isPassed ? [{ kind: 'outOfOrder', tag, message } as const] : []
  })
}

/** A file outside of a transaction that stands half-way. */
export function unfinishedProblems ({ tag, direction, done }: NonNullable<Comparison['progress']>): MigrationProblem[] {
  const [file, way] = direction === 'up' ? [`${tag}.sql`, 'apply'] : [downName(tag), 'roll back']
  return [{ kind: 'unfinished', tag, message: `${file} stopped after ${done} of its statements, which have taken effect: ${way} once more to finish it` }]
}
