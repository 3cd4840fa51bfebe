import { mentions } from '../snapshots/names.js'
import type { View } from '../snapshots/snapshot.js'

/** Of `kept`, the views that read no view outside it, directly or through others. */
export function withoutDependentViews (views: Record<string, View>, kept: Record<string, View>): Record<string, View> {
  const dropped = Object.entries(views).filter(([key]) => kept[key] === undefined).map(([, { name }]) => name)
  const fewer = Object.fromEntries(Object.entries(kept).filter(([, view]) => view.isExisting || !dropped.some((name) => mentions(view.definition, name))))
  return Object.keys(fewer).length === Object.keys(kept).length ? kept : withoutDependentViews(views, fewer)
}
