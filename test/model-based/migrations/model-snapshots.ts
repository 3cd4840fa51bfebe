import { isDrizzle1 } from '../../../src/drizzle/version.js'
import { loadDrizzleKit, snapshotOf as snapshotOf031 } from '../../../src/migrations/generate/kit/kit-031/drizzle-kit.js'
import { loadApi } from '../../../src/migrations/generate/kit/kit-1/drizzle-kit.js'
import { snapshotOf as snapshotOf1 } from '../../../src/migrations/generate/kit/kit-1/snapshot-of-state.js'
import { withSqlTexts } from '../../../src/migrations/generate/kit/kit-1/with-sql-texts.js'
import { emptySnapshot, type Snapshot } from '../../../src/migrations/generate/snapshots/snapshot.js'

/** The snapshot that the installed drizzle-kit makes of a model. */
export async function snapshotOfModel (schema: Record<string, unknown>): Promise<Snapshot> {
  if (!isDrizzle1) return snapshotOf031(await loadDrizzleKit(), schema, { previous: emptySnapshot() })
  const { generateDrizzleJson } = await loadApi()
  return snapshotOf1(await generateDrizzleJson({ ...withSqlTexts(Object.values(schema)) }))
}
