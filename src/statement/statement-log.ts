import type { Caller } from './caller.js'
import type { Observed } from './statement-observer.js'
import type { Statement } from './statement.js'

/** The settings that decide which statements are logged. */
export interface StatementLogSettings {
  readonly echo: boolean
  readonly slowQueryMillis: number
}

/** Logs slow statements, and with `echo` all statements, to the caller's log; never their values. */
export class StatementLog {
  readonly #settings: StatementLogSettings

  constructor (settings: StatementLogSettings) {
    this.#settings = settings
  }

  tell ({ logger }: Caller, { text, context }: Statement, { prelude, durationMillis, repeats }: Observed): void {
    // The time is that of the whole batch: one line tells it.
    const slow = !repeats && durationMillis >= this.#settings.slowQueryMillis
    if (!slow && !this.#settings.echo) return
    const entry = { statement: [...prelude.map((leading) => leading.text), text].join('; '), durationMillis: Math.round(durationMillis * 1000) / 1000, ...context }
    if (slow) logger.warn(entry, 'slow statement')
    else logger.info(entry, 'statement')
  }
}
