import { isDeepStrictEqual } from 'node:util'
import type { Client } from 'pg'
import { decideRenames } from '../../../src/migrations/generate/renames/decide-renames.js'
import { downFileOf } from '../../../src/migrations/generate/down-file.js'
import { snapshotOf, type DrizzleKit } from '../../../src/migrations/generate/model/drizzle-kit.js'
import { emptySnapshot } from '../../../src/migrations/generate/snapshots/snapshot.js'
import { statementsOf, type Way } from '../../../src/migrations/generate/changes/diff-statements.js'
import { readCatalogue } from './catalogue.js'
import { schemaOf, type ModelPlan } from './models.js'
import { fill, readKept, sameRows } from './rows.js'

/** Two models, and the answers to what was renamed between them: the how-many-th of those that went, 0 for none. */
export interface Trip {
  readonly from: ModelPlan
  readonly to: ModelPlan
  readonly answers: readonly number[]
}

/** A cast that PostgreSQL does not have: no migration could do it. */
const cannotCast = '42846'

/** Of rows that do not fit the second model, or not the first any more, PostgreSQL says so, and keeps all as it is. */
const rowsDoNotFit = /^2[23]/

/**
 * Goes from nothing to the first model, to the second, back, and there again. Resolves with `false` where PostgreSQL has no way to the second model.
 *
 * @throws Error where the catalogue after the way back, or after the second way there, is not what it was before, or rows of what both models have are not
 */
export async function makeTrip (client: Client, kit: DrizzleKit, { from, to, answers }: Trip): Promise<boolean> {
  const before = snapshotOf(kit, schemaOf(from), { previous: emptySnapshot() })
  const after = snapshotOf(kit, schemaOf(to), { previous: before })
  let asked = 0
  const renames = await decideRenames(before, after, ({ gone }) => Promise.resolve(gone[(answers[asked++ % answers.length] ?? 0) - 1]))
  const way: Way = { before, after, renames }
  const start = await statementsOf(kit, { before: emptySnapshot(), after: before, renames: [] })
  const up = await statementsOf(kit, way)
  const { text: down } = await downFileOf(kit, way)

  await client.query('begin')
  try {
    for (const statement of start) await client.query(statement)
    const first = await readCatalogue(client)
    const isPossible = await runAll(client, up).catch((error: { code?: string }) => {
      if (error.code === cannotCast) return false
      throw error
    })
    if (!isPossible) return false
    const second = await readCatalogue(client)
    await runAll(client, down.split('--> statement-breakpoint'))
    same(first, await readCatalogue(client), 'the way back')
    await runAll(client, up)
    same(second, await readCatalogue(client), 'the second way there')
    await client.query('rollback; begin')
    for (const statement of start) await client.query(statement)
    await carryRows(client, way, [...up, ...down.split('--> statement-breakpoint')])
    return true
  } catch (error) {
    throw new Error(`${(error as Error).message}\nRenamed: ${JSON.stringify(renames)}\nUp:\n${up.join('\n')}\nDown:\n${down}`, { cause: error })
  } finally {
    await client.query('rollback')
  }
}

async function carryRows (client: Client, way: Way, thereAndBack: readonly string[]): Promise<void> {
  await fill(client, way.before)
  const rows = await readKept(client, way)
  const isPossible = await runAll(client, thereAndBack).catch((error: { code?: string }) => {
    if (rowsDoNotFit.test(error.code ?? '')) return false
    throw error
  })
  if (isPossible) sameRows(rows, await readKept(client, way))
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
