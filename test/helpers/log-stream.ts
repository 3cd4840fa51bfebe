import { isAboutPooler } from './through-pooler.js'

/** One line of pino's, parsed. */
export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly reqId?: string
  readonly err?: { readonly code?: string, readonly message?: string }
  readonly [key: string]: unknown
}

/** A stream for Fastify's logger that records its input. */
export function recordLog () {
  const texts: string[] = []
  return {
    /** For `Fastify({ logger })`. */
    logger: { level: 'debug', stream: { write: (text: string) => { texts.push(text) } } },
    /** Everything that was written. */
    get text () { return texts.join('') },
    /** The lines of one level and above: 20 debug, 30 info, 40 warn, 50 error. */
    lines (level: number): LogLine[] {
      return texts.map((text) => JSON.parse(text) as LogLine).filter((line) => line.level >= level && !isAboutPooler(line.msg))
    }
  }
}
