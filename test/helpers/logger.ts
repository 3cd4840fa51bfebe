import { isAboutPooler } from './through-pooler.js'
import type { Logger } from '../../src/runtime/logger.js'

/** One line of a log. */
export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly context: Readonly<Record<string, unknown>>
  readonly message: string
}

/** A logger that records its lines. */
export function recordingLogger (): Logger & { readonly lines: Line[] } {
  const lines: Line[] = []
  const at = (level: Line['level']) => (context: object, message: string): void => {
    if (!isAboutPooler(message)) lines.push({ level, context: { ...context }, message })
  }
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
