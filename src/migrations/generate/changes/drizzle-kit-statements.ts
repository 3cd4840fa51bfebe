import { isDeepStrictEqual } from 'node:util'
import type { DrizzleKit } from '../model/drizzle-kit.js'
import { eachTable } from '../snapshots/snapshot-parts.js'
import type { Policy, Snapshot } from '../snapshots/snapshot.js'
import { withViewsFromTheEnd, withViewsInOrder } from './view-order.js'

/** drizzle-kit's statements between two snapshots. */
export async function generate (kit: DrizzleKit, before: Snapshot, after: Snapshot): Promise<string[]> {
  if (isDeepStrictEqual(before, after)) return []
  const words = new Map<string, string>()
  const texts: string[] = []
  // drizzle-kit joins what belongs to a thing into one text, and takes it apart at each ";", "--" and ",,": expressions stay outside of that.
  const opaque = (text: string): string => {
    const word = words.get(text) ?? `expression_${texts.push(text) - 1}_of_data_access`
    words.set(text, word)
    return word
  }
  const statements = await kit.generateMigration(hide(withViewsFromTheEnd(before), opaque), hide(withViewsInOrder(after), opaque))
  return statements.map((statement) => statement.replace(/expression_(\d+)_of_data_access/g, (_word, index: string) => texts[Number(index)]!))
}

function hide (snapshot: Snapshot, opaque: (text: string) => string): Snapshot {
  const hidePolicy = (policy: Policy) => Object.assign(policy, opaqueIn(policy, ['using', 'withCheck'], opaque))
  const copy = eachTable(snapshot, (table) => {
    for (const check of Object.values(table.checkConstraints)) Object.assign(check, opaqueIn(check, ['value'], opaque))
    for (const index of Object.values(table.indexes)) {
      Object.assign(index, opaqueIn(index, ['where'], opaque))
      for (const part of index.columns) if (part.isExpression) Object.assign(part, opaqueIn(part, ['expression'], opaque))
    }
    for (const policy of Object.values(table.policies)) hidePolicy(policy)
  })
  for (const policy of Object.values(copy.policies)) hidePolicy(policy)
  return copy
}

/** Those of the properties that are there; drizzle-kit refuses a snapshot that lacks what it needs, and says where. */
function opaqueIn<Thing, Key extends keyof Thing> (thing: Thing, keys: readonly Key[], opaque: (text: string) => string): Partial<Thing> {
  return Object.fromEntries(keys.flatMap((key) => typeof thing[key] === 'string' ? [[key, opaque(thing[key])]] : [])) as Partial<Thing>
}
