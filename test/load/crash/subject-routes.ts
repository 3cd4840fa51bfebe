import type { WayName } from '../rivals/ways.js'

/** The kind of server, and the URL of its database. */
export interface SubjectOptions {
  readonly kind: WayName
  readonly connectionString: string
  /** For this package only: whether the reply waits for the commit. */
  readonly commit: 'onSend' | 'onResponse'
  /** For this package only: whether it looks up a COMMIT whose answer is lost. */
  readonly resolveCommits: boolean
}

/** The state of a server besides its routes. */
export interface SubjectRoutes {
  /** The number of connections that are checked out. */
  inUse (): number
}
