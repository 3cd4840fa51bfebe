import { isDeepStrictEqual } from 'node:util'
import type { DrizzleKit } from '../model/drizzle-kit.js'
import { mapTables } from '../snapshots/snapshot-parts.js'
import type { Policy, Snapshot } from '../snapshots/snapshot.js'
import { withViewsInDropOrder, withViewsInCreateOrder } from './view-order.js'

/** drizzle-kit's statements between two snapshots. */
export async function drizzleKitStatements (kit: DrizzleKit, before: Snapshot, after: Snapshot): Promise<string[]> {
  if (isDeepStrictEqual(before, after)) return []
  const words = new Map<string, string>()
  const texts: string[] = []
  // drizzle-kit joins what belongs to a thing into one text, and takes it apart at each ";", "--" and ",,": expressions stay outside of that.
  const opaque = (text: string): string => {
    const word = words.get(text) ?? `expression_${texts.push(text) - 1}_of_data_access`
    words.set(text, word)
    return word
  }
  const statements = await kit.generateMigration(replaceExpressions(withViewsInDropOrder(before), opaque), replaceExpressions(withViewsInCreateOrder(after), opaque))
  return statements.map((statement) => statement.replace(/expression_(\d+)_of_data_access/g, (_word, index: string) => texts[Number(index)]!))
}

function replaceExpressions (snapshot: Snapshot, opaque: (text: string) => string): Snapshot {
  const hidePolicy = (policy: Policy) => Object.assign(policy, replacedIn(policy, ['using', 'withCheck'], opaque))
  const copy = mapTables(snapshot, (table) => {
    for (const check of Object.values(table.checkConstraints)) Object.assign(check, replacedIn(check, ['value'], opaque))
    for (const index of Object.values(table.indexes)) {
      Object.assign(index, replacedIn(index, ['where'], opaque))
      for (const part of index.columns) if (part.isExpression) Object.assign(part, replacedIn(part, ['expression'], opaque))
    }
    for (const policy of Object.values(table.policies)) hidePolicy(policy)
  })
  for (const policy of Object.values(copy.policies)) hidePolicy(policy)
  return copy
}

/** Those of the properties that are there; drizzle-kit refuses a snapshot that lacks what it needs, and says where. */
function replacedIn<Thing, Key extends keyof Thing> (thing: Thing, keys: readonly Key[], opaque: (text: string) => string): Partial<Thing> {
  return Object.fromEntries(keys.flatMap((key) => typeof thing[key] === 'string' ? [[key, opaque(thing[key])]] : [])) as Partial<Thing>
}
