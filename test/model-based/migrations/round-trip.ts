import { isDeepStrictEqual } from 'node:util'
import type { Client } from 'pg'
import { decideRenames } from '../../../src/migrations/generate/renames/decide-renames.js'
import { downFileOf } from '../../../src/migrations/generate/down-file.js'
import { installedKit } from '../../../src/migrations/generate/installed-kit.js'
import type { Diff } from '../../../src/migrations/generate/snapshots/diff.js'
import { orderRenames, referenced, applyRename } from '../../../src/migrations/generate/snapshots/rename.js'
import { emptySnapshot, type Snapshot } from '../../../src/migrations/generate/snapshots/snapshot.js'
import { diffStatements } from '../../../src/migrations/generate/changes/diff-statements.js'
import { readCatalogue } from './catalogue.js'
import { snapshotOfModel } from './model-snapshots.js'
import type { ModelPlan } from './models.js'
import { fill, moodOf, readKept, sameRows, type Row } from './rows.js'
import { schemaOf } from './schema.js'

/** Two models, and the answers about renames: the number of the gone object that was renamed, 0 for none. */
export interface Trip {
  readonly from: ModelPlan
  readonly to: ModelPlan
  readonly answers: readonly number[]
  /** Whether a second row has NULL wherever possible. */
  readonly nulls: boolean
}

/** The end of a trip: PostgreSQL cannot make the change, the rows do not fit the second model, they no longer fit the first, or everything is restored. */
export type Outcome = 'impossible' | 'rows do not fit there' | 'rows do not fit here' | 'all is back'

/** A cast that PostgreSQL does not have, so that no migration could make the change. */
const cannotCast = '42846'

/** The errors of PostgreSQL for rows that do not fit a model. It rolls everything back. */
const rowsDoNotFit = /^2[23]/

/**
 * Migrates from an empty database to the first model, to the second, back, and to the second again.
 *
 * @throws Error if the catalogue differs from that of the second model in an empty database, or from the start after the way back, or if rows are lost that
 *   are not listed as lost
 */
export async function makeTrip (client: Client, { from, to, answers, nulls }: Trip): Promise<Outcome> {
  const kit = installedKit()
  const before = await snapshotOfModel(schemaOf(from))
  const after = await snapshotOfModel(schemaOf(to))
  let asked = 0
  const renames = await decideRenames(before, after, ({ gone }) => Promise.resolve(gone[(answers[asked++ % answers.length] ?? 0) - 1]))
  const way: Diff = { before, after, renames }
  const start = await fromNothing(before)
  const up = await diffStatements(kit, way)
  const { text: down, irreversible } = await downFileOf(kit, way)
  const back = down.split('--> statement-breakpoint')

  await client.query('begin')
  try {
    await runAll(client, await fromNothing(after))
    const wanted = await readCatalogue(client)
    await client.query('rollback; begin')
    await runAll(client, start)
    const first = await readCatalogue(client)
    const isPossible = await runAll(client, up).catch((error: { code?: string }) => {
      if (error.code === cannotCast) return false
      throw error
    })
    if (!isPossible) return 'impossible'
    const second = await readCatalogue(client)
    // An object that PostgreSQL named itself keeps its name when its table or column is renamed.
    if (renames.length === 0) same(wanted, second, 'the way there')
    await runAll(client, back)
    same(first, await readCatalogue(client), 'the way back')
    await runAll(client, up)
    same(second, await readCatalogue(client), 'the second way there')
    await client.query('rollback; begin')
    await runAll(client, start)
    return await carryRows(client, way, { up, back, irreversible, nulls })
  } catch (error) {
    throw new Error(`${(error as Error).message}\nRenamed: ${JSON.stringify(renames)}\nUp:\n${up.join('\n')}\nDown:\n${down}`, { cause: error })
  } finally {
    await client.query('rollback')
  }
}

async function fromNothing (after: Snapshot): Promise<string[]> {
  return await diffStatements(installedKit(), { before: emptySnapshot(), after, renames: [] })
}

async function carryRows (
  client: Client,
  way: Diff,
  { up, back, irreversible, nulls }: { up: readonly string[], back: readonly string[], irreversible: readonly string[], nulls: boolean }
): Promise<Outcome> {
  const mood = moodOf(way)
  await fill(client, way.before, { key: 1, mood })
  if (nulls) await client.query(await another(client, way.before, { key: 2, mood, nulls }) ? 'release more' : 'rollback to more')
  const rows = await readKept(client, way, irreversible)
  const kept = keptForeignKeys(way)
  const isThere = await unlessUnfit(runAll(client, up), kept)
  if (!isThere) return 'rows do not fit there'
  await goOn(client, way.after, mood)
  const isBack = await unlessUnfit(runAll(client, back), kept)
  if (!isBack) return 'rows do not fit here'
  sameRows(rows, await readKept(client, way, irreversible))
  await goOn(client, way.before, mood)
  return 'all is back'
}

/** Sequences must not assign existing numbers. */
async function goOn (client: Client, snapshot: Snapshot, mood: string): Promise<void> {
  await another(client, snapshot, { key: 3, mood })
  await client.query('rollback to more')
}

/** Inserts another row into each table, after a savepoint; `false` if it does not fit. */
async function another (client: Client, snapshot: Snapshot, row: Row): Promise<boolean> {
  await client.query('savepoint more')
  return await unlessUnfit(fill(client, snapshot, row).then(() => true), /_pkey$/)
}

/** Awaits `work`; `false` if rows do not fit. A violation of the named constraints is always an error. */
async function unlessUnfit (work: Promise<boolean>, must: RegExp): Promise<boolean> {
  return await work.catch((error: { code?: string, constraint?: string }) => {
    if (rowsDoNotFit.test(error.code ?? '') && !must.test(error.constraint ?? '')) return false
    throw error
  })
}

/** The foreign keys that no row may violate at any point: they refer to the same table before and after. */
function keptForeignKeys ({ before, after, renames }: Diff): RegExp {
  const targets = ({ tables }: Snapshot) => Object.values(tables).flatMap(({ foreignKeys }) =>
    Object.entries(foreignKeys).map(([name, key]) => `${name} to ${referenced(key)}`))
  const former = targets(orderRenames(renames).reduce(applyRename, before))
  const both = targets(after).filter((target) => former.includes(target)).map((target) => target.split(' to ')[0])
  return new RegExp(`^(${both.join('|') || '-'})$`)
}

async function runAll (client: Client, statements: readonly string[]): Promise<boolean> {
  for (const statement of statements) {
    await client.query(statement).catch((error: Error) => { throw Object.assign(error, { message: `${error.message} at ${statement}` }) })
  }
  return true
}

function same (expected: Record<string, unknown[]>, found: Record<string, unknown[]>, after: string): void {
  for (const [kind, rows] of Object.entries(expected)) {
    const others = found[kind]!
    const lost = rows.filter((row) => !others.some((other) => isDeepStrictEqual(row, other)))
    const more = others.filter((other) => !rows.some((row) => isDeepStrictEqual(row, other)))
    if (lost.length + more.length > 0) throw new Error(`After ${after} ${kind} differ: missing ${JSON.stringify(lost)}, too many ${JSON.stringify(more)}`)
  }
}
