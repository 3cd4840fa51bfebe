/** Writes the same rows through a repository and its model, and compares the results and the stored rows. */
import assert from 'node:assert/strict'
import { DatabaseError, increment } from '../../../src/index.js'
import { ShelfModel } from './shelf-model.js'
import { emptyShelves, plainShelf, softShelf } from './shelf.js'
import type { Database, Repository, UpsertOptions } from '../../../src/index.js'
import type { ShelfUpsert } from './shelf-model.js'
import type { ShelfRow } from './shelf.js'
import type { Write, InsertCase } from './insert-cases.js'

type Shelf = Repository<typeof softShelf>

/** Throws at the first difference. */
export async function checkInserts (database: Database, { isSoft, seesDeleted, writes }: InsertCase): Promise<void> {
  await database.execute(emptyShelves)
  const all = database.repo(isSoft ? softShelf : plainShelf as never) as Shelf
  const repo = seesDeleted ? all.withDeleted() : all
  const model = new ShelfModel(isSoft, seesDeleted)
  const generated = new Map<number, number>()
  for (const write of writes) {
    const expected = outcome(() => modelled(model, write))
    const actual = await outcomeOf(written(repo, model, write))
    const label = JSON.stringify(write)
    if (Array.isArray(actual) && Array.isArray(expected)) translate(actual, expected, generated)
    assert.deepEqual(named(actual, new Map()), named(expected, generated), label)
    assert.deepEqual(byId(await all.withDeleted().getAll({ limit: 1000 })), byId(named(model.rows, generated) as ShelfRow[]), label)
  }
}

function modelled (model: ShelfModel, write: Write): unknown {
  switch (write.kind) {
    case 'createMany': return model.createMany(write.rows)
    case 'upsert': return model.upsertMany([write.row], write.options)
    case 'upsertMany': return model.upsertMany(write.rows, write.options)
    case 'getOrCreate': return [model.getOrCreate(write.filter, write.defaults)]
    default: return []
  }
}

async function written (repo: Shelf, model: ShelfModel, write: Write): Promise<unknown> {
  switch (write.kind) {
    case 'createMany': return await repo.createMany(write.rows)
    case 'upsert': return [await repo.upsert(write.row, optionsOf(write.options))]
    case 'upsertMany': return await repo.upsertMany(write.rows, optionsOf(write.options))
    case 'getOrCreate': return [await repo.getOrCreate(write.filter as { code: string }, write.defaults as never)]
    default: return await softDelete(repo, model, write.place)
  }
}

/** One of the rows with a given id. */
async function softDelete (repo: Shelf, model: ShelfModel, place: number): Promise<unknown> {
  const candidates = model.rows.filter(({ id, deletedAt }) => id < 1000 && deletedAt === null)
  const { id } = candidates[place % Math.max(candidates.length, 1)] ?? {}
  const deletedAt = id === undefined ? undefined : (await repo.softDelete(id))?.deletedAt
  if (id !== undefined && deletedAt !== undefined && deletedAt !== null) model.softDelete(id, deletedAt)
  return []
}

function optionsOf ({ target, update, rankAbove, deleted }: ShelfUpsert): UpsertOptions<typeof softShelf> {
  return {
    ...(target && { target }),
    ...(update && { update: 'add' in update ? { rank: increment(update.add) } : update }),
    ...(rankAbove !== undefined && { where: { rank: { gt: rankAbove } } }),
    ...(deleted && { deleted })
  }
}

/** Copies the ids that PostgreSQL generated into the model. They differ, because failed writes use ids up. */
function translate (actual: readonly unknown[], expected: readonly unknown[], generated: Map<number, number>): void {
  for (const [place, row] of expected.entries()) {
    const id = idOf(row)
    if (id < 1000 || generated.has(id)) continue
    const made = idOf(actual[place])
    assert.ok(made >= 1000 && made > Math.max(0, ...generated.values()), 'generated keys are new, and in order')
    generated.set(id, made)
  }
}

function idOf (row: unknown): number {
  const { id, row: { id: inner } = {} } = row as { id?: number, row?: { id?: number } }
  return id ?? inner ?? NaN
}

function named (value: unknown, generated: ReadonlyMap<number, number>): unknown {
  if (!Array.isArray(value)) return value
  return value.map((row: ShelfRow & { row?: ShelfRow, created?: boolean }) => {
    const rename = (one: ShelfRow): ShelfRow => ({ ...one, id: generated.get(one.id) ?? one.id })
    return row.row === undefined ? rename(row) : { row: rename(row.row), created: row.created }
  })
}

function byId (rows: readonly ShelfRow[]): ShelfRow[] {
  return [...rows].sort((one, other) => one.id - other.id)
}

/** The result of a write, or the class of its error. */
function outcome (run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return classOf(error)
  }
}

async function outcomeOf (promise: Promise<unknown>): Promise<unknown> {
  return await promise.catch(classOf)
}

function classOf (error: unknown): unknown {
  if (error instanceof DatabaseError) return error.constructor
  throw error
}
