/** Orders views by their dependencies, which drizzle-kit's comparison of two snapshots does not. */
import type { Snapshot, View } from '../snapshots/snapshot.js'
import { mentions } from '../snapshots/names.js'

/** A snapshot with its views in the order of creation: each after the views that it reads. */
export function withViewsInCreateOrder (snapshot: Snapshot): Snapshot {
  return { ...snapshot, views: inOrder(snapshot.views) }
}

/** A snapshot with its views in the order of dropping. */
export function withViewsInDropOrder (snapshot: Snapshot): Snapshot {
  return { ...snapshot, views: Object.fromEntries(Object.entries(inOrder(snapshot.views)).reverse()) }
}

function inOrder (views: Record<string, View>): Record<string, View> {
  const ordered: Record<string, View> = {}
  const add = (key: string, above: readonly string[]): void => {
    // Views cannot read each other in a circle. If two mention each other's names, one match is a coincidence.
    if (ordered[key] !== undefined || above.includes(key)) return
    for (const [other, { name }] of Object.entries(views)) if (other !== key && mentions(views[key]!.definition, name)) add(other, [...above, key])
    ordered[key] = views[key]!
  }
  for (const key of Object.keys(views)) add(key, [])
  return ordered
}
