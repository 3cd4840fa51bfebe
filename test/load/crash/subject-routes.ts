import type { WayName } from '../rivals/ways.js'

/** Which server it is, and where its database is. */
export interface SubjectOptions {
  readonly kind: WayName
  readonly connectionString: string
  /** Of this package only: whether the reply waits for the commit. */
  readonly commit: 'onSend' | 'onResponse'
  /** Of this package only: whether it finds out what became of a COMMIT whose answer is lost. */
  readonly resolveCommits: boolean
}

/** What is known of a server beside its routes. */
export interface SubjectRoutes {
  /** How many connections are checked out. */
  inUse (): number
}
