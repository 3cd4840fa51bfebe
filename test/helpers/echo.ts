import { open } from './database.js'
import { recordingLogger } from './logger.js'
import { withoutLimits } from './through-pooler.js'
import type { Test } from './test.js'
import type { Line } from './logger.js'
import type { Database, OpenOptions } from '../../src/index.js'

/** A database whose sent statements can be read. */
export interface Echoing {
  readonly database: Database
  readonly lines: readonly Line[]
  /** The statements sent since the last call, one entry per round trip; the prelude of a statement comes before it, separated by semicolons. */
  sent (): string[]
}

/** Like `open`, with a log of every statement. */
export async function openEchoing (t: Test, options: OpenOptions = {}): Promise<Echoing> {
  const logger = recordingLogger()
  const database = await open(t, { echo: true, logger, ...options })
  const echoed = (): string[] => logger.lines.filter(({ message }) => message.endsWith('statement')).map(({ context }) => withoutLimits(String(context['statement'])))
  let seen = echoed().length
  return {
    database,
    lines: logger.lines,
    sent () {
      const fresh = echoed().slice(seen)
      seen += fresh.length
      return fresh
    }
  }
}

/** The first word of each statement of each round trip: `begin; insert`. */
export function words (sent: readonly string[]): string[] {
  return sent.map((trip) => trip.split('; ').map((text) => /^\w*/.exec(text)?.[0] ?? '').join('; '))
}
