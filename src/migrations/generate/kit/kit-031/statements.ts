/**
 * Calls drizzle-kit's comparison of two snapshots, with its views in an order that PostgreSQL accepts, and with a placeholder for each expression.
 */
import { isDeepStrictEqual } from 'node:util'
import type { DrizzleKit } from './drizzle-kit.js'
import { mapTables } from '../../snapshots/snapshot-parts.js'
import type { Policy, Snapshot } from '../../snapshots/snapshot.js'
import { withViewsInDropOrder, withViewsInCreateOrder } from '../view-order.js'

/** The statements that drizzle-kit writes between two snapshots. */
export async function drizzleKitStatements (kit: DrizzleKit, before: Snapshot, after: Snapshot): Promise<string[]> {
  if (isDeepStrictEqual(before, after)) return []
  const words = new Map<string, string>()
  const texts: string[] = []
  // drizzle-kit joins the parts of an object into one text, and splits it at each ";", "--" and ",,". So a placeholder word stands in for each expression.
  const placeholder = (text: string): string => {
    const word = words.get(text) ?? `expression_${texts.push(text) - 1}_of_data_access`
    words.set(text, word)
    return word
  }
  const statements = await kit.generateMigration(replaceExpressions(withViewsInDropOrder(before), placeholder), replaceExpressions(withViewsInCreateOrder(after), placeholder))
  return statements.map((statement) => statement.replace(/expression_(\d+)_of_data_access/g, (_word, index: string) => texts[Number(index)]!))
}

function replaceExpressions (snapshot: Snapshot, placeholder: (text: string) => string): Snapshot {
  const replaceInPolicy = (policy: Policy) => Object.assign(policy, replacedIn(policy, ['using', 'withCheck'], placeholder))
  const copy = mapTables(snapshot, (table) => {
    for (const check of Object.values(table.checkConstraints)) Object.assign(check, replacedIn(check, ['value'], placeholder))
    for (const index of Object.values(table.indexes)) {
      Object.assign(index, replacedIn(index, ['where'], placeholder))
      for (const part of index.columns) if (part.isExpression) Object.assign(part, replacedIn(part, ['expression'], placeholder))
    }
    for (const policy of Object.values(table.policies)) replaceInPolicy(policy)
  })
  for (const policy of Object.values(copy.policies)) replaceInPolicy(policy)
  return copy
}

/** Replaces the properties that exist. A missing one stays missing, so that drizzle-kit refuses the snapshot and names the place. */
function replacedIn<Thing, Key extends keyof Thing> (thing: Thing, keys: readonly Key[], placeholder: (text: string) => string): Partial<Thing> {
  return Object.fromEntries(keys.flatMap((key) => typeof thing[key] === 'string' ? [[key, placeholder(thing[key])]] : [])) as Partial<Thing>
}
