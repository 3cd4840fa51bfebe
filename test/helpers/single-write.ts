import type { Database, Session } from '../../src/index.js'

export const single = { single: true } as const

/** A session with `single`, and the callbacks that ran. */
export function watchSingle (database: Database): { session: Session, called: string[] } {
  const session = database.createSession(single)
  const called: string[] = []
  session.afterCommit(() => { called.push('afterCommit') })
  session.afterRollback(() => { called.push('afterRollback') })
  return { session, called }
}
