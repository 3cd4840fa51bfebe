import { ignore } from './promises.js'

/**
 * The log of the package: the part of pino's interface that it uses, so `fastify.log` fits as it is.
 */
export interface Logger {
  debug (context: object, message: string): void
  info (context: object, message: string): void
  warn (context: object, message: string): void
  error (context: object, message: string): void
}

/** Writes nothing: the logger of a database that was opened without one. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }
