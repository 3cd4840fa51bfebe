import type { Borrower } from './waiters.js'
import type { StatementObserver } from './connection.js'

/** The settings that say which statements are told of. */
export interface StatementLogSettings {
  readonly echo: boolean
  readonly slowQueryMillis: number
}

/** Tells a borrower's log of slow statements, and of all with `echo`; never of their values. */
export function statementLog ({ logger }: Borrower, { echo, slowQueryMillis }: StatementLogSettings): StatementObserver {
  return ({ text, context }, lead, durationMillis) => {
    const slow = durationMillis >= slowQueryMillis
    if (!slow && !echo) return
    const story = { statement: [...lead, text].join('; '), durationMillis: Math.round(durationMillis * 1000) / 1000, ...context }
    if (slow) logger.warn(story, 'slow statement')
    else logger.info(story, 'statement')
  }
}
