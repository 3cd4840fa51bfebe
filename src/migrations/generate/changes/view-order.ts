import type { Snapshot, View } from '../snapshots/snapshot.js'
import { mentions } from '../snapshots/names.js'

/** With its views in an order in which each comes after those that it reads, so that they can be created one after the other. */
export function withViewsInCreateOrder (snapshot: Snapshot): Snapshot {
  return { ...snapshot, views: inOrder(snapshot.views) }
}

/** With its views in the order in which they can be dropped. */
export function withViewsInDropOrder (snapshot: Snapshot): Snapshot {
  return { ...snapshot, views: Object.fromEntries(Object.entries(inOrder(snapshot.views)).reverse()) }
}

function inOrder (views: Record<string, View>): Record<string, View> {
  const ordered: Record<string, View> = {}
  const add = (key: string, above: readonly string[]): void => {
    // Two views that name each other only seem to read each other.
    if (ordered[key] !== undefined || above.includes(key)) return
    for (const [other, { name }] of Object.entries(views)) if (other !== key && mentions(views[key]!.definition, name)) add(other, [...above, key])
    ordered[key] = views[key]!
  }
  for (const key of Object.keys(views)) add(key, [])
  return ordered
}

/** Those of some views that read none of the others, be it over views between them. */
export function withoutDependentViews (views: Record<string, View>, kept: Record<string, View>): Record<string, View> {
  const lifted = Object.entries(views).filter(([key]) => kept[key] === undefined).map(([, { name }]) => name)
  const fewer = Object.fromEntries(Object.entries(kept).filter(([, view]) => view.isExisting || !lifted.some((name) => mentions(view.definition, name))))
  return Object.keys(fewer).length === Object.keys(kept).length ? kept : withoutDependentViews(views, fewer)
}
