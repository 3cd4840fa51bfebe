import type { Rename } from './rename.js'
import type { Snapshot } from './snapshot.js'

/** Two snapshots, and the renames between them. */
export interface Diff {
  readonly before: Snapshot
  readonly after: Snapshot
  /** The objects that were renamed. Everything else that is new is created, and everything else that is gone is dropped. */
  readonly renames: readonly Rename[]
}
