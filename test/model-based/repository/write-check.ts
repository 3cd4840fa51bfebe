/** Makes the same calls on a repository and on its model, and compares each result and the stored rows at the end. */
import assert from 'node:assert/strict'
import { increment } from '../../../src/index.js'
import { entries, remarks } from './entries.js'
import { toFilter } from './predicates.js'
import { orClass, withVisibility } from './read-check.js'
import { WritingModel, byTheClock } from './write-model.js'
import type { Database, Filter, Repository, RowChanges } from '../../../src/index.js'
import type { Changes, Write, WriteCase } from './write-cases.js'
import type { Predicate } from './predicates.js'

type Entries = Repository<typeof entries>

/** Fills the table, and throws at the first difference. */
export async function checkWrites (database: Database, { soft, rows, writes }: WriteCase): Promise<void> {
  // The types of a table without softDelete() and version() forbid some of the calls. The model has the expected error.
  const repo = soft ? database.repo(entries) : database.repo(remarks) as unknown as Entries
  const model = new WritingModel(rows, soft)
  await repo.withDeleted().deleteMany({}, { all: true })
  await repo.createMany(rows.map(({ deletedAt, ...row }) => soft ? { deletedAt, ...row } : row))
  for (const { write, visibility } of writes) {
    const expected = model.call(write, visibility)
    same(write.method, await orClass(call(withVisibility(repo, visibility), write)), expected, soft)
  }
  same('all rows', await repo.withDeleted().getAll({ limit: 1000 }), model.rows, soft)
}

async function call (repo: Entries, write: Write): Promise<unknown> {
  switch (write.method) {
    case 'create': return await repo.create(write.row)
    case 'createMany': return write.returning ? await repo.createMany(write.rows) : await repo.createMany(write.rows, { returning: false })
    case 'update':
    case 'updateOrThrow': {
      const { id, changes, expectedVersion } = write
      return await repo[write.method](id, valuesOf(changes), expectedVersion === undefined ? undefined : { expectedVersion })
    }
    case 'updateMany': return await repo.updateMany(filterOf(write.predicate), valuesOf(write.changes), { all: write.all })
    case 'deleteMany': return await repo.deleteMany(filterOf(write.predicate), { all: write.all })
    case 'purge': return await repo.purge({ olderThan: write.olderThan })
    default: return await repo[write.method](write.id)
  }
}

function valuesOf ({ values, more }: Changes): RowChanges<typeof entries> {
  return {
    ...values,
    ...more.rank !== undefined && { rank: increment(more.rank) },
    ...more.score !== undefined && { score: increment(more.score) }
  }
}

function filterOf (predicate: Predicate): Filter<typeof entries> {
  return toFilter(predicate) as Filter<typeof entries> // they share these columns
}

function same (what: string, actual: unknown, expected: unknown, soft: boolean): void {
  const [given, wanted] = [plain(actual, soft), plain(expected, soft)]
  assert.deepEqual(given, wanted, `${what}: ${JSON.stringify(given)} and not ${JSON.stringify(wanted)}`)
}

/** Leaves out columns that the table lacks, and replaces times of the database: every time that is late enough is right. */
function plain (value: unknown, soft: boolean): unknown {
  if (Array.isArray(value)) return value.map((one) => plain(one, soft))
  if (typeof value !== 'object' || value === null) return value
  const { deletedAt, version, ...rest } = value as Record<string, unknown>
  if (!soft) return rest
  const isRecent = deletedAt instanceof Date && deletedAt.getTime() > started
  return { ...rest, version, deletedAt: isRecent ? byTheClock : deletedAt }
}

/** All times in the cases are earlier. One minute allows for clocks that differ. */
const started = Date.now() - 60_000
