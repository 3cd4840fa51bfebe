import { ActivityWatch } from './activity-watch.js'
import type { Database } from '../database/database.js'
import type { Activity } from './activity.js'

/** What somebody sees of a database, until they end it. */
export interface ActivityView {
  /** What the database does now; `stacks`: with the place in the program that requested each connection, which takes time. */
  current (options?: { readonly stacks?: boolean }): Activity
  /** Ends the view. The last one ends the watch, and its connection. */
  end (): Promise<void>
}

/** How a database is looked at. */
export interface ViewOptions {
  /**
   * Asks PostgreSQL once a second who waits for whose lock.
   * @defaultValue `true`
   */
  readonly blockings?: boolean | undefined
}

/** The watch of a database, and how many look at it. */
interface Shared {
  readonly watch: ActivityWatch
  views: number
}

const shared = new WeakMap<Database, Shared>()

/** Watches a database. All who do so at the same time share one watch, so that many pages cost as much as one. */
export function watchActivity (database: Database, { blockings = true }: ViewOptions = {}): ActivityView & { readonly watch: ActivityWatch } {
  const entry = shared.get(database) ?? { watch: new ActivityWatch({ place: database.host.place, connection: database.pool.options }), views: 0 }
  shared.set(database, entry)
  entry.views++
  const { watch } = entry
  const stopAsking = blockings ? watch.askBlockings() : undefined
  let ended: Promise<void> | undefined
  return {
    watch,
    current: (options) => watch.current(options),
    end: () => {
      ended ??= leave()
      return ended
    }
  }

  async function leave (): Promise<void> {
    stopAsking?.()
    if (--entry.views > 0) return
    shared.delete(database)
    await watch.close()
  }
}
