import type { Caller } from './caller.js'
import type { Observed } from './statement-observer.js'
import type { Statement } from './statement.js'

/** The settings that say which statements are told of. */
export interface StatementLogSettings {
  readonly echo: boolean
  readonly slowQueryMillis: number
}

/** Tells a borrower's log of slow statements, and of all with `echo`; never of their values. */
export class StatementLog {
  readonly #settings: StatementLogSettings

  constructor (settings: StatementLogSettings) {
    this.#settings = settings
  }

  tell ({ logger }: Caller, { text, context }: Statement, { prelude, durationMillis }: Observed): void {
    const slow = durationMillis >= this.#settings.slowQueryMillis
    if (!slow && !this.#settings.echo) return
    const story = { statement: [...prelude, text].join('; '), durationMillis: Math.round(durationMillis * 1000) / 1000, ...context }
    if (slow) logger.warn(story, 'slow statement')
    else logger.info(story, 'statement')
  }
}
